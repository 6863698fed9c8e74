//! The points of a plan, and which events they describe.

use serde_json::{Map, Value, json};

use super::instance::Instance;
use super::schema::{Compiler, Definition};
use crate::support::Place;
use crate::{DataPoint, DataPointCriteria, DataPointMatch, DataPointType};

/// A compiled point.
#[derive(Debug)]
pub(super) struct Point {
    /// How the point matches, as the plan has it.
    pub(super) matched: DataPointMatch,
    pub(super) definition: Definition,
    /// Whether the plan has no rule at all for what the point describes.
    pub(super) has_no_schema: bool,
}

/// The key of the point for user attributes.
pub(super) const USER_ATTRIBUTES: &str = "user_attributes";
/// The key of the point for user identities.
pub(super) const USER_IDENTITIES: &str = "user_identities";

/// The key of points whose type no event has.
const UNKNOWN: &str = "unknown";

/// Compiles a point. Returns its key, or `None` for a point that describes nothing.
pub(super) fn compile(
    point: &DataPoint,
    place: &Place<'_>,
    compiler: &mut Compiler,
) -> Option<(String, Point)> {
    let Some(matched) = &point.match_ else {
        compiler.fault(place, "a point has a `match`");
        return None;
    };
    let Some(validator) = &point.validator else {
        compiler.fault(place, "a point has a `validator`");
        return None;
    };
    let key = key_of_point(matched, &place.field("match"), compiler)?;
    let place = place.field("validator");
    if validator.type_.as_deref() != Some("json_schema") {
        compiler.fault(&place.field("type"), "the only known type of validators is `json_schema`");
    }
    let definition = validator.definition.as_ref().filter(|definition| {
        validator.type_.as_deref() == Some("json_schema") && Instance::from(*definition).is_truthy()
    });
    let has_no_schema = definition.is_none_or(|d| d.as_object().is_some_and(Map::is_empty));
    if has_no_schema && key == USER_ATTRIBUTES {
        compiler.fault(&place.field("definition"), "the definition of user attributes is empty");
    }
    let known = definition.map(|d| compiler.definition(d, &place.field("definition")));
    let definition = known.unwrap_or_default();
    Some((key, Point { matched: matched.clone(), definition, has_no_schema }))
}

impl DataPoint {
    /// Returns the match key, by which a linter finds the point for an event, such as `custom_event:other:Signed up`.
    /// `None` if the point describes nothing, because it has no `match`, no `validator` or no criteria.
    #[must_use]
    pub fn match_key(&self) -> Option<String> {
        self.validator.as_ref()?;
        let mut ignored = Compiler::new(super::Rules::platform());
        key_of_point(self.match_.as_ref()?, &Place::root(), &mut ignored)
    }
}

/// Returns the key by which events find a point.
fn key_of_point(
    matched: &DataPointMatch,
    place: &Place<'_>,
    compiler: &mut Compiler,
) -> Option<String> {
    let type_ = &matched.type_;
    let fields: &[fn(&DataPointCriteria) -> Option<&String>] = match type_ {
        DataPointType::CustomEvent => &[
            |criteria| criteria.custom_event_type.as_ref(),
            |criteria| criteria.event_name.as_ref(),
        ],
        // The key of a screen has an empty part where other events have their category.
        DataPointType::ScreenView => &[|_| None, |criteria| criteria.screen_name.as_ref()],
        DataPointType::ProductAction | DataPointType::PromotionAction => {
            &[|criteria| criteria.action.as_ref()]
        }
        DataPointType::ApplicationStateTransition => {
            &[|criteria| criteria.application_transition_type.as_ref()]
        }
        DataPointType::Unknown | DataPointType::UnknownValue(_) => {
            compiler.fault(&place.field("type"), format!("no event is of the type `{type_}`"));
            return Some(UNKNOWN.to_owned());
        }
        _ => return Some(type_.as_str().to_owned()),
    };
    let Some(criteria) = &matched.criteria else {
        compiler.fault(place, format!("a point of the type `{type_}` has criteria"));
        return None;
    };
    let mut key = type_.as_str().to_owned();
    for field in fields {
        key.push(':');
        key.push_str(field(criteria).map_or("", String::as_str));
    }
    Some(key)
}

