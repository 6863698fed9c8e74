//! Names the types, fields and values of a plan, and reports where names were in conflict.

use std::collections::BTreeSet;

use super::assign::{Clash, Wanted, assign};
use super::idents::Style;
use super::ladders;
use super::model::{Field, Holder, Module, Plan, Point, Record, Role, Target, Type, Variant};
use super::overrides::{self, Overrides, Section};
use super::report::Report;
use super::standard;
use crate::diagnostic::{Code, Origin};

/// How many things in conflict a report lists.
const SHOWN: usize = 20;

/// Gives every type, field and value its Rust name.
pub(crate) fn name(plan: &mut Plan, overrides: &mut Overrides, report: &mut Report) {
    let mut naming = Naming { overrides, report };
    for point in &mut plan.points {
        for record in &mut point.records {
            naming.fields(&point.key, record);
        }
    }
    for module in Module::ALL {
        let of_module = |point: &&mut Point| point.matches.module() == module;
        let mut points: Vec<_> = plan.points.iter_mut().filter(of_module).collect();
        naming.types(&mut points);
    }
}

struct Naming<'a> {
    overrides: &'a mut Overrides,
    report: &'a mut Report,
}

/// Something that needs a name.
struct Thing {
    wanted: Wanted,
    /// Whether the overrides have its name.
    is_chosen: bool,
    /// What it is called in the plan.
    label: String,
    origin: Origin,
    /// The setting in the overrides that names it.
    setting: String,
}

impl Naming<'_> {
    fn fields(&mut self, key: &str, record: &mut Record) {
        let mut things = Vec::new();
        for field in named(&mut record.fields) {
            let chosen = self.overrides.field_name(key, field.section, &field.wire);
            let wanted = if let Some(name) = chosen {
                self.report.errors.extend(self.overrides.check(name, Style::Field));
                Wanted::Chosen(name.get_ref().clone())
            } else if is_part(field) {
                Wanted::Chosen(field.wire.clone())
            } else {
                ladders::of_field(field, record.role)
            };
            let setting = overrides::entry(key, field.section, &field.wire, "name");
            things.push(Thing {
                wanted,
                is_chosen: chosen.is_some(),
                label: label(field),
                origin: field.origin.clone(),
                setting,
            });
        }
        let mut reserved = reserved(record.role);
        for field in record.fields.iter().filter(|field| is_part(field)) {
            reserved.remove(&field.wire);
        }
        let names = self.settle(&things, &reserved);
        for (field, name) in named(&mut record.fields).zip(names) {
            field.name = name;
        }
        for field in &mut record.fields {
            self.values(key, field);
        }
    }

    /// Names the values of a field's enum.
    fn values(&mut self, key: &str, field: &mut Field) {
        let (section, wire) = (field.section, &field.wire);
        let Some(values) = values_of(&mut field.ty) else { return };
        let mut things = Vec::new();
        for value in values.iter() {
            let text = value.text();
            let chosen = self.overrides.value_name(key, section, wire, &text);
            let wanted = if let Some(name) = chosen {
                self.report.errors.extend(self.overrides.check(&name, Style::Variant));
                Wanted::Chosen(name.into_inner())
            } else {
                ladders::of_value(value)
            };
            let setting = format!("values.{}", overrides::quoted(&text));
            let setting = overrides::entry(key, section, wire, &setting);
            let is_chosen = matches!(wanted, Wanted::Chosen(_));
            let origin = value.origin.clone();
            things.push(Thing { wanted, is_chosen, label: text, origin, setting });
        }
        let names = self.settle(&things, &BTreeSet::new());
        for (value, name) in values.iter_mut().zip(names) {
            value.name = name;
        }
    }

    /// Names the types of a module: first those of the points, then what belongs to them.
    fn types(&mut self, points: &mut [&mut Point]) {
        let things: Vec<_> = points.iter().map(|point| self.point(point)).collect();
        let names = self.settle(&things, &BTreeSet::new());
        let mut taken: BTreeSet<_> = names.iter().cloned().collect();
        for (point, name) in points.iter_mut().zip(names) {
            if let Some(record) = point.records.first_mut() {
                record.name = name;
            }
        }
        let mut things = Vec::new();
        for point in points.iter() {
            let name = point.records.first().map_or("", |record| &record.name);
            let parts = point.records.iter().skip(1);
            things.extend(parts.map(|part| derived(point, name, part_suffix(part.role), "Item")));
        }
        let mut names = self.settle(&things, &taken).into_iter();
        for record in points.iter_mut().flat_map(|point| point.records.iter_mut().skip(1)) {
            record.name = names.next().unwrap_or_default();
            taken.insert(record.name.clone());
        }
        let mut things = Vec::new();
        for point in points.iter_mut() {
            let mut records = std::mem::take(&mut point.records);
            for record in &mut records {
                if record.has_required_struct() {
                    things.push(derived(point, &record.name, "Required", "Attributes"));
                }
                for field in &mut record.fields {
                    if has_enum(&field.ty) {
                        let suffix = Style::Variant.name(&field.name);
                        things.push(derived(point, &record.name, &suffix, "Value"));
                    }
                }
            }
            point.records = records;
        }
        let mut names = self.settle(&things, &taken).into_iter();
        for record in points.iter_mut().flat_map(|point| &mut point.records) {
            if record.has_required_struct() {
                record.required_name = names.next().unwrap_or_default();
            }
            for field in &mut record.fields {
                set_enum_name(&mut field.ty, &mut names);
            }
        }
    }

    fn point(&mut self, point: &Point) -> Thing {
        let wanted = match self.overrides.type_name(&point.key) {
            Some(name) => {
                self.report.errors.extend(self.overrides.check(name, Style::Type("Event")));
                Wanted::Chosen(name.get_ref().clone())
            }
            None => ladders::of_point(point),
        };
        Thing {
            is_chosen: matches!(wanted, Wanted::Chosen(_)),
            wanted,
            label: point.key.clone(),
            origin: point.origin.clone(),
            setting: overrides::point_entry(&point.key, "name"),
        }
    }

    /// Gives each thing a name of its own.
    fn settle(&mut self, things: &[Thing], reserved: &BTreeSet<String>) -> Vec<String> {
        let wanted: Vec<_> = things.iter().map(|thing| &thing.wanted).collect();
        let assigned = assign(&wanted, reserved);
        for Clash { name, members } in assigned.unsolved {
            let things = members.iter().filter_map(|&member| things.get(member));
            for thing in things {
                let message =
                    format!("`{}` cannot be named `{name}`, which is in use", thing.label);
                let help = format!(
                    "choose another name with `{} = \"..\"` in the overrides",
                    thing.setting
                );
                self.report.error(Code::NameConflict, &thing.origin, message, help);
            }
        }
        for Clash { name, members } in assigned.clashes {
            let members: Vec<_> = members
                .iter()
                .filter_map(|&member| Some((things.get(member)?, assigned.names.get(member)?)))
                .collect();
            // Who chose a name knows of the conflict.
            let is_known = members.iter().any(|(thing, _)| thing.is_chosen);
            let moved: Vec<_> = members
                .into_iter()
                .filter(|(thing, _)| matches!(thing.wanted, Wanted::Ladder(..)))
                .collect();
            if let Some((first, _)) = moved.first()
                && !is_known
            {
                let (message, help) = conflict(&name, &moved, &first.setting);
                self.report.warn(Code::NameConflict, &first.origin, message, help);
            }
        }
        assigned.names
    }
}

