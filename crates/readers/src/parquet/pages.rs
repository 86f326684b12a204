//! The headers of the pages of a column chunk, in Thrift's compact protocol.
//!
//! The library reads them one by one as it decodes, and takes what they claim; nobody else can look before.

use std::iter;

/// What a header says of its page, in bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) packed: u64,
    pub(super) unpacked: u64,
    pub(super) values: u64,
    pub(super) is_dictionary: bool,
}

/// The pages of a column chunk, or what is wrong with the next header; after that there are none.
pub(super) struct Pages<'a> {
    rest: &'a [u8],
}

impl<'a> Pages<'a> {
    /// The pages that lie in `bytes`.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    fn next_page(&mut self) -> Result<Page, String> {
        let mut header = Header { bytes: self.rest };
        let page = header.page().ok_or("the header of a page cannot be read: it is damaged, or encrypted")?;
        let packed = usize::try_from(page.packed).unwrap_or(usize::MAX);
        self.rest = header.bytes.get(packed..).ok_or_else(|| {
            format!("a page is said to be {} bytes, and {} are left of its column", page.packed, header.bytes.len())
        })?;
        Ok(page)
    }
}

impl Iterator for Pages<'_> {
    type Item = Result<Page, String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let page = self.next_page();
        if page.is_err() {
            self.rest = &[];
        }
        Some(page)
    }
}

/// What is left of a header to read. Every method gives `None` if that is nothing that Thrift would write.
struct Header<'a> {
    bytes: &'a [u8],
}

/// How a value is written.
const I32: u8 = 5;
const STRUCT: u8 = 12;

