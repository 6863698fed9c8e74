//! Tests of documents that cannot be read: the error names the place and the mistake.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::collections::BTreeSet;
use std::error::Error as _;

use mparticle_models::{
    Batch, ErrorResponse, Event, ReadError, ReadErrorKind, from_slice, from_str,
};
use serde_json::{Value, json};
use support::sample::{parts, places, with};
use support::schema::Kind;

fn error(batch: &Value) -> ReadError {
    let text = serde_json::to_string_pretty(batch).unwrap();
    from_str::<Batch>(&text).map(|_| ()).expect_err(&text)
}

/// Returns the fields in a part of the sample that are required for reading.
fn needed(part: &Value) -> Vec<String> {
    let mut needed = Vec::new();
    for (pointer, place) in places(part) {
        match &place.kind {
            Kind::Object(fields) => {
                needed.extend(
                    fields
                        .iter()
                        .filter(|field| field.is_needed())
                        .map(|field| format!("{pointer}/{}", field.name)),
                );
            }
            Kind::Event(_) => needed.push(format!("{pointer}/event_type")),
            _ => {}
        }
    }
    needed
}

/// The part without one field.
fn without(part: &Value, pointer: &str) -> Value {
    let (object, field) = pointer.rsplit_once('/').unwrap();
    let mut part = part.clone();
    part.pointer_mut(object).unwrap().as_object_mut().unwrap().remove(field).unwrap();
    part
}

/// Returns values that cannot be read at a place.
fn wrong(kind: &Kind) -> Vec<Value> {
    let list = json!([]);
    let object = json!({});
    let texts = [json!("no such thing")];
    let structures = [list.clone(), object.clone()];
    let scalars = [json!(5), json!(-0.5), json!(true), json!("x")];
    match kind {
        Kind::Any => vec![],
        Kind::Text
        | Kind::Uuid
        | Kind::Ip
        | Kind::Enum { .. }
        | Kind::Scalar
        | Kind::BooleanOrText => structures.to_vec(),
        Kind::Boolean => [&structures[..], &texts, &[json!(1)]].concat(),
        Kind::Integer | Kind::Millis => {
            [&structures[..], &texts, &[json!(true), json!(0.5), json!(1e300)]].concat()
        }
        Kind::Unsigned => [&structures[..], &texts, &[json!(true), json!(-1)]].concat(),
        Kind::Number => {
            [&structures[..], &texts, &[json!(true), json!("NaN"), json!("inf")]].concat()
        }
        Kind::AttributeValue => vec![object, json!([[]]), json!([1, { "a": 1 }])],
        Kind::List(_) => [&scalars[..], &[object]].concat(),
        Kind::Map(_) | Kind::Object(_) | Kind::Event(_) => [&scalars[..], &[list]].concat(),
        Kind::Breadcrumb(_) => vec![list],
    }
}

#[test]
fn a_value_of_a_wrong_kind_is_reported_at_its_place() {
    let mut cases = 0;
    for part in parts() {
        for (pointer, place) in places(&part).into_iter().skip(1) {
            for value in wrong(&place.kind) {
                // Identities may be a list of records. A breadcrumb is an event only because of its data.
                let is_other = place.name == "UserIdentities" && value.is_array()
                    || place.name == "BreadcrumbEvent" && pointer.contains("/breadcrumbs/");
                if is_other {
                    continue;
                }
                let error = error(&with(&part, &pointer, value.clone()));
                assert_eq!(
                    (error.pointer(), error.kind()),
                    (&*pointer, ReadErrorKind::WrongType),
                    "{value}: {error}"
                );
                assert!(
                    error.to_string().starts_with(&format!("at {pointer}: expected ")),
                    "{error}"
                );
                cases += 1;
            }
        }
    }
    assert!(cases > 2000, "{cases}");
}

#[test]
fn null_is_reported_where_a_value_has_to_be() {
    for part in parts() {
        let items = places(&part).into_iter().filter_map(|(pointer, place)| match &place.kind {
            Kind::List(item) if !item.nullable => Some(format!("{pointer}/0")),
            _ => None,
        });
        for pointer in
            needed(&part).into_iter().chain(items.filter(|item| part.pointer(item).is_some()))
        {
            let error = error(&with(&part, &pointer, Value::Null));
            assert_eq!(
                (error.pointer(), error.kind()),
                (&*pointer, ReadErrorKind::WrongType),
                "{error}"
            );
        }
    }
}

