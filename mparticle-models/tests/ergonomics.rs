//! Tests of typical code: lists of events, optional values, dynamic data, times, enums, identities.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, SystemTime};

use mparticle_models::{
    Batch, CommerceEvent, CustomEvent, CustomEventType, Environment, Event, GeoLocation,
    IdentityType, NetworkPerformanceEvent, OptOutEvent, Product, ScreenViewEvent, SessionEndEvent,
    SessionStartEvent, UnixMillis, UserIdentities, events,
};
use serde_json::{Value, json};

fn batch() -> Batch {
    Batch::new(Environment::Development)
}

fn written(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

#[test]
fn events_of_different_types_are_listed_without_annotations() {
    let batch = batch().with_events(events![
        SessionStartEvent::new(),
        ScreenViewEvent::new("Home"),
        CustomEvent::attribution("p", "c"),
        CommerceEvent::purchase("t-1", [Product::new().with_id("sku-1")]),
        SessionEndEvent::new(Duration::from_secs(2)),
    ]);
    let names: Vec<_> = batch.events.iter().map(Event::event_name).collect();
    assert_eq!(names, ["session_start", "Home", "attribution", "commerce_event", "session_end"]);
    assert_eq!(batch.validate(), []);
}

#[test]
fn an_optional_value_sets_a_field_or_clears_it() {
    let (email, name): (Option<String>, Option<&str>) = (None, Some("42"));
    let user =
        UserIdentities::new().with_email("a@example.com").set_email(email).set_customer_id(name);
    assert_eq!(written(&user), json!({ "customer_id": "42" }));

    let product = Product::new().set_price(Some(5_u64)).set_quantity(None::<f64>);
    assert_eq!(written(&product), json!({ "price": 5 }));
    let batch = batch().with_mpid(7).set_mpid(None).set_user_identities(Some(user));
    assert_eq!((batch.mpid, batch.user_identities.is_some()), (None, true));

    let custom = CustomEvent::new("e", CustomEventType::Other)
        .set_timestamp_unixtime_ms(Some(UnixMillis::from_secs(1_700_000_000)))
        .set_location(None::<GeoLocation>);
    assert_eq!(custom.common.timestamp_unixtime_ms.unwrap().as_millis(), 1_700_000_000_000);
}

#[test]
fn attributes_come_from_any_pairs_and_from_json_with_the_name_in_the_error() {
    let texts = HashMap::from([("plan".to_owned(), "gold".to_owned())]);
    let numbers = vec![("score", 1.5_f32), ("level", 3.0)];
    let batch = batch().with_user_attributes(&texts);
    assert_eq!(written(&batch.user_attributes), json!({ "plan": "gold" }));
    let batch = batch.with_user_attributes(numbers);
    assert_eq!(written(&batch.user_attributes), json!({ "level": 3.0, "score": 1.5 }));

    let dynamic: HashMap<String, Value> =
        HashMap::from([("tags".to_owned(), json!(["a", 1, null])), ("age".to_owned(), json!(42))]);
    let batch = batch.try_with_user_attributes(dynamic.clone()).unwrap();
    assert_eq!(written(&batch.user_attributes), json!({ "age": 42, "tags": ["a", 1, null] }));

    let custom = CustomEvent::new("e", CustomEventType::Other);
    let error = custom.clone().try_with_custom_attributes(dynamic).unwrap_err();
    assert_eq!(error.name(), "tags");
    let object = json!({ "a": 1, "b": null }).as_object().unwrap().clone();
    let custom = custom.try_with_custom_attributes(object).unwrap();
    assert_eq!(written(&custom.common.custom_attributes), json!({ "a": 1, "b": null }));

    let product = Product::new()
        .try_with_custom_attributes([("size", json!(44)), ("new", json!(true))])
        .unwrap()
        .with_custom_attribute("weight", 0.2_f32);
    let expected = json!({ "new": "true", "size": "44", "weight": "0.2" });
    assert_eq!(written(&product.custom_attributes), expected);
    let product = Product::new().with_custom_attributes(BTreeMap::from([("size", 44_u64)]));
    assert_eq!(written(&product.custom_attributes), json!({ "size": "44" }));
}

#[test]
fn amounts_are_taken_from_any_number() {
    let product = Product::new().with_price(0.2_f32).with_quantity(3_u64);
    assert_eq!(written(&product), json!({ "price": 0.2, "quantity": 3 }));
    let product = Product::new().with_price(7_u32).with_quantity(2_usize);
    assert_eq!(written(&product), json!({ "price": 7, "quantity": 2 }));
    assert_eq!(written(&GeoLocation::new(52, 13.4)), json!({ "latitude": 52, "longitude": 13.4 }));
    let status = 204_u16;
    let event = NetworkPerformanceEvent::new("https://example.com", status.into());
    assert_eq!(event.response_code, Some(204));
}

#[test]
fn lengths_of_time_are_durations_or_milliseconds() {
    for event in [
        SessionEndEvent::new(Duration::from_secs(90)),
        SessionEndEvent::new(90_000),
        SessionEndEvent::new(Duration::ZERO).with_session_duration_ms(Duration::from_secs(90)),
    ] {
        assert_eq!(written(&event), json!({ "session_duration_ms": 90_000 }));
    }
}

#[test]
fn times_are_added_subtracted_and_converted() {
    let start = UnixMillis::from_secs(1_700_000_000);
    let end = start + Duration::from_millis(1_500);
    assert_eq!(
        (end - start, end - Duration::from_millis(1_500)),
        (Duration::from_millis(1_500), start)
    );
    let system: SystemTime = end.into();
    assert_eq!(UnixMillis::from(system), end);
    assert_eq!(SystemTime::from(end), system);
}

#[test]
fn enums_are_listed_parsed_and_compared_with_text() {
    assert_eq!(Environment::ALL, [Environment::Production, Environment::Development]);
    for value in CustomEventType::ALL {
        assert!(value.is_known());
        assert_eq!(value.to_string().parse::<CustomEventType>().unwrap(), *value);
    }
    let environment: Environment = "Production".parse().unwrap();
    assert_eq!(environment, "production");
    assert_eq!("production", environment);
    assert_eq!(environment, *"production");
    assert_eq!(*"production", environment);
    assert_ne!(environment, "development");
    let unknown: Environment = "staging".parse().unwrap();
    assert!(!unknown.is_known() && unknown == "staging" && !Environment::ALL.contains(&unknown));
}

#[test]
fn an_event_is_converted_from_the_union_or_the_union_is_returned() {
    let event = Event::from(CustomEvent::new("e", CustomEventType::Other));
    assert_eq!(event.as_custom_event().unwrap().event_name, "e");
    assert!(event.as_screen_view().is_none());
    let same = OptOutEvent::try_from(event.clone()).unwrap_err();
    assert_eq!(same, event);
    assert_eq!(CustomEvent::try_from(event).unwrap().event_name, "e");
}

#[test]
fn identities_are_iterated_by_name_and_unknown_ones_come_last() {
    let mut user = UserIdentities::new().with_email("a@example.com").with_customer_id("42");
    user.extra.insert("fax".to_owned(), json!("1"));
    user.extra.insert("number".to_owned(), json!(2));
    let identities: Vec<_> = user.iter().collect();
    assert_eq!(identities, [("customer_id", "42"), ("email", "a@example.com"), ("fax", "1")]);
    assert!(IdentityType::ALL.iter().any(|kind| kind == "customer_id"));
}

#[test]
fn a_batch_is_written_as_text_and_a_list_of_batches_is_read() {
    let batch = batch().with_event(OptOutEvent::new(true));
    let json = batch.to_json().unwrap();
    assert_eq!(json.as_bytes(), batch.to_vec().unwrap());
    let list = format!("[{json},{json}]");
    assert_eq!(Batch::list_from_slice(list.as_bytes()).unwrap(), [batch.clone(), batch]);
    let error = Batch::list_from_slice(br#"[{},{"mpid":[]}]"#).unwrap_err();
    assert_eq!(error.pointer(), "/1/mpid");
    assert_eq!(
        Batch::list_from_slice(b"{}").unwrap_err().message(),
        "expected a list, found an object"
    );
}

#[test]
fn a_time_in_microseconds_or_nanoseconds_is_distinguished_from_milliseconds() {
    for (time, unit) in [
        (1_700_000_000, "seconds"),
        (1_700_000_000_000_000, "microseconds"),
        (1_700_000_000_000_000_000, "nanoseconds"),
    ] {
        let event =
            SessionStartEvent::new().with_timestamp_unixtime_ms(UnixMillis::from_millis(time));
        let violations = batch().with_event(event).validate();
        let text = format!(
            "/events/0/data/timestamp_unixtime_ms: \
             looks like {unit}; mParticle expects milliseconds (unixMillis)"
        );
        assert_eq!(violations.iter().map(ToString::to_string).collect::<Vec<_>>(), [text]);
    }
}