/// What to say about things that want the same name.
fn conflict(name: &str, members: &[(&Thing, &String)], setting: &str) -> (String, String) {
    let mut now: Vec<_> = members
        .iter()
        .take(SHOWN)
        .map(|(thing, name)| format!("`{}` becomes `{name}`", thing.label))
        .collect();
    if members.len() > SHOWN {
        now.push(format!("and {} more", members.len() - SHOWN));
    }
    let message = if members.len() > 1 {
        format!("several names would be `{name}`: {}", now.join(", "))
    } else {
        format!("`{name}` is in use: {}", now.join(", "))
    };
    let help = if members.len() > 1 {
        format!("to keep a name as it was, use the overrides, as in `{setting} = \"{name}\"`")
    } else {
        format!("to choose another name, use the overrides, as in `{setting} = \"..\"`")
    };
    (message, help)
}

/// What a field is called in a report.
fn label(field: &Field) -> String {
    match field.section {
        Section::Attributes => field.wire.clone(),
        section => format!("{}.{}", section.name(), field.wire),
    }
}

/// The fields that are named after something in the plan.
fn named(fields: &mut [Field]) -> impl Iterator<Item = &mut Field> {
    fields.iter_mut().filter(|field| !matches!(field.ty, Type::Items))
}

/// Whether a field is one of those that mParticle defines for an action, a product or a promotion. Such a field has
/// its own name, whatever the plan says.
fn is_part(field: &Field) -> bool {
    match field.target {
        Target::Standard(standard) => matches!(standard.holder, Holder::Action | Holder::Item),
        _ => false,
    }
}

/// The ends of the methods that a record has, or may have in another version of the plan.
fn reserved(role: Role) -> BTreeSet<String> {
    let part = role.items().map(Role::noun);
    let parts = part.into_iter().flat_map(|noun| [noun.to_owned(), format!("{noun}s")]);
    let standard = standard::of_parts(role).iter().map(|standard| standard.wire.to_owned());
    parts.chain(standard).chain(["extra".to_owned()]).collect()
}

fn part_suffix(role: Role) -> &'static str {
    match role {
        Role::Product => "Product",
        Role::Promotion => "Promotion",
        _ => "List",
    }
}

/// A type that belongs to another one, and is named after it.
fn derived(point: &Point, owner: &str, suffix: &str, kind: &'static str) -> Thing {
    Thing {
        wanted: ladders::of_part(&point.key, owner, suffix, kind),
        is_chosen: false,
        label: format!("{owner} {suffix}"),
        origin: point.origin.clone(),
        setting: overrides::point_entry(&point.key, "name"),
    }
}

fn values_of(ty: &mut Type) -> Option<&mut Vec<Variant>> {
    match ty {
        Type::Enum(set) => Some(&mut set.values),
        Type::List(element, _) => values_of(element),
        _ => None,
    }
}

fn has_enum(ty: &Type) -> bool {
    match ty {
        Type::Enum(_) => true,
        Type::List(element, _) => has_enum(element),
        _ => false,
    }
}

fn set_enum_name(ty: &mut Type, names: &mut impl Iterator<Item = String>) {
    match ty {
        Type::Enum(set) => set.name = names.next().unwrap_or_default(),
        Type::List(element, _) => set_enum_name(element, names),
        _ => {}
    }
}
