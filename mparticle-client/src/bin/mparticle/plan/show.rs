//! `mparticle plan show`: lists what is in a data plan.

use super::name;
use crate::failure::Failure;
use crate::input::{PlanChoice, pointer_to};
use crate::output;
use crate::text::count;
use mparticle_client::models::data_plan::DataPlanFile;
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

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let path = &arguments.file;
    let failure = |error: mparticle_client::models::data_plan::DataPlanError| {
        Failure::new(error.to_string()).in_file(&path.display().to_string())
    };
    let file = DataPlanFile::from_path(path).map_err(failure)?;
    let PlanChoice { plan_id, plan_version } = &arguments.choice;
    let mut text = String::new();
    for version in file.versions() {
        title(&version, &mut text);
    }
    let version = file.select(plan_id.as_deref(), *plan_version).map_err(failure)?;
    _ = writeln!(text, "\n{}:", name(&version));
    for point in points(&version) {
        show_point(point, &mut text);
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
    let rules = rules(node, is_required);
    if !rules.is_empty() {
        let place = if pointer.is_empty() { "/" } else { pointer };
        let description = described(node.get("description").and_then(Value::as_str));
        _ = writeln!(text, "  {}: {rules}{description}", place.escape_debug());
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

/// Returns what a value has to be.
fn rules(node: &Map<String, Value>, is_required: bool) -> String {
    let mut rules: Vec<String> = match node.get("type") {
        Some(Value::String(one)) => vec![one.clone()],
        Some(several) => vec![several.to_string()],
        None => Vec::new(),
    };
    if is_required {
        rules.push("required".to_owned());
    }
    match node.get("additionalProperties") {
        None | Some(Value::Bool(true)) => {}
        Some(Value::Bool(false)) => rules.push("nothing else is allowed".to_owned()),
        Some(schema) => rules.push(format!("others are {schema}")),
    }
    let others = node.iter().filter(|(keyword, _)| !NOT_SHOWN.contains(&keyword.as_str()));
    rules.extend(others.map(|(keyword, value)| format!("{keyword} {value}")));
    rules.join(", ")
}

/// Returns a description as the end of a line.
fn described(text: Option<&str>) -> String {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    text.map(|text| format!(": {}", text.escape_debug())).unwrap_or_default()
}
