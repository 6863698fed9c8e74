//! The plan that a linter has, and the plan that a batch names.

use super::finding::{Finding, FindingKind, Subject};
use super::instance::Instance;
use crate::{Batch, DataPlanVersion};

/// The identifier and the version of a plan, as far as its file contains them.
#[derive(Debug)]
pub(super) struct PlanName {
    id: Option<String>,
    version: Option<i64>,
}

impl PlanName {
    pub(super) fn of(version: &DataPlanVersion) -> Self {
        Self { id: version.data_plan_id.clone(), version: version.version }
    }

    /// Returns a finding if a batch names another plan.
    pub(super) fn other_than(&self, batch: &Batch) -> Option<Finding> {
        let named = batch.context.as_ref()?.data_plan.as_ref()?;
        self.compare(named.plan_id.as_str(), named.plan_version)
    }

    /// Returns a finding if the JSON of a batch names another plan.
    pub(super) fn other_than_json(&self, batch: &Instance) -> Option<Finding> {
        let context = batch.get("context").or_else(|| batch.get("batch_context"))?;
        let named = context.get("data_plan")?;
        let version = named.get("plan_version").and_then(|version| match version {
            Instance::Number(number) => number.as_i64(),
            Instance::Text(text) => text.parse().ok(),
            _ => None,
        });
        self.compare(named.get("plan_id")?.as_text()?, version)
    }

    fn compare(&self, id: &str, version: Option<i64>) -> Option<Finding> {
        let own_id = self.id.as_deref().filter(|own| *own != id);
        let own_version = self.version.filter(|own| version.is_some_and(|named| named != *own));
        if own_id.is_none() && own_version.is_none() {
            return None;
        }
        let mut finding =
            Finding::new(FindingKind::OtherPlan, Subject::Batch, "/context/data_plan");
        finding.key = Some(id.to_owned());
        let own_id = self.id.as_deref().unwrap_or(id);
        finding.expected = Some(match self.version {
            Some(version) => format!("should name version {version} of the plan {own_id}"),
            None => format!("should name the plan {own_id}"),
        });
        finding.actual = version.map(Into::into);
        Some(finding)
    }
}
