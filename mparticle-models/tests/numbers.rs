//! Numbers are exact after a round trip, and numbers that JSON cannot represent are never written.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use mparticle_models::{
    Batch, CommerceEvent, CrashReportEvent, CustomEvent, CustomEventType, Environment, Event,
    GeoLocation, Product, ProductAction, ProductActionKind, Scalar, SessionStartEvent, UnixMillis,
    from_slice,
};
use serde_json::json;

fn batch() -> Batch {
    Batch::new(Environment::Development)
}

fn custom() -> CustomEvent {
    CustomEvent::new("e", CustomEventType::Other)
}

fn again(batch: &Batch) -> Batch {
    from_slice(&batch.to_vec().unwrap()).unwrap()
}

#[test]
fn integers_of_64_bits_stay_exact_at_every_place() {
    for number in
        [i64::MIN, i64::MIN + 1, -9_007_199_254_740_993, -1, 0, 9_007_199_254_740_993, i64::MAX]
    {
        let start = SessionStartEvent::new()
            .with_session_id(number)
            .with_timestamp_unixtime_ms(UnixMillis::from_millis(number));
        let batch = batch()
            .with_mpid(number)
            .with_user_attribute("scalar", number)
            .with_user_attribute("list", [number])
            .with_event(start)
            .with_event(custom().with_custom_attribute("a", number).with_custom_flag("f", number));
        assert_eq!(again(&batch), batch);
        let text = String::from_utf8(batch.to_vec().unwrap()).unwrap();
        assert_eq!(text.matches(&number.to_string()).count(), 7, "{text}");
        let from_texts = text.replace(&format!(":{number}"), &format!(":\"{number}\""));
        let read: Batch = from_slice(from_texts.as_bytes()).unwrap();
        assert_eq!((read.mpid, &read.events[0]), (Some(number), &batch.events[0]), "{from_texts}");
    }
}

#[test]
fn unsigned_integers_of_64_bits_stay_exact() {
    for number in [0, u64::from(u32::MAX), i64::MAX as u64 + 1, u64::MAX] {
        let crash =
            CrashReportEvent::new().with_ios_image_base_address(number).with_ios_image_size(number);
        let batch = batch()
            .with_event(crash.with_custom_attribute("a", number))
            .with_user_attribute("u", number);
        assert_eq!(again(&batch), batch);
        let text = String::from_utf8(batch.to_vec().unwrap()).unwrap();
        assert_eq!(text.matches(&number.to_string()).count(), 4, "{text}");
    }
}

#[test]
fn integers_out_of_range_are_refused_rather_than_rounded() {
    let cases = [
        (r#"{"mpid":9223372036854775808}"#, "/mpid"),
        (r#"{"mpid":"9223372036854775808"}"#, "/mpid"),
        (r#"{"mpid":-9223372036854775809}"#, "/mpid"),
        (r#"{"mpid":1.5}"#, "/mpid"),
        (r#"{"mpid":1e19}"#, "/mpid"),
        (r#"{"mpid":9007199254740993.0}"#, "/mpid"),
        (
            r#"{"events":[{"event_type":"crash_report","data":{"ios_image_size":-1}}]}"#,
            "/events/0/data/ios_image_size",
        ),
        (
            r#"{"events":[{"event_type":"crash_report","data":{"ios_image_size":18446744073709551616}}]}"#,
            "/events/0/data/ios_image_size",
        ),
    ];
    for (text, pointer) in cases {
        assert_eq!(from_slice::<Batch>(text.as_bytes()).unwrap_err().pointer(), pointer, "{text}");
    }
}

#[test]
fn floating_point_numbers_are_read_back_exactly() {
    let numbers = [
        0.1,
        -1.0 / 3.0,
        40.712_812_345_678_91,
        f64::MIN_POSITIVE,
        5e-324,
        f64::MAX,
        f64::EPSILON,
        1.0 + f64::EPSILON,
        9_007_199_254_740_993.0,
        1e23,
        8.41e21,
        2.0_f64.powi(-1074),
        123_456_789.123_456_79,
    ];
    for number in numbers {
        let batch = batch()
            .with_event(SessionStartEvent::new().with_location(GeoLocation::new(number, -number)))
            .with_event(custom().with_custom_attribute("a", number))
            .with_user_attribute("u", [number]);
        let again = again(&batch);
        assert_eq!(again, batch, "{number:e}");
        let location = again.events[0].common().unwrap().location.as_ref().unwrap();
        assert_eq!(location.latitude.map(f64::to_bits), Some(number.to_bits()), "{number:e}");
    }
}

#[test]
fn whole_amounts_are_written_without_a_fraction() {
    let cases = [
        (100.0, "100"),
        (-0.0, "0"),
        (-3.0, "-3"),
        (19.99, "19.99"),
        (9_007_199_254_740_991.0, "9007199254740991"),
        (1e300, "1e300"),
    ];
    for (amount, expected) in cases {
        let product = serde_json::to_string(&Product::new().with_price(amount)).unwrap();
        assert_eq!(product.replace("e+", "e"), format!(r#"{{"price":{expected}}}"#));
    }
}

#[test]
fn a_number_that_is_not_finite_is_an_error_of_writing_and_never_null() {
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let action = ProductAction::new(ProductActionKind::Purchase).with_total_amount(number);
        let batches = vec![
            batch().with_event(CommerceEvent::product(action)),
            batch()
                .with_event(CommerceEvent::purchase("t", [Product::new().with_quantity(number)])),
            batch()
                .with_event(SessionStartEvent::new().with_location(GeoLocation::new(0.0, number))),
            batch().with_event(custom().with_custom_attribute("a", number)),
            batch().with_user_attribute("a", number),
            batch().with_user_attribute("a", vec![number]),
        ];
        for batch in batches {
            let error = batch.to_vec().unwrap_err().to_string();
            assert!(error.contains(&number.to_string()), "{error}");
            assert!(serde_json::to_value(&batch).is_err());
            assert_eq!(batch.validate().len(), 1, "{batch:?}");
        }
    }
}

#[test]
fn attribute_values_keep_the_kind_of_their_number() {
    let cases = [
        ("1", Scalar::from(1)),
        ("1.0", Scalar::from(1.0)),
        ("18446744073709551615", Scalar::from(u64::MAX)),
    ];
    for (text, expected) in cases {
        let event = format!(
            r#"{{"event_type":"first_run","data":{{"custom_attributes":{{"a":{text}}}}}}}"#
        );
        let event = Event::from_str(&event).unwrap();
        assert_eq!(event.common().unwrap().custom_attributes["a"], expected);
        let written = serde_json::to_string(&event).unwrap();
        assert!(written.contains(&format!(r#""a":{text}}}"#)), "{written}");
    }
    assert_ne!(json!(1), json!(1.0));
}
