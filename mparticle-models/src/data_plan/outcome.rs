//! The outcome of checking one event or the user of a batch, as findings and as the results of the Node.js library.

use serde_json::{Map, Value, json};

use super::finding::{Finding, FindingKind, Subject};
use super::instance::Instance;
use super::point::{Point, USER_ATTRIBUTES};
use super::schema::Failure;
use crate::support::Place;
use crate::{DataPointMatch, Scalar};

/// What was found about one event or the user of a batch. Without a finding there is no outcome.
pub(super) struct Outcome<'l, 'b> {
    pub(super) subject: Subject,
    /// The JSON pointer of what was checked.
    pub(super) pointer: String,
    /// What was checked.
    pub(super) instance: &'b Instance,
    pub(super) verdict: Verdict<'l>,
}

pub(super) enum Verdict<'l> {
    /// No point can describe the event.
    Unplannable,
    /// The plan has no point for the event.
    Unplanned { name: Value, matched: Value },
    /// The point has no schema to check user attributes with.
    NoSchema,
    /// The value differs from the schema of the point.
    Invalid { point: &'l Point, failures: Vec<Failure> },
}

impl Outcome<'_, '_> {
    /// Returns the findings.
    pub(super) fn findings(&self) -> Vec<Finding> {
        match &self.verdict {
            Verdict::Unplannable => {
                let mut finding = self.finding(FindingKind::UnplannedEvent);
                let event_type = self.instance.get("event_type");
                finding.key = event_type.and_then(Instance::as_text).map(str::to_owned);
                vec![finding]
            }
            Verdict::Unplanned { name, matched } => {
                let mut finding = self.finding(FindingKind::UnplannedEvent);
                finding.key = name.as_str().map(str::to_owned);
                finding.point = serde_json::from_value(matched.clone()).ok();
                vec![finding]
            }
            // This is a fault of the plan, which the linter reports once.
            Verdict::NoSchema => Vec::new(),
            Verdict::Invalid { point, failures } => {
                failures.iter().map(|failure| self.found(failure, &point.matched)).collect()
            }
        }
    }

    fn finding(&self, kind: FindingKind) -> Finding {
        Finding::new(kind, self.subject, self.pointer.clone())
    }

    fn found(&self, failure: &Failure, point: &DataPointMatch) -> Finding {
        let (kind, member) = match failure.keyword {
            "additionalProperties" => (FindingKind::UnplannedAttribute, failure.member.as_deref()),
            "required" => (FindingKind::MissingAttribute, Some(failure.expected.as_str())),
            keyword if is_about_value(keyword) => (FindingKind::InvalidValue, None),
            "dependencies" => (FindingKind::MissingAttribute, None),
            _ => (FindingKind::Other, None),
        };
        let value = resolve(self.instance, &failure.pointer);
        let (place, key, actual) = match member {
            Some(member) => {
                let place = Place::root().field(member).to_string();
                (place, Some(member.to_owned()), value.and_then(|object| object.get(member)))
            }
            None => (String::new(), last_name(&failure.pointer), value),
        };
        Finding {
            pointer: format!("{}{}{place}", self.pointer, failure.pointer),
            point: Some(point.clone()),
            key,
            keyword: Some(failure.keyword),
            expected: member.is_none().then(|| failure.expected.clone()),
            actual: actual.and_then(scalar),
            ..self.finding(kind)
        }
    }

    /// Returns the result in the form of the Node.js library.
    pub(super) fn result(&self) -> Value {
        let data = match &self.verdict {
            Verdict::Unplannable => {
                json!({ "validation_errors": [unplanned(&"unknown".into())] })
            }
            Verdict::Unplanned { name, matched } => {
                json!({ "match": matched, "validation_errors": [unplanned(name)] })
            }
            Verdict::NoSchema => json!({
                "match": { "type": USER_ATTRIBUTES },
                "validation_errors": [{
                    "validation_error_type": "unknown",
                    "error_pointer": "#",
                    "actual": "Invalid JSON Schema",
                    "key": USER_ATTRIBUTES,
                }],
            }),
            Verdict::Invalid { point, failures } => {
                let errors = failures.iter().map(|failure| error(failure, self.instance));
                json!({
                    "match": point.matched,
                    "validation_errors": errors.collect::<Vec<_>>(),
                })
            }
        };
        json!({ "event_type": "validation_result", "data": data })
    }
}

