//! Loads a footer with as few requests as possible: one speculative read of the file's end, then what is missing. A small
//! file has come whole then, and is not asked for again.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use parquet::DecodeResult;
use parquet::file::FOOTER_SIZE;
use parquet::file::metadata::{
    FooterTail, PageIndexPolicy, ParquetMetaData, ParquetMetaDataOptions, ParquetMetaDataPushDecoder,
    ParquetStatisticsPolicy,
};
use tokaki_core::{Error, ErrorKind, Result};

use super::parquet_error;
use crate::store::StoredFile;

/// Footers of line item files fit in this, so that one request is enough.
const SPECULATIVE_BYTES: u64 = 64 << 10;

/// What is known of a file once its footer was loaded.
#[derive(Clone)]
pub(super) struct Known {
    /// The footer.
    pub(super) footer: Arc<ParquetMetaData>,
    /// The whole file, if it is small.
    pub(super) whole: Option<Bytes>,
}

/// The footer of `file`, which has `bytes` bytes.
pub(super) async fn load(file: &StoredFile, bytes: u64) -> Result<Known> {
    if bytes == 0 {
        return Err(Error::new(ErrorKind::Parquet, "the file is empty, not even a Parquet footer is in it"));
    }
    // Nobody looks for single pages, and an index that is wrong would lead to the wrong ones.
    let decoder = ParquetMetaDataPushDecoder::try_new(bytes).map_err(parquet_error)?;
    // And nobody asks how long texts are.
    let options = ParquetMetaDataOptions::new().with_size_stats_policy(ParquetStatisticsPolicy::SkipAll);
    let mut decoder =
        decoder.with_page_index_policy(PageIndexPolicy::Skip).with_metadata_options(Some(Arc::new(options)));
    let speculative: Range<u64> = bytes.saturating_sub(SPECULATIVE_BYTES)..bytes;
    let mut wanted = vec![speculative];
    let mut whole = None;
    loop {
        let fetched = file.fetch(&wanted).await?;
        if let Some(end) = fetched.last().filter(|_| wanted.last().is_some_and(|range| range.end == bytes)) {
            check_length(end, bytes)?;
            whole = Some(end.clone()).filter(|end| end.len() as u64 == bytes);
        }
        decoder.push_ranges(wanted, fetched).map_err(parquet_error)?;
        match decoder.try_decode().map_err(parquet_error)? {
            DecodeResult::Data(footer) => return Ok(Known { footer: Arc::new(footer), whole }),
            DecodeResult::NeedsData(ranges) => wanted = ranges,
            DecodeResult::Finished => return Err(Error::bug("a Parquet footer ended before it began")),
        }
    }
}

/// The decoder subtracts the footer's stated length from the file's without looking which is larger.
fn check_length(end: &[u8], bytes: u64) -> Result<()> {
    let Some(tail) = end.last_chunk::<FOOTER_SIZE>() else { return Ok(()) };
    let stated = FooterTail::try_new(tail).map_err(parquet_error)?.metadata_length() as u64;
    if stated + FOOTER_SIZE as u64 > bytes {
        let message = format!("the footer is said to have {stated} bytes, and the file has {bytes}");
        return Err(Error::new(ErrorKind::Parquet, message)
            .help("the file may be incomplete or damaged: upload it again, or take it out of the folder"));
    }
    Ok(())
}
