//! By what two batches are known to belong to one user.
//!
//! Such batches have to arrive in order, so requests that hold them are never in flight together. The user counts as
//! the same when the `mpid`, an identity of the same kind, an identity of the same partner, or an identifier of the
//! device is the same. Letter case is ignored, so at worst two requests wait for each other without need.

use crate::models::{Batch, DeviceInformation, UserIdentities};
use serde_json::Value;
use std::hash::{DefaultHasher, Hasher};

/// One fact by which a user is known, as a hash: two that are equal count as the same.
pub(crate) type UserKey = u64;

/// All by which the user of a batch is known; empty when nothing tells.
pub(crate) fn keys(batch: &Batch) -> Vec<UserKey> {
    let mut keys = Keys(Vec::with_capacity(4));
    if let Some(mpid) = batch.mpid {
        keys.add("mpid", &mpid.to_string());
    }
    if let Some(identities) = &batch.user_identities {
        keys.add_identities(identities);
    }
    for (partner, identity) in &batch.partner_identities {
        keys.add(partner, identity);
    }
    keys.add_some("partner_identity", batch.partner_identity.as_deref());
    keys.add_some("mp_deviceid", batch.mp_deviceid.as_deref());
    if let Some(device) = &batch.device_info {
        for (kind, id) in device_ids(device) {
            keys.add_some(kind, id.as_deref().filter(|id| !is_zero(id)));
        }
    }
    keys.0
}

