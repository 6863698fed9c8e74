//! Tests of creating, converting and writing values.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    AttributeValue, BooleanOrText, Breadcrumb, DurationMillis, Enveloped, Extra, Number,
    OutOfRange, Scalar, TextValue, UnixMillis, try_attributes,
};
use crate::support::{Place, Report, Validate, read};

fn written(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap()
}

#[test]
fn a_scalar_becomes_json() {
    let cases = [
        (Scalar::Null, json!(null)),
        (true.into(), json!(true)),
        ((-1).into(), json!(-1)),
        (u64::MAX.into(), json!(u64::MAX)),
        (1.5.into(), json!(1.5)),
        (f64::NAN.into(), json!(null)),
        ("text".into(), json!("text")),
    ];
    for (scalar, expected) in cases {
        assert_eq!(Value::from(scalar), expected);
    }
}

#[test]
fn a_scalar_is_created_from_the_usual_types_and_written_like_them() {
    let text = "gold".to_owned();
    for (scalar, json) in [
        (Scalar::from(true), "true"),
        (Scalar::from(i8::MIN), "-128"),
        (Scalar::from(i16::MIN), "-32768"),
        (Scalar::from(i32::MIN), "-2147483648"),
        (Scalar::from(i64::MIN), "-9223372036854775808"),
        (Scalar::from(isize::MIN), "-9223372036854775808"),
        (Scalar::from(u8::MAX), "255"),
        (Scalar::from(u16::MAX), "65535"),
        (Scalar::from(u32::MAX), "4294967295"),
        (Scalar::from(u64::MAX), "18446744073709551615"),
        (Scalar::from(usize::MAX), "18446744073709551615"),
        (Scalar::from(0.5_f32), "0.5"),
        (Scalar::from(0.1_f64), "0.1"),
        (Scalar::from(1.0_f64), "1.0"),
        (Scalar::from(Number::from(1)), "1"),
        (Scalar::from(serde_json::Number::from(u64::MAX)), "18446744073709551615"),
        (Scalar::from("gold"), r#""gold""#),
        (Scalar::from(&text), r#""gold""#),
        (Scalar::from(text.clone()), r#""gold""#),
        (Scalar::from('g'), r#""g""#),
        (Scalar::from(Cow::Borrowed("gold")), r#""gold""#),
        (Scalar::from(None::<&str>), "null"),
        (Scalar::from(Some(1)), "1"),
        (Scalar::default(), "null"),
    ] {
        assert_eq!(written(&scalar), json);
        assert_eq!(serde_json::from_str::<Scalar>(json).unwrap(), scalar, "{json}");
        assert_eq!(written(&AttributeValue::Scalar(scalar)), json);
    }
}

#[test]
fn an_attribute_value_is_created_from_scalars_and_lists() {
    for (value, json) in [
        (AttributeValue::from("gold"), r#""gold""#),
        (AttributeValue::from(7_u64), "7"),
        (AttributeValue::from(None::<Vec<&str>>), "null"),
        (AttributeValue::from(Some(vec![1, 2])), "[1,2]"),
        (AttributeValue::from(["a", "b"]), r#"["a","b"]"#),
        (AttributeValue::from(&[1.5, 2.5][..]), "[1.5,2.5]"),
        (AttributeValue::from(vec![Some(true), None]), "[true,null]"),
        (AttributeValue::default(), "null"),
    ] {
        assert_eq!(written(&value), json);
        assert_eq!(serde_json::from_str::<AttributeValue>(json).unwrap(), value, "{json}");
    }
}

#[test]
fn accessors_return_only_values_of_their_own_type() {
    for (value, boolean, integer, float, text) in [
        (Scalar::Null, None, None, None, None),
        (true.into(), Some(true), None, None, None),
        (i64::MAX.into(), None, Some(i64::MAX), Some(9_223_372_036_854_775_807.0), None),
        (u64::MAX.into(), None, None, Some(18_446_744_073_709_551_615.0), None),
        (1.0.into(), None, None, Some(1.0), None),
        ("1".into(), None, None, None, Some("1")),
    ] {
        assert_eq!(value.as_bool(), boolean, "{value:?}");
        assert_eq!(value.as_i64(), integer, "{value:?}");
        assert_eq!(value.as_f64(), float, "{value:?}");
        assert_eq!(value.as_str(), text, "{value:?}");
        assert_eq!(value.is_null(), value == Scalar::Null);
        let value = AttributeValue::from(value);
        assert_eq!(value.as_bool(), boolean, "{value:?}");
        assert_eq!(value.as_i64(), integer, "{value:?}");
        assert_eq!(value.as_f64(), float, "{value:?}");
        assert_eq!(value.as_str(), text, "{value:?}");
        assert_eq!(value.as_list(), None);
    }
    let list = AttributeValue::from(["a"]);
    assert_eq!(list.as_list(), Some(&["a".into()][..]));
    assert_eq!((list.as_scalar(), list.as_str(), list.is_null()), (None, None, false));
}

#[test]
fn a_json_value_becomes_a_scalar_unless_it_has_structure() {
    for (value, scalar) in [
        (json!(null), Ok(Scalar::Null)),
        (json!(true), Ok(true.into())),
        (json!(i64::MIN), Ok(i64::MIN.into())),
        (json!(0.5), Ok(0.5.into())),
        (json!("a"), Ok("a".into())),
        (json!(["a"]), Err("expected null, a boolean, a number or a string, found a list")),
        (json!({}), Err("expected null, a boolean, a number or a string, found an object")),
    ] {
        let converted = Scalar::try_from(value.clone()).map_err(|error| error.to_string());
        assert_eq!(converted, scalar.map_err(str::to_owned), "{value}");
    }
    assert_eq!(AttributeValue::try_from(json!([1, null])).unwrap(), vec![Some(1), None].into());
    assert!(AttributeValue::try_from(json!([[]])).is_err());
    assert!(AttributeValue::try_from(json!({})).is_err());
}

#[test]
fn equal_integers_of_all_types_have_one_form() {
    assert_eq!(Number::from(1_u64), Number::from(1_i8));
    assert_ne!(Number::from(1), Number::from(1.0));
    for (number, signed, unsigned) in [
        (Number::from(-1), Some(-1), None),
        (Number::from(1_u64), Some(1), Some(1)),
        (Number::from(u64::MAX), None, Some(u64::MAX)),
        (Number::from(1.0), None, None),
    ] {
        assert_eq!((number.as_i64(), number.as_u64()), (signed, unsigned), "{number}");
    }
}

#[test]
fn writing_a_number_that_is_not_finite_is_an_error() {
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let scalar = Scalar::from(number);
        assert!(!Number::from(number).is_finite());
        let error = serde_json::to_string(&scalar).unwrap_err();
        assert_eq!(error.to_string(), format!("JSON cannot represent the number {number}"));
        assert!(serde_json::to_value(AttributeValue::from(vec![number])).is_err());
    }
}

#[test]
fn a_boolean_or_text_is_written_as_a_boolean_or_text() {
    for (value, json) in [
        (BooleanOrText::from(true), "true"),
        (BooleanOrText::from("False"), "false"),
        (BooleanOrText::from("searching"), r#""searching""#),
        (BooleanOrText::from("TRUE".to_owned()), "true"),
        (BooleanOrText::from("on".to_owned()), r#""on""#),
    ] {
        assert_eq!(written(&value), json);
        assert_eq!(value.as_bool(), json.parse().ok());
    }
}

#[test]
fn times_are_created_with_their_unit() {
    assert_eq!(UnixMillis::from_millis(1_500).as_millis(), 1_500);
    assert_eq!(UnixMillis::from_secs(-2).as_millis(), -2_000);
    assert_eq!(UnixMillis::from_secs(i64::MAX).as_millis(), i64::MAX);
    assert_eq!(UnixMillis::from_secs(i64::MIN).as_millis(), i64::MIN);
    assert_eq!(i64::from(UnixMillis::from_millis(7)), 7);
    assert_eq!(UnixMillis::from_millis(-7).to_string(), "-7");
    assert_eq!(written(&UnixMillis::from_millis(1_700_000_000_000)), "1700000000000");
    assert!(UnixMillis::now() > UnixMillis::from_secs(1_700_000_000));
}

#[test]
fn the_system_clock_is_converted_there_and_back() {
    let epoch = SystemTime::UNIX_EPOCH;
    for (time, millis) in [
        (epoch, 0),
        (epoch + Duration::from_micros(1_999), 1),
        (epoch - Duration::from_micros(1), -1),
        (epoch - Duration::from_millis(1), -1),
        (epoch - Duration::from_micros(1_001), -2),
        (epoch + Duration::from_millis(1_700_000_000_123), 1_700_000_000_123),
    ] {
        assert_eq!(UnixMillis::from(time).as_millis(), millis, "{time:?}");
        let back = UnixMillis::from_millis(millis).to_system_time().unwrap();
        assert_eq!(UnixMillis::from(back).as_millis(), millis);
    }
    assert_eq!(SystemTime::from(UnixMillis::from_millis(-1)), epoch - Duration::from_millis(1));
}

#[test]
fn arithmetic_with_durations_rounds_down_and_saturates() {
    let at = UnixMillis::from_millis;
    for (millis, duration, sum, difference) in [
        (0, Duration::ZERO, 0, 0),
        (1_000, Duration::from_millis(1_500), 2_500, -500),
        (10, Duration::from_micros(1_500), 11, 8),
        (-10, Duration::from_nanos(1), -10, -11),
        (i64::MAX, Duration::from_secs(1), i64::MAX, i64::MAX - 1_000),
        (i64::MIN, Duration::from_secs(1), i64::MIN + 1_000, i64::MIN),
        (0, Duration::MAX, i64::MAX, -i64::MAX),
    ] {
        assert_eq!(at(millis) + duration, at(sum), "{millis} + {duration:?}");
        assert_eq!(at(millis) - duration, at(difference), "{millis} - {duration:?}");
        let (mut more, mut less) = (at(millis), at(millis));
        more += duration;
        less -= duration;
        assert_eq!((more, less), (at(sum), at(difference)));
    }
}

#[test]
fn the_difference_of_two_times_is_a_duration_and_never_negative() {
    let at = UnixMillis::from_millis;
    assert_eq!(at(2_500) - at(-500), Duration::from_secs(3));
    assert_eq!(at(-500) - at(2_500), Duration::ZERO);
    assert_eq!(at(i64::MAX) - at(i64::MIN), Duration::from_millis(u64::MAX));
    assert_eq!(at(3).checked_duration_since(at(1)), Some(Duration::from_millis(2)));
    assert_eq!(at(3).checked_duration_since(at(3)), Some(Duration::ZERO));
    assert_eq!(at(1).checked_duration_since(at(3)), None);
}

#[test]
fn a_length_of_time_is_created_from_a_duration_and_read_as_an_integer() {
    for (length, millis) in [
        (DurationMillis::from(Duration::from_micros(1_999)), 1),
        (DurationMillis::from(Duration::from_secs(2)), 2_000),
        (DurationMillis::from(Duration::MAX), i64::MAX),
        (DurationMillis::from(-7), -7),
    ] {
        assert_eq!(length, DurationMillis::from_millis(millis));
        assert_eq!((length.as_millis(), i64::from(length)), (millis, millis));
        assert_eq!(length.to_duration(), u64::try_from(millis).ok().map(Duration::from_millis));
        let json = written(&length);
        assert_eq!(json, millis.to_string());
        assert_eq!(serde_json::from_str::<DurationMillis>(&json).unwrap(), length);
        let text = format!(r#""{length}""#);
        assert_eq!(serde_json::from_str::<DurationMillis>(&text).unwrap(), length);
    }
}

#[test]
fn single_precision_numbers_are_written_as_the_shortest_text_that_is_the_same_number() {
    for (number, json) in [
        (0.2_f32, "0.2"),
        (-19.99, "-19.99"),
        (16_777_216.0, "16777216.0"),
        (1e-10, "1e-10"),
        (f32::MAX, "3.4028235e+38"),
    ] {
        assert_eq!(written(&Scalar::from(number)), json);
        assert_eq!(json.parse::<f32>().unwrap().to_bits(), number.to_bits(), "{json}");
    }
    assert!(!Number::from(f32::NAN).is_finite());
    assert!(!Number::from(f32::NEG_INFINITY).is_finite());
}

#[test]
fn numbers_and_booleans_become_the_text_of_an_attribute_that_holds_text() {
    let text = |value: TextValue| Option::<String>::from(value);
    for (value, expected) in [
        (TextValue::from("green"), Some("green")),
        ("green".to_owned().into(), Some("green")),
        ('g'.into(), Some("g")),
        (Cow::Borrowed("green").into(), Some("green")),
        (44.into(), Some("44")),
        (u64::MAX.into(), Some("18446744073709551615")),
        (0.2_f32.into(), Some("0.2")),
        (19.5.into(), Some("19.5")),
        (2.0.into(), Some("2")),
        (true.into(), Some("true")),
        (Some("green").into(), Some("green")),
        (None::<bool>.into(), None),
        (Scalar::Null.into(), None),
        (Scalar::from(7).into(), Some("7")),
        (Scalar::from(false).into(), Some("false")),
        (Scalar::from("x").into(), Some("x")),
        (TextValue::default(), None),
    ] {
        assert_eq!(text(value).as_deref(), expected);
    }
}

#[test]
fn attributes_from_json_are_converted_or_the_error_names_the_attribute() {
    let json = |value: Value| value.as_object().unwrap().clone();
    let good = json(json!({ "a": 1, "b": [true, null], "c": "x" }));
    let converted: BTreeMap<_, AttributeValue> =
        try_attributes::<AttributeValue, _>(good.clone()).unwrap();
    assert_eq!(serde_json::to_value(converted).unwrap(), Value::Object(good.clone()));

    let error = try_attributes::<Scalar, Scalar>(good).unwrap_err();
    assert_eq!(error.name(), "b");
    let message = "attribute `b`: expected null, a boolean, a number or a string, found a list";
    assert_eq!(error.to_string(), message);

    let texts = json(json!({ "a": 1, "b": null, "c": "x" }));
    let texts: BTreeMap<_, Option<String>> = try_attributes::<TextValue, _>(texts).unwrap();
    assert_eq!(serde_json::to_value(texts).unwrap(), json!({ "a": "1", "b": null, "c": "x" }));
    let nested = json(json!({ "secret": { "k": 1 } }));
    let error = try_attributes::<TextValue, Option<String>>(nested).unwrap_err();
    assert_eq!(error.name(), "secret");
}

#[cfg(feature = "time")]
#[test]
fn times_of_the_crate_time_are_converted() {
    use time::{Duration, OffsetDateTime};
    for micros in [0, 1_999, -1, -1_001, 1_700_000_000_123_456] {
        let time = OffsetDateTime::UNIX_EPOCH + Duration::microseconds(micros);
        let millis = UnixMillis::from(time);
        assert_eq!(millis.as_millis(), micros.div_euclid(1000), "{micros}");
        assert_eq!(UnixMillis::from(OffsetDateTime::try_from(millis).unwrap()), millis);
    }
    let error = OffsetDateTime::try_from(UnixMillis::from_millis(i64::MAX)).unwrap_err();
    assert_eq!(error, OutOfRange(UnixMillis::from_millis(i64::MAX)));
}

#[cfg(feature = "chrono")]
#[test]
fn times_of_the_crate_chrono_are_converted() {
    use chrono::{DateTime, Utc};
    for micros in [0, 1_999, -1, -1_001, 1_700_000_000_123_456] {
        let millis = UnixMillis::from(DateTime::from_timestamp_micros(micros).unwrap());
        assert_eq!(millis.as_millis(), micros.div_euclid(1000), "{micros}");
        assert_eq!(UnixMillis::from(DateTime::<Utc>::try_from(millis).unwrap()), millis);
    }
    assert!(DateTime::<Utc>::try_from(UnixMillis::from_millis(i64::MAX)).is_err());
}

#[cfg(feature = "jiff")]
#[test]
fn times_of_the_crate_jiff_are_converted() {
    use jiff::Timestamp;
    for micros in [0, 1_999, -1, -1_001, 1_700_000_000_123_456] {
        let time = Timestamp::from_microsecond(micros).unwrap();
        let millis = UnixMillis::from(time);
        assert_eq!(millis.as_millis(), micros.div_euclid(1000), "{micros}");
        assert_eq!(UnixMillis::from(time.to_zoned(jiff::tz::TimeZone::UTC)), millis);
        assert_eq!(UnixMillis::from(Timestamp::try_from(millis).unwrap()), millis);
    }
    let error = Timestamp::try_from(UnixMillis::from_millis(i64::MAX)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "9223372036854775807 milliseconds since 1970 are outside the range of the target type"
    );
}

#[test]
fn extra_fields_behave_as_a_map() {
    let mut extra: Extra = [("b", 1), ("a", 2)].into_iter().collect();
    extra.insert("c".to_owned(), Value::Null);
    assert_eq!(written(&extra), r#"{"a":2,"b":1,"c":null}"#);
    assert_eq!((&extra).into_iter().count(), 3);
    assert_eq!(extra.into_iter().map(|(key, _)| key).collect::<String>(), "abc");
}

/// The data of a breadcrumb.
#[derive(Clone, Debug, PartialEq, serde::Serialize, Deserialize)]
struct Crumb {
    #[serde(deserialize_with = "read::required")]
    label: String,
    #[serde(flatten)]
    extra: Extra,
    #[serde(skip)]
    envelope: Extra,
}

impl Enveloped for Crumb {
    fn envelope(&self) -> &Extra {
        &self.envelope
    }

    fn envelope_mut(&mut self) -> &mut Extra {
        &mut self.envelope
    }
}

impl Validate for Crumb {
    fn check(&self, _: &Place<'_>, _: &mut Report) {}
}

fn crumb(extra: &[(&str, i32)], envelope: &[(&str, i32)]) -> Crumb {
    Crumb {
        label: "l".into(),
        extra: extra.iter().copied().collect(),
        envelope: envelope.iter().copied().collect(),
    }
}

#[test]
fn the_three_shapes_of_a_breadcrumb_are_written_back_as_read() {
    let enveloped = r#"{"event_type":"breadcrumb","data":{"label":"l"}}"#;
    for (json, breadcrumb, back) in [
        (enveloped, Breadcrumb::Event(crumb(&[], &[])), enveloped),
        (r#"{"data":{"label":"l"}}"#, Breadcrumb::Event(crumb(&[], &[])), enveloped),
        (
            r#"{"x":1,"data":{"label":"l","y":2},"event_type":"BREADCRUMB"}"#,
            Breadcrumb::Event(crumb(&[("y", 2)], &[("x", 1)])),
            r#"{"event_type":"breadcrumb","data":{"label":"l","y":2},"x":1}"#,
        ),
        (r#"{"label":"l"}"#, Breadcrumb::Data(crumb(&[], &[])), r#"{"label":"l"}"#),
        (
            r#"{"label":"l","data":7}"#,
            Breadcrumb::Data(crumb(&[("data", 7)], &[])),
            r#"{"label":"l","data":7}"#,
        ),
        (r#""l""#, Breadcrumb::Text("l".into()), r#""l""#),
        (r#""""#, Breadcrumb::Text(String::new()), r#""""#),
        ("12", Breadcrumb::Text("12".into()), r#""12""#),
    ] {
        let read: Breadcrumb<Crumb> = serde_json::from_str(json).unwrap();
        assert_eq!(read, breadcrumb, "{json}");
        assert_eq!(written(&read), back, "{json}");
    }
    assert_eq!(Breadcrumb::from(crumb(&[], &[])), Breadcrumb::Event(crumb(&[], &[])));
}

#[test]
fn an_empty_breadcrumb_is_kept_and_reported() {
    let breadcrumb: Breadcrumb<Crumb> = serde_json::from_str("{}").unwrap();
    assert_eq!(breadcrumb, Breadcrumb::Empty);
    assert_eq!(serde_json::to_string(&breadcrumb).unwrap(), "{}");
    let violations = crate::support::validate::run(&breadcrumb);
    let found: Vec<_> =
        violations.iter().map(|found| (found.pointer.as_str(), found.rule)).collect();
    assert_eq!(found, [("/label", crate::support::Rule::Required)]);
}

#[test]
fn a_breadcrumb_of_another_shape_is_refused() {
    for (json, message) in [
        ("null", "expected a breadcrumb event or a string, found null or an empty string"),
        ("[]", "expected a breadcrumb event or a string, found a list"),
        (r#"{"event_type":"breadcrumb"}"#, "missing field `label`"),
        (r#"{"event_type":"breadcrumb","data":{}}"#, "missing field `label`"),
        (
            r#"{"event_type":"custom_event","data":{"label":"l"}}"#,
            "expected an event of type `breadcrumb`, found one of another type",
        ),
        (r#"{"data":{"label":"l"},"data":null}"#, "repeated key `data`"),
        (r#"{"data":{"label":"l"},"x":1,"x":2}"#, "repeated key `x`"),
        (
            r#"{"event_type":"breadcrumb","event_type":"breadcrumb","data":{"label":"l"}}"#,
            "repeated key `event_type`",
        ),
    ] {
        let error = serde_json::from_str::<Breadcrumb<Crumb>>(json).unwrap_err().to_string();
        assert!(error.starts_with(message), "{json}: {error}");
    }
}
