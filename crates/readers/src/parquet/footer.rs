//! Loads a footer with as few requests as possible: one speculative read of the file's end, then what is missing.

use std::ops::Range;
use std::sync::Arc;

use parquet::DecodeResult;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataPushDecoder};
use tokaki_core::{Error, ErrorKind, Result};

use super::parquet_error;
use crate::store::StoredFile;

/// Footers of line item files fit in this, so that one request is enough.
const SPECULATIVE_BYTES: u64 = 64 << 10;

/// The footer of `file`, which has `bytes` bytes.
pub(super) async fn load(file: &StoredFile, bytes: u64) -> Result<Arc<ParquetMetaData>> {
    if bytes == 0 {
        return Err(Error::new(ErrorKind::Parquet, "the file is empty, not even a Parquet footer is in it"));
    }
    let mut decoder = ParquetMetaDataPushDecoder::try_new(bytes).map_err(parquet_error)?;
    let speculative: Range<u64> = bytes.saturating_sub(SPECULATIVE_BYTES)..bytes;
    let mut wanted = vec![speculative];
    loop {
        let fetched = file.fetch(&wanted).await?;
        decoder.push_ranges(wanted, fetched).map_err(parquet_error)?;
        match decoder.try_decode().map_err(parquet_error)? {
            DecodeResult::Data(metadata) => return Ok(Arc::new(metadata)),
            DecodeResult::NeedsData(ranges) => wanted = ranges,
            DecodeResult::Finished => return Err(Error::bug("a Parquet footer ended before it began")),
        }
    }
}
