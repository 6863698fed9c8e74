//! The data plan with which batches are compared, and its findings as problems.

use super::Problem;
use crate::failure::Failure;
use crate::output;
use crate::text::count;
use mparticle_client::models::data_plan::{
    DataPlanError, DataPlanErrorKind, DataPlanFile, Finding, FindingKind, Linter, Rules,
};
use mparticle_client::models::{DataPlanVersion, Severity};
use std::path::{Path, PathBuf};

/// The plan with which batches are compared.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Data plan")]
pub(crate) struct PlanOptions {
    /// Compare batches with the data plan in this file
    #[arg(long, value_name = "FILE")]
    pub(crate) plan: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) choice: PlanChoice,
}

/// The choice of a version in a file.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct PlanChoice {
    /// The plan, if the file contains several
    #[arg(long, value_name = "ID")]
    pub(crate) plan_id: Option<String>,
    /// The version of the plan. By default the highest
    #[arg(long, value_name = "N")]
    pub(crate) plan_version: Option<i64>,
}

/// The rules by which data is compared with a plan.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum RuleSet {
    /// Those of mParticle's platform, as far as they are documented
    Platform,
    /// Those of mParticle's Node.js library for data planning
    Node,
}

impl From<RuleSet> for Rules {
    fn from(set: RuleSet) -> Self {
        match set {
            RuleSet::Platform => Self::platform(),
            RuleSet::Node => Self::node(),
        }
    }
}

impl PlanOptions {
    /// Reads the plan, if one is named.
    pub(crate) fn linter(&self, rules: Rules) -> Result<Option<Linter>, Failure> {
        let Some(path) = &self.plan else {
            let PlanChoice { plan_id, plan_version } = &self.choice;
            if plan_id.is_some() || plan_version.is_some() {
                let message = "--plan-id and --plan-version choose a version from a file";
                return Err(Failure::new(message).with_hint("name the file with --plan"));
            }
            return Ok(None);
        };
        let linter = Linter::new(&self.choice.version(path)?, rules);
        let faults = linter.plan_findings().len() as u64;
        if faults > 0 {
            let (path, faults) = (path.display(), count(faults, "fault"));
            output::note(format_args!(
                "warning: {path} has {faults}, and its other rules apply; to list them, run: mparticle plan check {path}"
            ));
        }
        Ok(Some(linter))
    }
}

impl PlanChoice {
    /// Reads the version from a file.
    pub(crate) fn version(&self, path: &Path) -> Result<DataPlanVersion, Failure> {
        let version = DataPlanFile::from_path(path).and_then(|file| self.select(&file));
        version.map_err(|error| failure(path, &error))
    }

    pub(crate) fn select(&self, file: &DataPlanFile) -> Result<DataPlanVersion, DataPlanError> {
        file.select(self.plan_id.as_deref(), self.plan_version)
    }
}

/// The failure of reading a plan, or of choosing a version.
pub(crate) fn failure(path: &Path, error: &DataPlanError) -> Failure {
    let failure = Failure::new(format!("{}: {error}", path.display()));
    match error.kind() {
        DataPlanErrorKind::Ambiguous => failure.with_hint("--plan-id chooses a plan"),
        _ => failure,
    }
}

/// Contains names, but no values of the batch.
impl From<&Finding> for Problem {
    fn from(finding: &Finding) -> Self {
        let rule = rule_of(finding.kind);
        let expected = finding.expected.as_deref().unwrap_or(match finding.kind {
            FindingKind::MissingAttribute => "is missing",
            _ => "is not in the plan",
        });
        let message = match &finding.key {
            // The key is the identifier of the other plan, and not the subject of the sentence.
            Some(key) if finding.kind != FindingKind::OtherPlan => format!("`{key}` {expected}"),
            _ => expected.to_owned(),
        };
        let problem = Self::new(rule, message).at(finding.pointer.as_str());
        match finding.kind {
            // Nothing is wrong with the batch. It was not compared.
            FindingKind::OtherPlan => Self { severity: Severity::Warning, ..problem },
            _ => problem,
        }
    }
}

/// Returns the name under which findings of a kind are counted.
fn rule_of(kind: FindingKind) -> &'static str {
    match kind {
        FindingKind::UnplannedEvent => "unplannedEvent",
        FindingKind::UnplannedAttribute => "unplannedAttribute",
        FindingKind::MissingAttribute => "missingAttribute",
        FindingKind::InvalidValue => "invalidValue",
        FindingKind::OtherPlan => "otherPlan",
        FindingKind::Unreadable => "unreadable",
        FindingKind::PlanFault => "planFault",
        _ => "otherDifference",
    }
}