/// Returns whether a keyword is about the value of an attribute. The library reports the others as unknown errors.
fn is_about_value(keyword: &str) -> bool {
    matches!(
        keyword,
        "type"
            | "const"
            | "enum"
            | "pattern"
            | "format"
            | "minimum"
            | "maximum"
            | "exclusiveMinimum"
            | "exclusiveMaximum"
            | "multipleOf"
            | "minLength"
            | "maxLength"
    )
}

fn unplanned(name: &Value) -> Value {
    json!({ "validation_error_type": "unplanned", "key": name, "error_pointer": "#" })
}

/// Returns an error as the library writes it. A member without a value is absent.
fn error(failure: &Failure, instance: &Instance) -> Value {
    // The library neither decodes the pointer nor keeps empty names.
    let names: Vec<&str> = failure.pointer.split('/').filter(|name| !name.is_empty()).collect();
    let last = names.last().map(|name| Value::from(*name));
    let expected = Some(Value::from(failure.expected.as_str()));
    let member = failure.member.as_deref().map(Value::from);
    let (kind, key, expected, actual) = match failure.keyword {
        "additionalProperties" => ("unplanned", member.clone(), None, member),
        // The library reads the name of an unplanned member, which an item has not.
        "additionalItems" => ("unplanned", None, None, None),
        "required" => ("missing_required", last, expected, None),
        "dependencies" => ("missing_required", last, expected, actual(instance, &names)),
        keyword if is_about_value(keyword) => {
            ("invalid_value", last, expected, actual(instance, &names))
        }
        _ => ("unknown", last, expected, actual(instance, &names)),
    };
    let pointer = ["#"].into_iter().chain(names).collect::<Vec<_>>().join("/");
    let mut error = Map::new();
    error.insert("validation_error_type".to_owned(), kind.into());
    error.insert("error_pointer".to_owned(), pointer.into());
    error.insert("schema_keyword".to_owned(), failure.keyword.into());
    let optional = [("key", key), ("expected", expected), ("actual", actual)];
    error.extend(optional.into_iter().filter_map(|(name, v)| Some((name.to_owned(), v?))));
    error.into()
}

/// Returns the value at a path as the library finds it: it skips names that the value does not have.
fn actual(instance: &Instance, names: &[&str]) -> Option<Value> {
    let value = names.iter().fold(instance, |value, name| child(value, name).unwrap_or(value));
    match value {
        Instance::Text(_) | Instance::Number(_) => Some(value.to_value()),
        other => other.to_json().map(Value::from),
    }
}

fn child<'v>(value: &'v Instance, name: &str) -> Option<&'v Instance> {
    match value {
        Instance::List(items) => items.get(name.parse::<usize>().ok()?),
        Instance::Object(object) => object.get(name),
        _ => None,
    }
}

/// Returns the value at a JSON pointer.
fn resolve<'v>(instance: &'v Instance, pointer: &str) -> Option<&'v Instance> {
    let mut names = pointer.split('/').skip(1);
    names.try_fold(instance, |value, name| child(value, &decoded(name)))
}

fn decoded(name: &str) -> String {
    name.replace("~1", "/").replace("~0", "~")
}

/// Returns the last name of a JSON pointer.
fn last_name(pointer: &str) -> Option<String> {
    pointer.rsplit_once('/').map(|(_, name)| decoded(name))
}

fn scalar(value: &Instance) -> Option<Scalar> {
    Some(match value {
        Instance::Null => Scalar::Null,
        Instance::Boolean(value) => Scalar::Boolean(*value),
        Instance::Number(number) => Scalar::Number(*number),
        Instance::Text(text) => Scalar::String(text.clone()),
        Instance::List(_) | Instance::Object(_) => Scalar::String(value.to_json()?),
        Instance::Method => return None,
    })
}
