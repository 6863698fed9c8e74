//! The fast path: recognizes typed events that follow the plan, without converting them to JSON.
//!
//! It only ever answers "planned" or "perhaps not". In the second case the event is converted to JSON and checked in
//! full, therefore the fast path reports nothing itself. It applies to points whose rules are about attributes alone, as
//! almost all points of custom events and screens are.

use std::collections::BTreeMap;

use super::Rules;
use super::point::{self, Point};
use super::schema::{
    Additional, Check, Definition, INHERITED, ObjectRules, ScalarRef, Schema, Type,
};
use crate::support::Place;
use crate::{AttributeValue, Event, Scalar};

/// What is known about events that follow a point, apart from the rules for attributes.
#[derive(Debug)]
pub(super) struct PlannedEvent {
    /// The name of the event or screen.
    name: String,
    category: String,
    /// Whether the event needs attributes.
    attributes_required: bool,
}

/// The members that an event of a point has for certain.
const DATA_MEMBERS: [&str; 3] = ["event_name", "custom_event_type", "screen_name"];

impl PlannedEvent {
    /// Examines a point. Returns `None` if its events have to be checked as JSON.
    pub(super) fn new(point: &Point, rules: Rules) -> Option<Self> {
        let criteria = point.matched.criteria.as_ref()?;
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let (event_type, members) = match &point.matched.type_ {
            crate::DataPointType::CustomEvent => (
                "custom_event",
                vec![
                    ("event_name", text(&criteria.event_name)),
                    ("custom_event_type", text(&criteria.custom_event_type)),
                ],
            ),
            crate::DataPointType::ScreenView => {
                ("screen_view", vec![("screen_name", text(&criteria.screen_name))])
            }
            _ => return None,
        };
        let attributes_required = examine(&point.definition, event_type, &members, rules)?;
        let mut members = members.into_iter().map(|(_, text)| text);
        Some(Self {
            name: members.next().unwrap_or_default(),
            category: members.next().unwrap_or_default(),
            attributes_required,
        })
    }

    /// Writes the key of an event. Returns `false` for events that have to be checked as JSON.
    pub(super) fn key(event: &Event, key: &mut String) -> bool {
        match event {
            Event::CustomEvent(event) => {
                let Some(category) = &event.custom_event_type else { return false };
                point::custom_event_key(category.as_str(), &event.event_name, key);
                true
            }
            Event::ScreenView(event) => {
                let Some(name) = &event.screen_name else { return false };
                point::screen_view_key(name, key);
                true
            }
            _ => false,
        }
    }

    /// Returns whether an event with the key of the point follows it.
    pub(super) fn accepts(&self, event: &Event, point: &Point, rules: Rules) -> bool {
        match event {
            Event::CustomEvent(event) => {
                let category = event.custom_event_type.as_ref().map(|category| category.as_str());
                event.event_name == self.name
                    && category == Some(&self.category)
                    && event.envelope.is_empty()
                    && event.extra.is_empty()
                    && self.attributes(&event.common.custom_attributes, point, rules)
            }
            Event::ScreenView(event) => {
                event.screen_name.as_ref() == Some(&self.name)
                    && event.envelope.is_empty()
                    && event.extra.is_empty()
                    && self.attributes(&event.common.custom_attributes, point, rules)
            }
            _ => false,
        }
    }

    fn attributes(
        &self,
        attributes: &BTreeMap<String, Scalar>,
        point: &Point,
        rules: Rules,
    ) -> bool {
        if attributes.is_empty() {
            return !self.attributes_required;
        }
        let data = property(&point.definition.root, "data");
        let schema = data.and_then(|data| property(data, "custom_attributes"));
        let Some(schema) = schema else { return true };
        let scalars = attributes.iter().map(|(name, value)| (name.as_str(), Some(value.into())));
        accepts(schema, scalars, &point.definition, rules)
    }
}

/// Returns whether user attributes are known to follow a point.
pub(super) fn accepts_user_attributes(
    point: &Point,
    attributes: &BTreeMap<String, AttributeValue>,
    rules: Rules,
) -> bool {
    let scalars = attributes
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_scalar().map(ScalarRef::from)));
    let schema = &point.definition.root;
    !point.has_no_schema
        && is_about_scalars(schema)
        && accepts(schema, scalars, &point.definition, rules)
}

fn property<'s>(schema: &'s Schema, name: &str) -> Option<&'s Schema> {
    schema.object.as_ref()?.properties.get(name)
}

