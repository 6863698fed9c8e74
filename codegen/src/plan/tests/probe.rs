//! Writes a program that builds every event of a plan, and prints what the linter finds.

use std::fmt::Write as _;

use serde_json::Value;

use super::super::idents::field as field_ident;
use super::super::model::{Enum, Field, Form, Items, Nulls, Plan, Point, Role, Type};

/// The parts of a plan that decide on the values.
pub(super) struct Probe<'a> {
    /// The module of the plan.
    pub(super) module: &'a str,
    pub(super) plan: &'a Plan,
    /// The file of the plan.
    pub(super) source: &'a Value,
}

/// Which value of a field to build.
#[derive(Clone, Copy)]
enum Pick<'a> {
    /// A value that fits.
    Fitting,
    /// The value of this enum at this position.
    Position(&'a Field, usize),
    /// A wrong value of this field, as Rust.
    Wrong(&'a Field, &'a str),
}

impl Probe<'_> {
    /// Returns a function `run` that reports on every point.
    pub(super) fn program(&self) -> String {
        let mut text = String::from("use super::report;\n\npub fn run() {\n");
        for number in 0..self.plan.points.len() {
            writeln!(text, "    point_{number}();").unwrap();
        }
        text.push_str("}\n\n");
        for (number, point) in self.plan.points.iter().enumerate() {
            writeln!(text, "fn point_{number}() {{\n{}}}\n", self.point(point)).unwrap();
        }
        text
    }

    fn point(&self, point: &Point) -> String {
        let mut text = String::new();
        let module = self.module;
        let fields: Vec<_> = point.records.iter().flat_map(|record| &record.fields).collect();
        let mut picks = vec![(Pick::Fitting, false)];
        for &field in &fields {
            let values = values_of(&field.ty).map_or(0, |set| set.values.len());
            picks.extend((0..values).map(|position| (Pick::Position(field, position), false)));
        }
        let wrong: Vec<_> = fields
            .iter()
            .flat_map(|&field| self.wrong(field).into_iter().map(move |value| (field, value)))
            .collect();
        picks.extend(wrong.iter().map(|(field, value)| (Pick::Wrong(field, value), true)));
        for (pick, is_wrong) in picks {
            let Some(value) = self.record(point, 0, pick) else { continue };
            let what = if is_wrong { "wrong" } else { "right" };
            let key = format!("{module} {}", point.key);
            let call =
                if point.records[0].role == Role::UserAttributes { "attributes" } else { "event" };
            writeln!(
                text,
                "    {{ let value = {value}; let found = value.findings(); \
                 report::{what}_{call}({key:?}, &super::{module}::data_plan(), value, &found); }}"
            )
            .unwrap();
        }
        text
    }

    /// Returns the expression of a record, unless a required field has a rule that is not understood here.
    fn record(&self, point: &Point, index: usize, pick: Pick<'_>) -> Option<String> {
        let record = &point.records[index];
        let path = format!("super::{}::{}", self.module, point.matches.module().name());
        let required: Vec<_> = record.required().collect();
        let mut text = format!("{path}::{}::new(", record.name);
        match required.as_slice() {
            [] => {}
            [field] => text.push_str(&self.value(point, index, field, pick)?),
            fields => {
                write!(text, "{path}::{} {{ ", record.required_name).unwrap();
                for field in fields {
                    let value = self.value(point, index, field, pick)?;
                    write!(text, "{}: {value}.into(), ", field_ident(&field.name)).unwrap();
                }
                text.push('}');
            }
        }
        text.push(')');
        for field in record.fields.iter().filter(|field| !field.is_required) {
            let Some(value) = self.value(point, index, field, pick) else { continue };
            let value = if matches!(field.ty, Type::Tag) { String::new() } else { value };
            write!(text, ".with_{}({value})", field.name).unwrap();
        }
        let has_required_list = required.iter().any(|field| matches!(field.ty, Type::Items));
        if record.items == Items::Planned && !has_required_list {
            let part = self.record(point, index + 1, pick)?;
            write!(text, ".with_{}({part})", record.role.items()?.noun()).unwrap();
        }
        Some(text)
    }

    fn value(&self, point: &Point, index: usize, field: &Field, pick: Pick<'_>) -> Option<String> {
        let record = &point.records[index];
        if matches!(field.ty, Type::Items) {
            return Some(match record.items {
                Items::Planned => format!("vec![{}]", self.record(point, index + 1, pick)?),
                _ if record.role == Role::Impressions => {
                    "vec![mparticle_models::ProductImpression::new(\"list\")]".to_owned()
                }
                _ => "Vec::<mparticle_models::Product>::new()".to_owned(),
            });
        }
        let position = match pick {
            Pick::Wrong(wrong, value) if std::ptr::eq(wrong, field) => {
                return Some(value.to_owned());
            }
            Pick::Position(picked, position) if std::ptr::eq(picked, field) => position,
            _ => 0,
        };
        let module = format!("super::{}::{}", self.module, point.matches.module().name());
        let value = Self::fitting(&field.ty, self.definition(field), &module, position)?;
        let is_option = field.is_nullable && field.is_required;
        Some(if is_option { format!("Some({value}.into())") } else { value })
    }

    fn fitting(ty: &Type, rule: &Value, module: &str, position: usize) -> Option<String> {
        let number = |form: &str| {
            let bound =
                ["minimum", "maximum"].iter().find_map(|keyword| rule.get(*keyword)?.as_f64());
            format!("({:?}{form})", bound.unwrap_or(1.0))
        };
        Some(match ty {
            Type::Text => format!("String::from({:?})", text(rule)?),
            Type::Number(_) => format!("mparticle_models::Number::from({})", number("_f64")),
            Type::Float => number("_f64"),
            Type::Integer(_) => number("").replace(".0", "_i64"),
            Type::Boolean(_) => "true".to_owned(),
            Type::Any if rule.get("type") == Some(&"number".into()) => "1".to_owned(),
            Type::Any => "\"any\"".to_owned(),
            Type::Enum(set) => format!("{module}::{}::{}", set.name, set.values[position].name),
            Type::List(element, nulls) => {
                let items = rule.get("items").unwrap_or(&Value::Null);
                let item = Self::fitting(element, items, module, position)?;
                if *nulls == Nulls::Allowed {
                    format!("vec![Some({item})]")
                } else {
                    format!("vec![{item}]")
                }
            }
            Type::Tag => "()".to_owned(),
            Type::Items => return None,
        })
    }

    /// Returns wrong values that the type of a field allows.
    fn wrong(&self, field: &Field) -> Vec<String> {
        let rule = self.definition(field);
        let bound = |keyword: &str| rule.get(keyword).and_then(Value::as_f64);
        let numbers = [bound("minimum").map(|n| n - 1.0), bound("maximum").map(|n| n + 1.0)];
        let numbers = numbers.into_iter().flatten();
        let wrong = match field.ty {
            Type::Text => {
                let has_rule = rule.get("format").is_some() || rule.get("pattern").is_some();
                let long = rule.get("maxLength").and_then(Value::as_u64);
                let long = long.map(|most| "x".repeat(usize::try_from(most).unwrap() + 1));
                let texts = has_rule.then(|| "\u{1}\u{2}".to_owned()).into_iter().chain(long);
                texts.map(|text| format!("{text:?}")).collect()
            }
            Type::Number(Form::Plain) => {
                numbers.map(|n| format!("mparticle_models::Number::from({n:?}_f64)")).collect()
            }
            Type::Integer(Form::Plain) => numbers.map(|n| format!("({n}_i64)")).collect(),
            Type::Float => numbers.map(|n| format!("({n:?}_f64)")).collect(),
            Type::Any if rule.get("type").is_some_and(Value::is_array) => {
                vec!["mparticle_models::Scalar::Boolean(true)".to_owned()]
            }
            _ => Vec::new(),
        };
        let is_option = field.is_nullable && field.is_required;
        let wrap = |value: String| if is_option { format!("Some({value}.into())") } else { value };
        wrong.into_iter().map(wrap).collect()
    }

    fn definition(&self, field: &Field) -> &Value {
        self.source.pointer(&field.origin.pointer).unwrap_or(&Value::Null)
    }
}

