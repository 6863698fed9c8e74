//! What mParticle says it has blocked of a batch, in `context.data_plan.block_metadata`.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::replay::{BlockedEventAttributes, ReplayError};
use crate::Batch;

/// The version of the metadata that is known.
const KNOWN_VERSION: i64 = 1;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct BlockMetadata {
    #[serde(rename = "blocked_event_ids", deserialize_with = "event_ids")]
    pub(super) event_ids: Vec<i64>,
    #[serde(rename = "blocked_event_attributes")]
    pub(super) event_attributes: Vec<BlockedEventAttributes>,
    #[serde(rename = "blocked_user_attributes")]
    pub(super) user_attributes: Vec<String>,
    #[serde(rename = "blocked_user_identities")]
    pub(super) user_identities: Vec<String>,
    #[serde(rename = "blocked_device_identities")]
    pub(super) device_identities: Vec<String>,
}

impl BlockMetadata {
    pub(super) fn of(batch: &Batch) -> Result<Self, ReplayError> {
        let metadata = batch.block_metadata().ok_or(ReplayError::NotBlocked)?;
        let version = metadata.get("dto_version").unwrap_or(&Value::Null);
        if version.as_i64() != Some(KNOWN_VERSION) {
            return Err(ReplayError::UnknownVersion(version.clone()));
        }
        Self::deserialize(metadata).map_err(ReplayError::Malformed)
    }
}

impl Batch {
    /// Returns what a data plan has blocked, if mParticle gave the batch back for that reason.
    ///
    /// It is the JSON of `context.data_plan.block_metadata`. [`replay_blocked`](Self::replay_blocked) interprets it.
    #[must_use]
    pub fn block_metadata(&self) -> Option<&Value> {
        let metadata = self.context.as_ref()?.data_plan.as_ref()?.extra.get("block_metadata")?;
        Some(metadata).filter(|metadata| !metadata.is_null())
    }
}

/// Reads ids of events, which mParticle writes as text.
fn event_ids<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<i64>, D::Error> {
    let ids = Vec::<Value>::deserialize(deserializer)?;
    ids.iter().map(event_id).collect()
}

pub(super) fn event_id<E: serde::de::Error>(id: &Value) -> Result<i64, E> {
    let number = id.as_i64().or_else(|| id.as_str()?.parse().ok());
    number.ok_or_else(|| E::custom("an event id is not a 64-bit integer"))
}
