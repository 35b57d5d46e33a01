//! Rows of a load on their way into the transaction. Whatever happens before the end marker, the
//! transaction is afterwards as it was before.

use std::sync::Arc;

use clientele_catalog::definition::Oid;
use clientele_catalog::storage::{BulkWriter, Transaction};
use datafusion::arrow::array::RecordBatch;
use tokio::sync::Mutex;
use tokio::sync::mpsc::Receiver;

use super::load::{Common, Item};
use crate::error::{Error, Result};

/// Where rows go.
pub(crate) struct Kept {
    /// The table.
    pub(crate) relation: Oid,
    /// The session's transaction.
    pub(crate) work: Arc<Mutex<Transaction>>,
}

impl Kept {
    /// Takes all rows (the table's live columns); returns how many there were. `None`: the load
    /// was given up.
    ///
    /// # Errors
    /// 23505, and what storage refuses.
    pub(crate) async fn take(
        self,
        mut rows: Receiver<Item<RecordBatch>>,
        common: Common,
    ) -> Result<Option<u64>> {
        let mut transaction = self.work.lock_owned().await;
        let before = transaction.savepoint();
        let writer = transaction.bulk_writer(self.relation)?;
        let mut written = write_all(writer, &mut rows, &common).await;
        if matches!(written, Ok(Some(_)))
            && let Err(error) = transaction.check_references()
        {
            written = Err(error.into());
        }
        if !matches!(written, Ok(Some(_))) {
            transaction.rollback_to(before);
        }
        written
    }
}

async fn write_all(
    mut writer: BulkWriter<'_>,
    rows: &mut Receiver<Item<RecordBatch>>,
    common: &Common,
) -> Result<Option<u64>> {
    while let Some(item) = rows.recv().await {
        match item {
            Item::Next(_) | Item::End if common.stop.is_cancelled() => return Ok(None),
            Item::Next(batch) => {
                common.progress.add_rows(batch.num_rows());
                writer.write(batch).await?;
            }
            Item::End => return Ok(Some(writer.finish().await.map_err(Error::from)?)),
        }
    }
    Ok(None)
}
