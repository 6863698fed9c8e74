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

/// What the linter finds because of the plan: how a line begins, and how it ends.
const EXPECTED: &[(&str, &str)] = &[
    // By the rules of Node, no number is one of the listed texts.
    ("node android_sample", "/custom_attributes/foo number"),
    ("node apple_sample", "/custom_attributes/foo number"),
    ("node android_sample", "/custom_attributes/attributeNumEnum"),
    ("node apple_sample", "/custom_attributes/attributeNumEnum"),
    ("node awkward", "/custom_attributes/text rating"),
    ("node snippets", "/custom_attributes/session_id"),
    // By the rules of Node, what an event is matched by has to be planned as well.
    ("node android_sample", "/product_action/action"),
    ("node apple_sample", "/product_action/action"),
    ("node android_sample", "/data/screen_name"),
    ("node websdk", "/data/screen_name"),
    // The attributes of products are texts, which are no numbers and booleans by the rules of Node.
    ("node awkward", "/custom_attributes/count"),
    ("node awkward", "/custom_attributes/new"),
    // The plan requires an attribute that it does not list, and allows no other.
    ("own dpnode_sample_data_plan_document", "/user_attributes/user_attributes"),
    ("node dpnode_sample_data_plan_document", "/user_attributes/user_attributes"),
    ("platform dpnode_sample_data_plan_document", "/user_attributes/user_attributes"),
];

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
        has_document(path)
            && !name.starts_with("dpnode_sample_data_plan.")
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
        EXPECTED.iter().any(|(start, end)| line.starts_with(start) && line.ends_with(end))
    };
    let found: BTreeSet<_> = printed.lines().filter(|line| !is_expected(line)).collect();
    let text: Vec<_> = found.into_iter().collect();
    assert!(text.is_empty(), "{}", text.join("\n"));
}
