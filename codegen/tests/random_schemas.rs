//! Random schemas are either refused with a code, a place and a hint, or become Rust code that compiles.
//!
//! Half of them use a fixed seed, and half of them the clock. `RANDOM_SCHEMAS_SEED` repeats a run, and
//! `RANDOM_SCHEMAS_COUNT` makes a longer one.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::format_push_string,
    reason = "a test fails by panicking"
)]

mod generated_crate;
mod random;

use std::panic::catch_unwind;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use fastrand::Rng;
use mparticle_codegen::diagnostic::{Code, Diagnostic, render};
use mparticle_codegen::generate;

use generated_crate::GeneratedCrate;

const SEED: u64 = 20_261_125;
const COUNT: usize = 150;

/// The result for a schema.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Taken,
    Refused,
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}")))
}

#[test]
fn random_schemas_compile_or_are_refused() {
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let clock = number("RANDOM_SCHEMAS_SEED").unwrap_or(clock);
    let count =
        number("RANDOM_SCHEMAS_COUNT").map_or(COUNT, |count| usize::try_from(count).unwrap());
    println!("seeds: {SEED} and {clock}");
    let (mut fixed, mut varied) = (Rng::with_seed(SEED), Rng::with_seed(clock));
    let schemas: Vec<_> = (0..count)
        .map(|index| random::schema(if index % 2 == 0 { &mut fixed } else { &mut varied }))
        .collect();

    let target = GeneratedCrate::new("random");
    let inputs = tempfile::tempdir().unwrap();
    let make = |index: usize| {
        let (schema, overrides) = &schemas[index];
        let folder = inputs.path().join(index.to_string());
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("schema.json"), format!("{schema:#}")).unwrap();
        std::fs::write(folder.join("overrides.toml"), overrides).unwrap();
        fate(&folder, &target.module(&format!("s{index}")))
    };
    let fates = std::thread::scope(|scope| {
        let half =
            |first| scope.spawn(move || (first..count).step_by(2).map(make).collect::<Vec<_>>());
        let (even, odd) = (half(0), half(1));
        [even.join().unwrap(), odd.join().unwrap()].concat()
    });
    let taken = fates.iter().filter(|fate| **fate == Fate::Taken).count();
    println!("{taken} of {count} schemas were taken");
    assert!(taken * 10 >= count * 6, "only {taken} of {count} schemas were taken");
    if let Err(report) = target.check() {
        let kept = inputs.keep();
        panic!("seeds {SEED} and {clock}, schemas in {}:\n{report}", kept.display());
    }
}

/// Generates code from a schema. A refusal must contain a code, a place and a hint.
fn fate(input: &Path, out: &Path) -> Fate {
    let (schema, overrides) = (input.join("schema.json"), input.join("overrides.toml"));
    let text = || std::fs::read_to_string(&schema).unwrap();
    let result = catch_unwind(|| generate(&schema, Some(&overrides), out))
        .unwrap_or_else(|_| panic!("the generator panicked over\n{}", text()));
    let Err(diagnostics) = result else { return Fate::Taken };
    let helps = |found: &Diagnostic| {
        let is_defect = found.code == Code::Lowering || found.help.contains("defect");
        !is_defect && !found.origin.file.is_empty() && !found.help.is_empty()
    };
    let is_helpful = !diagnostics.is_empty() && diagnostics.iter().all(helps);
    assert!(is_helpful, "{}\n{}", render(&diagnostics, false), text());
    Fate::Refused
}
