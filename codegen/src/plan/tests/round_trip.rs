//! What is generated follows the plan: the linter finds nothing in an event that was built with fitting values, and
//! something in each event with a wrong value that its types allow.

#[path = "../../../tests/plan_crate/mod.rs"]
mod plan_crate;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::super::builder::Builder;
use super::super::overrides::Overrides;
use super::probe::{Probe, REPORT};
use super::{fixtures, read};
use plan_crate::{PlanCrate, has_document, reference};

/// What the linter finds in every event of such a point, because of the plan.
const EXPECTED: &[(&str, &str)] = &[];

#[test]
fn the_linter_finds_nothing_in_events_that_follow_the_plan() {
    let target = PlanCrate::new("round-trip");
    let mut main = String::from("#![allow(warnings)]\nmod report;\n");
    let mut calls = String::new();
    target.write("report.rs", REPORT);
    let awkward = (fixtures().join("awkward.json"), Some(fixtures().join("awkward.toml")));
    // The largest one is there three times.
    let is_new = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        has_document(path) && !name.starts_with("dpnode_sample_data_plan.")
            && name != "dpnode_sample_data_plan_v2.json"
    };
    let others = reference().into_iter().filter(is_new).map(|path| (path, None));
    for (index, (path, overrides)) in [awkward].into_iter().chain(others).enumerate() {
        let name = path.file_stem().unwrap().to_string_lossy().to_lowercase();
        let module = name.replace('-', "_");
        let source: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let mut builder = Builder::new(&path);
        let mut read_overrides = Overrides::default();
        if let Some(overrides) = &overrides {
            builder = builder.overrides(overrides);
            read_overrides = Overrides::load(overrides).unwrap();
        }
        builder.write(target.source(&format!("{module}.rs"))).unwrap();
        let (plan, _) = read("plan.json", &source, &mut read_overrides);
        let program = Probe { module: &module, plan: &plan, source: &source }.program();
        target.write(&format!("probe_{index}.rs"), &program);
        writeln!(main, "mod {module};\nmod probe_{index};").unwrap();
        writeln!(calls, "    probe_{index}::run();").unwrap();
    }
    writeln!(main, "\nfn main() {{\n{calls}}}").unwrap();
    target.write("main.rs", &main);
    let printed = target.succeed("run --offline --quiet");
    let is_expected = |line: &&str| {
        EXPECTED.iter().any(|(key, finding)| line.contains(key) && line.ends_with(finding))
    };
    let found: BTreeSet<_> = printed.lines().filter(|line| !is_expected(line)).collect();
    let text: Vec<_> = found.into_iter().collect();
    assert!(text.is_empty(), "{}", text.join("\n"));
}
