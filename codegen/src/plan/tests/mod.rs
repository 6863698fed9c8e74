//! Tests of the whole generator that look inside.

mod bad_input;
mod names;
mod probe;
mod round_trip;

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::input::{self, Choice};
use super::model::Plan;
use super::overrides::Overrides;
use super::report::Report;
use super::{naming, points};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plan")
}

/// Reads and names a plan.
fn read(name: &str, value: &Value, overrides: &mut Overrides) -> (Plan, Report) {
    let chosen = input::choose(name, value, &Choice::default()).unwrap();
    let mut report = Report::default();
    let mut plan = points::read(&chosen, overrides, &mut report);
    naming::name(&mut plan, overrides, &mut report);
    (plan, report)
}
