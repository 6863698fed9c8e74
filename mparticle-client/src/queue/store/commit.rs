//! One transaction: the records, the ledger, and the mark after it.

use super::Store;
use super::database::{self, Durability};
use super::error::Trouble;
use super::record;

impl Store {
    /// Commits. If only deletes do not fit on the disk, gives up the reserve for them; puts wait until it is back.
    pub(super) fn commit_or_use_reserve(
        &mut self,
        puts: &[(u64, &[u8])],
        deletes: &[u64],
    ) -> Result<(), Trouble> {
        if puts.is_empty() && deletes.is_empty() {
            return Ok(());
        }
        if !puts.is_empty() {
            self.restore_reserve()?;
        }
        match self.commit_or_undo(puts, deletes) {
            Err(Trouble::NoSpace(_)) if puts.is_empty() && self.reserve.release() => {
                self.empty_log()?;
                self.commit_or_undo(puts, deletes)
            }
            done => done,
        }
    }

    fn commit_or_undo(&mut self, puts: &[(u64, &[u8])], deletes: &[u64]) -> Result<(), Trouble> {
        let mut changes = Vec::with_capacity(puts.len().saturating_add(deletes.len()));
        self.index.begin();
        let done = self.transact(puts, deletes, &mut changes);
        if done.is_err() {
            self.index.undo(changes);
            // Without its log a failed transaction cannot come back after a crash. If it does not work, the next
            // transaction overwrites it.
            let _ = self.empty_log();
        } else if self.durability == Durability::Synced {
            self.mark.advance(&self.index.ledger());
        }
        done
    }

    fn transact(
        &mut self,
        puts: &[(u64, &[u8])],
        deletes: &[u64],
        changes: &mut Vec<(u64, Option<u32>)>,
    ) -> Result<(), Trouble> {
        let wanted = if puts.is_empty() { Durability::Ordered } else { Durability::Synced };
        if self.durability != wanted {
            database::set_durability(&self.database, wanted)?;
            self.durability = wanted;
        }
        let transaction = self.database.transaction()?;
        {
            let mut put = transaction.prepare(database::PUT)?;
            for &(seq, payload) in puts {
                let checksum = record::checksum(seq, payload);
                put.execute((record::key(seq), checksum, payload))?;
                changes.push(self.index.set(seq, Some(checksum)));
            }
            let mut delete = transaction.prepare(database::DELETE)?;
            for &seq in deletes {
                delete.execute([record::key(seq)])?;
                changes.push(self.index.set(seq, None));
            }
            let ledger = self.index.ledger().encode();
            transaction.execute(database::PUT_LEDGER, [ledger.as_slice()])?;
        }
        transaction.commit()?;
        Ok(())
    }
}
