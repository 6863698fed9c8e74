//! The mapping of CSV columns to fields of a batch.

use super::Problem;
use super::cells::{CellType, convert};
use super::record::{Parsed, check_batch, parse};
use crate::failure::Failure;
use crate::text::nearest;
use mparticle_client::models::Batch;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;

/// The maps of a batch or event, whose entries have any name. What follows them in a path is one name.
const MAPS: [&str; 4] =
    ["user_attributes", "partner_identities", "custom_attributes", "custom_flags"];

/// The fields of a batch to which columns can be mapped, beside `event`.
const FIELDS: [&str; 11] = [
    "environment",
    "mpid",
    "source_request_id",
    "mp_deviceid",
    "ip",
    "user_identities",
    "user_attributes",
    "partner_identities",
    "device_info",
    "application_info",
    "event",
];

/// What each column of a CSV file is.
#[derive(Clone, Debug)]
pub(crate) struct Mapping {
    pub(super) delimiter: u8,
    columns: Vec<Column>,
    fixed: Vec<(Vec<String>, Value)>,
    /// Positions of the columns in a row, once the header is known.
    places: Vec<usize>,
}

#[derive(Clone, Debug)]
struct Column {
    name: String,
    path: Vec<String>,
    cell_type: CellType,
}

/// The mapping as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    delimiter: Option<char>,
    columns: BTreeMap<String, Target>,
    #[serde(default)]
    fixed: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Target {
    Path(String),
    Typed {
        to: String,
        #[serde(rename = "type")]
        cell_type: CellType,
    },
}

impl Mapping {
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path).map_err(|error| Failure::of_file(path, &error))?;
        Self::from_text(&text).map_err(|why| Failure::new(format!("{}: {why}", path.display())))
    }

    fn from_text(text: &str) -> Result<Self, String> {
        let document: Document =
            toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        let delimiter = u8::try_from(document.delimiter.unwrap_or(','))
            .map_err(|_| "the delimiter is not an ASCII character".to_owned())?;
        let column = |(name, target): (String, Target)| {
            let (path, cell_type) = match target {
                Target::Path(path) => (path, CellType::Text),
                Target::Typed { to, cell_type } => (to, cell_type),
            };
            Ok(Column { name, path: segments(&path)?, cell_type })
        };
        let columns =
            document.columns.into_iter().map(column).collect::<Result<Vec<_>, String>>()?;
        let fixed = document.fixed.into_iter().map(|(path, value)| Ok((segments(&path)?, value)));
        let fixed = fixed.collect::<Result<Vec<_>, String>>()?;
        let mapping = Self { delimiter, columns, fixed, places: Vec::new() };
        mapping.check_identities()?;
        Ok(mapping)
    }

    /// Checks that the identities are known, which a batch does not require.
    fn check_identities(&self) -> Result<(), String> {
        let mut probe = Value::Object(Map::new());
        for column in self.columns.iter().filter(|column| is_identity(&column.path)) {
            set(&mut probe, &column.path, Value::from("1"));
        }
        let batch = Batch::from_str(&probe.to_string()).map_err(|error| error.to_string())?;
        let unknown = batch.user_identities.as_ref().and_then(|found| found.extra.keys().next());
        match unknown {
            Some(name) => Err(format!("mParticle has no identity `{name}`")),
            None => Ok(()),
        }
    }

    /// Finds the columns in the header of a file.
    pub(super) fn find_columns(&self, header: &csv::StringRecord) -> Result<Self, Failure> {
        let mut places = Vec::new();
        for column in &self.columns {
            let place = header.iter().position(|name| name.trim() == column.name);
            let Some(place) = place else {
                let message = format!("the file has no column `{}`", column.name);
                let hint = match nearest(&column.name, header.iter()) {
                    Some(similar) => format!("the nearest column is `{similar}`"),
                    None => format!(
                        "the first line has to name the columns; it has: {}",
                        header.iter().take(10).collect::<Vec<_>>().join(", ")
                    ),
                };
                return Err(Failure::new(message).with_hint(hint));
            };
            places.push(place);
        }
        Ok(Self { places, ..self.clone() })
    }

    pub(super) fn parse_row(&self, row: &csv::StringRecord) -> Result<Parsed, Problem> {
        let place = |column: &str| {
            let index = self.columns.iter().position(|one| one.name == column)?;
            self.places.get(index).copied()
        };
        self.parse(|column| row.get(place(column)?))
    }

    /// Returns the cells of a row that are mapped, by column.
    pub(crate) fn cells(&self, row: &csv::StringRecord) -> BTreeMap<String, String> {
        let cells = self.columns.iter().zip(&self.places);
        let cell = |(column, place): (&Column, &usize)| {
            Some((column.name.clone(), row.get(*place)?.to_owned()))
        };
        cells.filter_map(cell).collect()
    }

    /// Makes a batch, or an event with its user, of cells. An empty cell counts as absent.
    pub(super) fn parse<'c>(
        &self,
        cell: impl Fn(&str) -> Option<&'c str>,
    ) -> Result<Parsed, Problem> {
        let mut batch = Value::Object(Map::new());
        for (path, value) in &self.fixed {
            set(&mut batch, path, value.clone());
        }
        for Column { name, path, cell_type } in &self.columns {
            let Some(text) = cell(name).map(str::trim).filter(|text| !text.is_empty()) else {
                continue;
            };
            let value = convert(text, *cell_type).map_err(|expected| {
                Problem::new("type", format!("column `{name}`: expected {expected}"))
            })?;
            set(&mut batch, path, value);
        }
        let event = batch.as_object_mut().and_then(|fields| fields.remove("event"));
        match event {
            Some(event) => {
                let line = serde_json::json!({"user": batch, "event": event});
                parse(line.to_string().as_bytes(), None)
            }
            None => Batch::from_str(&batch.to_string())
                .map_err(|error| Problem::new("type", error.message()).at(error.pointer()))
                .and_then(check_batch),
        }
    }
}

