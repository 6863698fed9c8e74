//! A batch that is encoded, to be stored and sent later.

use crate::encoding::users::UserKey;
use crate::encoding::{BatchJson, MAX_BATCH_BYTES};
use crate::timing::MAX_AGE;
use crate::{Error, ErrorKind};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The version of the stored form that this crate writes. It reads this version and all earlier ones.
const VERSION: u32 = 1;

/// An encoded batch, which can be stored and sent later by another process.
///
/// [`Client::encode`](crate::Client::encode) returns it. A [relay](crate::relay) reads it from a log and sends it. The
/// JSON never changes. Every attempt therefore sends the same bytes with the same `source_request_id`, and mParticle
/// counts the batch once.
///
/// # Stored form
/// [`to_bytes`](Self::to_bytes) writes a line of JSON, a line feed, and the JSON of the batch:
///
/// ```text
/// {"mparticle_batch":1,"id":"a","encoded_at_ms":1764081234567,"users":["f855a7da…"]}
/// {"source_request_id":"a","environment":"production","mpid":1}
/// ```
///
/// | field | content |
/// |---|---|
/// | `mparticle_batch` | the version of this form |
/// | `id` | the `source_request_id` |
/// | `encoded_at_ms` | when the batch was encoded, in milliseconds since the Unix epoch |
/// | `users` | the [user keys](Self::user_keys) in hexadecimal digits |
///
/// A later version of this crate reads every version of the form. `Debug` writes the id and the size.
///
/// # Examples
/// ```
/// use mparticle_client::models::{Batch, Environment};
/// use mparticle_client::{Client, Credentials, EncodedBatch, Error};
///
/// # fn main() -> Result<(), Error> {
/// let client = Client::builder(Credentials::new("key", "secret")).build()?;
/// let batch = Batch::new(Environment::Production).with_mpid(1);
/// for encoded in client.encode(&batch)? {
///     let stored = encoded.to_bytes();
///     assert_eq!(EncodedBatch::from_bytes(&stored)?, encoded);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct EncodedBatch {
    json: BatchJson,
    user_keys: Vec<UserKey>,
    encoded_at: SystemTime,
}

/// The first line of the stored form.
#[derive(Serialize, Deserialize)]
struct Header<'a> {
    mparticle_batch: u32,
    #[serde(borrow)]
    id: Cow<'a, str>,
    encoded_at_ms: u64,
    users: Vec<String>,
}

/// The part of the header that all versions have.
#[derive(Deserialize)]
struct AnyHeader {
    mparticle_batch: u32,
}

impl EncodedBatch {
    /// The time is kept in milliseconds.
    pub(crate) fn new(json: BatchJson, user_keys: Vec<UserKey>, encoded_at: SystemTime) -> Self {
        let encoded_at = UNIX_EPOCH + Duration::from_millis(millis(encoded_at));
        Self { json, user_keys, encoded_at }
    }

    /// Returns the `source_request_id`.
    #[must_use]
    pub fn source_request_id(&self) -> &str {
        &self.json.source_request_id
    }

    /// Returns the JSON of the batch, which is sent as it is. It contains personal data.
    #[must_use]
    pub fn json(&self) -> &Bytes {
        &self.json.bytes
    }

    /// Returns the keys of the user: a 64-bit hash of each identifier in the batch.
    ///
    /// Batches that share a key are about the same user and are sent in order. The list is empty if the batch has no
    /// identifier of a user or device. The hashes are the same in all versions and on all platforms.
    #[must_use]
    pub fn user_keys(&self) -> &[u64] {
        &self.user_keys
    }

    /// Returns the first of the [user keys](Self::user_keys), for logs that order records by a single key, such as the
    /// partitions of Kafka.
    ///
    /// It is the hash of the `mpid` if the batch has one, otherwise of an identity of the user, otherwise of an
    /// identifier of the device. Use the same kind of identifier in all batches of a user. Otherwise, batches of one
    /// user can have different ordering keys.
    #[must_use]
    pub fn ordering_key(&self) -> Option<u64> {
        self.user_keys.first().copied()
    }

    /// Returns when the batch was encoded. A relay does not send a batch that is more than 25 days old.
    #[must_use]
    pub fn encoded_at(&self) -> SystemTime {
        self.encoded_at
    }

