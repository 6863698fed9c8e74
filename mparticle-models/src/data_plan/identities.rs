//! The identities of a batch under the names that plans use.

use super::instance::{Instance, Object};

/// Names of identities in plans that differ from the names in `user_identities`.
const USER: [(&str, &str); 11] = [
    ("customerid", "customer_id"),
    ("facebookcustomaudienceid", "facebook_custom_audience_id"),
    ("other2", "other_id_2"),
    ("other3", "other_id_3"),
    ("other4", "other_id_4"),
    ("other5", "other_id_5"),
    ("other6", "other_id_6"),
    ("other7", "other_id_7"),
    ("other8", "other_id_8"),
    ("other9", "other_id_9"),
    ("other10", "other_id_10"),
];

/// Names of identifiers of the device in plans, and in `device_info`.
const DEVICE: [(&str, &str); 10] = [
    ("amp_id", "amp_id"),
    ("android_aaid", "android_advertising_id"),
    ("android_uuid", "android_uuid"),
    ("fire_aid", "fire_advertising_id"),
    ("ios_idfa", "ios_advertising_id"),
    ("ios_idfv", "ios_idfv"),
    ("microsoft_publisher_id", "microsoft_publisher_id"),
    ("push_token", "push_token"),
    ("roku_aid", "roku_advertising_id"),
    ("roku_publisher_id", "roku_publisher_id"),
];

/// The name of `mp_deviceid` in plans.
const DEVICE_STAMP: &str = "device_application_stamp";

/// The identities of a batch as the platform compares them with a plan.
pub(super) struct Identities {
    /// The identities by the names in the plan.
    pub(super) instance: Instance,
    /// The JSON pointers of the identities in the batch.
    pointers: Vec<(String, String)>,
}

impl Identities {
    /// Collects the identities of a batch. A plan may use either name of an identity.
    pub(super) fn of(batch: &Instance, is_planned: impl Fn(&str) -> bool) -> Self {
        let mut found: Vec<(String, String, Instance)> = Vec::new();
        let mut add = |plan_name: &str, name: &str, pointer: String, value: &Instance| {
            let name = if is_planned(name) && !is_planned(plan_name) { name } else { plan_name };
            found.push((name.to_owned(), pointer, value.clone()));
        };
        for (name, pointer, value) in user_identities(batch) {
            let plan_name =
                USER.iter().find(|(_, own)| *own == name).map_or(name, |(plan, _)| plan);
            add(plan_name, name, pointer, value);
        }
        let device = batch.get("device_info");
        for (plan_name, name) in DEVICE {
            if let Some(value) = device.and_then(|device| device.get(name)) {
                add(plan_name, name, format!("/device_info/{name}"), value);
            }
        }
        if let Some(value) = batch.get("mp_deviceid") {
            add(DEVICE_STAMP, "mp_deviceid", "/mp_deviceid".to_owned(), value);
        }
        // An identity without a value is not set.
        found.retain(|(_, _, value)| !matches!(value, Instance::Null));
        let members = found.iter().map(|(name, _, value)| (name.clone(), value.clone()));
        let instance = Instance::Object(members.collect::<Object>());
        let pointers = found.into_iter().map(|(name, pointer, _)| (name, pointer)).collect();
        Self { instance, pointers }
    }

    /// Returns the JSON pointer in the batch of an identity, or of where it would stand.
    pub(super) fn pointer(&self, name: &str) -> String {
        let found = self.pointers.iter().find(|(own, _)| own == name);
        if let Some((_, pointer)) = found {
            return pointer.clone();
        }
        if name == DEVICE_STAMP {
            return "/mp_deviceid".to_owned();
        }
        let device = DEVICE.iter().find(|(plan, own)| name == *plan || name == *own);
        if let Some((_, own)) = device {
            return format!("/device_info/{own}");
        }
        let own = USER.iter().find(|(plan, _)| *plan == name).map_or(name, |(_, own)| own);
        format!("/user_identities/{own}")
    }
}

/// Returns the members of `user_identities`, which may also be a list of records.
fn user_identities(batch: &Instance) -> Vec<(&str, String, &Instance)> {
    match batch.get("user_identities") {
        Some(Instance::Object(object)) => {
            let members = object.members().iter();
            members
                .map(|member| {
                    let pointer = format!("/user_identities/{}", member.name);
                    (member.name.as_str(), pointer, &member.value)
                })
                .collect()
        }
        Some(Instance::List(records)) => records
            .iter()
            .enumerate()
            .filter_map(|(index, record)| {
                let name = record.get("identity_type")?.as_text()?;
                let pointer = format!("/user_identities/{index}/identity");
                Some((name, pointer, record.get("identity")?))
            })
            .collect(),
        _ => Vec::new(),
    }
}
