//! Reads the definition of a point: the attributes of its events, and those of their products.

use serde_json::Value;

use super::definition::{self, Described, Meaning, Place};
use super::enums;
use super::input::at;
use super::level::Level;
use super::model::{Constant, Field, Holder, Items, Match, Record, Role, Target, Type};
use super::overrides::{self, Overrides, Section};
use super::report::Report;
use super::standard::{self, Standard};
use crate::diagnostic::{Code, Diagnostic, Origin};

/// Reads the points of one plan.
pub(crate) struct Reader<'a> {
    overrides: &'a mut Overrides,
    report: &'a mut Report,
    /// The key of the point.
    key: &'a str,
    /// The records that have been read, the innermost first.
    records: Vec<Record>,
}

/// An attribute before its definition is read.
struct Attribute<'a> {
    wire: &'a str,
    target: Target,
    place: Place,
    section: Section,
    definition: Option<&'a Value>,
    is_required: bool,
    origin: Origin,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(key: &'a str, overrides: &'a mut Overrides, report: &'a mut Report) -> Self {
        Self { overrides, report, key, records: Vec::new() }
    }
}

impl Reader<'_> {
    /// Reads a definition: the record of the events, and those of their parts. What cannot be read is reported.
    pub(crate) fn point(
        mut self,
        matches: &Match,
        description: Option<String>,
        definition: Option<&Value>,
        origin: Origin,
    ) -> Vec<Record> {
        let role = matches.role();
        let mut record = Record::new(role, description);
        let read = Level::read(definition, origin).and_then(|root| match role {
            Role::UserAttributes => {
                self.user_attributes(&root, &mut record);
                Ok(())
            }
            _ => self.data(&root, &mut record),
        });
        if let Err(error) = read {
            self.refuse(error);
        }
        self.records.push(record);
        self.records.reverse();
        self.records
    }

    fn user_attributes(&mut self, root: &Level<'_>, record: &mut Record) {
        record.is_open = root.is_open;
        self.attributes(root, Target::Attribute, Place::User, Section::Attributes, record);
    }

    /// Reads what a plan says about an event's `data`.
    fn data(&mut self, root: &Level<'_>, record: &mut Record) -> Result<(), Diagnostic> {
        let data = root.child("data")?;
        let attributes = data.child("custom_attributes")?;
        record.is_open = attributes.is_open;
        self.attributes(&attributes, Target::Attribute, Place::Event, Section::Attributes, record);
        let flags = data.child("custom_flags")?;
        self.attributes(&flags, Target::Flag, Place::Event, Section::Flags, record);
        for wire in data.names() {
            let standard = standard::of_data(record.role, wire);
            if standard.is_some() || !standard::is_set_elsewhere(wire) {
                self.own_field(&data, wire, standard, Holder::Event, record);
            }
        }
        match record.role {
            Role::ProductAction => self.parts(&data.child("product_action")?, record),
            Role::PromotionAction => self.parts(&data.child("promotion_action")?, record),
            Role::Impressions => self.list(&data, record),
            _ => Ok(()),
        }
    }

    /// Reads what a plan says about an action, a product, a promotion or an impression.
    fn parts(&mut self, level: &Level<'_>, record: &mut Record) -> Result<(), Diagnostic> {
        let holder = if record.role.is_event() { Holder::Action } else { Holder::Item };
        let standards = standard::of_parts(record.role);
        for standard in standards {
            let is_planned = level.property(standard.wire).0.is_some();
            if is_planned || level.is_open || level.requires(standard.wire) {
                self.own_field(level, standard.wire, Some(standard), holder, record);
            }
        }
        let is_standard = |wire: &str| standards.iter().any(|standard| standard.wire == wire);
        for wire in level.names() {
            if !is_standard(wire) && !standard::is_set_elsewhere(wire) {
                self.own_field(level, wire, None, holder, record);
            }
        }
        self.list(level, record)
    }

    /// Reads what a plan says about the list of parts.
    fn list(&mut self, level: &Level<'_>, record: &mut Record) -> Result<(), Diagnostic> {
        let (Some(name), Some(role)) = (record.role.list(), record.role.items()) else {
            return Ok(());
        };
        let (definition, origin) = level.property(name);
        let items = definition.and_then(|definition| definition.get("items"));
        if let Some(items @ Value::Object(_)) = items {
            self.item(role, items, at(&origin, "items"))?;
            record.items = Items::Planned;
        }
        // Without one, the event would not be an event of impressions.
        if level.requires(name) || record.role == Role::Impressions {
            record.fields.push(Field {
                wire: name.to_owned(),
                name: format!("{}s", role.noun()),
                target: Target::Unknown(Holder::Item),
                section: Section::Fields,
                ty: Type::Items,
                is_required: true,
                is_nullable: false,
                docs: Vec::new(),
                origin,
            });
        }
        Ok(())
    }

    /// Reads what a plan says about the parts of a list.
    fn item(&mut self, role: Role, definition: &Value, origin: Origin) -> Result<(), Diagnostic> {
        let level = Level::read(Some(definition), origin)?;
        let description = definition.as_object().map(definition::description);
        let mut record = Record::new(role, description.and_then(|mut paragraphs| paragraphs.pop()));
        record.is_open = false;
        if role == Role::Product {
            let attributes = level.child("custom_attributes")?;
            record.is_open = attributes.is_open;
            let section = Section::ProductAttributes;
            self.attributes(&attributes, Target::Attribute, Place::Product, section, &mut record);
        }
        self.parts(&level, &mut record)?;
        self.records.push(record);
        Ok(())
    }

    /// Reads every attribute of an object.
    fn attributes(
        &mut self,
        level: &Level<'_>,
        target: Target,
        place: Place,
        section: Section,
        record: &mut Record,
    ) {
        for wire in level.names() {
            let (definition, origin) = level.property(wire);
            let is_required = level.requires(wire);
            let attribute =
                Attribute { wire, target, place, section, definition, is_required, origin };
            self.attribute(attribute, record);
        }
    }

    /// Reads a field that is no attribute.
    fn own_field(
        &mut self,
        level: &Level<'_>,
        wire: &str,
        standard: Option<&'static Standard>,
        holder: Holder,
        record: &mut Record,
    ) {
        let (definition, origin) = level.property(wire);
        let target = standard.map_or(Target::Unknown(holder), Target::Standard);
        let place = standard.map_or(Place::Event, |standard| Place::Standard(standard.kind));
        let section = match record.role {
            Role::Product | Role::Promotion => Section::ProductFields,
            _ => Section::Fields,
        };
        let is_required = level.requires(wire);
        self.attribute(
            Attribute { wire, target, place, section, definition, is_required, origin },
            record,
        );
    }

    fn attribute(&mut self, attribute: Attribute<'_>, record: &mut Record) {
        let Attribute { wire, target, place, section, definition, is_required, origin } = attribute;
        if self.overrides.skips(self.key, section, wire) {
            return;
        }
        let definition = definition.unwrap_or(&Value::Bool(true));
        for (origin, value) in enums::repeated(definition, &origin) {
            let help = "remove one of the two; they become one value";
            let message = format!("the value {value} stands twice");
            self.report.warn(Code::Contradiction, &origin, message, help);
        }
        match definition::read(definition, place, &origin) {
            Ok(Meaning::Field(described)) if is_required && matches!(described.ty, Type::Tag) => {
                let wire = wire.to_owned();
                record.constants.push(Constant { wire, target, value: Value::Null });
            }
            Ok(Meaning::Field(Described { ty, is_nullable, docs })) => record.fields.push(Field {
                wire: wire.to_owned(),
                name: String::new(),
                target,
                section,
                ty,
                is_required,
                is_nullable,
                docs,
                origin,
            }),
            Ok(Meaning::Constant(value)) => {
                record.constants.push(Constant { wire: wire.to_owned(), target, value });
            }
            Ok(Meaning::Nothing) => {}
            Err(mut error) => {
                let entry = overrides::entry(self.key, section, wire, "skip = true");
                error.help =
                    format!("{}, or leave it out with `{entry}` in the overrides", error.help);
                self.report.errors.push(error);
            }
        }
    }

    /// Reports what concerns the whole point.
    fn refuse(&mut self, mut error: Diagnostic) {
        let entry = overrides::point_entry(self.key, "skip = true");
        error.help =
            format!("{}, or leave the point out with `{entry}` in the overrides", error.help);
        self.report.errors.push(error);
    }
}
