//! Whether what a file says of its sizes can be true, before anybody takes memory for it.
//!
//! A footer and a page header may claim anything, and decoders make room for what is claimed.

use bytesize::ByteSize;
use parquet::basic::Compression;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use tokaki_core::{Error, ErrorKind, Place, Result};

use super::layout::Layout;
use super::pages::{Page, Pages};

/// What the wanted columns of a row group may unpack to. Writers end a row group after some hundred MiB.
const ROW_GROUP_BYTES: u64 = 16 << 30;
/// Rows of a row group, which writers end after a few millions.
const ROW_GROUP_ROWS: u64 = 1 << 32;
/// What a page may unpack to. Writers end a page after 1 MiB, unless a single value is larger.
const PAGE_BYTES: u64 = 1 << 30;
/// Pages that are not larger do no harm, whatever was said of their column.
const SMALL_PAGE_BYTES: u64 = 1 << 20;

/// Checks what the footer says of the wanted columns of a row group; the file has `file_bytes` bytes.
///
/// # Errors
/// `Parquet`, with row group and column.
pub(super) fn check_row_group(
    footer: &ParquetMetaData,
    row_group: usize,
    layout: &Layout,
    file_bytes: u64,
) -> Result<()> {
    let metadata = footer.row_group(row_group);
    let mut unpacked = 0_u64;
    for column in layout.columns(metadata) {
        let place = place(row_group, column);
        let bytes = column_bytes(column, file_bytes).map_err(|claim| refused(&claim).at(&place))?;
        unpacked = unpacked.saturating_add(bytes);
    }
    let row_group = Place { row_group: Some(row_group), ..Place::default() };
    if !(0..=ROW_GROUP_ROWS).contains(&u64::try_from(metadata.num_rows()).unwrap_or(u64::MAX)) {
        return Err(refused(&format!("it is said to have {} rows", metadata.num_rows())).at(&row_group));
    }
    if unpacked > ROW_GROUP_BYTES {
        let (unpacked, most) = (ByteSize(unpacked), ByteSize(ROW_GROUP_BYTES));
        let claim = format!("the wanted columns are said to unpack to {unpacked}, and {most} is the most");
        return Err(refused(&claim).at(&row_group));
    }
    Ok(())
}

/// What the column unpacks to, as the footer says; or what about it cannot be.
fn column_bytes(column: &ColumnChunkMetaData, file_bytes: u64) -> Result<u64, String> {
    let size = |what: &str, claimed: i64| {
        u64::try_from(claimed).map_err(|_| format!("the footer says {claimed} of its {what}"))
    };
    let start = size("start", column.dictionary_page_offset().unwrap_or_else(|| column.data_page_offset()))?;
    let packed = size("size", column.compressed_size())?;
    let unpacked = size("unpacked size", column.uncompressed_size())?;
    size("number of values", column.num_values())?;
    if start.checked_add(packed).is_none_or(|end| end > file_bytes) {
        return Err(format!("it is said to be {packed} bytes from {start} on, and the file has {file_bytes}"));
    }
    if unpacked > most_unpacked(column.compression(), packed) {
        return Err(format!("{packed} bytes are said to unpack to {unpacked}, more than {} can", column.compression()));
    }
    Ok(unpacked)
}

/// Checks the headers of all pages of the column chunk that lies in `bytes`.
///
/// # Errors
/// `Parquet`, with row group and column.
pub(super) fn check_pages(row_group: usize, column: &ColumnChunkMetaData, bytes: &[u8]) -> Result<()> {
    let values = u64::try_from(column.num_values()).unwrap_or_default();
    let of_column = u64::try_from(column.uncompressed_size()).unwrap_or_default();
    for page in Pages::new(bytes) {
        let checked = page.and_then(|page| check_page(&page, column.compression(), of_column, values));
        checked.map_err(|claim| refused(&claim).at(&place(row_group, column)))?;
    }
    Ok(())
}

