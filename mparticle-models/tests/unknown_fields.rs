//! Unknown fields with any names survive a round trip, and never replace known fields.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use mparticle_models::{
    Batch, Breadcrumb, BreadcrumbEvent, CrashReportEvent, CustomEvent, CustomEventType,
    Environment, Event, Extra, Product, Rule, Severity, UserIdentities, from_str,
};
use serde_json::{Value, json};

fn batch() -> Batch {
    Batch::new(Environment::Production)
}

fn custom() -> CustomEvent {
    CustomEvent::new("e", CustomEventType::Other)
}

fn extra(name: &str) -> Extra {
    Extra::from_iter([(name, "x")])
}

/// Returns batches with an unknown field of this name at different places, and the JSON pointers of the field.
fn with_unknown_field(name: &str) -> Vec<(Batch, String)> {
    let mut in_batch = batch();
    in_batch.extra = extra(name);
    let mut in_data = custom();
    in_data.extra = extra(name);
    let mut in_envelope = custom();
    in_envelope.envelope = extra(name);
    let mut in_identities = UserIdentities::new();
    in_identities.extra = extra(name);
    let unknown = Event::Unknown { event_type: "new".into(), data: json!({}), extra: extra(name) };
    let mut crumb = BreadcrumbEvent::new("step");
    crumb.envelope = extra(name);
    let crash = CrashReportEvent::new().with_breadcrumb(Breadcrumb::Event(crumb));
    vec![
        (in_batch, format!("/{name}")),
        (batch().with_event(in_data), format!("/events/0/data/{name}")),
        (batch().with_event(in_envelope), format!("/events/0/{name}")),
        (batch().with_user_identities(in_identities), format!("/user_identities/{name}")),
        (batch().with_event(unknown), format!("/events/0/{name}")),
        (batch().with_event(crash), format!("/events/0/data/breadcrumbs/0/{name}")),
    ]
}

#[test]
fn a_known_name_among_the_unknown_fields_is_reported_and_never_written() {
    // Each name with the places, in the order above, at which a field of that name is known.
    for (name, known_in) in [
        ("mpid", vec![0]),
        ("environment", vec![0]),
        // An older spelling of `context`, which is read as well.
        ("batch_context", vec![0]),
        ("event_name", vec![1]),
        // A field that all events have.
        ("timestamp_unixtime_ms", vec![0, 1]),
        ("custom_attributes", vec![1]),
        ("event_type", vec![2, 4, 5]),
        ("data", vec![2, 4, 5]),
        ("customer_id", vec![3]),
        ("brand_new", vec![]),
    ] {
        for (place, (batch, pointer)) in with_unknown_field(name).into_iter().enumerate() {
            let found: Vec<_> = batch
                .validate()
                .into_iter()
                .filter(|violation| violation.rule == Rule::RepeatedField)
                .map(|violation| (violation.pointer, violation.severity))
                .collect();
            let json = serde_json::to_string(&batch);
            if known_in.contains(&place) {
                assert_eq!(found, [(pointer.clone(), Severity::Error)]);
                let error = json.map(|_| ()).expect_err(&pointer).to_string();
                let message =
                    format!("`{name}` in the unknown fields is the name of a known field");
                assert_eq!(error, message);
                assert!(batch.to_vec().is_err() && serde_json::to_value(&batch).is_err());
            } else {
                assert_eq!(found, [], "{pointer}");
                assert_eq!(Batch::from_str(&json.unwrap()).unwrap(), batch, "{pointer}");
            }
        }
    }
}

#[test]
fn the_key_of_a_number_with_arbitrary_precision_is_an_ordinary_key() {
    // The number is in a separate batch, because it is read as a number if the feature is enabled.
    for value in [json!(3), json!(null), json!({ "a": 1 }), json!([])] {
        for nested in [
            json!({ "$serde_json::private::Number": value }),
            json!({ "$serde_json::private::Number": value, "a": 1 }),
            json!([{ "$serde_json::private::Number": value }]),
        ] {
            let document = json!({
                "environment": "production",
                "x": nested,
                "events": [
                    {
                        "event_type": "custom_event",
                        "data": { "event_name": "e", "custom_flags": { "f": nested }, "y": nested },
                        "z": nested,
                    },
                    { "event_type": "new", "data": { "w": nested } },
                ],
            });
            let batch: Batch = from_str(&document.to_string()).unwrap();
            assert_eq!(batch.extra["x"], nested);
            assert_eq!(serde_json::to_value(&batch).unwrap(), document);
            assert_eq!(Batch::from_slice(&batch.to_vec().unwrap()).unwrap(), batch);
        }
    }
}

#[test]
fn null_in_the_attributes_of_a_product_survives_as_in_those_of_an_event() {
    let json = r#"{"custom_attributes":{"coupon":null,"size":"44"}}"#;
    let product: Product = serde_json::from_str(json).unwrap();
    assert_eq!(product.custom_attributes["coupon"], None);
    assert_eq!(serde_json::to_string(&product).unwrap(), json);
    let built = Product::new()
        .with_custom_attribute("coupon", None::<&str>)
        .with_custom_attribute("size", 44);
    assert_eq!(built, product);
}

#[test]
fn a_record_of_exported_identities_without_an_identity_is_reported() {
    let records = json!([
        { "identity_type": "customer_id", "identity": "42" },
        { "identity_type": "email", "identity": null },
        { "identity": "lost" },
        { "identity_type": "fax", "identity": "1" },
    ]);
    let json = json!({ "environment": "production", "user_identities": records }).to_string();
    let batch: Batch = from_str(&json).unwrap();
    let found: Vec<_> = batch
        .validate()
        .into_iter()
        .map(|violation| (violation.pointer, violation.rule, violation.severity))
        .collect();
    let incomplete = |index: usize| {
        (format!("/user_identities/{index}"), Rule::IncompleteRecord, Severity::Warning)
    };
    assert_eq!(found, [incomplete(1), incomplete(2)]);
    let written: Value = serde_json::to_value(&batch).unwrap();
    assert_eq!(written["user_identities"], json!({ "customer_id": "42", "fax": "1" }));
}