#[test]
fn a_missing_field_is_reported_by_its_name() {
    let mut names = BTreeSet::new();
    for part in parts() {
        for pointer in needed(&part) {
            let error = error(&without(&part, &pointer));
            assert_eq!(
                (error.pointer(), error.kind()),
                (&*pointer, ReadErrorKind::Missing),
                "{error}"
            );
            let field = pointer.rsplit('/').next().unwrap();
            assert_eq!(error.to_string(), format!("at {pointer}: missing field `{field}`"));
            names.insert(field.to_owned());
        }
    }
    // These fields are required by the sources. Other fields that the schema requires are tested in the same way.
    let expected = [
        "action",
        "application_transition_type",
        "event_name",
        "event_type",
        "label",
        "plan_id",
        "profile_event_type",
        "push_message_type",
        "registration_token",
        "url",
        "user_attribute_name",
    ];
    for name in expected {
        assert!(names.contains(name), "{name} is not among {names:?}");
    }
}

#[test]
fn no_other_field_is_required() {
    for part in parts() {
        for (pointer, place) in places(&part) {
            let Kind::Object(fields) = &place.kind else { continue };
            let others = fields.iter().filter(|field| !field.is_needed());
            let pointers = others.map(|field| format!("{pointer}/{}", field.name));
            for pointer in pointers.filter(|pointer| part.pointer(pointer).is_some()) {
                from_slice::<Batch>(&serde_json::to_vec(&without(&part, &pointer)).unwrap())
                    .unwrap();
            }
        }
    }
}

