//! The two sets of rules, and what only the platform does.

use super::instance::{Instance, Object};
use super::schema::Failure;
use crate::Event;

/// The rules by which a linter compares data with a plan.
///
/// | | [`platform`](Self::platform) | [`node`](Self::node) |
/// |---|---|---|
/// | `"42"` for a number, `"TRUE"` for a boolean | accepted | refused |
/// | null | a value | the same as absent |
/// | after a wrong type | nothing else is reported | `enum` and `const` are reported too |
/// | lengths | UTF-16 code units | code points |
/// | patterns | .NET | JavaScript |
/// | dates and times | must exist | must look like one |
/// | identities | checked | not checked |
/// | sessions, transitions and other events without points | not checked | unplanned |
/// | a batch that names another plan | not checked | checked |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules(Set);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Set {
    Platform,
    Node,
}

impl Rules {
    /// Returns the rules of mParticle's platform, as far as they are documented.
    #[must_use]
    pub const fn platform() -> Self {
        Self(Set::Platform)
    }

    /// Returns the rules of mParticle's Node.js library `data-planning-node` 1.0.6.
    #[must_use]
    pub const fn node() -> Self {
        Self(Set::Node)
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self::platform()
    }
}

/// Returns whether the platform checks events of this type.
pub(super) fn is_checked(event: &Instance) -> bool {
    let event_type = event.get("event_type").and_then(Instance::as_text);
    matches!(event_type, Some("custom_event" | "screen_view" | "commerce_event"))
}

/// Returns whether the rules apply to a typed event at all.
pub(super) fn has_key(event: &Event, rules: Rules) -> bool {
    rules == Rules::node()
        || matches!(event, Event::CustomEvent(_) | Event::ScreenView(_) | Event::CommerceEvent(_))
}

/// Returns whether a custom event reports an attribution, which the platform does not check.
pub(super) fn is_attribution(event: &Instance) -> bool {
    let data = event.get("data");
    let category = data.and_then(|data| data.get("custom_event_type")).and_then(Instance::as_text);
    category == Some("attribution")
}

/// Returns whether the platform accepts an unplanned member, because points match by it.
pub(super) fn is_always_planned(failure: &Failure) -> bool {
    let Some(member) = &failure.member else { return false };
    let members: &[&str] = match failure.pointer.as_str() {
        "" => &["event_type", "data"],
        "/data" => &[
            "event_name",
            "custom_event_type",
            "screen_name",
            "product_action",
            "promotion_action",
            "product_impressions",
        ],
        "/data/product_action" | "/data/promotion_action" => &["action"],
        _ => &[],
    };
    members.contains(&member.as_str())
}

/// Returns the members that JavaScript finds in a value that is not an object.
pub(super) fn members_of(value: &Instance) -> Object {
    let numbered = |(index, item): (usize, Instance)| (index.to_string(), item);
    match value {
        Instance::List(items) => items.iter().cloned().enumerate().map(numbered).collect(),
        Instance::Text(text) => {
            let characters = text.chars().map(|c| Instance::Text(c.to_string()));
            characters.enumerate().map(numbered).collect()
        }
        _ => Object::default(),
    }
}
