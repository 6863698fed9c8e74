//! The documentation of generated code.

use super::super::model::{Field, Holder, Match, Module, Plan, Point, Record, Role, Target, Type};
use super::super::rules::code;

/// The first line of the file's documentation.
pub(super) fn plan(plan: &Plan) -> String {
    match &plan.context {
        Some((plan_id, version)) => {
            format!("The types of the data plan {}, version {version}.", code(plan_id))
        }
        None => "The types of a data plan.".to_owned(),
    }
}

pub(super) fn module(module: Module) -> &'static str {
    match module {
        Module::Custom => "The custom events of the data plan.",
        Module::Screen => "The screen views of the data plan.",
        Module::Commerce => "The commerce events of the data plan.",
        Module::User => "The user attributes of the data plan.",
    }
}

/// The documentation of a record: the description in the plan, and the kind of the record.
pub(super) fn record(point: &Point, record: &Record) -> Vec<String> {
    let what = match (record.role, &point.matches) {
        (Role::Product, _) => format!("A product of {}.", matched(&point.matches)),
        (Role::Promotion, _) => format!("A promotion of {}.", matched(&point.matches)),
        (Role::Impression, _) => "A list of products that was shown.".to_owned(),
        (_, Match::UserAttributes) => "The attributes of a user.".to_owned(),
        (_, matches) => {
            let text = matched(matches);
            format!(
                "{}{}.",
                text.get(..1).unwrap_or_default().to_uppercase(),
                text.get(1..).unwrap_or_default()
            )
        }
    };
    record.description.iter().cloned().chain([what]).collect()
}

/// The events that a point matches, in words.
fn matched(matches: &Match) -> String {
    match matches {
        Match::CustomEvent { name, event_type } => {
            format!("the custom event {} of the type {}", code(name), code(event_type))
        }
        Match::ScreenView { name } => format!("the view of the screen {}", code(name)),
        Match::ProductAction { action } => format!("the product action {}", code(action)),
        Match::PromotionAction { action } => format!("the promotion action {}", code(action)),
        Match::ProductImpression => "the event of products that were shown".to_owned(),
        Match::UserAttributes => "the attributes of a user".to_owned(),
    }
}

/// The documentation of `new`.
pub(super) fn constructor(record: &Record, required: usize) -> String {
    let what = match record.role {
        Role::UserAttributes => "the attributes of a user",
        Role::Product => "the product",
        Role::Promotion => "the promotion",
        Role::Impression => "the list",
        _ => "the event",
    };
    let rest = match required {
        0 => "",
        1 => " with its required attribute",
        _ => " with its required attributes",
    };
    format!("Creates {what}{rest}.")
}

/// The documentation of a setter.
pub(super) fn setter(field: &Field) -> Vec<String> {
    let name = code(&field.wire);
    let first = match (&field.ty, field.target) {
        (Type::Tag, _) => format!("Adds the {} {name}, which has no value.", noun(field)),
        (_, Target::Flag) => format!("Sets the custom flag {name}."),
        _ => format!("Sets the {} {name}.", noun(field)),
    };
    [first].into_iter().chain(field.docs.iter().cloned()).collect()
}

/// The documentation of a field of the struct of required attributes.
pub(super) fn field(field: &Field) -> Vec<String> {
    let first = format!("The {} {}.", noun(field), code(&field.wire));
    let null = field.is_nullable.then(|| "`None` is written as null.".to_owned());
    [first].into_iter().chain(field.docs.iter().cloned()).chain(null).collect()
}

fn noun(field: &Field) -> &'static str {
    match field.target {
        Target::Attribute => "attribute",
        Target::Flag => "custom flag",
        Target::Unknown(Holder::Item) if matches!(field.ty, Type::Items) => "list",
        Target::Standard(_) | Target::Unknown(_) => "field",
    }
}

/// A link to a struct, whose name may also be that of a macro.
pub(super) fn link(name: &str) -> String {
    format!("[`{name}`](struct@{name})")
}
