//! `mparticle plan show`: lists what is in a data plan.

use super::name;
use crate::failure::Failure;
use crate::input::plan::failure;
use crate::input::{PlanChoice, pointer_to};
use crate::output;
use crate::text::count;
use mparticle_client::models::data_plan::{DataPlanErrorKind, DataPlanFile};
use mparticle_client::models::{DataPlanVersion, DataPoint};
use serde_json::{Map, Value};
use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples:
  mparticle plan show shop.json
  mparticle plan show --plan-version 2 shop.json";

/// Keywords that restrict no value, or that are shown in another way.
const NOT_SHOWN: [&str; 12] = [
    "$comment",
    "$id",
    "$schema",
    "additionalProperties",
    "default",
    "description",
    "examples",
    "items",
    "properties",
    "required",
    "title",
    "type",
];

/// List the versions of a data plan, and the points and attributes of one
#[derive(clap::Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{}", crate::EXIT_STATUS))]
pub(crate) struct Arguments {
    /// The file of the plan
    #[arg(value_name = "PLAN")]
    file: PathBuf,
    #[command(flatten)]
    choice: PlanChoice,
}

pub(crate) fn run(Arguments { file: path, choice }: &Arguments) -> Result<ExitCode, Failure> {
    let file = DataPlanFile::from_path(path).map_err(|error| failure(path, &error))?;
    let mut text = String::new();
    for version in file.versions() {
        title(&version, &mut text);
    }
    match choice.select(&file) {
        Ok(version) => {
            _ = writeln!(text, "\n{}:", name(&version));
            for point in points(&version) {
                show_point(point, &mut text);
            }
        }
        // The list of versions shows the choices.
        Err(error) if error.kind() == DataPlanErrorKind::Ambiguous => {
            text.push_str("\nTo list the points of a version, choose its plan with --plan-id.\n");
        }
        Err(error) => return Err(failure(path, &error)),
    }
    output::print(text)?;
    Ok(ExitCode::SUCCESS)
}

fn points(version: &DataPlanVersion) -> &[DataPoint] {
    version.version_document.as_ref().map_or(&[], |document| &document.data_points)
}

/// Writes a line about a version.
fn title(version: &DataPlanVersion, text: &mut String) {
    // Writing to a string never fails.
    _ = write!(text, "{}: {}", name(version), count(points(version).len() as u64, "point"));
    if let Some(environment) = &version.activated_environment {
        _ = write!(text, ", active in {environment}");
    }
    _ = writeln!(text, "{}", described(version.version_description.as_deref()));
}

/// Writes a point and its attributes.
fn show_point(point: &DataPoint, text: &mut String) {
    let key = point.match_key().unwrap_or_else(|| "a point that describes nothing".to_owned());
    _ = writeln!(text, "\n{}{}", key.escape_debug(), described(point.description.as_deref()));
    if let Some(definition) = point.validator.as_ref().and_then(|one| one.definition.as_ref()) {
        show_attributes(definition, "", false, text);
    }
}

/// Writes a line for each value that a schema describes, with its rules.
fn show_attributes(schema: &Value, pointer: &str, is_required: bool, text: &mut String) {
    let Value::Object(node) = schema else { return };
    let properties = node.get("properties").and_then(Value::as_object);
    let items = node.get("items").filter(|items| items.is_object());
    let mut rules = rules(node, is_required);
    // The lines of the items or members show that the value is a list or an object.
    if items.is_none() && properties.is_none() {
        rules.splice(0..0, node.get("type").map(type_name));
    }
    if !rules.is_empty() {
        let place = if pointer.is_empty() { "/" } else { pointer };
        let description = described(node.get("description").and_then(Value::as_str));
        _ = writeln!(text, "  {}: {}{description}", place.escape_debug(), rules.join(", "));
    }
    for (name, property) in properties.into_iter().flatten() {
        let required = node.get("required").and_then(Value::as_array);
        let is_required = required.is_some_and(|names| names.iter().any(|other| other == name));
        show_attributes(property, &format!("{pointer}{}", pointer_to(name)), is_required, text);
    }
    if let Some(items) = items {
        show_attributes(items, &format!("{pointer}/*"), false, text);
    }
}

fn type_name(name: &Value) -> String {
    name.as_str().map_or_else(|| name.to_string(), str::to_owned)
}

/// Returns what a value has to be, beside its type.
fn rules(node: &Map<String, Value>, is_required: bool) -> Vec<String> {
    let mut rules = Vec::new();
    if is_required {
        rules.push("required".to_owned());
    }
    match node.get("additionalProperties") {
        None | Some(Value::Bool(true)) => {}
        Some(Value::Bool(false)) => rules.push("nothing else is allowed".to_owned()),
        Some(schema) => rules.push(format!("others are {schema}")),
    }
    let others = node.iter().filter(|(keyword, _)| !NOT_SHOWN.contains(&keyword.as_str()));
    // A feature of serde_json decides on the order of a map.
    let mut others: Vec<_> = others.map(|(keyword, value)| format!("{keyword} {value}")).collect();
    others.sort_unstable();
    rules.extend(others);
    rules
}

/// Returns a description as the end of a line.
fn described(text: Option<&str>) -> String {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    text.map(|text| format!(": {}", text.escape_debug())).unwrap_or_default()
}