fn values_of(ty: &Type) -> Option<&Enum> {
    match ty {
        Type::Enum(set) => Some(set),
        Type::List(element, _) => values_of(element),
        _ => None,
    }
}

/// A text that fits a rule, if the rule is known here.
fn text(rule: &Value) -> Option<&'static str> {
    let keyword = |name: &str| rule.get(name).and_then(Value::as_str);
    Some(match (keyword("format"), keyword("pattern")) {
        (None, None) => "ab",
        (Some("date-time"), _) => "2026-01-02T03:04:05Z",
        (Some("date"), _) => "2026-01-02",
        (Some("time"), _) => "03:04:05Z",
        (Some("email"), _) => "someone@example.com",
        (Some("uri"), _) => "https://example.com/",
        (Some("hostname"), _) => "example.com",
        (Some("ipv4"), _) => "192.0.2.1",
        (Some("ipv6"), _) => "2001:db8::1",
        (None, Some(r"s\d{5,5}-\d")) => "s12345-6",
        (None, Some("^[a-z`]{2,}``$")) => "ab``",
        _ => return None,
    })
}

/// The module `report` of the program: it prints what is not as it should be.
pub(super) const REPORT: &str = r#"
use mparticle_models::data_plan::{Finding, Linter, Rules, Subject};
use mparticle_models::{AttributeValue, Batch, DataPlanVersion, Environment, Event};

pub fn right_event(key: &str, plan: &DataPlanVersion, event: impl Into<Event>, found: &[Finding]) {
    let event = event.into();
    print("own", key, found);
    print("platform", key, &Linter::new(plan, Rules::platform()).lint_event(&event));
    print("node", key, &Linter::new(plan, Rules::node()).lint_event(&event));
}

pub fn wrong_event(key: &str, _: &DataPlanVersion, event: impl Into<Event>, found: &[Finding]) {
    if found.is_empty() {
        println!("{key}: nothing was found in {}", serde_json(&event.into()));
    }
}

pub fn right_attributes(
    key: &str,
    plan: &DataPlanVersion,
    attributes: impl IntoIterator<Item = (String, AttributeValue)>,
    found: &[Finding],
) {
    let batch = Batch::new(Environment::Production).with_planned_user_attributes(attributes);
    print("own", key, found);
    for (name, rules) in [("platform", Rules::platform()), ("node", Rules::node())] {
        let mut found = Linter::new(plan, rules).lint(&batch);
        found.retain(|finding| finding.subject == Subject::UserAttributes);
        print(name, key, &found);
    }
}

pub fn wrong_attributes(
    key: &str,
    _: &DataPlanVersion,
    _: impl IntoIterator<Item = (String, AttributeValue)>,
    found: &[Finding],
) {
    if found.is_empty() {
        println!("{key}: nothing was found");
    }
}

fn print(rules: &str, key: &str, found: &[Finding]) {
    for finding in found {
        println!("{rules} {key}: {} {}", finding.kind, finding.pointer);
    }
}

fn serde_json(event: &Event) -> String {
    Batch::new(Environment::Production).with_event(event.clone()).to_json().unwrap_or_default()
}
"#;
