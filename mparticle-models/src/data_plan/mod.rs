//! Data plans: their files, a linter that compares batches with a plan, and the differences between versions.
//!
//! A data plan lists the events that a customer expects, with the attributes of each. [`DataPlanFile`] reads the files that
//! mParticle gives out, [`Linter`] compares batches with a version of a plan, and [`diff`] compares two versions.
//!
//! # Rules
//!
//! The linter has two sets of [`Rules`]: those of mParticle's platform as far as they are documented, which are the
//! default, and those of mParticle's Node.js library, whose results [`Linter::results`] writes.
//!
//! # What the linter does not know
//!
//! Only the platform knows which versions of a plan are active in which environment, and whether it blocks or quarantines
//! unplanned data. The platform does not check a batch that names no data plan; the linter does.
//!
//! A pattern with look-around or back-references is not checked. It is listed in [`Linter::plan_findings`], as is every
//! other rule of a plan that cannot be applied.
//!
//! # Examples
//!
//! Compares the batches of a file with a plan, as a step of CI:
//!
//! ```no_run
//! use mparticle_models::DataPlanVersion;
//! use mparticle_models::data_plan::{Linter, Rules};
//!
//! let version = DataPlanVersion::from_path("plans/shop.json")?;
//! let linter = Linter::new(&version, Rules::platform());
//! for line in std::fs::read_to_string("batches.jsonl")?.lines() {
//!     for finding in linter.lint_slice(line.as_bytes())? {
//!         println!("{finding}");
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod diff;
mod error;
mod file;
mod finding;
mod identities;
mod instance;
mod linter;
mod outcome;
mod plan_name;
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
