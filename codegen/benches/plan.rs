//! The time to generate the file of a data plan with 200 points, about the largest that is known.
//!
//! With `MPARTICLE_REFERENCE`, the largest plan in its folder `data-plans` as well.

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark")]

use std::fs;
use std::path::{Path, PathBuf};

use criterion::{Criterion, criterion_group, criterion_main};
use mparticle_codegen::plan::Builder;
use serde_json::{Value, json};

fn plan() -> Value {
    let types = [
        json!({ "type": "string", "format": "date-time" }),
        json!({ "type": "string" }),
        json!({ "type": "string", "pattern": r"^-?\d+(\.\d+)?([eE][+\-]?\d+)?$" }),
        json!({ "type": "string", "enum": ["small", "medium", "large"] }),
    ];
    let point = |number: usize| {
        let attribute = |(i, ty): (usize, &Value)| (format!("attribute {i}"), ty.clone());
        let attributes: serde_json::Map<_, _> =
            types.iter().cycle().take(8).enumerate().map(attribute).collect();
        let required: Vec<_> = attributes.keys().cloned().collect();
        json!({
            "match": { "type": "custom_event", "criteria": {
                "event_name": format!("Event {number}"), "custom_event_type": "other",
            } },
            "validator": { "type": "json_schema", "definition": { "properties": { "data": { "properties": {
                "custom_attributes": { "properties": attributes, "required": required },
            } } } } },
        })
    };
    json!({ "data_points": (0..200).map(point).collect::<Vec<_>>() })
}

fn largest() -> Option<PathBuf> {
    let folder = std::env::var_os("MPARTICLE_REFERENCE")?;
    let entries = fs::read_dir(Path::new(&folder).join("data-plans/versions")).ok()?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths.max_by_key(|path| fs::metadata(path).map_or(0, |found| found.len()))
}

fn generate(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("plan.json");
    fs::write(&own, plan().to_string()).unwrap();
    let out = folder.path().join("absent.rs");
    for (name, path) in [("200 points", Some(own)), ("largest real plan", largest())] {
        let Some(path) = path else { continue };
        let builder = Builder::new(path);
        criterion.bench_function(name, |bencher| bencher.iter(|| builder.check(&out).unwrap()));
    }
}

criterion_group!(benches, generate);
criterion_main!(benches);