/// Returns whether attributes are required, or `None` if a rule is about something else than attributes.
fn examine(
    definition: &Definition,
    event_type: &str,
    members: &[(&str, String)],
    rules: Rules,
) -> Option<bool> {
    let accepts_text = |schema: &Schema, text: &str| {
        let mut check = Check::quick(definition, rules);
        check.scalar(schema, ScalarRef::Text(text), &Place::root());
        schema.combined.is_none() && !schema.is_never() && !check.has_failed()
    };
    let root = &definition.root;
    if root.is_empty() {
        return Some(false);
    }
    let (object, known) = (open_object(root)?, ["event_type", "data"]);
    for (name, schema) in &object.properties {
        match name.as_str() {
            "data" => {}
            "event_type" if accepts_text(schema, event_type) => {}
            _ => return None,
        }
    }
    if object.required.iter().any(|name| !known.contains(&name.as_str())) {
        return None;
    }
    let Some(data) = object.properties.get("data").filter(|data| !data.is_empty()) else {
        return Some(false);
    };
    let data = open_object(data)?;
    for (name, schema) in &data.properties {
        let member = members.iter().find(|(member, _)| member == name);
        match (name.as_str(), member) {
            ("custom_attributes", _) if is_about_scalars(schema) => {}
            (_, Some((_, text))) if accepts_text(schema, text) => {}
            _ => return None,
        }
    }
    let is_present = |name: &String| {
        DATA_MEMBERS.contains(&name.as_str()) && members.iter().any(|(member, _)| member == name)
    };
    let mut missing = data.required.iter().filter(|name| !is_present(name));
    match (missing.next().map(String::as_str), missing.next()) {
        (None, _) => Some(false),
        (Some("custom_attributes"), None) => Some(true),
        _ => None,
    }
}

/// Returns the rules of a schema for an object that may have any member.
fn open_object(schema: &Schema) -> Option<&ObjectRules> {
    let rules = plain_object(schema)?;
    matches!(rules.additional, Additional::Allowed).then_some(rules)
}

/// Returns the rules of a schema for an object, if it has no others than those about single members.
fn plain_object(schema: &Schema) -> Option<&ObjectRules> {
    let Schema { types, object, constant, values, combined, .. } = schema;
    let is_object = types.as_ref().is_none_or(|types| types.names.contains(&Type::Object));
    let others = constant.is_some() || values.is_some() || combined.is_some() || schema.is_never();
    // The rules of an object without rules are those of the default.
    static NONE: ObjectRules = ObjectRules::NONE;
    let rules = object.as_deref().unwrap_or(&NONE);
    let ObjectRules { most, least, dependencies, names, patterns, .. } = rules;
    let simple = most.is_none()
        && least.is_none()
        && dependencies.is_empty()
        && names.is_none()
        && patterns.is_empty();
    (is_object && !others && simple).then_some(rules)
}

/// Returns whether a schema is about the members of an object, each of which it compares with a rule for scalars.
fn is_about_scalars(schema: &Schema) -> bool {
    schema.is_empty()
        || plain_object(schema).is_some_and(|rules| {
            let inherited = |name: &String| INHERITED.contains(&name.as_str());
            let scalar = |schema: &Schema| schema.combined.is_none() && !schema.is_never();
            !matches!(rules.additional, Additional::Checked(_))
                && rules.properties.values().all(scalar)
                && !rules.properties.keys().chain(&rules.required).any(inherited)
        })
}

/// Compares attributes, sorted by name, with a schema about scalars. An attribute without a scalar is a list.
fn accepts<'a>(
    schema: &Schema,
    attributes: impl Iterator<Item = (&'a str, Option<ScalarRef<'a>>)>,
    definition: &Definition,
    rules: Rules,
) -> bool {
    let Some(object) = &schema.object else { return true };
    let mut check = Check::quick(definition, rules);
    let mut properties = object.properties.iter().peekable();
    let mut required = object.required.iter().peekable();
    for (name, value) in attributes {
        let Some(value) = value.filter(ScalarRef::is_finite) else { return false };
        if rules == Rules::node() && matches!(value, ScalarRef::Null) {
            continue;
        }
        if required.peek().is_some_and(|next| next.as_str() < name) {
            return false;
        }
        required.next_if(|next| next.as_str() == name);
        while properties.next_if(|(next, _)| next.as_str() < name).is_some() {}
        match properties.next_if(|(next, _)| next.as_str() == name) {
            Some((_, schema)) => check.scalar(schema, value, &Place::root()),
            None if matches!(object.additional, Additional::Allowed) => {}
            None => return false,
        }
        if check.has_failed() {
            return false;
        }
    }
    required.next().is_none()
}
