//! A line of the file.

use mparticle_client::models::{Batch, Event};
use serde::Deserialize;
use serde::de::IgnoredAny;
use uuid::Uuid;

/// The namespace of ids that are derived from lines. It is an arbitrary constant.
const NAMESPACE: Uuid = Uuid::from_u128(0x8f1d_5c0a_9b7e_4c52_a6f4_31f0_7c7a_52d8);

/// The content of a line.
pub(crate) enum Line {
    Batch(Box<Batch>),
    Event(Box<EventOfUser>),
}

impl Line {
    /// Parses a line. The error is the reason why it cannot be parsed.
    pub(crate) fn parse(number: u64, text: &[u8]) -> Result<Self, String> {
        let probe: EventProbe = serde_json::from_slice(text).map_err(reason)?;
        if probe.event.is_some() {
            let line = serde_json::from_slice(text).map_err(reason)?;
            return Self::event(line);
        }
        let batch = Batch::from_slice(text).map_err(reason)?;
        Self::batch(batch, &origin(number, text))
    }

    /// Refuses a batch without events if it has an unknown field, which may be a misspelled `events`, or if it has no
    /// user.
    fn batch(mut batch: Batch, origin: &[u8]) -> Result<Self, String> {
        if let (true, Some(field)) = (batch.events.is_empty(), batch.extra.keys().next()) {
            return Err(format!("no events, and the unknown field `{field}`"));
        }
        let has_user = batch.user_identities.is_some()
            || batch.mpid.is_some()
            || batch.device_info.is_some()
            || !batch.partner_identities.is_empty();
        if batch.events.is_empty() && !has_user {
            return Err("neither events nor a user".to_owned());
        }
        batch.source_request_id.get_or_insert_with(|| stable_id(origin));
        Ok(Self::Batch(Box::new(batch)))
    }

    /// Refuses a user with a `source_request_id`, since the events of a user can become several batches with different
    /// ids.
    fn event(line: EventOfUser) -> Result<Self, String> {
        if line.user.source_request_id.is_some() || !line.user.events.is_empty() {
            return Err("`user` has a source_request_id or events".to_owned());
        }
        Ok(Self::Event(Box::new(line)))
    }
}

/// A line with an event and its user.
#[derive(Deserialize)]
pub(crate) struct EventOfUser {
    pub(crate) user: Batch,
    pub(crate) event: Event,
}

/// Distinguishes the two kinds of lines.
#[derive(Deserialize)]
struct EventProbe {
    event: Option<IgnoredAny>,
}

/// Returns the input of [`stable_id`]: the number of a line, counted from 1, and its text.
pub(crate) fn origin(number: u64, text: &[u8]) -> Vec<u8> {
    [number.to_le_bytes().as_slice(), text].concat()
}

/// Removes the line number from an error of the JSON parser. Each line is parsed separately, and the number is always 1.
fn reason(error: impl std::error::Error) -> String {
    error.to_string().replace(" at line 1 column ", " at column ")
}

/// Returns an id that is the same for the same lines at the same position of any file.
pub(crate) fn stable_id(origin: &[u8]) -> String {
    Uuid::new_v5(&NAMESPACE, origin).to_string()
}
