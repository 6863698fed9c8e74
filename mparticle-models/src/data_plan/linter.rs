//! Compares batches with a version of a data plan.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::Value;

use super::finding::{Finding, FindingKind, Subject};
use super::identities::Identities;
use super::instance::Instance;
use super::outcome::{Outcome, Verdict};
use super::plan_name::PlanName;
use super::planned::{PlannedEvent, accepts_user_attributes};
use super::point::{self, Point, USER_ATTRIBUTES, USER_IDENTITIES};
use super::schema::{Check, Compiler, Failure, Fault};
use super::{Rules, rules};
use crate::support::Place;
use crate::{Batch, DataPlanVersion, DataPoint, Event};

/// Compares batches with a version of a data plan.
///
/// A linter is compiled once and used for any number of batches, from any number of threads. Events that follow the plan
/// are recognized without being converted to JSON.
///
/// Every batch is checked, also if it does not name a data plan. With [`Rules::platform`], a batch whose
/// `context.data_plan` names another plan or version is not checked: [`lint`](Self::lint) returns a single
/// [`OtherPlan`](FindingKind::OtherPlan) instead.
///
/// # Examples
///
/// ```
/// use mparticle_models::data_plan::{DataPlanFile, FindingKind, Linter, Rules};
/// use mparticle_models::{Batch, CustomEvent, CustomEventType, Environment};
///
/// let plan = r#"{ "data_points": [{
///     "match": {
///         "type": "custom_event",
///         "criteria": { "event_name": "Signed up", "custom_event_type": "other" }
///     },
///     "validator": { "type": "json_schema", "definition": { "properties": { "data": {
///         "properties": { "custom_attributes": {
///             "properties": { "plan": { "type": "string", "enum": ["free", "paid"] } },
///             "additionalProperties": false
///         } }
///     } } } }
/// }] }"#;
/// let version = DataPlanFile::from_str(plan)?.select(None, None)?;
/// let linter = Linter::new(&version, Rules::platform());
///
/// let event = CustomEvent::new("Signed up", CustomEventType::Other)
///     .with_custom_attribute("plan", "gold");
/// let batch = Batch::new(Environment::Production).with_event(event);
/// let findings = linter.lint(&batch);
/// assert_eq!(findings.len(), 1);
/// assert_eq!(findings[0].kind, FindingKind::InvalidValue);
/// assert_eq!(findings[0].pointer, "/events/0/data/custom_attributes/plan");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Linter {
    rules: Rules,
    plan: PlanName,
    points: HashMap<String, CompiledPoint>,
    plan_findings: Vec<Finding>,
}

/// A point, and what is known about events that follow it.
#[derive(Debug)]
struct CompiledPoint {
    point: Point,
    planned: Option<PlannedEvent>,
}

impl Linter {
    /// Compiles a version of a data plan.
    ///
    /// A faulty plan is no error. What is wrong in it is listed by [`plan_findings`](Self::plan_findings), and all other
    /// rules of the plan apply.
    #[must_use]
    pub fn new(version: &DataPlanVersion, rules: Rules) -> Self {
        let mut compiler = Compiler::new(rules);
        let mut points = HashMap::new();
        let root = Place::root();
        let document = root.field("version_document");
        let list = document.field("data_points");
        match &version.version_document {
            None => compiler.fault(&document, "the version has no document"),
            Some(plan) => {
                for (index, point) in plan.data_points.iter().enumerate() {
                    add(point, &list.index(index), &mut compiler, &mut points);
                }
            }
        }
        let plan_findings = compiler.faults.into_iter().map(plan_fault).collect();
        Self { rules, plan: PlanName::of(version), points, plan_findings }
    }

    /// Returns the rules of the linter.
    #[must_use]
    pub fn rules(&self) -> Rules {
        self.rules
    }

    /// Returns what is wrong in the plan itself.
    #[must_use]
    pub fn plan_findings(&self) -> &[Finding] {
        &self.plan_findings
    }

    /// Compares a batch with the plan.
    #[must_use]
    pub fn lint(&self, batch: &Batch) -> Vec<Finding> {
        if let Some(finding) = self.other_plan(|plan| plan.other_than(batch)) {
            return vec![finding];
        }
        let mut findings = Vec::new();
        let mut key = String::new();
        for (index, event) in batch.events.iter().enumerate() {
            if !self.is_planned(event, &mut key) {
                findings.extend(self.lint_at(event, index));
            }
        }
        if self.user_attributes_may_differ(batch) {
            let attributes = (!batch.user_attributes.is_empty()).then_some(&batch.user_attributes);
            let pointer = "/user_attributes";
            findings.extend(in_json(&attributes, Subject::UserAttributes, pointer, |attributes| {
                self.user_attributes(attributes).map_or_else(Vec::new, |found| found.findings())
            }));
        }
        if self.identity_point().is_some() {
            let user = UserOf {
                user_identities: batch.user_identities.as_ref(),
                device_info: batch.device_info.as_ref(),
                mp_deviceid: batch.mp_deviceid.as_ref(),
            };
            let identities = |user: &Instance| self.identities(user);
            findings.extend(in_json(&user, Subject::UserIdentities, "", identities));
        }
        findings
    }

