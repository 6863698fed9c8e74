//! `validate()` agrees with the bundled schema, and reports the rule, the place, the sizes and the severity.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::cell::Cell;

use jsonschema::Validator;
use mparticle_models::{
    Batch, CommerceEvent, CommonEventData, CustomEvent, CustomEventType, DeviceInformation,
    Environment, Event, Extra, Product, ProductAction, ProductActionKind, ProductImpression,
    PromotionAction, PromotionActionKind, Rule, ScreenViewEvent, SessionEndEvent,
    SessionStartEvent, Severity, UnixMillis, UserIdentities, Violation, from_slice,
};
use serde_json::{Value, json};
use support::random::{Spelling, documents, runner};
use support::sample::{parts, places, with};
use support::schema::{BATCH, BATCH_VALIDATOR, Kind, Place, escape};

/// Checks random batches, for which both must agree. Returns the share of valid batches.
fn agree(cases: u32, validator: &Validator, counts: fn(&Violation) -> bool) -> f64 {
    let valid = Cell::new(0);
    runner(cases)
        .run(&documents(&BATCH, Spelling::Documented), |document| {
            let batch: Batch = from_slice(&serde_json::to_vec(&document).unwrap()).unwrap();
            let written = serde_json::to_value(&batch).unwrap();
            let violations: Vec<_> = batch.validate().into_iter().filter(counts).collect();
            let is_valid = validator.is_valid(&written);
            assert_eq!(violations.is_empty(), is_valid, "{violations:#?}\n{written}");
            valid.set(valid.get() + u32::from(is_valid));
            Ok(())
        })
        .unwrap();
    f64::from(valid.get()) / f64::from(cases)
}

#[test]
fn validate_without_advice_agrees_with_the_full_schema() {
    let share = agree(1500, &BATCH_VALIDATOR, |violation| !violation.rule.is_advice());
    assert!((0.2..0.8).contains(&share), "both verdicts have to be common, but {share} are valid");
}

#[test]
fn errors_of_validate_agree_with_the_enforced_schema() {
    let schema = serde_json::from_str(mparticle_models::schema::BATCH_ENFORCED).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let share = agree(500, &validator, |violation| violation.severity == Severity::Error);
    assert!((0.2..0.98).contains(&share), "both verdicts have to be common, but {share} are valid");
}

#[test]
fn the_schemas_for_bulk_requests_accept_lists_of_valid_batches() {
    for (schema, limit) in
        [(mparticle_models::schema::BULK, 100), (mparticle_models::schema::BULK_ENFORCED, 1000)]
    {
        let validator = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
        let batch = json!({ "environment": "production" });
        assert!(validator.is_valid(&json!(vec![&batch; limit])));
        assert!(!validator.is_valid(&json!([batch, {}])));
        assert!(!validator.is_valid(&batch));
    }
    let bulk =
        jsonschema::validator_for(&serde_json::from_str(mparticle_models::schema::BULK).unwrap())
            .unwrap();
    assert!(!bulk.is_valid(&json!(vec![json!({ "environment": "production" }); 101])));
}

/// Values at a place that lie on a bound, the same one beyond, and what is reported of those: where below the place,
/// and by which rule.
fn bounds(place: &Place) -> Vec<(Value, Value, String, Rule)> {
    let text = |len: usize| json!("ü".repeat(len));
    let named = |name: String| Value::Object([(name, json!("v"))].into_iter().collect());
    let entries = |len: usize| (0..len).map(|index| (format!("n{index}"), json!("v"))).collect();
    let limits = place.limits;
    let mut bounds = Vec::new();
    if let Some(max) = limits.length {
        bounds.push((text(max), text(max + 1), String::new(), Rule::MaxLength));
    }
    if let Some(max) = limits.items {
        bounds.push((json!(vec![0; max]), json!(vec![0; max + 1]), String::new(), Rule::MaxItems));
    }
    if let Some(max) = limits.item_length {
        bounds.push((
            json!([1, text(max)]),
            json!([1, text(max + 1)]),
            "/1".to_owned(),
            Rule::MaxLength,
        ));
    }
    if let Some(max) = limits.properties {
        let [on, beyond] = [max, max + 1].map(|len| Value::Object(entries(len)));
        bounds.push((on, beyond, String::new(), Rule::MaxProperties));
    }
    if let Some(max) = limits.name_length {
        let [on, beyond] = [max, max + 1].map(|len| format!("{}/~", "ü".repeat(len - 2)));
        bounds.push((
            named(on),
            named(beyond.clone()),
            format!("/{}", escape(&beyond)),
            Rule::PropertyNames,
        ));
    }
    match &place.kind {
        Kind::Enum { values, closed: true } => {
            bounds.push((json!(values[0].0), json!("one of tomorrow"), String::new(), Rule::Enum));
        }
        Kind::Enum { closed: false, .. } => assert!(limits.length.is_none()),
        _ => {}
    }
    bounds
}