/// Writes the key of a custom event.
pub(super) fn custom_event_key(category: &str, name: &str, key: &mut String) {
    key.clear();
    for part in ["custom_event:", category, ":", name] {
        key.push_str(part);
    }
}

/// Writes the key of a screen view.
pub(super) fn screen_view_key(name: &str, key: &mut String) {
    key.clear();
    key.push_str("screen_view::");
    key.push_str(name);
}

/// Returns the key of an event, or `None` if no point can describe it.
pub(super) fn key_of_event(event: &Instance) -> Option<String> {
    let data = event.get("data").unwrap_or(&Instance::Null);
    let part = |name: &str| data.get(name).map(Instance::joined).unwrap_or_default();
    let event_type = event.get("event_type").and_then(Instance::as_text)?;
    match event_type {
        "breadcrumb"
        | "crash_report"
        | "first_run"
        | "network_performance"
        | "opt_out"
        | "session_start"
        | "session_end"
        | "uninstall" => Some(event_type.to_owned()),
        "application_state_transition" => {
            Some(format!("{event_type}:{}", part("application_transition_type")))
        }
        "screen_view" => Some(format!("{event_type}::{}", part("screen_name"))),
        "custom_event" if data.is_truthy() => {
            Some(format!("{event_type}:{}:{}", part("custom_event_type"), part("event_name")))
        }
        "commerce_event" => match commerce_variant(data)? {
            (variant, Some(action)) => {
                let action = action.get("action").map(Instance::joined).unwrap_or_default();
                Some(format!("{variant}:{action}"))
            }
            (variant, None) => Some(variant.to_owned()),
        },
        _ => None,
    }
}

/// Returns the type of a commerce event, and the object with its action.
fn commerce_variant(data: &Instance) -> Option<(&'static str, Option<&Instance>)> {
    let truthy = |name: &str| data.get(name).filter(|value| value.is_truthy());
    if let Some(action) = truthy("product_action") {
        Some(("product_action", Some(action)))
    } else if let Some(action) = truthy("promotion_action") {
        Some(("promotion_action", Some(action)))
    } else {
        truthy("product_impressions").map(|_| ("product_impression", None))
    }
}

/// Returns how a point would match an unplanned event, with the defaults of the library.
pub(super) fn match_of_event(event: &Instance) -> Value {
    let data = event.get("data").unwrap_or(&Instance::Null);
    let event_type = event.get("event_type").and_then(Instance::as_text).unwrap_or_default();
    let or_default = |name: &str, default: &str| match data.get(name) {
        Some(value) if value.is_truthy() => value.to_value(),
        _ => default.into(),
    };
    let criteria = match event_type {
        "custom_event" => json!({
            "event_name": or_default("event_name", "Custom Event"),
            "custom_event_type": or_default("custom_event_type", "other"),
        }),
        "screen_view" if !data.is_truthy() => json!({ "screen_name": "" }),
        "screen_view" => object("screen_name", data.get("screen_name")),
        "application_state_transition" => {
            let transition = or_default("application_transition_type", UNKNOWN);
            json!({ "application_transition_type": transition })
        }
        "commerce_event" => {
            return match commerce_variant(data) {
                Some((variant, Some(action))) => {
                    json!({ "type": variant, "criteria": object("action", action.get("action")) })
                }
                Some((variant, None)) => json!({ "type": variant }),
                None => json!({ "type": UNKNOWN }),
            };
        }
        _ => return json!({ "type": event_type }),
    };
    json!({ "type": event_type, "criteria": criteria })
}

/// Returns an object with one member, or none without a value.
fn object(name: &str, value: Option<&Instance>) -> Value {
    value.map(|value| (name.to_owned(), value.to_value())).into_iter().collect::<Map<_, _>>().into()
}

/// Returns the name by which the library reports an unplanned event.
pub(super) fn name_of_event(event: &Instance) -> Value {
    let data = event.get("data").unwrap_or(&Instance::Null);
    let event_type = event.get("event_type");
    let name = match event_type.and_then(Instance::as_text) {
        Some("custom_event") => data.get("event_name"),
        Some("screen_view") => data.get("screen_name"),
        _ => None,
    };
    let name = name.filter(|name| name.is_truthy()).or(event_type);
    name.map(Instance::to_value).unwrap_or_default()
}