    /// Compares an event with the plan. Its findings are those of the first event of a batch.
    #[must_use]
    pub fn lint_event(&self, event: &Event) -> Vec<Finding> {
        if self.is_planned(event, &mut String::new()) { Vec::new() } else { self.lint_at(event, 0) }
    }

    /// Compares the JSON of a batch with the plan.
    ///
    /// Reading a [`Batch`] accepts other spellings and types. This method reports them.
    #[must_use]
    pub fn lint_json(&self, batch: &Value) -> Vec<Finding> {
        self.lint_instance(&batch.into())
    }

    /// Compares the JSON text of a batch with the plan. See [`lint_json`](Self::lint_json).
    ///
    /// # Errors
    /// If the text is not JSON. The error names the line and column.
    pub fn lint_slice(&self, batch: &[u8]) -> serde_json::Result<Vec<Finding>> {
        Ok(self.lint_instance(&Instance::from_slice(batch)?))
    }

    /// Returns the results for a batch in the form of mParticle's Node.js library: a list of validation results, one for
    /// each event with errors, and one for the user attributes.
    ///
    /// With [`Rules::node`] they are those of `validateBatch`. The order of the errors of a result is not the same.
    ///
    /// # Errors
    /// If the batch contains a number that JSON cannot represent.
    pub fn results(&self, batch: &Batch) -> serde_json::Result<Value> {
        Ok(self.results_of(&to_instance(batch)?))
    }

    /// Returns the results for the JSON text of a batch. See [`results`](Self::results).
    ///
    /// # Errors
    /// If the text is not JSON. The error names the line and column.
    pub fn results_slice(&self, batch: &[u8]) -> serde_json::Result<Value> {
        Ok(self.results_of(&Instance::from_slice(batch)?))
    }

    fn results_of(&self, batch: &Instance) -> Value {
        self.outcomes(batch).iter().map(Outcome::result).collect()
    }

    fn lint_instance(&self, batch: &Instance) -> Vec<Finding> {
        if let Some(finding) = self.other_plan(|plan| plan.other_than_json(batch)) {
            return vec![finding];
        }
        let mut findings = structure(batch);
        findings.extend(self.outcomes(batch).iter().flat_map(Outcome::findings));
        if self.identity_point().is_some() {
            findings.extend(self.identities(batch));
        }
        findings
    }

    /// Returns what `compare` finds. The Node.js library does not look at the plan that a batch names.
    fn other_plan(&self, compare: impl FnOnce(&PlanName) -> Option<Finding>) -> Option<Finding> {
        if self.rules == Rules::node() { None } else { compare(&self.plan) }
    }

