//! The settings of the streams of a feed, and the comparison with those of streams that exist.

use crate::timing::MAX_AGE;
use crate::{Error, ErrorKind};
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};
use std::time::Duration;

/// The maximum size of the pending batches if the program sets none.
const DEFAULT_MAX_BYTES: i64 = 1 << 30;

/// The maximum size of a message: a batch of 128,000 bytes, its header and its id.
const MAX_MESSAGE_BYTES: i32 = 200_000;

/// The time in which the server recognizes a batch that is appended twice.
const DUPLICATE_WINDOW: Duration = Duration::from_secs(2 * 60);

/// The names and limits of a feed.
#[derive(Clone, Debug)]
pub(super) struct FeedSettings {
    pub(super) name: String,
    pub(super) replicas: Option<usize>,
    pub(super) max_bytes: Option<i64>,
    pub(super) lease: Duration,
}

impl FeedSettings {
    pub(super) fn stream(&self) -> String {
        format!("mp-{}", self.name)
    }

    pub(super) fn dead_stream(&self) -> String {
        format!("mp-{}-dead", self.name)
    }

    pub(super) fn lease_stream(&self) -> String {
        format!("KV_mp-{}", self.name)
    }

    /// Returns the subject of the batches. There is one lane, and its number is part of the subject.
    pub(super) fn subject(&self) -> String {
        format!("mp.{}.lane.0", self.name)
    }

    pub(super) fn dead_subject(&self) -> String {
        format!("mp.{}.dead", self.name)
    }

    pub(super) fn lease_subject(&self) -> String {
        format!("$KV.mp-{}.lease", self.name)
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let mut problems = Vec::new();
        if self.name.is_empty() || self.name.len() > 200 || !self.name.bytes().all(is_allowed) {
            problems.push("the name must consist of 1 to 200 ASCII letters, digits, `-` and `_`");
        }
        if self.max_bytes.is_some_and(|bytes| bytes <= 0) {
            problems.push("the maximum number of bytes is zero or too large");
        }
        if self.replicas.is_some_and(|replicas| !(1..=5).contains(&replicas)) {
            problems.push("the number of replicas must be from 1 to 5");
        }
        if !(Duration::from_secs(1)..=Duration::from_secs(60)).contains(&self.lease) {
            problems.push("the lease must be from 1 to 60 seconds");
        }
        if problems.is_empty() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Config, format!("the feed is invalid: {}", problems.join("; "))))
    }

    /// Returns the settings of the streams: of the batches, of the dead letters and of the lease.
    pub(super) fn configs(&self) -> [Config; 3] {
        let replicas = self.replicas.unwrap_or(1);
        let common =
            || Config { num_replicas: replicas, storage: StorageType::File, ..Config::default() };
        let batches = Config {
            name: self.stream(),
            description: Some("batches for mParticle that are pending".to_owned()),
            subjects: vec![self.subject()],
            retention: RetentionPolicy::WorkQueue,
            discard: DiscardPolicy::New,
            max_bytes: self.max_bytes.unwrap_or(DEFAULT_MAX_BYTES),
            max_message_size: MAX_MESSAGE_BYTES,
            duplicate_window: DUPLICATE_WINDOW,
            ..common()
        };
        let dead = Config {
            name: self.dead_stream(),
            description: Some("batches that mParticle did not accept".to_owned()),
            subjects: vec![self.dead_subject()],
            max_age: MAX_AGE,
            duplicate_window: DUPLICATE_WINDOW,
            ..common()
        };
        // The settings of a key-value bucket with one key.
        let lease = Config {
            name: self.lease_stream(),
            description: Some("the relay that delivers".to_owned()),
            subjects: vec![format!("$KV.mp-{}.>", self.name)],
            discard: DiscardPolicy::New,
            max_messages_per_subject: 1,
            max_age: self.lease,
            duplicate_window: self.lease,
            allow_rollup: true,
            deny_delete: true,
            ..common()
        };
        [batches, dead, lease]
    }

    /// Describes the settings in which an existing stream differs from what this program needs or asks for.
    pub(super) fn differences(&self, wanted: &Config, found: &Config) -> Vec<String> {
        let mut differences = Vec::new();
        let mut compare = |name: &str, wanted: String, found: String| {
            if wanted != found {
                differences.push(format!("{name} is {found} and should be {wanted}"));
            }
        };
        compare("subjects", format!("{:?}", wanted.subjects), format!("{:?}", found.subjects));
        compare("retention", format!("{:?}", wanted.retention), format!("{:?}", found.retention));
        compare("max_age", format!("{:?}", wanted.max_age), format!("{:?}", found.max_age));
        let per_subject = |config: &Config| config.max_messages_per_subject.max(0).to_string();
        compare("max_msgs_per_subject", per_subject(wanted), per_subject(found));
        if wanted.retention == RetentionPolicy::WorkQueue {
            compare("discard", format!("{:?}", wanted.discard), format!("{:?}", found.discard));
            if let Some(bytes) = self.max_bytes {
                compare("max_bytes", bytes.to_string(), found.max_bytes.to_string());
            }
            // Smaller limits would refuse batches that mParticle accepts, or drop batches silently.
            if found.max_message_size > 0 && found.max_message_size < MAX_MESSAGE_BYTES {
                let (wanted, found) = (MAX_MESSAGE_BYTES, found.max_message_size);
                compare("max_msg_size", format!("at least {wanted}"), found.to_string());
            }
        }
        if let Some(replicas) = self.replicas {
            compare("replicas", replicas.to_string(), found.num_replicas.to_string());
        }
        differences
    }
}

