//! What a line of the file says.

use mparticle_client::models::{Batch, Event};
use serde::Deserialize;
use serde::de::IgnoredAny;
use uuid::Uuid;

/// Makes ids from lines; any number that nobody else uses for this.
const NAMESPACE: Uuid = Uuid::from_u128(0x8f1d_5c0a_9b7e_4c52_a6f4_31f0_7c7a_52d8);

/// What a line says.
pub(crate) enum Line {
    Batch(Box<Batch>),
    Event(Box<EventOfUser>),
}

impl Line {
    /// Reads a line; the error says why that cannot be done.
    pub(crate) fn read(number: u64, text: &[u8]) -> Result<Self, String> {
        let kind: Kind = serde_json::from_slice(text).map_err(reason)?;
        if kind.event.is_some() {
            let line = serde_json::from_slice(text).map_err(reason)?;
            return Self::event(line);
        }
        let batch = Batch::from_slice(text).map_err(reason)?;
        Self::batch(batch, &origin(number, text))
    }

    /// A slip in the name of `events` would make a batch of nothing out of many events.
    fn batch(mut batch: Batch, origin: &[u8]) -> Result<Self, String> {
        if let (true, Some(field)) = (batch.events.is_empty(), batch.extra.keys().next()) {
            return Err(format!("no events, and the unknown field `{field}`"));
        }
        let somebody = batch.user_identities.is_some()
            || batch.mpid.is_some()
            || batch.device_info.is_some()
            || !batch.partner_identities.is_empty();
        if batch.events.is_empty() && !somebody {
            return Err("neither events nor a user".to_owned());
        }
        batch.source_request_id.get_or_insert_with(|| stable_id(origin));
        Ok(Self::Batch(Box::new(batch)))
    }

    /// A user may make up several batches, which must not have one and the same id.
    fn event(line: EventOfUser) -> Result<Self, String> {
        if line.user.source_request_id.is_some() || !line.user.events.is_empty() {
            return Err("`user` has a source_request_id or events".to_owned());
        }
        Ok(Self::Event(Box::new(line)))
    }
}

/// A line that says what one user did.
#[derive(Deserialize)]
pub(crate) struct EventOfUser {
    pub(crate) user: Batch,
    pub(crate) event: Event,
}

/// What tells the two kinds of lines apart.
#[derive(Deserialize)]
struct Kind {
    event: Option<IgnoredAny>,
}

/// What an id is made from: the number of a line, counted from 1, and its text.
pub(crate) fn origin(number: u64, text: &[u8]) -> Vec<u8> {
    [number.to_le_bytes().as_slice(), text].concat()
}

/// Each line is read by itself, so what the error calls line 1 is that line.
fn reason(error: impl std::error::Error) -> String {
    error.to_string().replace(" at line 1 column ", " at column ")
}

/// The same for the same lines at the same place of any file.
pub(crate) fn stable_id(origin: &[u8]) -> String {
    Uuid::new_v5(&NAMESPACE, origin).to_string()
}
