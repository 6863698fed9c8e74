//! The fields that mParticle defines for events, products and promotions, and that a plan may constrain.

use super::model::{Holder, Role};

/// A field that mParticle defines.
#[derive(Debug, PartialEq)]
pub(crate) struct Standard {
    /// The name in JSON, which is also the name in the models.
    pub(crate) wire: &'static str,
    pub(crate) holder: Holder,
    pub(crate) kind: Kind,
}

/// What a field of the models holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Float,
    Integer,
    Boolean,
    /// A `Scalar`.
    Any,
}

const fn standard(holder: Holder, kind: Kind, wire: &'static str) -> Standard {
    Standard { wire, holder, kind }
}

use Holder::{Action, Common, Event, Item};
use Kind::{Any, Boolean, Float, Integer, Text};

/// The data that all events have, but for times and objects, which the models' own setters take.
const COMMON: &[Standard] = &[
    standard(Common, Text, "session_uuid"),
    standard(Common, Integer, "session_id"),
    standard(Common, Text, "source_message_id"),
    standard(Common, Integer, "event_num"),
    standard(Common, Text, "page_url"),
    standard(Common, Text, "data_connection_type"),
    standard(Common, Any, "lifetime_value_change"),
    standard(Common, Text, "lifetime_value_attribute_name"),
    standard(Common, Boolean, "is_goal_defined"),
    standard(Common, Text, "view_controller"),
    standard(Common, Boolean, "is_main_thread"),
    standard(Common, Text, "canonical_name"),
    standard(Common, Integer, "event_id"),
];

const SCREEN_VIEW: &[Standard] = &[standard(Event, Text, "activity_type")];

const COMMERCE: &[Standard] = &[
    standard(Event, Text, "currency_code"),
    standard(Event, Text, "screen_name"),
    standard(Event, Boolean, "is_non_interactive"),
    standard(Event, Text, "event_name"),
];

const PRODUCT_ACTION: &[Standard] = &[
    standard(Action, Text, "transaction_id"),
    standard(Action, Float, "total_amount"),
    standard(Action, Float, "tax_amount"),
    standard(Action, Float, "shipping_amount"),
    standard(Action, Text, "coupon_code"),
    standard(Action, Text, "affiliation"),
    standard(Action, Integer, "checkout_step"),
    standard(Action, Text, "checkout_options"),
    standard(Action, Text, "product_action_list"),
    standard(Action, Text, "product_list_source"),
];

const PRODUCT: &[Standard] = &[
    standard(Item, Text, "id"),
    standard(Item, Text, "name"),
    standard(Item, Float, "price"),
    standard(Item, Float, "quantity"),
    standard(Item, Float, "total_product_amount"),
    standard(Item, Text, "brand"),
    standard(Item, Text, "category"),
    standard(Item, Text, "variant"),
    standard(Item, Text, "coupon_code"),
    standard(Item, Integer, "position"),
];

const PROMOTION: &[Standard] = &[
    standard(Item, Text, "id"),
    standard(Item, Text, "name"),
    standard(Item, Text, "creative"),
    standard(Item, Text, "position"),
];

const IMPRESSION: &[Standard] = &[standard(Item, Text, "product_impression_list")];

/// The fields that are set in other ways: by the type itself, or after `into_event`.
const ELSEWHERE: &[&str] = &[
    "event_name",
    "custom_event_type",
    "screen_name",
    "action",
    "product_action",
    "promotion_action",
    "product_impressions",
    "products",
    "promotions",
    "custom_attributes",
    "custom_flags",
    "timestamp_unixtime_ms",
    "session_start_unixtime_ms",
    "event_start_unixtime_ms",
    "active_time_on_site_ms",
    "added_to_cart_time_ms",
    "location",
    "device_current_state",
    "shopping_cart",
    "event_system_notification_info",
];

/// Finds a field of an event's `data`.
pub(crate) fn of_data(role: Role, wire: &str) -> Option<&'static Standard> {
    let own = match role {
        Role::ScreenView => SCREEN_VIEW,
        Role::ProductAction | Role::PromotionAction | Role::Impressions => COMMERCE,
        _ => &[],
    };
    own.iter().chain(COMMON).find(|standard| standard.wire == wire)
}

/// Returns the fields that a record has besides those of its event's `data`.
pub(crate) fn of_parts(role: Role) -> &'static [Standard] {
    match role {
        Role::ProductAction => PRODUCT_ACTION,
        Role::Product => PRODUCT,
        Role::Promotion => PROMOTION,
        Role::Impression => IMPRESSION,
        _ => &[],
    }
}

/// Whether a field needs no setter of its own.
pub(crate) fn is_set_elsewhere(wire: &str) -> bool {
    ELSEWHERE.contains(&wire)
}
