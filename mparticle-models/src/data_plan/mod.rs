//! Data plans: their files, a linter that compares batches with a plan, and the differences between versions.

mod diff;
mod error;
mod file;
mod finding;
mod identities;
mod instance;
mod linter;
mod outcome;
mod planned;
mod point;
mod rules;
mod schema;

pub use diff::{Change, ChangeKind, Diff, diff};
pub use error::{DataPlanError, DataPlanErrorKind};
pub use file::{DataPlanFile, SdkConfiguration};
pub use finding::{Finding, FindingKind, Subject};
pub use linter::Linter;
pub use rules::Rules;
