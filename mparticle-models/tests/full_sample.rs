//! Tests with a complete batch: the types know all fields, event types and enum values of the schema.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use mparticle_models::{Batch, from_slice};
use serde_json::{Value, json};
use support::sample::FULL;
use support::schema::{BATCH, BATCH_VALIDATOR, Kind};

fn read(batch: &Value) -> Batch {
    from_slice(&serde_json::to_vec(batch).unwrap()).unwrap()
}

/// Counts the unknown parts: they are in an `extra`, an `Unknown` event or an `UnknownValue`, which `Debug` shows.
fn unknowns(batch: &Batch) -> usize {
    let debug = format!("{batch:?}");
    let extras = debug.matches("Extra({").count() - debug.matches("Extra({})").count();
    extras + debug.matches("Unknown {").count() + debug.matches("UnknownValue(").count()
}

/// Returns the sample without the event that is deliberately unknown.
fn known_sample() -> Value {
    let mut sample = FULL.clone();
    sample["events"].as_array_mut().unwrap().pop();
    sample
}

#[test]
fn the_sample_is_valid_and_uses_every_field_and_every_event_type() {
    assert!(BATCH_VALIDATOR.is_valid(&FULL));
    let mut missing = Vec::new();
    BATCH.visit(&FULL, "", &mut |pointer, place, value| match &place.kind {
        Kind::Object(fields) => {
            missing.extend(
                fields
                    .iter()
                    .filter(|field| value.get(&field.name).is_none())
                    .map(|field| format!("{pointer}/{}", field.name)),
            );
        }
        Kind::List(item) => {
            if let Kind::Event(types) = &item.kind {
                let has = |name: &str| {
                    value.as_array().unwrap().iter().any(|event| event["event_type"] == name)
                };
                missing.extend(
                    types.iter().filter(|(name, _)| !has(name)).map(|(name, _)| name.clone()),
                );
            }
        }
        _ => {}
    });
    assert_eq!(missing, [""; 0]);
}

#[test]
fn the_sample_is_written_as_it_was_read() {
    let batch = read(&FULL);
    let written = serde_json::to_value(&batch).unwrap();
    assert_eq!(written, *FULL);
    assert!(BATCH_VALIDATOR.is_valid(&written));
    assert_eq!(read(&written), batch);
    assert_eq!(Batch::from_slice(&batch.to_vec().unwrap()).unwrap(), batch);
}

#[test]
fn every_field_and_event_type_of_the_sample_is_known_to_the_types() {
    assert_eq!(unknowns(&read(&known_sample())), 0);
}

#[test]
fn the_search_for_unknown_parts_finds_them() {
    assert_eq!(unknowns(&read(&FULL)), 2, "an unknown event and the field beside its data");
    for (pointer, name) in
        [("", "new_field"), ("/events/0", "beside"), ("/events/0/data/location", "planet")]
    {
        let mut sample = known_sample();
        sample.pointer_mut(pointer).unwrap()[name] = json!(1);
        assert_eq!(unknowns(&read(&sample)), 1, "{pointer}/{name}");
    }
    let mut sample = known_sample();
    sample["environment"] = json!("staging");
    assert_eq!(unknowns(&read(&sample)), 1);
}

#[test]
fn every_value_of_every_enum_is_known_and_written_as_it_was_read() {
    let sample = known_sample();
    let mut cases = Vec::new();
    BATCH.visit(&sample, "", &mut |pointer, place, _| {
        if let Kind::Enum { values, .. } = &place.kind {
            cases.extend(values.iter().map(|(value, _)| (pointer.to_owned(), value.clone())));
        }
    });
    assert!(cases.len() > 100, "{}", cases.len());
    // All places use their next value at once. A place without further values keeps its last one.
    let mut rounds: Vec<Vec<(String, String)>> = Vec::new();
    for (pointer, value) in cases {
        let earlier = rounds
            .iter()
            .take_while(|round| round.iter().any(|(other, _)| *other == pointer))
            .count();
        if earlier == rounds.len() {
            rounds.push(Vec::new());
        }
        rounds[earlier].push((pointer, value));
    }
    for round in rounds {
        let mut sample = sample.clone();
        for (pointer, value) in round {
            *sample.pointer_mut(&pointer).unwrap() = json!(value);
        }
        let batch = read(&sample);
        assert_eq!(unknowns(&batch), 0);
        assert_eq!(serde_json::to_value(&batch).unwrap(), sample);
        assert!(BATCH_VALIDATOR.is_valid(&sample));
    }
}
