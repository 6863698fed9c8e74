//! Benchmarks of writing, reading and validating a typical batch, compared with alternatives. The ratios are printed
//! last.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a benchmark that cannot run has to fail"
)]

mod hand_written;

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};

use criterion::{Bencher, Criterion};
use mparticle_models::{
    AttAuthorizationStatus, Batch, CommerceEvent, CustomEvent, CustomEventType, DeviceInformation,
    Environment, Platform, Product, ProductAction, ProductActionKind, ScreenViewEvent,
    SessionStartEvent, UnixMillis, UserIdentities, events,
};
use serde_json::Value;

/// Each group compares `ours` with `theirs`. The last element is the target for the ratio.
const GROUPS: [(&str, &str, f64); 4] = [
    ("write", "hand-written structs", 1.2),
    ("read, event_type first", "hand-written structs", 2.0),
    ("read, data first", "hand-written structs", 2.0),
    ("validate", "jsonschema, is_valid", 0.05),
];

const OURS: &str = "mparticle-models";

/// Returns a batch of one user with a device, attributes and four events.
fn batch() -> Batch {
    let session = "7a6ac9b2-90d3-4d6e-9f6f-1c8e1a1b2c3d";
    let at = |seconds: i64| UnixMillis::from_millis(1_700_000_000_000 + seconds * 1000);
    let user = UserIdentities::new().with_customer_id("123456").with_email("user@example.com");
    let device = DeviceInformation::new()
        .with_platform(Platform::Ios)
        .with_ios_advertising_id("07d2ebaa-e956-407e-a1e6-f05f871bf4e2")
        .with_att_authorization_status(AttAuthorizationStatus::Authorized)
        .with_device_model("iPhone15,2")
        .with_os_version("17.1");
    let product = Product::new()
        .with_id("sample-sku")
        .with_name("Example Product")
        .with_price(19.99)
        .with_quantity(2.5)
        .with_custom_attribute("colour", "green");
    let purchase = ProductAction::new(ProductActionKind::Purchase)
        .with_transaction_id("t-1")
        .with_total_amount(41.48)
        .with_tax_amount(1.5)
        .with_product(product);
    let custom = CustomEvent::new("Example", CustomEventType::Navigation)
        .with_custom_attribute("from", "home")
        .with_custom_attribute("to", "catalogue")
        .with_custom_attribute("reason", "the user tapped a banner");
    let events = events![
        SessionStartEvent::new().with_timestamp_unixtime_ms(at(0)).with_session_uuid(session),
        ScreenViewEvent::new("Home").with_timestamp_unixtime_ms(at(1)).with_session_uuid(session),
        custom.with_timestamp_unixtime_ms(at(2)).with_session_uuid(session),
        CommerceEvent::product(purchase)
            .with_currency_code("USD")
            .with_timestamp_unixtime_ms(at(3))
            .with_session_uuid(session),
    ];
    Batch::new(Environment::Production)
        .with_mpid(600_868_121_729_048_600_i64)
        .with_user_identities(user)
        .with_user_attribute("Account type", "trial")
        .with_user_attribute("TrialEndDate", "2016-12-01")
        .with_user_attribute("$city", "Springfield")
        .with_device_info(device)
        .with_events(events)
}

/// Returns the same document with `data` before `event_type`, as in mParticle's documentation.
fn data_first(json: &str) -> String {
    let mut document: Value = serde_json::from_str(json).unwrap();
    let events = document["events"].take();
    let event = |event: &Value| {
        format!(r#"{{"data":{},"event_type":{}}}"#, event["data"], event["event_type"])
    };
    let events: Vec<_> = events.as_array().unwrap().iter().map(event).collect();
    document.to_string().replace(r#""events":null"#, &format!(r#""events":[{}]"#, events.join(",")))
}

fn compare(
    criterion: &mut Criterion,
    index: usize,
    ours: impl FnMut(&mut Bencher<'_>),
    theirs: impl FnMut(&mut Bencher<'_>),
) {
    let (name, other, _) = GROUPS[index];
    let mut group = criterion.benchmark_group(name);
    group.bench_function(OURS, ours);
    group.bench_function(other, theirs);
    group.finish();
}

fn run(criterion: &mut Criterion) {
    let batch = batch();
    let json = String::from_utf8(batch.to_vec().unwrap()).unwrap();
    let hand_written: hand_written::Batch = serde_json::from_str(&json).unwrap();
    let value = serde_json::to_value(&batch).unwrap();
    assert_eq!(serde_json::to_value(&hand_written).unwrap(), value, "both write the same document");

    compare(
        criterion,
        0,
        |bencher| bencher.iter(|| black_box(&batch).to_vec().unwrap()),
        |bencher| bencher.iter(|| serde_json::to_vec(black_box(&hand_written)).unwrap()),
    );
    for (index, json) in [(1, &json), (2, &data_first(&json))] {
        assert_eq!(Batch::from_str(json).unwrap(), batch);
        compare(
            criterion,
            index,
            |bencher| bencher.iter(|| Batch::from_slice(black_box(json.as_bytes())).unwrap()),
            |bencher| {
                bencher.iter(|| {
                    serde_json::from_slice::<hand_written::Batch>(black_box(json.as_bytes()))
                        .unwrap()
                });
            },
        );
    }
    // The file is included directly. `cargo bench -p mparticle-models` therefore requires no feature.
    let schema = serde_json::from_str(include_str!("../src/generated/schema/batch.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert!(batch.validate().is_empty() && validator.is_valid(&value));
    compare(
        criterion,
        3,
        |bencher| bencher.iter(|| black_box(&batch).validate()),
        |bencher| bencher.iter(|| validator.is_valid(black_box(&value))),
    );
}

/// Returns the median time in nanoseconds of a finished benchmark.
fn median(folder: &Path, group: &str, function: &str) -> Option<f64> {
    let [group, function] = [group, function]
        .map(|name| name.replace(['?', '"', '/', '\\', '*', '<', '>', ':', '|', '^'], "_"));
    let estimates = fs::read(folder.join(group).join(function).join("new/estimates.json")).ok()?;
    serde_json::from_slice::<Value>(&estimates).ok()?["median"]["point_estimate"].as_f64()
}

fn main() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("batch-benchmark");
    let mut criterion = Criterion::default().output_directory(&folder).configure_from_args();
    run(&mut criterion);
    criterion.final_summary();
    for (group, other, aim) in GROUPS {
        if let (Some(ours), Some(theirs)) =
            (median(&folder, group, OURS), median(&folder, group, other))
        {
            let ratio = ours / theirs;
            println!(
                "{group}: {ours:.0} ns, {other} {theirs:.0} ns, ratio {ratio:.3}, aim at most {aim}"
            );
        }
    }
}