fn is_identity(path: &[String]) -> bool {
    path.first().is_some_and(|first| first == "user_identities")
}

/// Divides a path at its dots. The fields of an event are in its `data`, except for its type.
fn segments(path: &str) -> Result<Vec<String>, String> {
    let mut segments = Vec::new();
    let mut rest = path;
    loop {
        let ends = segments.last().is_some_and(|last: &String| MAPS.contains(&last.as_str()));
        match rest.split_once('.').filter(|_| !ends) {
            Some((segment, others)) => {
                segments.push(segment.to_owned());
                rest = others;
            }
            None => break,
        }
    }
    segments.push(rest.to_owned());
    let first = segments.first().map(String::as_str).unwrap_or_default();
    if !FIELDS.contains(&first) {
        let similar = nearest(first, FIELDS).map(|name| format!("; the nearest is `{name}`"));
        return Err(format!("a batch has no field `{path}`{}", similar.unwrap_or_default()));
    }
    if first == "event" && segments.get(1).is_some_and(|field| field != "event_type") {
        segments.insert(1, "data".to_owned());
    }
    Ok(segments)
}

/// Sets a value in nested objects.
fn set(object: &mut Value, path: &[String], value: Value) {
    let [first, rest @ ..] = path else { return *object = value };
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    if let Value::Object(fields) = object {
        set(fields.entry(first.as_str()).or_insert(Value::Null), rest, value);
    }
}

#[cfg(test)]
mod tests {
    use super::{Mapping, Parsed};

    const MAPPING: &str = r#"
        [columns]
        customer = "user_identities.customer_id"
        "plan.name" = "user_attributes.plan.name"
        when = { to = "event.timestamp_unixtime_ms", type = "time" }
        total = { to = "event.custom_attributes.total", type = "number" }
        [fixed]
        environment = "development"
        "event.event_type" = "custom_event"
        "event.event_name" = "Ordered"
        "event.custom_event_type" = "transaction"
    "#;

    fn row(cells: &[&str]) -> csv::StringRecord {
        csv::StringRecord::from(cells.to_vec())
    }

    #[test]
    fn a_row_becomes_an_event_with_its_user() {
        let mapping = Mapping::from_text(MAPPING).unwrap();
        let header = row(&["total", "when", "customer", "other", "plan.name"]);
        let mapping = mapping.find_columns(&header).unwrap();
        let cells = row(&["7.5", "2026-01-02T03:04:05Z", "42", "x", "gold"]);
        let Ok(Parsed::Event(user, event)) = mapping.parse_row(&cells) else { panic!() };
        assert_eq!(user.user_attributes["plan.name"], "gold".into());
        assert_eq!(user.user_identities.unwrap().customer_id.as_deref(), Some("42"));
        let json: serde_json::Value = serde_json::from_slice(&event.to_vec().unwrap()).unwrap();
        assert_eq!(json["data"]["timestamp_unixtime_ms"], 1_767_323_045_000_i64);
        assert_eq!(json["data"]["custom_attributes"]["total"], 7.5);
        let problem = mapping.parse_row(&row(&["seven", "", "42"])).unwrap_err();
        assert_eq!(problem.message, "column `total`: expected a number");
        assert_eq!(mapping.cells(&cells).len(), 4);
    }

    #[test]
    fn a_mistake_in_a_mapping_is_named_with_what_is_meant() {
        for (text, message) in [
            ("", "missing field `columns`"),
            ("[columns]\na = \"user_identity.email\"", "the nearest is `user_identities`"),
            ("[columns]\na = \"user_identities.mail\"", "no identity `mail`"),
            ("[columns]\na = {to = \"mpid\", type = \"int\"}", "did not match"),
            ("[columns]\n[fixes]", "unknown field `fixes`"),
            ("delimiter = \"\u{20ac}\"\n[columns]", "not an ASCII character"),
        ] {
            let found = Mapping::from_text(text).unwrap_err();
            assert!(found.contains(message), "{found}");
        }
        let mapping = Mapping::from_text("[columns]\ncustmer = \"mpid\"").unwrap();
        let failure = mapping.find_columns(&row(&["email", "customer"])).unwrap_err().to_string();
        assert!(failure.contains("the nearest column is `customer`"), "{failure}");
        let failure = mapping.find_columns(&row(&["1", "2"])).unwrap_err().to_string();
        assert!(
            failure.contains("the first line has to name the columns; it has: 1, 2"),
            "{failure}"
        );
    }
}