/// The identifiers of a device; what else is known of it does not tell one from another.
fn device_ids(device: &DeviceInformation) -> [(&'static str, &Option<String>); 10] {
    [
        ("ios_advertising_id", &device.ios_advertising_id),
        ("ios_idfv", &device.ios_idfv),
        ("android_advertising_id", &device.android_advertising_id),
        ("android_uuid", &device.android_uuid),
        ("fire_advertising_id", &device.fire_advertising_id),
        ("roku_advertising_id", &device.roku_advertising_id),
        ("roku_publisher_id", &device.roku_publisher_id),
        ("microsoft_advertising_id", &device.microsoft_advertising_id),
        ("microsoft_publisher_id", &device.microsoft_publisher_id),
        ("amp_id", &device.amp_id),
    ]
}

struct Keys(Vec<UserKey>);

impl Keys {
    fn add_some(&mut self, kind: &str, id: Option<&str>) {
        if let Some(id) = id {
            self.add(kind, id);
        }
    }

    fn add(&mut self, kind: &str, id: &str) {
        if !id.trim().is_empty() {
            let mut hasher = DefaultHasher::new();
            hasher.write(kind.as_bytes());
            hasher.write_u8(b'=');
            let mut lower = [0; 64];
            for part in id.trim().as_bytes().chunks(lower.len()) {
                for (lower, byte) in lower.iter_mut().zip(part) {
                    *lower = byte.to_ascii_lowercase();
                }
                hasher.write(lower.get(..part.len()).unwrap_or_default());
            }
            self.0.push(hasher.finish());
        }
    }

    /// By way of JSON, so that a kind of identity that is new to the models, or unknown to them, counts as well.
    fn add_identities(&mut self, identities: &UserIdentities) {
        // What cannot be written is not sent, so its keys do not matter.
        let Ok(Value::Object(identities)) = serde_json::to_value(identities) else { return };
        for (kind, identity) in &identities {
            match identity {
                Value::String(identity) => self.add(kind, identity),
                other => self.add(kind, &other.to_string()),
            }
        }
    }
}

/// Whether an identifier is the zeros that devices give when tracking is limited, which many users share.
fn is_zero(id: &str) -> bool {
    id.trim().bytes().all(|byte| matches!(byte, b'0' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::keys;
    use crate::models::{Batch, UserIdentities};
    use serde_json::{Value, json};

    fn batch(fields: &Value) -> Batch {
        Batch::from_str(&fields.to_string()).unwrap()
    }

    fn related(one: &Value, other: &Value) -> bool {
        let (one, other) = (keys(&batch(one)), keys(&batch(other)));
        one.iter().any(|key| other.contains(key))
    }

    #[test]
    fn batches_that_share_an_identifier_are_of_one_user() {
        let email = |email: &str| json!({"user_identities": {"email": email}});
        let device = |kind: &str, id: &str| json!({"device_info": {kind: id}});
        let nil = "00000000-0000-0000-0000-000000000000";
        for (one, other, expected) in [
            (json!({"mpid": 1}), json!({"mpid": 1}), true),
            (json!({"mpid": 1}), json!({"mpid": 2}), false),
            (email("a@example.com"), email("a@example.com"), true),
            (email("a@example.com"), email(" A@example.COM "), true),
            (email("a@example.com"), email("b@example.com"), false),
            (email("1"), json!({"user_identities": {"customer_id": "1"}}), false),
            (
                json!({"user_identities": {"novel": "1"}}),
                json!({"user_identities": {"novel": "1"}}),
                true,
            ),
            (
                json!({"user_identities": {"novel": 1}}),
                json!({"user_identities": {"novel": 1}}),
                true,
            ),
            (
                json!({"mpid": 1, "user_identities": {"email": "a", "other": "b"}}),
                json!({"mpid": 2, "user_identities": {"email": "c", "other": "b"}}),
                true,
            ),
            (device("ios_idfv", "a"), device("ios_idfv", "A"), true),
            (device("ios_idfv", "a"), device("android_uuid", "a"), false),
            (device("ios_advertising_id", nil), device("ios_advertising_id", nil), false),
            (device("brand", "a"), device("brand", "a"), false),
            (json!({"mp_deviceid": "a"}), json!({"mp_deviceid": "a"}), true),
            (json!({"partner_identity": "a"}), json!({"partner_identity": "a"}), true),
            (
                json!({"partner_identities": {"P_id": "a"}}),
                json!({"partner_identities": {"P_id": "a"}}),
                true,
            ),
            (
                json!({"partner_identities": {"P_id": "a"}}),
                json!({"partner_identities": {"Q_id": "a"}}),
                false,
            ),
            (email(" "), email(" "), false),
            (email("0"), email("0"), true),
            (json!({"mpid": 0}), json!({"mpid": 0}), true),
            (json!({"ip": "127.0.0.1"}), json!({"ip": "127.0.0.1"}), false),
        ] {
            assert_eq!(related(&one, &other), expected, "{one} and {other}");
        }
    }

    #[test]
    fn long_identities_differ_in_their_last_character() {
        let identity = |last: &str| {
            let id = "x".repeat(200) + last;
            keys(
                &Batch::from_str("{}")
                    .unwrap()
                    .with_user_identities(UserIdentities::new().with_other(id)),
            )
        };
        assert_eq!(identity("a"), identity("a"));
        assert_ne!(identity("a"), identity("b"));
    }

    #[cfg(feature = "testing")]
    #[test]
    fn every_identifier_in_the_schema_is_a_key() {
        let schema: Value = serde_json::from_str(crate::models::schema::BATCH).unwrap();
        let definition = |name: &str| {
            let found = find(&schema, name).unwrap();
            found["properties"].as_object().unwrap().keys().cloned().collect::<Vec<_>>()
        };
        let identities = definition("UserIdentities");
        assert!(identities.len() >= 22);
        for kind in identities {
            assert_eq!(keys(&batch(&json!({"user_identities": {&kind: "a"}}))).len(), 1, "{kind}");
        }
        let is_id = |name: &String| {
            name != "build_identifier"
                && ["_id", "_idfv", "_uuid"].iter().any(|end| name.ends_with(end))
        };
        let ids: Vec<_> = definition("DeviceInformation").into_iter().filter(is_id).collect();
        assert!(ids.len() >= 10);
        for kind in ids {
            assert_eq!(keys(&batch(&json!({"device_info": {&kind: "a"}}))).len(), 1, "{kind}");
        }
    }

    /// A definition by its name, wherever the bundle keeps it.
    #[cfg(feature = "testing")]
    fn find<'s>(schema: &'s Value, name: &str) -> Option<&'s Value> {
        match schema {
            Value::Object(fields) => fields
                .iter()
                .find_map(|(key, value)| {
                    (key.ends_with(name) && value["properties"].is_object()).then_some(value)
                })
                .or_else(|| fields.values().find_map(|value| find(value, name))),
            Value::Array(items) => items.iter().find_map(|item| find(item, name)),
            _ => None,
        }
    }
}