#[test]
fn an_event_of_a_known_type_with_bad_data_is_an_error_in_any_order_of_keys() {
    let cases = [
        (
            r#"{"event_type":"custom_event","data":{}}"#,
            "/data/event_name",
            "missing field `event_name`",
        ),
        (
            r#"{"data":{},"event_type":"custom_event"}"#,
            "/data/event_name",
            "missing field `event_name`",
        ),
        (r#"{"event_type":"custom_event"}"#, "/data/event_name", "missing field `event_name`"),
        (
            r#"{"event_type":"custom_event","data":null}"#,
            "/data/event_name",
            "missing field `event_name`",
        ),
        (
            r#"{"event_type":"CUSTOM_EVENT","data":{}}"#,
            "/data/event_name",
            "missing field `event_name`",
        ),
        (
            r#"{"event_type":"session_start","data":[]}"#,
            "/data",
            "expected an object, found a list",
        ),
        (
            r#"{"event_type":"session_start","data":7}"#,
            "/data",
            "expected an object, found a number",
        ),
        (
            r#"{"data":"x","event_type":"session_start"}"#,
            "/data",
            "expected an object, found a string",
        ),
        (
            r#"{"data":{"session_id":"4C5F"},"event_type":"first_run"}"#,
            "/data/session_id",
            "expected a 64-bit integer, found a string that is none",
        ),
        (r#"{"data":{}}"#, "/event_type", "missing field `event_type`"),
        (r#"{"event_type":null,"data":{}}"#, "/event_type", "expected a string, found null"),
        (r#"{"event_type":["x"],"data":{}}"#, "/event_type", "expected a string, found a list"),
        (
            r#"{"event_type":"user_attribute_change","data":{"user_attribute_name":"a","new":{}}}"#,
            "/data/new",
            "expected a scalar or a list of scalars, found an object",
        ),
    ];
    for (text, pointer, message) in cases {
        let error = from_str::<Event>(text).unwrap_err();
        assert_eq!((error.pointer(), error.message()), (pointer, message), "{text}");
    }
}

/// This is the form in the published schema. Any purpose would be a guess.
#[test]
fn a_consent_record_directly_below_gdpr_is_an_error() {
    let batch = json!({ "consent_state": { "gdpr": { "consented": true, "document": "d" } } });
    let error = error(&batch);
    assert_eq!(error.pointer(), "/consent_state/gdpr/consented");
    assert_eq!(error.message(), "expected an object, found a boolean");
}

#[test]
fn a_repeated_key_is_an_error_unless_one_of_its_values_is_null() {
    let cases = [
        (r#"{"mpid":1,"mpid":2}"#, "/mpid"),
        (r#"{"mpid":1,"mpid":1}"#, "/mpid"),
        (r#"{"new":1,"new":1}"#, "/new"),
        (r#"{"new":{"a":1,"a":2}}"#, "/new/a"),
        (r#"{"context":{},"batch_context":{}}"#, "/batch_context"),
        (r#"{"user_attributes":{"a/b":1,"a/b":2}}"#, "/user_attributes/a~1b"),
        (
            r#"{"events":[{"event_type":"first_run","event_type":"first_run"}]}"#,
            "/events/0/event_type",
        ),
        (r#"{"events":[{"event_type":"first_run","data":{},"data":{}}]}"#, "/events/0/data"),
        (r#"{"events":[{"event_type":"tomorrow","data":{"a":1,"a":1}}]}"#, "/events/0/data/a"),
        (
            r#"{"events":[{"event_type":"first_run","data":{"event_num":1,"event_num":2}}]}"#,
            "/events/0/data/event_num",
        ),
        (
            r#"{"events":[{"event_type":"first_run","data":{"custom_flags":{"a":{"b":1,"b":1}}}}]}"#,
            "/events/0/data/custom_flags/a/b",
        ),
        (
            r#"{"user_identities":[{"identity_type":"email","identity":"a"},{"identity_type":"email","identity":"b"}]}"#,
            "/user_identities/1/identity_type",
        ),
    ];
    for (text, pointer) in cases {
        let error = from_str::<Batch>(text).expect_err(text);
        assert_eq!(
            (error.pointer(), error.kind()),
            (pointer, ReadErrorKind::Repeated),
            "{text}: {error}"
        );
    }
    let batch = Batch::from_str(r#"{"mpid":null,"mpid":7,"x":1,"x":null,"mpid":null}"#).unwrap();
    assert_eq!(serde_json::to_value(&batch).unwrap(), json!({ "mpid": 7, "x": 1 }));
}

#[test]
fn a_document_that_is_not_json_is_an_error_with_line_and_column() {
    let cases = [
        ("", 1, 0),
        ("{\n  \"mpid\": 1,\n}", 3, 1),
        ("{\n  \"mpid\" 1\n}", 2, 10),
        ("{\"mpid\": 1} x", 1, 13),
        ("{\"mpid\": nan}", 1, 11),
        ("{\"mpid\": 1", 1, 10),
    ];
    for (text, line, column) in cases {
        let error = from_str::<Batch>(text).unwrap_err();
        assert_eq!(
            (error.kind(), error.line(), error.column()),
            (ReadErrorKind::Syntax, line, column),
            "{text}: {error}"
        );
        assert!(
            error.to_string().starts_with(&format!("at line {line}, column {column}: ")),
            "{error}"
        );
        assert!(error.source().is_some());
    }
    let not_utf8 = from_slice::<Batch>(b"{\"environment\": \"\xff\"}").unwrap_err();
    assert_eq!((not_utf8.kind(), not_utf8.line()), (ReadErrorKind::Syntax, 1));
    let deep = format!("{{\"new\":{}", "[".repeat(100_000));
    assert_eq!(from_str::<Batch>(&deep).unwrap_err().kind(), ReadErrorKind::Syntax);
}

#[test]
fn another_kind_of_document_is_an_error() {
    for text in ["null", "7", "\"x\"", "true", "[]", "[{}]", "\"\""] {
        let error = Batch::from_str(text).expect_err(text);
        assert_eq!(
            (error.pointer(), error.kind()),
            ("", ReadErrorKind::WrongType),
            "{text}: {error}"
        );
        assert!(error.message().starts_with("expected an object, found "), "{error}");
    }
    assert!(from_str::<Vec<Batch>>("{}").is_err());
    assert_eq!(
        from_str::<Vec<Batch>>("[{},{\"events\":[{}]}]").unwrap_err().pointer(),
        "/1/events/0/event_type"
    );
    assert_eq!(ErrorResponse::from_str(r#"{"errors":[7]}"#).unwrap_err().pointer(), "/errors/0");
}

#[test]
fn errors_never_show_a_value_of_the_document() {
    let secret = "secret of a person";
    let cases = [
        json!({ "mpid": secret }),
        json!({ "user_identities": { "email": [secret] } }),
        json!({ "events": secret }),
        json!({ "events": [{ "event_type": "opt_out", "data": { "is_opted_out": secret } }] }),
        json!({ "events": [{ "event_type": "first_run", "data": { "location": { "latitude": secret } } }] }),
        json!({ "user_attributes": { "a": [{ "b": secret }] } }),
    ];
    for batch in cases {
        let error = error(&batch);
        let shown = format!("{error} {error:?} {:?} {}", error.source(), error.source().unwrap());
        assert!(!shown.contains(secret), "{shown}");
    }
}