    /// Returns the stored form of the batch.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let header = Header {
            mparticle_batch: VERSION,
            id: Cow::Borrowed(&self.json.source_request_id),
            encoded_at_ms: millis(self.encoded_at),
            users: self.user_keys.iter().map(|key| format!("{key:016x}")).collect(),
        };
        // A header of numbers and texts can always be written as JSON.
        let mut stored = serde_json::to_vec(&header).unwrap_or_default();
        stored.reserve_exact(1 + self.json.bytes.len());
        stored.push(b'\n');
        stored.extend_from_slice(&self.json.bytes);
        stored.into()
    }

    /// Reads the stored form of a batch. The JSON of the batch is neither parsed nor copied.
    ///
    /// # Errors
    /// - [`Invalid`](ErrorKind::Invalid): the bytes are not the stored form of a batch.
    /// - [`Storage`](ErrorKind::Storage): a newer version of this crate wrote the batch.
    pub fn from_bytes(stored: &Bytes) -> Result<Self, Error> {
        let end = stored.iter().position(|byte| *byte == b'\n').unwrap_or(stored.len());
        let (line, json) = (stored.slice(..end), stored.slice((end + 1).min(stored.len())..));
        let header: Header<'_> = serde_json::from_slice(&line)
            .ok()
            .filter(|header: &Header<'_>| header.mparticle_batch <= VERSION)
            .ok_or_else(|| unreadable(&line))?;
        let key = |text: &String| u64::from_str_radix(text, 16).ok();
        let user_keys = header.users.iter().map(key).collect::<Option<Vec<_>>>();
        let encoded_at = UNIX_EPOCH.checked_add(Duration::from_millis(header.encoded_at_ms));
        let (Some(user_keys), Some(encoded_at)) = (user_keys, encoded_at) else {
            return Err(unreadable(&line));
        };
        // Other text would make the whole request malformed.
        let is_object = json.starts_with(b"{") && json.ends_with(b"}");
        if header.id.is_empty() || !is_object {
            return Err(Error::new(ErrorKind::Invalid, "the record contains no batch"));
        }
        if json.len() > MAX_BATCH_BYTES {
            let size = json.len();
            let message = format!("the stored batch has {size} bytes, more than {MAX_BATCH_BYTES}");
            return Err(Error::new(ErrorKind::Invalid, message));
        }
        let source_request_id = header.id.into_owned();
        Ok(Self { json: BatchJson { source_request_id, bytes: json }, user_keys, encoded_at })
    }

    /// Returns the time after which the batch must not be sent. A time of encoding in the future counts as `now`,
    /// because the clocks of hosts differ.
    pub(crate) fn expires_at(&self, now: SystemTime) -> Option<SystemTime> {
        self.encoded_at.min(now).checked_add(MAX_AGE)
    }

    /// Returns the batch with another time of encoding.
    #[cfg(feature = "jetstream")]
    pub(crate) fn encoded_again(self, now: SystemTime) -> Self {
        Self::new(self.json, self.user_keys, now)
    }

    pub(crate) fn into_parts(self) -> (BatchJson, Vec<UserKey>) {
        (self.json, self.user_keys)
    }
}

fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Returns the error of a header that this version cannot read.
fn unreadable(line: &[u8]) -> Error {
    match serde_json::from_slice::<AnyHeader>(line) {
        Ok(AnyHeader { mparticle_batch: version }) if version > VERSION => {
            let message = format!(
                "the batch was stored in format {version} by a newer version of this crate, and this version reads up to {VERSION}"
            );
            Error::new(ErrorKind::Storage, message)
        }
        _ => Error::new(ErrorKind::Invalid, "the record is not an encoded batch"),
    }
}

