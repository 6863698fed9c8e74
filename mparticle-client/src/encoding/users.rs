//! User keys: hashes that tell whether two batches are about the same user.
//!
//! mParticle has to receive the batches of one user in order. Requests that contain batches of the same user are
//! therefore never in flight at the same time. Two batches are about the same user if they have the same `mpid`, an
//! identity of the same kind, an identity of the same partner, or the same device identifier.

use crate::models::{Batch, DeviceInformation, UserIdentities};
use serde_json::Value;
use siphasher::sip::SipHasher13;

/// A user key: the hash of one identifier of a user. Batches that share a user key are about the same user.
///
/// User keys are stored with batches. The definition must therefore never change. A user key is the 64-bit output of
/// SipHash-1-3 with a key of 16 zero bytes, and its input is the concatenation of:
///
/// 1. the kind of the identifier as UTF-8, which is the JSON name of its field, or the name of its entry in
///    `partner_identities`
/// 2. the byte `0xFF`, which never occurs in UTF-8
/// 3. the identifier as UTF-8, without leading and trailing ASCII white space, with ASCII letters in lower case, and
///    with a number in the form in which JSON writes it
///
/// If the keys of two users collide, their batches wait for each other without need. Nothing else happens. With this
/// hash it is costly to construct identifiers that collide.
pub(crate) type UserKey = u64;

/// Separates the kind of an identifier from the identifier.
const SEPARATOR: u8 = 0xff;

/// The capacity that is sufficient for most kinds and identifiers.
const INPUT_CAPACITY: usize = 64;

/// Returns the user keys of a batch. The list is empty if the batch has no identifier of a user or device.
pub(crate) fn keys(batch: &Batch) -> Vec<UserKey> {
    let mut keys = UserKeys::new();
    if let Some(mpid) = batch.mpid {
        keys.add("mpid", &mpid.to_string());
    }
    if let Some(identities) = &batch.user_identities {
        keys.add_identities(identities);
    }
    for (partner, identity) in &batch.partner_identities {
        keys.add(partner, identity);
    }
    keys.add_optional("partner_identity", batch.partner_identity.as_deref());
    keys.add_optional("mp_deviceid", batch.mp_deviceid.as_deref());
    if let Some(device) = &batch.device_info {
        for (kind, id) in device_ids(device) {
            keys.add_optional(kind, id.as_deref().filter(|id| !is_zero(id)));
        }
    }
    keys.keys
}

/// The identifiers of a device. Its other fields do not identify it.
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

/// Collects the user keys of one batch.
struct UserKeys {
    keys: Vec<UserKey>,
    /// The input of the hash, kept for its capacity.
    input: Vec<u8>,
}

impl UserKeys {
    fn new() -> Self {
        Self { keys: Vec::with_capacity(4), input: Vec::with_capacity(INPUT_CAPACITY) }
    }

    /// Adds the key of an identifier, unless the identifier is blank.
    fn add(&mut self, kind: &str, id: &str) {
        let id = id.as_bytes().trim_ascii();
        if id.is_empty() {
            return;
        }
        self.input.clear();
        self.input.extend_from_slice(kind.as_bytes());
        self.input.push(SEPARATOR);
        self.input.extend(id.iter().map(u8::to_ascii_lowercase));
        self.keys.push(SipHasher13::new().hash(&self.input));
    }

    fn add_optional(&mut self, kind: &str, id: Option<&str>) {
        if let Some(id) = id {
            self.add(kind, id);
        }
    }

    /// Adds the keys of all identities, including kinds that this version of the models does not know.
    ///
    /// Reading the identities from JSON values avoids a list of their fields here.
    fn add_identities(&mut self, identities: &UserIdentities) {
        // Identities that cannot be serialized are never sent and need no keys.
        let Ok(Value::Object(identities)) = serde_json::to_value(identities) else { return };
        for (kind, identity) in &identities {
            match identity {
                Value::String(identity) => self.add(kind, identity),
                Value::Number(identity) => self.add(kind, &identity.to_string()),
                // Many users may share such a value.
                Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {}
            }
        }
    }
}