    /// Checks the events and the user attributes of a batch.
    fn outcomes<'b>(&self, batch: &'b Instance) -> Vec<Outcome<'_, 'b>> {
        let events = match batch.get("events") {
            Some(Instance::List(events)) => events.as_slice(),
            _ => &[],
        };
        let events = events.iter().enumerate().filter_map(|(index, event)| {
            let subject = Subject::Event(index);
            let pointer = format!("/events/{index}");
            let verdict = self.event(event)?;
            Some(Outcome { subject, pointer, instance: event, verdict })
        });
        let attributes = batch.get("user_attributes").unwrap_or(&Instance::NotJson);
        events.chain(self.user_attributes(attributes)).collect()
    }

    fn event(&self, event: &Instance) -> Option<Verdict<'_>> {
        let platform = self.rules == Rules::platform();
        if platform && !rules::is_checked(event) {
            return None;
        }
        let Some(key) = point::key_of_event(event) else { return Some(Verdict::Unplannable) };
        let Some(compiled) = self.points.get(&key) else {
            if platform && rules::is_attribution(event) {
                return None;
            }
            let (name, matched) = (point::name_of_event(event), point::match_of_event(event));
            return Some(Verdict::Unplanned { name, matched });
        };
        let mut failures = self.check(&compiled.point, event);
        if platform {
            failures.retain(|failure| !rules::is_always_planned(failure));
        }
        (!failures.is_empty()).then_some(Verdict::Invalid { point: &compiled.point, failures })
    }

    fn check(&self, point: &Point, instance: &Instance) -> Vec<Failure> {
        let check = Check::new(&point.definition, self.rules);
        if self.rules == Rules::node() {
            check.run(&instance.without_nulls())
        } else {
            check.run(instance)
        }
    }

    fn user_attributes<'b>(&self, attributes: &'b Instance) -> Option<Outcome<'_, 'b>> {
        let point = &self.points.get(USER_ATTRIBUTES)?.point;
        let outcome = |verdict| Outcome {
            subject: Subject::UserAttributes,
            pointer: "/user_attributes".to_owned(),
            instance: attributes,
            verdict,
        };
        if point.has_no_schema {
            return Some(outcome(Verdict::NoSchema));
        }
        let failures = match attributes {
            Instance::Object(_) => self.check(point, attributes),
            other => self.check(point, &Instance::Object(rules::members_of(other))),
        };
        (!failures.is_empty()).then(|| outcome(Verdict::Invalid { point, failures }))
    }

    /// Returns the point for identities. The Node.js library does not check them.
    fn identity_point(&self) -> Option<&Point> {
        let point = self.points.get(USER_IDENTITIES).map(|compiled| &compiled.point);
        point.filter(|_| self.rules == Rules::platform())
    }

    fn identities(&self, batch: &Instance) -> Vec<Finding> {
        let Some(point) = self.identity_point() else { return Vec::new() };
        let planned = point.definition.root.object.as_ref();
        let is_planned =
            |name: &str| planned.is_some_and(|rules| rules.properties.contains_key(name));
        let identities = Identities::of(batch, is_planned);
        let failures = self.check(point, &identities.instance);
        let outcome = Outcome {
            subject: Subject::UserIdentities,
            pointer: String::new(),
            instance: &identities.instance,
            verdict: Verdict::Invalid { point, failures },
        };
        let mut findings = outcome.findings();
        for finding in &mut findings {
            if let Some(name) = &finding.key {
                finding.pointer = identities.pointer(name);
            }
        }
        findings
    }

    /// Returns whether a typed event is known to follow the plan.
    fn is_planned(&self, event: &Event, key: &mut String) -> bool {
        if !rules::has_key(event, self.rules) {
            return true;
        }
        if !PlannedEvent::key(event, key) {
            return false;
        }
        let Some(compiled) = self.points.get(key.as_str()) else { return false };
        let planned = compiled.planned.as_ref();
        planned.is_some_and(|planned| planned.accepts(event, &compiled.point, self.rules))
    }

    fn lint_at(&self, event: &Event, index: usize) -> Vec<Finding> {
        let subject = Subject::Event(index);
        let pointer = format!("/events/{index}");
        in_json(event, subject, &pointer, |instance| {
            let pointer = pointer.clone();
            let outcome = |verdict| Outcome { subject, pointer, instance, verdict }.findings();
            self.event(instance).map_or_else(Vec::new, outcome)
        })
    }

    fn user_attributes_may_differ(&self, batch: &Batch) -> bool {
        self.points.get(USER_ATTRIBUTES).is_some_and(|compiled| {
            !accepts_user_attributes(&compiled.point, &batch.user_attributes, self.rules)
        })
    }
}

/// The parts of a batch that contain identities.
#[derive(Serialize)]
struct UserOf<'b> {
    #[serde(skip_serializing_if = "Option::is_none")]
    user_identities: Option<&'b crate::UserIdentities>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_info: Option<&'b crate::DeviceInformation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mp_deviceid: Option<&'b String>,
}

/// Compiles a point. The last point of a key applies.
fn add(
    point: &DataPoint,
    place: &Place<'_>,
    compiler: &mut Compiler,
    points: &mut HashMap<String, CompiledPoint>,
) {
    let Some((key, point)) = point::compile(point, place, compiler) else { return };
    let planned = PlannedEvent::new(&point, compiler.rules());
    if points.insert(key.clone(), CompiledPoint { point, planned }).is_some() {
        compiler.fault(&place.field("match"), format!("an earlier point matches `{key}` as well"));
    }
}

fn plan_fault(fault: Fault) -> Finding {
    let mut finding = Finding::new(FindingKind::PlanFault, Subject::Plan, fault.pointer);
    finding.expected = Some(fault.message);
    finding
}

/// Reports members of a batch that have the wrong structure to be checked.
fn structure(batch: &Instance) -> Vec<Finding> {
    let wrong = |pointer: &str, message: &str| {
        let mut finding = Finding::new(FindingKind::Unreadable, Subject::Batch, pointer);
        finding.expected = Some(message.to_owned());
        finding
    };
    match batch {
        Instance::Object(_) => match batch.get("events") {
            None | Some(Instance::List(_) | Instance::Null) => Vec::new(),
            Some(_) => vec![wrong("/events", "should be a list")],
        },
        _ => vec![wrong("", "should be an object")],
    }
}

/// Converts a part of a batch to JSON and checks it.
fn in_json<T: Serialize>(
    part: &T,
    subject: Subject,
    pointer: &str,
    check: impl FnOnce(&Instance) -> Vec<Finding>,
) -> Vec<Finding> {
    match to_instance(part) {
        Ok(instance) => check(&instance),
        Err(error) => {
            let mut finding = Finding::new(FindingKind::Unreadable, subject, pointer);
            finding.expected = Some(error.to_string());
            vec![finding]
        }
    }
}

/// Converts a value to JSON, with the members in the order in which they are written.
fn to_instance<T: Serialize>(value: &T) -> serde_json::Result<Instance> {
    Instance::from_slice(&serde_json::to_vec(value)?)
}