#[test]
fn every_limit_and_every_closed_set_is_checked_at_every_place() {
    let mut cases = 0;
    for mut part in parts() {
        part["environment"] = json!("production");
        for (pointer, place) in places(&part) {
            for (on, beyond, below, rule) in bounds(&place) {
                let check = |value: Value| {
                    let document = with(&part, &pointer, value);
                    let batch: Batch = from_slice(&serde_json::to_vec(&document).unwrap()).unwrap();
                    let violations = batch
                        .validate()
                        .into_iter()
                        .filter(|violation| !violation.rule.is_advice());
                    let found: Vec<_> =
                        violations.map(|violation| (violation.pointer, violation.rule)).collect();
                    assert_eq!(
                        found.is_empty(),
                        BATCH_VALIDATOR.is_valid(&document),
                        "{pointer}: {found:?}"
                    );
                    found
                };
                assert_eq!(check(on), []);
                assert_eq!(check(beyond), [(format!("{pointer}{below}"), rule)]);
                cases += 1;
            }
        }
    }
    assert!(cases > 100, "{cases}");
}

/// The content of a violation except its text.
type Said = (&'static str, Rule, Option<(u64, u64)>, Severity);

fn said(violation: &Violation) -> (&str, Rule, Option<(u64, u64)>, Severity) {
    (&violation.pointer, violation.rule, violation.limit.zip(violation.actual), violation.severity)
}

fn batch() -> Batch {
    Batch::new(Environment::Production)
}

fn custom(name: &str) -> CustomEvent {
    CustomEvent::new(name, CustomEventType::Other)
}

fn names(count: usize) -> impl Iterator<Item = (String, u32)> {
    (0..count).map(|index| (format!("n{index}"), 1))
}

fn long(len: usize) -> String {
    "ü".repeat(len)
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn each_violation_is_reported_with_its_place_and_measure() {
    use Severity::{Error, Warning};
    let event = |event: Event| batch().with_event(event);
    let unknown = |data: Value| {
        event(Event::Unknown { event_type: "new".to_owned(), data, extra: Extra::default() })
    };
    let coordinates = |latitude: f64| mparticle_models::GeoLocation::new(latitude, 0.0);
    let cases: Vec<(Batch, Said)> = vec![
        (
            event(
                CommerceEvent::product(
                    ProductAction::new(ProductActionKind::Purchase).with_total_amount(f64::NAN),
                )
                .into(),
            ),
            ("/events/0/data/product_action/total_amount", Rule::Finite, None, Error),
        ),
        (
            event(SessionStartEvent::new().with_location(coordinates(f64::INFINITY)).into()),
            ("/events/0/data/location/latitude", Rule::Finite, None, Error),
        ),
        (
            event(custom("a").with_custom_attribute("x/~y", f64::NEG_INFINITY).into()),
            ("/events/0/data/custom_attributes/x~1~0y", Rule::Finite, None, Error),
        ),
        (
            batch().with_user_attribute("list", vec![1.0, f64::NAN]),
            ("/user_attributes/list/1", Rule::Finite, None, Error),
        ),
        (
            event(custom(&long(257)).into()),
            ("/events/0/data/event_name", Rule::MaxLength, Some((256, 257)), Warning),
        ),
        (
            event(ScreenViewEvent::new(long(300)).into()),
            ("/events/0/data/screen_name", Rule::MaxLength, Some((256, 300)), Warning),
        ),
        (
            event(custom("a").with_custom_attribute("v", long(4097)).into()),
            ("/events/0/data/custom_attributes/v", Rule::MaxLength, Some((4096, 4097)), Warning),
        ),
        (
            event(custom("a").with_custom_attributes(names(101)).into()),
            ("/events/0/data/custom_attributes", Rule::MaxProperties, Some((100, 101)), Warning),
        ),
        (
            batch().with_user_attributes(names(102)),
            ("/user_attributes", Rule::MaxProperties, Some((100, 102)), Warning),
        ),
        (
            batch().with_user_attribute("v", long(4097)),
            ("/user_attributes/v", Rule::MaxLength, Some((4096, 4097)), Warning),
        ),
        (
            batch().with_user_attribute("v", vec![0; 1001]),
            ("/user_attributes/v", Rule::MaxItems, Some((1000, 1001)), Warning),
        ),
        (
            batch().with_user_attribute("v", vec!["a".to_owned(), long(513)]),
            ("/user_attributes/v/1", Rule::MaxLength, Some((512, 513)), Warning),
        ),
        (
            batch().with_deleted_user_attributes(["a".to_owned(), long(257)]),
            ("/deleted_user_attributes/1", Rule::MaxLength, Some((256, 257)), Warning),
        ),
        (
            batch().with_user_identities(UserIdentities::new().with_email(long(257))),
            ("/user_identities/email", Rule::MaxLength, Some((256, 257)), Warning),
        ),
        (
            event(
                SessionEndEvent::new(1)
                    .with_timestamp_unixtime_ms(UnixMillis::from_millis(1_552_596_256))
                    .into(),
            ),
            ("/events/0/data/timestamp_unixtime_ms", Rule::UnixMillis, None, Warning),
        ),
        (
            event(
                CommerceEvent::product(ProductAction::new(ProductActionKind::Click))
                    .with_promotion_action(PromotionAction::new(PromotionActionKind::View))
                    .into(),
            ),
            ("/events/0/data", Rule::ExactlyOneOf, Some((1, 2)), Warning),
        ),
        (
            event(CommerceEvent::new().into()),
            ("/events/0/data", Rule::ExactlyOneOf, Some((1, 0)), Warning),
        ),
        (
            batch().with_mp_deviceid("59780f39-d7a0-4ebe-9950"),
            ("/mp_deviceid", Rule::Uuid, None, Warning),
        ),
        (
            batch().with_device_info(
                DeviceInformation::new()
                    .with_ios_advertising_id("g7d2ebaa-e956-407e-a1e6-f05f871bf4e2"),
            ),
            ("/device_info/ios_advertising_id", Rule::Uuid, None, Warning),
        ),
        (batch().with_ip("256.0.0.1"), ("/ip", Rule::Ip, None, Warning)),
        (Batch::new("staging"), ("/environment", Rule::Enum, None, Error)),
        (
            event(CustomEvent::new("a", "of_my_own").into()),
            ("/events/0/data/custom_event_type", Rule::Enum, None, Error),
        ),
        (from_slice(b"{}").unwrap(), ("/environment", Rule::Required, None, Error)),
        (unknown(json!([])), ("/events/0/data", Rule::Type, None, Error)),
    ];
    for (batch, expected) in cases {
        let violations = batch.validate();
        assert_eq!(violations.iter().map(said).collect::<Vec<_>>(), [expected]);
        let shown = violations[0].to_string();
        assert!(shown.starts_with(expected.0) && shown.contains(expected.1.as_str()), "{shown}");
        assert!(
            expected.2.is_none_or(|(limit, actual)| {
                let both = [limit, actual].map(|size| shown.contains(&size.to_string()));
                expected.1 == Rule::ExactlyOneOf || both == [true; 2]
            }),
            "{shown}"
        );
    }
}

#[test]
fn names_that_are_too_long_are_reported_one_by_one() {
    let name = long(257);
    let event = custom("a").with_custom_attribute(&*name, 1).with_custom_attribute("b", 1);
    let violations = batch().with_event(event).with_user_attribute(&*name, 1).validate();
    let expected = |map: &str| {
        (format!("{map}/{name}"), Rule::PropertyNames, Some((256, 257)), Severity::Warning)
    };
    let found: Vec<_> = violations
        .iter()
        .map(|v| (v.pointer.clone(), v.rule, v.limit.zip(v.actual), v.severity))
        .collect();
    assert_eq!(found, [expected("/events/0/data/custom_attributes"), expected("/user_attributes")]);
}

#[test]
fn all_violations_are_reported_at_once() {
    let seconds = UnixMillis::from_millis(1_600_000_000);
    let product =
        Product::new().with_id("p").with_price(f64::NAN).with_added_to_cart_time_ms(seconds);
    let commerce = CommerceEvent::purchase("t", [product])
        .with_product_impressions([ProductImpression::new("l")]);
    let batch = Batch::new("staging")
        .with_event(custom(&long(257)).with_session_uuid("s"))
        .with_event(commerce.with_custom_attributes(names(101)))
        .with_ip("here");
    let pointers: Vec<_> =
        batch.validate().into_iter().map(|violation| (violation.pointer, violation.rule)).collect();
    let expected = [
        ("/environment", Rule::Enum),
        ("/events/0/data/event_name", Rule::MaxLength),
        ("/events/0/data/session_uuid", Rule::Uuid),
        ("/events/1/data", Rule::ExactlyOneOf),
        ("/events/1/data/custom_attributes", Rule::MaxProperties),
        ("/events/1/data/product_action/products/0/added_to_cart_time_ms", Rule::UnixMillis),
        ("/events/1/data/product_action/products/0/price", Rule::Finite),
        ("/ip", Rule::Ip),
    ];
    assert_eq!(sorted(pointers), expected.map(|(pointer, rule)| (pointer.to_owned(), rule)));
}

fn sorted(mut violations: Vec<(String, Rule)>) -> Vec<(String, Rule)> {
    violations.sort_by(|(a, _), (b, _)| a.cmp(b));
    violations
}

#[test]
fn a_value_at_its_limit_is_not_a_violation() {
    let common = CommonEventData::new()
        .with_timestamp_unixtime_ms(UnixMillis::from_millis(0))
        .with_custom_attributes(names(99))
        .with_custom_attribute(long(256), long(4096));
    let mut event = custom(&long(256));
    event.common = common;
    let batch = batch()
        .with_event(event)
        .with_user_attributes(names(98))
        .with_user_attribute("list", vec![long(512); 1000])
        .with_user_attribute(long(256), "😀".repeat(4096))
        .with_user_identities(UserIdentities::new().with_customer_id(long(256)));
    assert_eq!(batch.validate(), []);
}
