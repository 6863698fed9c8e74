//! Reads the points of a plan: the events that they match, and their definitions.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::definition;
use super::embed;
use super::input::{Chosen, at, wrong_kind};
use super::model::{Match, Plan, Point};
use super::overrides::Overrides;
use super::record::Reader;
use super::report::Report;
use crate::diagnostic::{Code, Origin};

/// Kinds of points that mParticle's API knows but whose events it does not check.
const UNCHECKED: &[&str] = &[
    "application_state_transition",
    "breadcrumb",
    "crash_report",
    "first_run",
    "network_performance",
    "opt_out",
    "profile",
    "session_end",
    "session_start",
    "uninstall",
];

/// Reads the points of a version.
pub(crate) fn read(chosen: &Chosen, overrides: &mut Overrides, report: &mut Report) -> Plan {
    let context = chosen.plan_id.clone().zip(chosen.version);
    let mut plan = Plan { context, points: Vec::new(), definitions: Vec::new() };
    let origin = at(&chosen.origin, "data_points");
    let points = match chosen.document.get("data_points") {
        Some(Value::Array(points)) => points.as_slice(),
        None | Some(Value::Null) => &[],
        Some(_) => {
            report.errors.push(wrong_kind(&origin, "`data_points`", "a list"));
            return plan;
        }
    };
    let mut positions = BTreeMap::new();
    for (index, point) in points.iter().enumerate() {
        let origin = at(&origin, &index.to_string());
        let Value::Object(object) = point else {
            report.errors.push(wrong_kind(&origin, "the data point", "an object"));
            continue;
        };
        plan.definitions.extend(embed::definition(object));
        let Some(matches) = matches(object, &origin, report) else { continue };
        let key = matches.key();
        if overrides.skips_point(&key) {
            continue;
        }
        let point = read_point(object, matches, key, origin, overrides, report);
        match positions.get(&point.key).and_then(|&position: &usize| plan.points.get_mut(position))
        {
            None => drop(positions.insert(point.key.clone(), plan.points.len())),
            Some(earlier) => {
                let message = format!("`{}` is planned a second time", point.key);
                let help = format!("remove the point at {}; the last one counts", earlier.origin);
                report.warn(Code::RepeatedPoint, &point.origin, message, help);
                *earlier = point;
                continue;
            }
        }
        plan.points.push(point);
    }
    plan
}

fn read_point(
    object: &Map<String, Value>,
    matches: Match,
    key: String,
    origin: Origin,
    overrides: &mut Overrides,
    report: &mut Report,
) -> Point {
    let validator = object.get("validator");
    let is_schema =
        validator.is_some_and(|validator| validator.get("type") == Some(&"json_schema".into()));
    let definition =
        validator.and_then(|validator| validator.get("definition")).filter(|_| is_schema);
    let place = at(&at(&origin, "validator"), "definition");
    let description = definition::description(object).pop();
    let reader = Reader::new(&key, overrides, report);
    let records = reader.point(&matches, description, definition, place);
    Point { key, matches, origin, records }
}

/// Returns what a point matches, if it becomes a type. If not, it says why.
fn matches(object: &Map<String, Value>, origin: &Origin, report: &mut Report) -> Option<Match> {
    let place = at(origin, "match");
    let kind = object.get("match").and_then(|matches| matches.get("type")).and_then(Value::as_str);
    let criteria = object.get("match").and_then(|matches| matches.get("criteria"));
    let criterion = |name: &str| {
        let value = criteria.and_then(|criteria| criteria.get(name)).and_then(Value::as_str);
        value.map(str::to_owned).ok_or_else(|| format!("the point has no `criteria.{name}`"))
    };
    let found = match kind {
        Some("custom_event") => criterion("event_name").and_then(|name| {
            Ok(Match::CustomEvent { name, event_type: criterion("custom_event_type")? })
        }),
        Some("screen_view") => criterion("screen_name").map(|name| Match::ScreenView { name }),
        Some("product_action") => criterion("action").map(|action| Match::ProductAction { action }),
        Some("promotion_action") => {
            criterion("action").map(|action| Match::PromotionAction { action })
        }
        Some("product_impression") => Ok(Match::ProductImpression),
        Some("user_attributes") => Ok(Match::UserAttributes),
        // The models have a type for identities.
        Some("user_identities") => return None,
        Some(kind) if UNCHECKED.contains(&kind) => {
            Err(format!("mParticle does not check events of the kind `{kind}`"))
        }
        Some(kind) => Err(format!("no events are of the kind `{kind}`")),
        None => Err("the point has no `match.type`".to_owned()),
    };
    let skipped = |message: &String| {
        report.warn(
            Code::SkippedPoint,
            &place,
            message.as_str(),
            "no type is generated for the point",
        );
    };
    found.inspect_err(skipped).ok()
}

impl Match {
    /// Returns the key that data-planning libraries use for a point.
    pub(crate) fn key(&self) -> String {
        match self {
            Self::CustomEvent { name, event_type } => format!("custom_event:{event_type}:{name}"),
            Self::ScreenView { name } => format!("screen_view::{name}"),
            Self::ProductAction { action } => format!("product_action:{action}"),
            Self::PromotionAction { action } => format!("promotion_action:{action}"),
            Self::ProductImpression => "product_impression".to_owned(),
            Self::UserAttributes => "user_attributes".to_owned(),
        }
    }
}