/// Whether an identifier consists of zeros. Devices report such an identifier when tracking is limited, and many users
/// share it.
fn is_zero(id: &str) -> bool {
    id.as_bytes().trim_ascii().iter().all(|byte| matches!(byte, b'0' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::{UserKey, keys};
    use crate::models::Batch;
    use serde_json::{Value, json};

    fn batch(fields: &Value) -> Batch {
        Batch::from_str(&fields.to_string()).unwrap()
    }

    fn keys_of(fields: &Value) -> Vec<UserKey> {
        keys(&batch(fields))
    }

    fn share_a_key(one: &Value, other: &Value) -> bool {
        let (one, other) = (keys_of(one), keys_of(other));
        one.iter().any(|key| other.contains(key))
    }

    fn email(email: &str) -> Value {
        json!({"user_identities": {"email": email}})
    }

    /// The expected keys were computed by another implementation of SipHash-1-3.
    #[test]
    fn user_keys_never_change() {
        for (fields, key) in [
            (json!({"mpid": 1}), 0xf855_a7da_e54a_5625),
            (json!({"mpid": -7_321_321_321_321_i64}), 0x05f8_3afb_0249_bd30),
            (email("a@example.com"), 0xc98a_dbbd_0ce2_99e3),
            (email("\u{c4}pfel@example.com"), 0x32c6_9823_2284_6347),
            (email(&"x".repeat(200)), 0x1a09_ebc2_aaf7_e5ba),
            (json!({"user_identities": {"customer_id": "42"}}), 0x3e62_fa85_5d8f_2341),
            (json!({"user_identities": {"novel": 42}}), 0xe9ab_1edf_d723_1055),
            (json!({"partner_identities": {"Partner_id": "a"}}), 0x2cd7_a17a_4927_5835),
            (json!({"partner_identity": "a"}), 0xe46e_1405_6cd5_3d20),
            (json!({"mp_deviceid": "a"}), 0xbd5c_822c_6b76_0f1f),
            (
                json!({"device_info": {"ios_idfv": "613f8504-4f4b-4c4f-a8b7-2b1d1f7a9c01"}}),
                0xa680_9743_1ca3_83bd,
            ),
        ] {
            assert_eq!(keys_of(&fields), [key], "{fields}");
        }
    }

    #[test]
    fn letter_case_and_surrounding_white_space_are_ignored() {
        for same in [" a@example.com", "a@example.com\r\n\t", "A@Example.COM"] {
            assert_eq!(keys_of(&email(same)), keys_of(&email("a@example.com")), "{same}");
        }
        for other in ["a @example.com", "\u{e4}@example.com", "\u{c4}@example.com"] {
            assert_ne!(keys_of(&email(other)), keys_of(&email("a@example.com")), "{other}");
        }
    }

    #[test]
    fn values_that_many_users_share_have_no_key() {
        for value in [json!(null), json!(true), json!(["a"]), json!({"a": 1}), json!(" \t")] {
            assert!(keys_of(&json!({"user_identities": {"novel": &value}})).is_empty(), "{value}");
        }
        for zeros in ["00000000-0000-0000-0000-000000000000", " 0 "] {
            assert!(keys_of(&json!({"device_info": {"ios_advertising_id": zeros}})).is_empty());
        }
        assert!(keys_of(&json!({"ip": "127.0.0.1", "device_info": {"brand": "a"}})).is_empty());
    }

    #[test]
    fn batches_that_share_an_identifier_are_about_the_same_user() {
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
            assert_eq!(share_a_key(&one, &other), expected, "{one} and {other}");
        }
    }

    #[test]
    fn the_kind_of_an_identifier_is_not_mixed_up_with_the_identifier() {
        let partner = |name: &str, id: &str| json!({"partner_identities": {name: id}});
        assert!(!share_a_key(&partner("a", "=b"), &partner("a=", "b")));
        assert!(!share_a_key(&partner("a", "bc"), &partner("ab", "c")));
    }

    #[test]
    fn long_identities_differ_in_their_last_character() {
        let long = |last: &str| email(&("x".repeat(200) + last));
        assert!(share_a_key(&long("a"), &long("a")));
        assert!(!share_a_key(&long("a"), &long("b")));
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

    /// Returns a definition by its name, at any depth of the bundled schema.
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
