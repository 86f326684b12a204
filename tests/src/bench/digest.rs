//! One number for the content of tables.

use arrow::array::RecordBatch;
use arrow::row::{RowConverter, SortField};
use sha2::{Digest, Sha256};

use crate::Result;
use crate::destination::Destination;
use crate::table;

/// A digest of all tables of `destination`, each by the rows it has, in whatever order.
///
/// # Errors
/// The destination cannot be read.
pub(super) fn of(destination: &Destination<'_>) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("rows.parquet");
    let mut hash = Sha256::new();
    for table in destination.tables()? {
        destination.export(&table, &file)?;
        hash.update(&table);
        hash.update(of_rows(&table::read(&file)?)?.to_be_bytes());
    }
    // Half of it tells results apart as well, and fits into a table.
    Ok(hash.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The sum of the rows' hashes, which does not depend on their order and, other than their exclusive or, does on how
/// often each is there.
fn of_rows(batch: &RecordBatch) -> Result<u128> {
    let fields = batch.schema().fields().iter().map(|field| SortField::new(field.data_type().clone())).collect();
    let converter = RowConverter::new(fields)?;
    let rows = converter.convert_columns(batch.columns())?;
    let hashes = rows.iter().map(|row| {
        let hash: [u8; 32] = Sha256::digest(row.as_ref()).into();
        hash.iter().take(16).fold(0, |number: u128, byte| (number << 8) | u128::from(*byte))
    });
    Ok(hashes.fold(0, u128::wrapping_add))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Float64Array, StringArray};

    use super::*;

    fn batch(rows: &[(&str, f64)]) -> RecordBatch {
        let names: StringArray = rows.iter().map(|(name, _)| Some(*name)).collect();
        let numbers: Float64Array = rows.iter().map(|(_, number)| *number).collect();
        RecordBatch::try_from_iter([("name", Arc::new(names) as _), ("number", Arc::new(numbers) as _)])
            .expect("a batch")
    }

    #[test]
    fn order_does_not_matter_and_every_bit_does() {
        let of = |rows: &[(&str, f64)]| of_rows(&batch(rows)).expect("a digest");
        let (shop, bank) = (("shop", 1.5), ("bank", 2.5));
        assert_eq!(of(&[shop, bank]), of(&[bank, shop]));
        assert_ne!(of(&[shop, bank]), of(&[shop]));
        assert_ne!(of(&[shop, shop]), of(&[bank, bank]));
        assert_ne!(of(&[shop]), of(&[("shop", 1.5 + f64::EPSILON)]));
    }
}
