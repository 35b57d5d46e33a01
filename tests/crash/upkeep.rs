//! Flushes, compactions and publishing in between.

use std::time::Duration;

use anyhow::Result;

use super::{Work, attempt};
use crate::client::Client;

/// How much upkeep there was.
#[derive(Default)]
pub(super) struct Upkeep {
    next: usize,
    done: usize,
}

impl Work for Upkeep {
    fn name(&self) -> &'static str {
        "flushes, compactions and publications"
    }

    fn prepare(&self, _: &mut Client) -> Result<()> {
        Ok(())
    }

    fn step(&mut self, client: &mut Client) -> Result<()> {
        const STEPS: [&str; 6] = [
            "CALL clientele.flush()",
            "VACUUM pairs",
            "CHECKPOINT",
            "CALL clientele.publish_delta('accounts')",
            "CALL clientele.compact()",
            "CLUSTER changed",
        ];
        self.next += 1;
        let sql = STEPS.get(self.next % STEPS.len()).copied().unwrap_or_default();
        self.done += usize::from(attempt(client, sql)?);
        std::thread::sleep(Duration::from_millis(20));
        Ok(())
    }

    /// A publication that was interrupted does not stand in the way of the next.
    fn verify(&mut self, client: &mut Client) -> Result<()> {
        client.simple("CALL clientele.publish_delta('accounts')")?;
        Ok(())
    }

    fn acknowledged(&self) -> usize {
        self.done
    }
}
