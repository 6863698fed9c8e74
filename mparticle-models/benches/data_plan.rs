//! The linter beside `jsonschema`, which validates the same events as JSON against the same definition.
//!
//! The figures are per event. An event has six attributes, of which one has a list of values and one a pattern.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark may panic")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mparticle_models::data_plan::{DataPlanFile, Linter, Rules};
use mparticle_models::{Batch, CustomEvent, CustomEventType, Environment};
use serde_json::{Value, json};

const EVENTS: usize = 1000;

fn definition() -> Value {
    json!({ "properties": { "data": { "properties": { "custom_attributes": {
        "properties": {
            "item": { "type": "string", "enum": ["espresso", "cortado", "flat white"] },
            "code": { "type": "string", "pattern": "^[A-Z]{2}-[0-9]{4}$" },
            "quantity": { "type": "number", "minimum": 1, "maximum": 20 },
            "milk": { "type": "boolean" },
            "table": { "type": "number" },
            "note": { "type": "string", "maxLength": 80 },
        },
        "required": ["item", "quantity"],
        "additionalProperties": false,
    } } } } })
}

fn linter(rules: Rules) -> Linter {
    let plan = json!({ "data_points": [{
        "match": {
            "type": "custom_event",
            "criteria": { "event_name": "Choose Item", "custom_event_type": "other" },
        },
        "validator": { "type": "json_schema", "definition": definition() },
    }] });
    let file = DataPlanFile::from_str(&plan.to_string()).unwrap();
    Linter::new(&file.select(None, None).unwrap(), rules)
}

fn batch() -> Batch {
    let event = |number: usize| {
        CustomEvent::new("Choose Item", CustomEventType::Other)
            .with_custom_attribute("item", "cortado")
            .with_custom_attribute("code", format!("DE-{:04}", number % 10_000))
            .with_custom_attribute("quantity", 2)
            .with_custom_attribute("milk", true)
            .with_custom_attribute("table", 7)
            .with_custom_attribute("note", "to take away")
    };
    Batch::new(Environment::Production).with_events((0..EVENTS).map(event))
}

fn lint(criterion: &mut Criterion) {
    let batch = batch();
    let json: Value = serde_json::from_str(&batch.to_json().unwrap()).unwrap();
    let events = json.get("events").unwrap().as_array().unwrap();
    let mut group = criterion.benchmark_group("data_plan");
    group.throughput(Throughput::Elements(EVENTS as u64));
    for (name, rules) in [("platform", Rules::platform()), ("node", Rules::node())] {
        let linter = linter(rules);
        assert_eq!(linter.lint(&batch), []);
        group.bench_function(name, |bencher| bencher.iter(|| linter.lint(black_box(&batch))));
    }
    let schema = jsonschema::validator_for(&definition()).unwrap();
    assert!(events.iter().all(|event| schema.is_valid(event)));
    group.bench_function("jsonschema", |bencher| {
        bencher.iter(|| black_box(events).iter().all(|event| schema.is_valid(event)));
    });
    group.finish();
}

criterion_group!(benches, lint);
criterion_main!(benches);