#[cfg(test)]
mod tests {
    use super::FeedSettings;
    use crate::ErrorKind;
    use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy};
    use std::time::Duration;

    fn settings() -> FeedSettings {
        let (name, lease) = ("web-prod".to_owned(), Duration::from_secs(5));
        FeedSettings { name, replicas: None, max_bytes: None, lease }
    }

    #[test]
    fn invalid_settings_are_named() {
        assert!(settings().check().is_ok());
        for (settings, part) in [
            (FeedSettings { name: String::new(), ..settings() }, "name"),
            (FeedSettings { name: "a.b".into(), ..settings() }, "name"),
            (FeedSettings { name: "a b".into(), ..settings() }, "name"),
            (FeedSettings { name: "*".into(), ..settings() }, "name"),
            (FeedSettings { max_bytes: Some(0), ..settings() }, "bytes"),
            (FeedSettings { replicas: Some(0), ..settings() }, "replicas"),
            (FeedSettings { lease: Duration::from_millis(10), ..settings() }, "lease"),
        ] {
            let error = settings.check().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().contains(part), "{error}");
        }
    }

    #[test]
    fn a_stream_with_other_settings_is_described() {
        let [wanted, ..] = settings().configs();
        assert_eq!(settings().differences(&wanted, &wanted), [""; 0]);
        for (found, part) in [
            (Config { retention: RetentionPolicy::Limits, ..wanted.clone() }, "retention"),
            (Config { discard: DiscardPolicy::Old, ..wanted.clone() }, "discard"),
            (Config { subjects: vec!["mp.web-prod.lane.*".into()], ..wanted.clone() }, "lane.*"),
            (Config { max_age: Duration::from_secs(9), ..wanted.clone() }, "max_age is 9s"),
            (Config { max_message_size: 100, ..wanted.clone() }, "max_msg_size is 100"),
        ] {
            let differences = settings().differences(&wanted, &found);
            assert!(differences.join("; ").contains(part), "{differences:?}");
        }
        // What the program does not ask for may differ.
        let found = Config { max_bytes: 5, num_replicas: 3, ..wanted.clone() };
        assert_eq!(settings().differences(&wanted, &found), [""; 0]);
        let asking = FeedSettings { max_bytes: Some(6), replicas: Some(1), ..settings() };
        assert_eq!(asking.differences(&wanted, &found).len(), 2);
    }
}
