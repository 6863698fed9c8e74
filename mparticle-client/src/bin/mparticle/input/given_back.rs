//! Batches that mParticle gave back, and what the user wants to be done with them.

use super::Problem;
use mparticle_client::models::{Batch, KeepBlocked};
use std::time::{Duration, SystemTime};

/// For how long mParticle keeps blocked batches, according to its guide.
const REPLAYABLE: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// What to do with batches that mParticle gave back.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Batches that mParticle gave back")]
pub(crate) struct GivenBack {
    /// Send the events of quarantined batches that a data plan blocked, and nothing else of them
    #[arg(long)]
    replay_blocked: bool,
    /// Blocked data of the user to send as well
    #[arg(long, value_name = "WHAT", value_delimiter = ',', requires = "replay_blocked")]
    keep: Vec<Keep>,
    /// Send exported batches as new data, under new ids: mParticle counts their events again
    #[arg(long, conflicts_with = "same_ids")]
    as_new: bool,
    /// Send exported batches under their old ids: mParticle drops those that it has received within 30 to 60 days
    #[arg(long)]
    same_ids: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Keep {
    Identities,
    UserAttributes,
}

/// A batch as it is sent.
#[derive(Debug)]
pub(super) struct Accepted {
    /// `None` if there is nothing to send.
    pub(super) batch: Option<Batch>,
    /// What the user should know.
    pub(super) warnings: Vec<Problem>,
}

impl GivenBack {
    /// Makes of a batch the one that is sent.
    pub(super) fn apply(&self, batch: Batch, now: SystemTime) -> Result<Accepted, Problem> {
        if batch.block_metadata().is_some() {
            if self.replay_blocked {
                return self.replay(batch, now);
            }
            let message =
                "a data plan blocked the batch; pass --replay-blocked to send what was blocked";
            return Err(Problem::new("blocked", message).at("/context/data_plan/block_metadata"));
        }
        if !batch.is_export() || self.same_ids {
            return Ok(Accepted { batch: Some(batch), warnings: Vec::new() });
        }
        if self.as_new {
            let batch = Some(batch.without_received_fields());
            return Ok(Accepted { batch, warnings: Vec::new() });
        }
        let message = "mParticle has exported the batch; pass --as-new to count its events again, or --same-ids";
        Err(Problem::new("export", message))
    }

    fn replay(&self, batch: Batch, now: SystemTime) -> Result<Accepted, Problem> {
        let mut keep = KeepBlocked::default();
        keep.identities = self.keep.contains(&Keep::Identities);
        keep.user_attributes = self.keep.contains(&Keep::UserAttributes);
        let received = batch.timestamp_unixtime_ms.map(SystemTime::from);
        let age = received.and_then(|received| now.duration_since(received).ok());
        let replay = batch
            .replay_blocked(keep)
            .map_err(|error| Problem::new("blocked", error.to_string()).at(error.pointer()))?;
        let mut warnings = Vec::new();
        if age.is_some_and(|age| age > REPLAYABLE) {
            warnings
                .push(Problem::warning("oldReplay", "the batch was blocked more than 14 days ago"));
        }
        for lost in &replay.lost_attributes {
            let message = format!(
                "not replayed: attributes of event {}, which mParticle accepted without them: {}",
                lost.event_id,
                lost.event_attributes.join(", ")
            );
            warnings.push(Problem::warning("blockedEventAttributes", message));
        }
        if !replay.missing_events.is_empty() {
            let count = replay.missing_events.len();
            let message = format!("{count} of the blocked events are not in the batch");
            warnings.push(Problem::warning("missingEvents", message));
        }
        Ok(Accepted { batch: replay.batch, warnings })
    }
}
