//! Hand-written types for this batch: only its fields, derived by serde, without leniency.

#![allow(clippy::enum_variant_names, clippy::struct_field_names, reason = "the names on the wire")]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub(crate) struct Batch {
    environment: String,
    events: Vec<Event>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_identities: Option<UserIdentities>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    user_attributes: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mpid: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_info: Option<DeviceInformation>,
}

#[derive(Serialize, Deserialize)]
struct UserIdentities {
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct DeviceInformation {
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ios_advertising_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    att_authorization_status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    os_version: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "event_type", content = "data", rename_all = "snake_case")]
enum Event {
    SessionStart(SessionStart),
    ScreenView(ScreenView),
    CustomEvent(Custom),
    CommerceEvent(Commerce),
}

#[derive(Serialize, Deserialize)]
struct SessionStart {
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp_unixtime_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_uuid: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct ScreenView {
    screen_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp_unixtime_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_uuid: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Custom {
    event_name: String,
    custom_event_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp_unixtime_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    custom_attributes: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_uuid: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Commerce {
    #[serde(skip_serializing_if = "Option::is_none")]
    product_action: Option<ProductAction>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp_unixtime_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_uuid: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct ProductAction {
    action: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    products: Vec<Product>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_amount: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tax_amount: Option<f64>,
}

#[derive(Serialize, Deserialize)]
struct Product {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity: Option<f64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    custom_attributes: BTreeMap<String, String>,
}