impl Header<'_> {
    /// Fields of `PageHeader` in parquet.thrift.
    fn page(&mut self) -> Option<Page> {
        let mut page = Page { packed: 0, unpacked: 0, values: 0, is_dictionary: false };
        let (mut id, mut values) = (0, None);
        while let Some(kind) = self.field(&mut id)? {
            match id {
                2 => page.unpacked = self.size(kind)?,
                3 => page.packed = self.size(kind)?,
                // The header of a data page, a dictionary or a data page of version 2. Of several nobody knows which
                // one a decoder takes.
                5 | 7 | 8 if kind == STRUCT && values.is_none() => {
                    page.is_dictionary = id == 7;
                    values = Some(self.values()?);
                }
                5 | 7 | 8 => return None,
                _ => self.skip(kind, DEEPEST)?,
            }
        }
        Some(Page { values: values.unwrap_or_default(), ..page })
    }

    /// The number of values, which is the first field of each of these headers.
    fn values(&mut self) -> Option<u64> {
        let (mut id, mut values) = (0, 0);
        while let Some(kind) = self.field(&mut id)? {
            match id {
                1 => values = self.size(kind)?,
                _ => self.skip(kind, DEEPEST)?,
            }
        }
        Some(values)
    }

    /// Kind of the next field, whose number becomes `id`; nothing at the end of a struct.
    fn field(&mut self, id: &mut i64) -> Option<Option<u8>> {
        let head = self.byte()?;
        if head == 0 {
            return Some(None);
        }
        *id = match head >> 4 {
            0 => self.zigzag()?,
            ahead => id.checked_add(i64::from(ahead))?,
        };
        // Longer ones are cut by some, and are then others.
        i16::try_from(*id).ok()?;
        Some(Some(head & 0x0f))
    }

    fn skip(&mut self, kind: u8, depth: u8) -> Option<()> {
        let deeper = depth.checked_sub(1)?;
        match kind {
            // Booleans are their kind.
            1 | 2 => Some(()),
            3 => self.byte().map(drop),
            4..=6 => self.varint().map(drop),
            7 => self.take(8),
            8 => {
                let length = self.varint()?;
                self.take(length)
            }
            9 | 10 => {
                let head = self.byte()?;
                let length = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
                // An element takes a byte at least, so a claimed length ends with the bytes.
                iter::repeat_n((), usize::try_from(length).ok()?).try_for_each(|()| match head & 0x0f {
                    1 | 2 => self.take(1),
                    kind => self.skip(kind, deeper),
                })
            }
            STRUCT => {
                let mut id = 0;
                while let Some(kind) = self.field(&mut id)? {
                    self.skip(kind, deeper)?;
                }
                Some(())
            }
            _ => None,
        }
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    fn take(&mut self, length: u64) -> Option<()> {
        self.bytes = self.bytes.get(usize::try_from(length).ok()?..)?;
        Some(())
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn zigzag(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// A size, which is written as 32 bits. Decoders do not look what it is written as.
    fn size(&mut self, kind: u8) -> Option<u64> {
        (kind == I32).then_some(())?;
        u64::try_from(self.zigzag()?).ok()
    }
}

/// Structs within structs; the headers that we know have two.
const DEEPEST: u8 = 8;

#[cfg(test)]
mod tests {
    use parquet::arrow::ArrowWriter;
    use parquet::file::metadata::ParquetMetaDataReader;
    use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
    use proptest::prelude::*;

    use super::*;

    /// A data page of 5 values, 3 bytes that unpack to 9.
    const HEADER: [u8; 16] = [0x15, 0, 0x15, 18, 0x15, 6, 0x2c, 0x15, 10, 0x15, 0, 0x15, 6, 0x15, 6, 0];

    fn chunk() -> Vec<u8> {
        [&HEADER[..], &[0, 1, 2, 3]].concat()
    }

    #[test]
    fn a_header_says_how_large_its_page_is() {
        let page = Page { packed: 3, unpacked: 9, values: 5, is_dictionary: false };
        assert_eq!(Pages::new(&chunk()).collect::<Vec<_>>(), [Ok(page)]);
        let twice = [chunk(), chunk()].concat();
        assert_eq!(Pages::new(&twice).filter(Result::is_ok).count(), 2);
    }

    #[test]
    fn a_page_beyond_its_column_and_half_a_header_are_told() {
        let beyond = Pages::new(&chunk()[..18]).next().expect("a page").expect_err("too short");
        assert_eq!(beyond, "a page is said to be 3 bytes, and 1 are left of its column");
        let half: Vec<_> = Pages::new(&chunk()[..10]).collect();
        assert!(matches!(half[..], [Err(_)]), "{half:?}");
    }

    #[test]
    fn a_header_that_can_be_read_in_two_ways_is_none() {
        // Sizes of other kinds.
        for (position, kind) in [(2, 0x16), (2, 0x14), (4, 0x16), (7, 0x16), (6, 0x2b)] {
            let mut bytes = chunk();
            bytes[position] = kind;
            assert!(Pages::new(&bytes).next().expect("a page").is_err(), "{kind:#x} at {position}");
        }
        // The header of a dictionary behind the one of a data page; a field 65538 that some cut to 2.
        for behind in [&[0x2c, 0x15, 10, 0][..], &[0x05, 0x84, 0x80, 0x08, 18]] {
            let bytes = [&HEADER[..], behind, &[0, 1, 2, 3]].concat();
            assert!(Pages::new(&bytes).next().expect("a page").is_err(), "{behind:?}");
        }
    }

    #[test]
    fn every_page_of_a_written_file_is_found() {
        let numbers: arrow::array::ArrayRef = std::sync::Arc::new(arrow::array::Int64Array::from_iter_values(0..9_000));
        let rows = arrow::array::RecordBatch::try_from_iter([("n", numbers)]).expect("a batch");
        for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
            let properties = WriterProperties::builder()
                .set_writer_version(version)
                .set_data_page_row_count_limit(1_000)
                .set_write_batch_size(1_000)
                .set_statistics_enabled(EnabledStatistics::Page);
            let mut writer =
                ArrowWriter::try_new(Vec::new(), rows.schema(), Some(properties.build())).expect("a writer");
            writer.write(&rows).expect("rows");
            let file = bytes::Bytes::from(writer.into_inner().expect("a whole file"));
            let footer = ParquetMetaDataReader::new().parse_and_finish(&file).expect("a footer");
            let (start, length) = footer.row_group(0).column(0).byte_range();
            let chunk = &file[start as usize..(start + length) as usize];
            let pages: Vec<Page> = Pages::new(chunk).collect::<Result<_, _>>().expect("whole headers");
            let of_data = pages.iter().filter(|page| !page.is_dictionary);
            assert_eq!(of_data.map(|page| page.values).sum::<u64>(), 9_000);
            assert!(pages.len() > 9 && pages[0].is_dictionary, "{pages:?}");
        }
    }

    proptest! {
        #[test]
        fn bytes_of_anything_are_pages_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let pages = Pages::new(&bytes).count();
            prop_assert!(pages <= bytes.len());
        }
    }
}
