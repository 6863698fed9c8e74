//! Makes of a batch that a data plan blocked one that holds what was blocked.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::block_metadata::{BlockMetadata, event_id};
use crate::{Batch, Event, UserIdentities};

/// Blocked data about the user that a replay contains beside the blocked events.
///
/// By default a replay contains none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeepBlocked {
    /// Whether blocked identities of the user and of the device stay.
    pub identities: bool,
    /// Whether blocked user attributes stay.
    pub user_attributes: bool,
}

impl KeepBlocked {
    /// Keeps blocked identities of the user and of the device.
    #[must_use]
    pub fn with_identities(mut self) -> Self {
        self.identities = true;
        self
    }

    /// Keeps blocked user attributes.
    #[must_use]
    pub fn with_user_attributes(mut self) -> Self {
        self.user_attributes = true;
        self
    }
}

/// The result of [`Batch::replay_blocked`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ReplayedBatch {
    /// The batch to send, or `None` if nothing is left to send.
    pub batch: Option<Batch>,
    /// Attributes of events that mParticle accepted without them. They are not in the batch, because sending them would
    /// count their events twice.
    pub lost_attributes: Vec<BlockedEventAttributes>,
    /// The ids of blocked events that the batch does not contain.
    pub missing_events: Vec<i64>,
}

/// Attributes that were blocked of an event that was not.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct BlockedEventAttributes {
    /// The id that mParticle has assigned to the event.
    #[serde(deserialize_with = "lenient_event_id")]
    pub event_id: i64,
    /// The paths of the attributes in the event, such as `./data/custom_attributes/colour`.
    #[serde(default)]
    pub event_attributes: Vec<String>,
}

fn lenient_event_id<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    event_id(&Value::deserialize(deserializer)?)
}

/// The error of [`Batch::replay_blocked`].
#[derive(Debug)]
#[non_exhaustive]
pub enum ReplayError {
    /// The batch has no `context.data_plan.block_metadata`.
    NotBlocked,
    /// The `dto_version` of the metadata is not 1.
    UnknownVersion(Value),
    /// The metadata does not have the form of version 1.
    Malformed(serde_json::Error),
}

impl ReplayError {
    /// Returns the JSON pointer of what is wrong.
    #[must_use]
    pub fn pointer(&self) -> &'static str {
        match self {
            Self::UnknownVersion(_) => "/context/data_plan/block_metadata/dto_version",
            Self::NotBlocked | Self::Malformed(_) => "/context/data_plan/block_metadata",
        }
    }
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotBlocked => {
                f.write_str("the batch has no block_metadata: no data plan blocked it")
            }
            Self::UnknownVersion(version) => {
                write!(f, "block_metadata has the dto_version {version}, and only 1 is known")
            }
            Self::Malformed(error) => write!(f, "block_metadata cannot be read: {error}"),
        }
    }
}

impl std::error::Error for ReplayError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Malformed(error) => Some(error),
            Self::NotBlocked | Self::UnknownVersion(_) => None,
        }
    }
}

impl Batch {
    /// Makes of a batch that a data plan blocked, and that mParticle gave back, one that holds what was blocked.
    ///
    /// mParticle has accepted the rest of the batch already. Therefore the result contains only the events in
    /// `blocked_event_ids`. Their times stay, and so do `mpid`, the plan and the identities that were not blocked. User
    /// attributes and identities that were blocked are removed unless `keep` names them; user attributes that were not
    /// blocked are removed, because older values would replace newer ones. What mParticle has added is removed:
    /// `batch_id`, `event_id`, the time of receipt, `source_info` and `block_metadata`. So is `source_request_id`, under
    /// which mParticle would drop the batch as a duplicate; set a new one that is the same each time the batch is
    /// replayed.
    ///
    /// mParticle keeps blocked batches for about 14 days.
    ///
    /// # Errors
    /// If no data plan blocked the batch, or if the metadata about it cannot be interpreted.
    ///
    /// # Examples
    /// ```
    /// use mparticle_models::{Batch, KeepBlocked};
    ///
    /// let quarantined = Batch::from_str(
    ///     r#"{
    ///         "mpid": 7,
    ///         "batch_id": "3",
    ///         "events": [
    ///             { "event_type": "opt_out", "data": { "event_id": "1", "is_opted_out": true } },
    ///             { "event_type": "opt_out", "data": { "event_id": "2", "is_opted_out": false } }
    ///         ],
    ///         "context": {
    ///             "data_plan": {
    ///                 "plan_id": "shop",
    ///                 "block_metadata": { "dto_version": 1, "blocked_event_ids": ["2"] }
    ///             }
    ///         }
    ///     }"#,
    /// )?;
    /// let replay = quarantined.replay_blocked(KeepBlocked::default())?;
    /// let batch = replay.batch.ok_or("nothing was blocked")?.with_source_request_id("replay-3");
    /// assert_eq!(batch.events.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn replay_blocked(self, keep: KeepBlocked) -> Result<ReplayedBatch, ReplayError> {
        let blocked = BlockMetadata::of(&self)?;
        let mut missing_events = blocked.event_ids.clone();
        let mut batch = self;
        batch.events.retain(|event| {
            let id = id_of(event);
            missing_events.retain(|missing| Some(*missing) != id);
            id.is_some_and(|id| blocked.event_ids.contains(&id))
        });
        let kept = |name: &str| {
            keep.user_attributes && blocked.user_attributes.iter().any(|one| one == name)
        };
        batch.user_attributes.retain(|name, _| kept(name));
        batch.deleted_user_attributes.retain(|name| kept(name));
        let has_kept_identities = keep.identities
            && !(blocked.user_identities.is_empty() && blocked.device_identities.is_empty());
        if !keep.identities {
            remove_fields(&mut batch.user_identities, &blocked.user_identities);
            remove_fields(&mut batch.device_info, &blocked.device_identities);
        }
        if batch.user_identities == Some(UserIdentities::new()) {
            batch.user_identities = None;
        }
        let has_content = !batch.events.is_empty()
            || !batch.user_attributes.is_empty()
            || !batch.deleted_user_attributes.is_empty()
            || has_kept_identities;
        batch = batch.without_received_fields();
        if let Some(plan) = batch.context.as_mut().and_then(|context| context.data_plan.as_mut()) {
            plan.extra.remove("block_metadata");
        }
        Ok(ReplayedBatch {
            batch: has_content.then_some(batch),
            lost_attributes: blocked.event_attributes,
            missing_events,
        })
    }
}

fn id_of(event: &Event) -> Option<i64> {
    match event {
        Event::Unknown { data, .. } => event_id::<serde_json::Error>(data.get("event_id")?).ok(),
        known => known.common()?.event_id,
    }
}

/// Removes fields of an object by their names in JSON. An object that cannot be written is removed as a whole, because it
/// may contain them.
fn remove_fields<T: Serialize + DeserializeOwned>(object: &mut Option<T>, names: &[String]) {
    let Some(value) = object.as_ref().filter(|_| !names.is_empty()) else { return };
    let mut json = serde_json::to_value(value).unwrap_or_default();
    if let Value::Object(fields) = &mut json {
        fields.retain(|name, _| !names.contains(name));
    }
    *object = serde_json::from_value(json).ok();
}