fn check_page(page: &Page, codec: Compression, of_column: u64, values: u64) -> Result<(), String> {
    let Page { packed, unpacked, .. } = *page;
    if unpacked > PAGE_BYTES {
        let (unpacked, most) = (ByteSize(unpacked), ByteSize(PAGE_BYTES));
        return Err(format!("a page is said to unpack to {unpacked}, and {most} is the most"));
    }
    if unpacked > most_unpacked(codec, packed) {
        return Err(format!("a page of {packed} bytes is said to unpack to {unpacked}, more than {codec} can"));
    }
    if unpacked > of_column.max(SMALL_PAGE_BYTES) {
        return Err(format!("a page is said to unpack to {unpacked} bytes, and its whole column to {of_column}"));
    }
    // A value of a dictionary takes at least a byte; one of a data page may take none, if it is the one before again.
    let most = if page.is_dictionary { unpacked.max(1) } else { values };
    if page.values > most {
        let kind = if page.is_dictionary { "dictionary" } else { "page" };
        return Err(format!("a {kind} of {unpacked} bytes is said to hold {} values, of {values}", page.values));
    }
    Ok(())
}

/// The most that so many bytes can unpack to.
fn most_unpacked(codec: Compression, packed: u64) -> u64 {
    /// Room for the last, started unit of a codec.
    const BEGUN: u64 = 1 << 10;
    let ratio = match codec {
        Compression::UNCOMPRESSED => 1,
        // A copy of 64 bytes takes 3.
        Compression::SNAPPY => 22,
        // Of a match each further byte stands for 255.
        Compression::LZ4 | Compression::LZ4_RAW => 255,
        // A copy of 258 bytes takes 2 bits.
        Compression::GZIP(_) => 1_032,
        // These say with a few bytes that one comes again and again.
        Compression::BROTLI(_) | Compression::ZSTD(_) | Compression::LZO => return u64::MAX,
    };
    packed.saturating_mul(ratio).saturating_add(BEGUN)
}

fn place(row_group: usize, column: &ColumnChunkMetaData) -> Place {
    Place { row_group: Some(row_group), column: Some(column.column_path().string()), ..Place::default() }
}

fn refused(claim: &str) -> Error {
    Error::new(ErrorKind::Parquet, format!("the file's sizes cannot be: {claim}")).help(
        "the file may be damaged: upload it again, or take it out of the folder; or write it in smaller row groups",
    )
}

#[cfg(test)]
mod tests {
    use parquet::basic::ZstdLevel;

    use super::*;

    fn page(packed: u64, unpacked: u64, values: u64) -> Page {
        Page { packed, unpacked, values, is_dictionary: false }
    }

    #[test]
    fn no_codec_can_do_wonders() {
        for (codec, ratio) in [(Compression::SNAPPY, 22), (Compression::LZ4_RAW, 255), (Compression::UNCOMPRESSED, 1)] {
            assert!(check_page(&page(10_000, 10_000 * ratio, 5), codec, u64::MAX, 5).is_ok(), "{codec}");
            assert!(check_page(&page(10_000, 11_000 * ratio + 1024, 5), codec, u64::MAX, 5).is_err(), "{codec}");
        }
    }

    #[test]
    fn what_could_be_true_has_bounds() {
        let zstd = Compression::ZSTD(ZstdLevel::default());
        assert!(check_page(&page(40, PAGE_BYTES, 5), zstd, u64::MAX, 5).is_ok());
        assert!(check_page(&page(40, PAGE_BYTES + 1, 5), zstd, u64::MAX, 5).is_err());
        let error = check_page(&page(40, 2 << 20, 5), zstd, 1 << 20, 5).expect_err("more than its column");
        assert_eq!(error, "a page is said to unpack to 2097152 bytes, and its whole column to 1048576");
        assert!(check_page(&page(40, 1 << 20, 5), zstd, 0, 5).is_ok(), "some writers say nothing of use of a column");
    }

    #[test]
    fn a_page_has_no_more_values_than_its_column_and_a_dictionary_no_more_than_bytes() {
        let zstd = Compression::ZSTD(ZstdLevel::default());
        assert!(check_page(&page(40, 100, 6), zstd, 100, 5).is_err());
        let dictionary = |values| Page { is_dictionary: true, ..page(40, 100, values) };
        assert!(check_page(&dictionary(100), zstd, 100, 5).is_ok());
        assert!(check_page(&dictionary(101), zstd, 100, 5).is_err());
    }
}