/// Shows the id and the size. The JSON is personal data.
impl fmt::Debug for EncodedBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncodedBatch")
            .field("source_request_id", &self.json.source_request_id)
            .field("bytes", &self.json.bytes.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::EncodedBatch;
    use crate::encoding::{BatchJson, Encoder};
    use crate::models::{Batch, CustomEvent, CustomEventType, Environment};
    use crate::{Error, ErrorKind};
    use bytes::Bytes;
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    fn encoded(id: &str, keys: Vec<u64>) -> EncodedBatch {
        let json = BatchJson { source_request_id: id.into(), bytes: Bytes::from_static(b"{\n}") };
        EncodedBatch::new(json, keys, UNIX_EPOCH + Duration::from_millis(1_764_081_234_567))
    }

    fn read(stored: &'static str) -> Result<EncodedBatch, Error> {
        EncodedBatch::from_bytes(&Bytes::from_static(stored.as_bytes()))
    }

    #[test]
    fn the_stored_form_never_changes() {
        let stored = "{\"mparticle_batch\":1,\"id\":\"a\",\"encoded_at_ms\":1764081234567,\
                      \"users\":[\"f855a7dae54a5625\",\"0000000000000001\"]}\n{\n}";
        let batch = encoded("a", vec![0xf855_a7da_e54a_5625, 1]);
        assert_eq!(batch.to_bytes(), stored);
        assert_eq!(read(stored).unwrap(), batch);
    }

    #[test]
    fn every_id_is_read_back() {
        for id in ["a", "\"quoted\" \\ \u{1f980}\n\r\n", " ", "{}\n{}"] {
            let batch = encoded(id, vec![]);
            assert_eq!(EncodedBatch::from_bytes(&batch.to_bytes()).unwrap(), batch);
        }
    }

    #[test]
    fn other_records_are_not_batches() {
        let huge = format!(
            "{{\"mparticle_batch\":1,\"id\":\"a\",\"encoded_at_ms\":1,\"users\":[]}}\n{{{}}}",
            " ".repeat(128_000)
        );
        for (stored, kind) in [
            ("", ErrorKind::Invalid),
            ("\n", ErrorKind::Invalid),
            ("hello", ErrorKind::Invalid),
            ("{\"mpid\":1}", ErrorKind::Invalid),
            ("{\"mparticle_batch\":1}\n{}", ErrorKind::Invalid),
            (
                "{\"mparticle_batch\":1,\"id\":\"\",\"encoded_at_ms\":1,\"users\":[]}\n{}",
                ErrorKind::Invalid,
            ),
            (
                "{\"mparticle_batch\":1,\"id\":\"a\",\"encoded_at_ms\":1,\"users\":[\"x\"]}\n{}",
                ErrorKind::Invalid,
            ),
            (
                "{\"mparticle_batch\":1,\"id\":\"a\",\"encoded_at_ms\":1,\"users\":[]}\n[1]",
                ErrorKind::Invalid,
            ),
            (
                "{\"mparticle_batch\":1,\"id\":\"a\",\"encoded_at_ms\":1,\"users\":[]}",
                ErrorKind::Invalid,
            ),
            ("{\"mparticle_batch\":2}\n{}", ErrorKind::Storage),
            (
                "{\"mparticle_batch\":9,\"id\":\"a\",\"encoded_at_ms\":1,\"users\":[]}\n{}",
                ErrorKind::Storage,
            ),
        ] {
            assert_eq!(read(stored).unwrap_err().kind(), kind, "{stored}");
        }
        let error = EncodedBatch::from_bytes(&Bytes::from(huge)).unwrap_err();
        assert!(error.to_string().contains("128002"), "{error}");
    }

    #[test]
    fn an_encoded_batch_has_an_id_times_and_keys_and_is_the_same_if_it_is_encoded_again() {
        let event = CustomEvent::new("e", CustomEventType::Other);
        let mut batch = Batch::new(Environment::Production).with_mpid(1).with_event(event);
        let (now, later) = (SystemTime::now(), SystemTime::now() + Duration::from_secs(60));
        let first = Encoder::default().encode_to_store(&mut batch, now).unwrap();
        let second = Encoder::default().encode_to_store(&mut batch, later).unwrap();
        let [first] = &first[..] else { panic!("{first:?}") };
        assert_eq!(first.user_keys(), [0xf855_a7da_e54a_5625]);
        assert_eq!(first.ordering_key(), Some(0xf855_a7da_e54a_5625));
        assert_eq!(first.json(), second[0].json());
        let sent = Batch::from_slice(first.json()).unwrap();
        assert_eq!(sent.source_request_id.as_deref(), Some(first.source_request_id()));
        assert!(sent.events[0].common().unwrap().timestamp_unixtime_ms.is_some());
    }

    #[test]
    fn a_batch_that_is_too_large_is_encoded_as_parts_with_the_same_keys() {
        let event = || {
            let event = CustomEvent::new("e", CustomEventType::Other);
            event.with_custom_attribute("p", "x".repeat(100_000))
        };
        let batch = Batch::new(Environment::Production).with_mpid(1).with_source_request_id("a");
        let mut batch = batch.with_events([event(), event()]);
        let parts = Encoder::default().encode_to_store(&mut batch, SystemTime::now()).unwrap();
        let ids: Vec<_> = parts.iter().map(EncodedBatch::source_request_id).collect();
        assert_eq!(ids, ["a/1of2", "a/2of2"]);
        assert!(parts.iter().all(|part| part.user_keys() == [0xf855_a7da_e54a_5625]));
    }

    #[test]
    fn the_age_is_measured_from_now_if_the_clock_of_the_producer_is_ahead() {
        let batch = encoded("a", vec![]);
        let (day, at) = (Duration::from_secs(24 * 60 * 60), batch.encoded_at());
        assert_eq!(batch.expires_at(at + day), Some(at + 25 * day));
        assert_eq!(batch.expires_at(at - day), Some(at + 24 * day));
    }
}
