//! Tests of every reader with every type of JSON.

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::Deserialize;
use serde::de::value::{Error as ValueError, MapDeserializer};
use serde_json::{Value, json};

use super::primitive::NUMBER_TOKEN;
use super::{
    Buffer, Json, Read, collection, has_arbitrary_precision, identifier, optional, required,
};
use crate::support::values::{AttributeValue, BooleanOrText, Extra, Number, Scalar, UnixMillis};

/// The result of a reader for a JSON text: a value, `None`, or an error with this message.
#[derive(Debug, PartialEq)]
enum Outcome<T> {
    Value(T),
    Nothing,
    Error(&'static str),
}

use Outcome::{Error, Nothing, Value as Is};

fn from_json<T: Read>(json: &str) -> Result<Option<T>, String> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    T::read(&mut deserializer).map_err(|error| message(&error))
}

fn message(error: &serde_json::Error) -> String {
    let message = error.to_string();
    message.split(" at line ").next().unwrap_or_default().to_owned()
}

/// Reads each text directly and through a [`Buffer`], borrowed and owned. The results must be the same.
fn check<T: Read + Debug + PartialEq>(cases: impl IntoIterator<Item = (&'static str, Outcome<T>)>) {
    for (json, outcome) in cases {
        let expected = match outcome {
            Is(value) => Ok(Some(value)),
            Nothing => Ok(None),
            Error(message) => Err(message.to_owned()),
        };
        assert_eq!(from_json::<T>(json), expected, "{json}");

        let buffer: Buffer<'_> = serde_json::from_str(json).unwrap();
        for buffer in [buffer.borrowed(), owned(&buffer)] {
            let read = T::read(buffer.into_deserializer::<serde_json::Error>());
            assert_eq!(read.map_err(|error| message(&error)), expected, "{json} in a buffer");
        }
    }
}

fn owned(buffer: &Buffer<'_>) -> Buffer<'static> {
    match buffer {
        Buffer::Null => Buffer::Null,
        Buffer::Boolean(value) => Buffer::Boolean(*value),
        Buffer::Number(number) => Buffer::Number(*number),
        Buffer::Text(text) => Buffer::Text(text.to_string().into()),
        Buffer::List(items) => Buffer::List(items.iter().map(owned).collect()),
        Buffer::Object(entries) => Buffer::Object(
            entries.iter().map(|(key, value)| (key.to_string().into(), owned(value))).collect(),
        ),
    }
}

#[test]
fn text_keeps_any_scalar() {
    let text = |text: &str| Is(text.to_owned());
    check::<String>([
        ("null", Nothing),
        (r#""""#, text("")),
        (r#""gold""#, text("gold")),
        (r#""g\u00f6ld\n""#, text("göld\n")),
        ("true", text("true")),
        ("false", text("false")),
        ("0", text("0")),
        ("-9223372036854775808", text("-9223372036854775808")),
        ("18446744073709551615", text("18446744073709551615")),
        ("1.5", text("1.5")),
        ("100.0", text("100")),
        ("[]", Error("expected a string, found a list")),
        (r#"["gold"]"#, Error("expected a string, found a list")),
        ("{}", Error("expected a string, found an object")),
        (r#"{"a": 1}"#, Error("expected a string, found an object")),
    ]);
}

#[test]
fn booleans_are_read_from_the_two_words_in_any_letter_case() {
    check([
        ("null", Nothing),
        (r#""""#, Nothing),
        ("true", Is(true)),
        ("false", Is(false)),
        (r#""true""#, Is(true)),
        (r#""False""#, Is(false)),
        (r#""TRUE""#, Is(true)),
        (r#""yes""#, Error("expected a boolean, found a string that is neither true nor false")),
        ("1", Error("expected a boolean, found a number")),
        ("0.5", Error("expected a boolean, found a number")),
        ("[true]", Error("expected a boolean, found a list")),
        ("{}", Error("expected a boolean, found an object")),
    ]);
}

#[test]
fn signed_integers_are_exact_and_may_be_decimal_strings() {
    const PART: &str = "expected a 64-bit integer, found a number with a fraction or out of range";
    const TEXT: &str = "expected a 64-bit integer, found a string that is none";
    check([
        ("null", Nothing),
        (r#""""#, Nothing),
        ("0", Is(0)),
        ("-1", Is(-1)),
        ("9223372036854775807", Is(i64::MAX)),
        ("-9223372036854775808", Is(i64::MIN)),
        ("9007199254740993", Is(9_007_199_254_740_993)),
        (r#""9007199254740993""#, Is(9_007_199_254_740_993)),
        (r#""9223372036854775807""#, Is(i64::MAX)),
        (r#""-9223372036854775808""#, Is(i64::MIN)),
        ("1e3", Is(1000)),
        ("12.0", Is(12)),
        ("-0.0", Is(0)),
        ("-1700000000123.0", Is(-1_700_000_000_123)),
        ("1125899906842624.0", Error(PART)),
        ("9007199254740991.0", Error(PART)),
        ("9223372036854775808", Error(PART)),
        ("-9223372036854775809", Error(PART)),
        ("1e300", Error(PART)),
        ("0.5", Error(PART)),
        (r#""9223372036854775808""#, Error(TEXT)),
        (r#""1e3""#, Error(TEXT)),
        (r#""12.0""#, Error(TEXT)),
        (r#"" 12""#, Error(TEXT)),
        (r#""twelve""#, Error(TEXT)),
        ("true", Error("expected a 64-bit integer, found a boolean")),
        ("[1]", Error("expected a 64-bit integer, found a list")),
        ("{}", Error("expected a 64-bit integer, found an object")),
    ]);
}

#[test]
fn unsigned_integers_are_exact_and_may_be_decimal_strings() {
    const PART: &str =
        "expected an unsigned 64-bit integer, found a number with a fraction or out of range";
    const TEXT: &str = "expected an unsigned 64-bit integer, found a string that is none";
    check([
        ("null", Nothing),
        (r#""""#, Nothing),
        ("0", Is(0)),
        ("18446744073709551615", Is(u64::MAX)),
        (r#""18446744073709551615""#, Is(u64::MAX)),
        ("7.0", Is(7)),
        ("-0.0", Is(0)),
        ("-1", Error(PART)),
        ("-7.0", Error(PART)),
        ("18446744073709551616", Error(PART)),
        (r#""-1""#, Error(TEXT)),
        (r#""18446744073709551616""#, Error(TEXT)),
        ("false", Error("expected an unsigned 64-bit integer, found a boolean")),
        ("[]", Error("expected an unsigned 64-bit integer, found a list")),
        ("{}", Error("expected an unsigned 64-bit integer, found an object")),
    ]);
}

#[test]
fn times_are_read_as_integers_are() {
    check([
        ("null", Nothing),
        (r#""""#, Nothing),
        ("1700000000000", Is(UnixMillis::from_millis(1_700_000_000_000))),
        (r#""1700000000000""#, Is(UnixMillis::from_millis(1_700_000_000_000))),
        ("-5", Is(UnixMillis::from_millis(-5))),
        (
            r#""2023-11-14""#,
            Error(
                "expected milliseconds since 1970 as a 64-bit integer, found a string that is none",
            ),
        ),
        ("{}", Error("expected milliseconds since 1970 as a 64-bit integer, found an object")),
    ]);
}

#[test]
fn amounts_may_be_numeric_strings_but_are_finite() {
    const TEXT: &str = "expected a finite number, found a string that is none";
    check([
        ("null", Nothing),
        (r#""""#, Nothing),
        ("0", Is(0.0)),
        ("-3", Is(-3.0)),
        ("19.99", Is(19.99)),
        ("18446744073709551615", Is(18_446_744_073_709_551_615.0)),
        (r#""19.99""#, Is(19.99)),
        (r#""1e3""#, Is(1000.0)),
        (r#""NaN""#, Error(TEXT)),
        (r#""inf""#, Error(TEXT)),
        (r#""1e999""#, Error(TEXT)),
        (r#""19,99""#, Error(TEXT)),
        ("true", Error("expected a finite number, found a boolean")),
        ("[]", Error("expected a finite number, found a list")),
        ("{}", Error("expected a finite number, found an object")),
    ]);
}

#[test]
fn numbers_keep_the_type_that_they_were_created_from() {
    check([
        ("null", Nothing),
        (r#""""#, Nothing),
        ("-9223372036854775808", Is(i64::MIN.into())),
        ("18446744073709551615", Is(u64::MAX.into())),
        ("1.0", Is(1.0.into())),
        ("1", Is(1_i64.into())),
        (r#""1""#, Error("expected a number, found a string")),
        ("true", Error("expected a number, found a boolean")),
        ("[]", Error("expected a number, found a list")),
        ("{}", Error("expected a number, found an object")),
        ("null", Outcome::<Number>::Nothing),
    ]);
}

#[test]
fn null_is_a_value_of_a_scalar() {
    const EXPECTED_SCALAR_FOUND_LIST: &str =
        "expected null, a boolean, a number or a string, found a list";
    check([
        ("null", Is(Scalar::Null)),
        (r#""""#, Is("".into())),
        (r#""gold""#, Is("gold".into())),
        (r#""12""#, Is("12".into())),
        ("true", Is(true.into())),
        ("-9223372036854775808", Is(i64::MIN.into())),
        ("18446744073709551615", Is(u64::MAX.into())),
        ("0.1", Is(0.1.into())),
        ("[]", Error(EXPECTED_SCALAR_FOUND_LIST)),
        ("{}", Error("expected null, a boolean, a number or a string, found an object")),
    ]);
}

#[test]
fn attribute_values_are_scalars_or_lists_of_scalars() {
    const IN_LIST: &str = "expected null, a boolean, a number or a string, found an object";
    check::<AttributeValue>([
        ("null", Is(None::<bool>.into())),
        (r#""""#, Is("".into())),
        ("false", Is(false.into())),
        ("18446744073709551615", Is(u64::MAX.into())),
        ("[]", Is(AttributeValue::List(Vec::new()))),
        (
            r#"["a", null, 1, true]"#,
            Is(vec!["a".into(), Scalar::Null, 1.into(), true.into()].into()),
        ),
        (r#"["a", {}]"#, Error(IN_LIST)),
        ("[[]]", Error("expected null, a boolean, a number or a string, found a list")),
        ("{}", Error("expected a scalar or a list of scalars, found an object")),
    ]);
}

#[test]
fn a_boolean_or_text_prefers_the_boolean() {
    check::<BooleanOrText>([
        ("null", Nothing),
        (r#""""#, Nothing),
        ("true", Is(true.into())),
        (r#""FALSE""#, Is(BooleanOrText::Boolean(false))),
        (r#""searching""#, Is(BooleanOrText::Text("searching".into()))),
        ("3", Is(BooleanOrText::Text("3".into()))),
        ("[]", Error("expected a boolean or a string, found a list")),
        ("{}", Error("expected a boolean or a string, found an object")),
    ]);
}

#[test]
fn any_json_is_read_unless_a_key_repeats() {
    check([
        ("null", Is(Value::Null)),
        (r#""""#, Is(json!(""))),
        ("true", Is(json!(true))),
        ("-9223372036854775808", Is(json!(i64::MIN))),
        ("18446744073709551615", Is(json!(u64::MAX))),
        ("0.1", Is(json!(0.1))),
        (r#"{"b": [1, {"a": null}], "a": {}}"#, Is(json!({ "b": [1, { "a": null }], "a": {} }))),
    ]);
    for (json, key) in [(r#"{"a": 1, "a": 1}"#, "a"), (r#"[{"x": {"b": 1, "b": null}}]"#, "b")] {
        assert_eq!(from_json::<Value>(json), Err(format!("repeated key `{key}`")), "{json}");
    }
}

#[test]
fn lists_hold_no_nulls_unless_their_items_may_be_null() {
    check::<Vec<i64>>([
        ("null", Nothing),
        (r#""""#, Nothing),
        ("[]", Is(vec![])),
        (r#"[1, "2", 3.0]"#, Is(vec![1, 2, 3])),
        ("[1, null]", Error("expected a 64-bit integer, found null or an empty string")),
        (r#"[1, ""]"#, Error("expected a 64-bit integer, found null or an empty string")),
        ("[1, {}]", Error("expected a 64-bit integer, found an object")),
        (r#""1""#, Error("expected a list, found a string")),
        ("1", Error("expected a list, found a number")),
        ("-1", Error("expected a list, found a number")),
        ("0.1", Error("expected a list, found a number")),
        ("true", Error("expected a list, found a boolean")),
        ("{}", Error("expected a list, found an object")),
    ]);
    check::<Vec<Option<i64>>>([(r#"[1, null, ""]"#, Is(vec![Some(1), None, None]))]);
    check::<Vec<Scalar>>([("[1, null]", Is(vec![1.into(), Scalar::Null]))]);
    check::<Vec<String>>([(r#"["", 1]"#, Is(vec![String::new(), "1".into()]))]);
}

#[test]
fn maps_drop_entries_without_a_value() {
    let map = |entries: &[(&str, f64)]| {
        entries.iter().map(|(key, value)| ((*key).to_owned(), *value)).collect()
    };
    check::<BTreeMap<String, f64>>([
        ("null", Nothing),
        (r#""""#, Nothing),
        ("{}", Is(BTreeMap::new())),
        (r#"{"a": 1, "b": null, "c": "2.5", "d": ""}"#, Is(map(&[("a", 1.0), ("c", 2.5)]))),
        (r#"{"a": []}"#, Error("expected a finite number, found a list")),
        (r#"{"a": 1, "a": 1}"#, Error("repeated key `a`")),
        (r#""a""#, Error("expected an object, found a string")),
        ("1", Error("expected an object, found a number")),
        ("true", Error("expected an object, found a boolean")),
        ("[]", Error("expected an object, found a list")),
    ]);
    check::<BTreeMap<String, Scalar>>([
        (r#"{"tag": null}"#, Is(BTreeMap::from([("tag".to_owned(), Scalar::Null)]))),
        (r#"{"tag": null, "tag": 1}"#, Error("repeated key `tag`")),
    ]);
    check::<BTreeMap<String, Value>>([(
        r#"{"tag": null}"#,
        Is(BTreeMap::from([("tag".to_owned(), Value::Null)])),
    )]);
}

#[test]
fn a_box_is_read_as_its_content() {
    check::<Box<i64>>([
        ("null", Nothing),
        ("1", Is(Box::new(1))),
        (r#""x""#, Error("expected a 64-bit integer, found a string that is none")),
    ]);
}

#[derive(Debug, PartialEq, Deserialize)]
struct Fields {
    #[serde(deserialize_with = "required")]
    number: i64,
    #[serde(default, deserialize_with = "optional")]
    scalar: Option<Scalar>,
    #[serde(default, deserialize_with = "optional")]
    json: Option<Value>,
    #[serde(default, deserialize_with = "optional")]
    boxed: Option<Box<AttributeValue>>,
    #[serde(default, deserialize_with = "identifier")]
    id: Option<String>,
    #[serde(default, deserialize_with = "optional")]
    name: Option<String>,
    #[serde(default, deserialize_with = "collection")]
    list: Vec<String>,
}

#[test]
fn every_form_of_null_makes_an_optional_field_absent() {
    let only = Fields {
        number: 7,
        scalar: None,
        json: None,
        boxed: None,
        id: None,
        name: None,
        list: vec![],
    };
    let nulls = r#"{"number": "7", "scalar": null, "json": null, "boxed": null, "id": null, "name": null, "list": null}"#;
    assert_eq!(serde_json::from_str::<Fields>(nulls).unwrap(), only);
    assert_eq!(serde_json::from_str::<Fields>(r#"{"number": 7}"#).unwrap(), only);
}

#[test]
fn an_empty_text_is_absent_for_an_identifier_and_a_list_but_not_for_text() {
    let json =
        r#"{"number": 7, "scalar": "", "json": "", "boxed": "", "id": "", "name": "", "list": ""}"#;
    let fields: Fields = serde_json::from_str(json).unwrap();
    assert_eq!(fields.scalar, Some("".into()));
    assert_eq!(fields.json, Some(json!("")));
    assert_eq!(fields.boxed, Some(Box::new("".into())));
    assert_eq!(fields.id, None);
    assert_eq!(fields.name, Some(String::new()));
    assert_eq!(fields.list, Vec::<String>::new());
}

#[test]
fn a_required_field_needs_a_value() {
    for (json, expected) in [
        ("{}", "missing field `number`"),
        (r#"{"number": null}"#, "expected a 64-bit integer, found null or an empty string"),
        (r#"{"number": ""}"#, "expected a 64-bit integer, found null or an empty string"),
        (r#"{"number": "secret"}"#, "expected a 64-bit integer, found a string that is none"),
        (r#"{"number": 1, "number": 1}"#, "duplicate field `number`"),
    ] {
        assert_eq!(message(&serde_json::from_str::<Fields>(json).unwrap_err()), expected, "{json}");
    }
}

#[test]
fn extra_fields_keep_any_json_and_refuse_repeats() {
    let extra: Extra = serde_json::from_str(r#"{"b": null, "a": {"x": [1]}}"#).unwrap();
    assert_eq!(serde_json::to_string(&extra).unwrap(), r#"{"a":{"x":[1]},"b":null}"#);
    let error = serde_json::from_str::<Extra>(r#"{"b": 1, "b": 1}"#).unwrap_err();
    assert_eq!(message(&error), "repeated key `b`");
    let error = serde_json::from_str::<Extra>("[1]").unwrap_err();
    assert_eq!(message(&error), "invalid type: sequence, expected an object");
}

#[test]
fn messages_shorten_long_keys() {
    let key = "ä".repeat(41);
    let error = from_json::<Value>(&format!(r#"{{"{key}": 1, "{key}": 2}}"#)).unwrap_err();
    assert_eq!(error, format!("repeated key `{}..`", "ä".repeat(40)));
}

#[test]
fn a_buffer_keeps_order_repeats_and_borrowed_text() {
    let json = r#"{"b":"x","a":[1,-1,18446744073709551615,0.5,true,null],"b":"\n"}"#;
    let buffer: Buffer<'_> = serde_json::from_str(json).unwrap();
    assert_eq!(serde_json::to_string(&buffer).unwrap(), json);
    let Buffer::Object(entries) = &buffer else { panic!("no object") };
    let borrowed =
        |buffer: &Buffer<'_>| matches!(buffer, Buffer::Text(std::borrow::Cow::Borrowed(_)));
    assert!(borrowed(&entries[0].1), "a text without escapes is borrowed");
    assert!(!borrowed(&entries[2].1), "a text with escapes cannot be");
    assert_eq!(buffer.get("b"), Some(&Buffer::Text("x".into())), "the first of its name");
    assert_eq!(buffer.get("c"), None);
}

#[test]
fn a_buffer_drops_null_repeats_and_nothing_else() {
    for (json, left) in [
        (r#"{"a":null,"a":1}"#, Some(r#"{"a":1}"#)),
        (r#"{"a":1,"b":null,"a":null}"#, Some(r#"{"a":1,"b":null}"#)),
        (r#"{"a":null,"a":null}"#, Some(r#"{"a":null}"#)),
        (r#"[{"x":{"a":null,"a":[]}}]"#, Some(r#"[{"x":{"a":[]}}]"#)),
        (r#"{"a":1,"a":null,"a":2}"#, Some(r#"{"a":1,"a":2}"#)),
        (r#"{"a":1,"a":2}"#, None),
        (r#"{"a":null}"#, None),
        ("[null,null]", None),
    ] {
        let mut buffer: Buffer<'_> = serde_json::from_str(json).unwrap();
        assert_eq!(buffer.drop_null_repeats(), left.is_some(), "{json}");
        assert_eq!(serde_json::to_string(&buffer).unwrap(), left.unwrap_or(json));
    }
}

#[test]
fn a_derived_type_can_be_read_from_a_buffer() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Wrapped(u8);

    #[derive(Debug, PartialEq, Deserialize)]
    struct Derived<'a> {
        text: &'a str,
        missing: Option<bool>,
        present: Option<i8>,
        wrapped: Wrapped,
        pair: (u64, f64),
    }

    let json = r#"{"text": "t", "ignored": {"x": 1}, "missing": null, "present": -1, "wrapped": 3, "pair": [1, 0.5]}"#;
    let buffer: Buffer<'_> = serde_json::from_str(json).unwrap();
    let read = Derived::deserialize(buffer.into_deserializer::<serde_json::Error>()).unwrap();
    let expected = Derived {
        text: "t",
        missing: None,
        present: Some(-1),
        wrapped: Wrapped(3),
        pair: (1, 0.5),
    };
    assert_eq!(read, expected);

    let buffer: Buffer<'_> = serde_json::from_str("[1, 2, 3]").unwrap();
    let error =
        <(u8, u8)>::deserialize(buffer.into_deserializer::<serde_json::Error>()).unwrap_err();
    assert!(error.to_string().contains("length 3"), "{error}");
}

/// The map as which a number is represented if another crate enables `arbitrary_precision` of `serde_json`.
fn disguised<T: Read>(text: &'static str) -> Result<Option<T>, String> {
    let map: MapDeserializer<'_, _, ValueError> =
        MapDeserializer::new([(NUMBER_TOKEN, text)].into_iter());
    T::read(map).map_err(|error| error.to_string())
}

/// Checks how such a map is read. Without `arbitrary_precision`, it is an ordinary object.
fn check_disguised<T: Read + Debug + PartialEq>(
    text: &'static str,
    number: Result<T, &str>,
    object: Result<T, &str>,
) {
    let expected = if has_arbitrary_precision() { number } else { object };
    assert_eq!(disguised(text), expected.map(Some).map_err(str::to_owned), "{text}");
}

#[test]
fn a_map_with_the_number_key_is_a_number_only_with_arbitrary_precision() {
    const OBJECT: &str = "expected a 64-bit integer, found an object";
    check_disguised("-9223372036854775808", Ok(i64::MIN), Err(OBJECT));
    check_disguised("1e3", Ok(1000_i64), Err(OBJECT));
    let object = Err("expected an unsigned 64-bit integer, found an object");
    check_disguised("18446744073709551615", Ok(u64::MAX), object);
    check_disguised("19.99", Ok(19.99), Err("expected a finite number, found an object"));
    check_disguised("1.5", Ok("1.5".to_owned()), Err("expected a string, found an object"));
    let object = Err("expected a scalar or a list of scalars, found an object");
    check_disguised("12", Ok(AttributeValue::from(12)), object);
    check_disguised("12", Ok(json!(12)), Ok(json!({ NUMBER_TOKEN: "12" })));
    check_disguised("1e999", Err("number out of range"), Ok(json!({ NUMBER_TOKEN: "1e999" })));
    let object = Err("expected a list, found an object");
    check_disguised::<Vec<i64>>("1", Err("expected a list, found a number"), object);
    let map = BTreeMap::from([(NUMBER_TOKEN.to_owned(), 1_i64)]);
    check_disguised("1", Err("expected an object, found a number"), Ok(map));
    let map = MapDeserializer::<_, ValueError>::new([(NUMBER_TOKEN, "1")].into_iter());
    let extra = Extra::deserialize(map).map_err(|error| error.to_string());
    if has_arbitrary_precision() {
        assert_eq!(extra, Err("expected an object, found a number".to_owned()));
    } else {
        assert_eq!(extra, Ok(Extra::from_iter([(NUMBER_TOKEN, "1")])));
    }
}

#[test]
fn an_object_whose_first_key_is_the_number_key_is_read_and_written_as_an_object() {
    for json in [
        r#"{"$serde_json::private::Number":3}"#,
        r#"{"$serde_json::private::Number":3,"a":1}"#,
        r#"{"$serde_json::private::Number":"3","a":1}"#,
        r#"{"$serde_json::private::Number":{"$serde_json::private::Number":null}}"#,
    ] {
        let Json(value) = serde_json::from_str(json).unwrap();
        assert!(value.is_object(), "{value:?}");
        assert_eq!(serde_json::to_string(&value).unwrap(), json);
    }
}

#[test]
fn numbers_that_are_not_finite_are_refused_from_any_format() {
    use serde::de::IntoDeserializer;
    let nan = || IntoDeserializer::<ValueError>::into_deserializer(f64::NAN);
    let message = "found a number that is not finite";
    assert!(f64::read(nan()).unwrap_err().to_string().ends_with(message));
    assert!(Scalar::read(nan()).unwrap_err().to_string().ends_with(message));
    assert!(
        Json::deserialize(nan())
            .map(|Json(value)| value)
            .unwrap_err()
            .to_string()
            .ends_with(message)
    );
}
