//! The names that the things of a plan may get.

use super::assign::Wanted;
use super::idents::{RUNGS, Style, rung};
use super::model::{Field, Holder, Match, Point, Role, Target, Variant};

/// The names that a field may get.
pub(crate) fn of_field(field: &Field, role: Role) -> Wanted {
    let (wire, target) = (field.wire.clone(), field.target);
    let place = match target {
        Target::Attribute => "attribute",
        Target::Flag => "flag",
        Target::Standard(standard) => holder_name(standard.holder, role),
        Target::Unknown(holder) => holder_name(holder, role),
    };
    let qualified = move |text: &str| match target {
        Target::Attribute | Target::Flag => format!("{text} {place}"),
        Target::Standard(_) | Target::Unknown(_) => format!("{place} {text}"),
    };
    let identity = format!("{place} {wire}");
    let name = move |step| rung(step, &wire, qualified, &identity, Style::Field);
    Wanted::Ladder(RUNGS, Box::new(name))
}

/// The names that a value may get.
pub(crate) fn of_value(value: &Variant) -> Wanted {
    let kind = if value.value.is_string() { "text" } else { "number" };
    let qualified = move |text: &str| format!("{text} {kind}");
    let (text, identity) = (value.text(), value.value.to_string());
    let name = move |step| rung(step, &text, qualified, &identity, Style::Variant);
    Wanted::Ladder(RUNGS, Box::new(name))
}

fn holder_name(holder: Holder, role: Role) -> &'static str {
    match holder {
        Holder::Common | Holder::Event => "event",
        Holder::Action => "action",
        Holder::Item => role.noun(),
    }
}

/// The names that a point's type may get.
pub(crate) fn of_point(point: &Point) -> Wanted {
    let (text, kind, noun) = match &point.matches {
        Match::CustomEvent { name, event_type } => (name.clone(), event_type.as_str(), "Event"),
        Match::ScreenView { name } => (name.clone(), "screen", "Screen"),
        Match::ProductAction { action } => (action.clone(), "products", "Event"),
        Match::PromotionAction { action } => (format!("promotion {action}"), "promotions", "Event"),
        Match::ProductImpression => ("product impressions".to_owned(), "event", "Event"),
        Match::UserAttributes => ("attributes".to_owned(), "user", "User"),
    };
    let (kind, key) = (kind.to_owned(), point.key.clone());
    let qualified = move |text: &str| format!("{text} {kind}");
    let name = move |step| rung(step, &text, &qualified, &key, Style::Type(noun));
    Wanted::Ladder(RUNGS, Box::new(name))
}

/// The names of a type that belongs to another one.
pub(crate) fn of_part(key: &str, owner: &str, suffix: &str, kind: &'static str) -> Wanted {
    let plain = format!("{owner}{suffix}");
    let identity = format!("{key} {suffix}");
    let name = move |step| match step {
        0 => plain.clone(),
        1 => format!("{plain}{kind}"),
        _ => rung(RUNGS, &plain, str::to_owned, &identity, Style::Type("Event")),
    };
    Wanted::Ladder(3, Box::new(name))
}
