//! Tests of the whole folder with types that are generated from a schema with one type of each kind.
//!
//! The types are a golden output of the generator's tests: an object with a flattened base (`PageView`), a base
//! (`CommonData`), an object of which one field is required to write and optional to read (`Upload`), an enum
//! (`Stage`), a tagged union (`Event`), and an object that may be spelled as a list of records (`Identities`).

use serde_json::{Value, json};

use super::{
    Enveloped, Extra, Read, ReadErrorKind, Rule, Scalar, Severity, UnixMillis, Violation, locate,
    read, validate,
};

#[path = "../../../codegen/tests/golden/example/generated/mod.rs"]
#[allow(
    clippy::struct_field_names,
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "names in JSON have prefixes, and only a part is used"
)]
mod generated;

use generated::{Event, Identities, OptOut, PageView, Stage, Upload};

fn event(json: &str) -> Result<Event, String> {
    let message = |error: serde_json::Error| {
        error.to_string().split(" at line ").next().unwrap_or_default().to_owned()
    };
    serde_json::from_str(json).map_err(message)
}

fn extra(fields: &[(&str, i32)]) -> Extra {
    fields.iter().copied().collect()
}

#[test]
fn an_event_is_read_alike_whichever_of_tag_and_content_comes_first() {
    let page = PageView::new("/");
    let with_common = |mut page: PageView| {
        page.common.timestamp_unixtime_ms = Some(UnixMillis::from_millis(1));
        page.extra = extra(&[("new", 2)]);
        page.envelope = extra(&[("x", 3)]);
        page
    };
    for (tag, data, rest, expected) in [
        (r#""page_view""#, r#"{"url":"/"}"#, "", page.clone().into()),
        (r#""PAGE_VIEW""#, r#"{"url":"/"}"#, "", page.clone().into()),
        (
            r#""page_view""#,
            r#"{"new":2,"timestamp_unixtime_ms":"1","url":"/"}"#,
            r#","x":3"#,
            with_common(page).into(),
        ),
        (r#""opt_out""#, "{}", "", OptOut::default().into()),
        (r#""OptOut""#, "null", "", OptOut::default().into()),
        (r#""opt_out""#, r#""""#, "", OptOut::default().into()),
        (
            r#""New""#,
            r#"{"a":[1]}"#,
            r#","x":3"#,
            Event::Unknown {
                event_type: "New".into(),
                data: json!({ "a": [1] }),
                extra: extra(&[("x", 3)]),
            },
        ),
        (
            "7",
            "null",
            "",
            Event::Unknown { event_type: "7".into(), data: Value::Null, extra: Extra::new() },
        ),
    ] {
        for json in [
            format!(r#"{{"event_type":{tag},"data":{data}{rest}}}"#),
            format!(r#"{{"data":{data},"event_type":{tag}{rest}}}"#),
        ] {
            assert_eq!(event(&json), Ok(Event::clone(&expected)), "{json}");
            let buffer: read::Buffer<'_> = serde_json::from_str(&json).unwrap();
            let buffered = Event::read(buffer.into_deserializer::<serde_json::Error>());
            assert_eq!(buffered.unwrap(), Some(Event::clone(&expected)), "{json} in a buffer");
        }
    }
}

#[test]
fn content_may_be_absent() {
    assert_eq!(event(r#"{"event_type":"opt_out"}"#), Ok(OptOut::default().into()));
    let unknown = Event::Unknown { event_type: "x".into(), data: Value::Null, extra: Extra::new() };
    assert_eq!(event(r#"{"event_type":"x"}"#), Ok(unknown));
}

#[test]
fn an_invalid_event_is_never_read_as_an_unknown_one() {
    for (json, message) in [
        ("null", "expected an object, found null or an empty string"),
        ("[]", "expected an object, found a list"),
        ("{}", "missing field `event_type`"),
        (r#"{"data":{"url":"/"}}"#, "missing field `event_type`"),
        (r#"{"event_type":null}"#, "expected a string, found null"),
        (r#"{"event_type":{}}"#, "expected a string, found an object"),
        (r#"{"event_type":"page_view"}"#, "page_view: missing field `url`"),
        (r#"{"event_type":"page_view","data":{}}"#, "page_view: missing field `url`"),
        (r#"{"data":{},"event_type":"page_view"}"#, "page_view: missing field `url`"),
        (
            r#"{"event_type":"page_view","data":{"url":{}}}"#,
            "page_view: expected a string, found an object",
        ),
        (r#"{"event_type":"opt_out","data":[]}"#, "opt_out: expected an object, found a list"),
        (r#"{"event_type":"opt_out","data":7}"#, "opt_out: expected an object, found a number"),
        (r#"{"event_type":"x","event_type":"x"}"#, "repeated key `event_type`"),
        (r#"{"event_type":"opt_out","data":{},"data":{}}"#, "repeated key `data`"),
        (r#"{"data":{},"data":{},"event_type":"opt_out"}"#, "repeated key `data`"),
        (r#"{"event_type":"opt_out","x":1,"x":1}"#, "repeated key `x`"),
        (r#"{"event_type":"opt_out","data":{"x":1,"x":1}}"#, "opt_out: repeated key `x`"),
        (
            r#"{"event_type":"opt_out","data":{"source_message_id":"a","source_message_id":"a"}}"#,
            "opt_out: duplicate field `source_message_id`",
        ),
    ] {
        assert_eq!(event(json), Err(message.to_owned()), "{json}");
    }
}

#[test]
fn a_number_of_arbitrary_precision_is_neither_an_event_nor_data() {
    use serde::de::value::{Error, MapDeserializer};
    let disguise = || {
        let entries = [("$serde_json::private::Number", "7")].into_iter();
        MapDeserializer::<'_, _, Error>::new(entries)
    };
    let event = Event::read(disguise()).unwrap_err().to_string();
    if read::has_arbitrary_precision() {
        let message = "expected an object, found a number";
        assert_eq!(event, message);
        assert_eq!(OptOut::read(disguise()).unwrap_err().to_string(), message);
        assert_eq!(Upload::read(disguise()).unwrap_err().to_string(), message);
    } else {
        assert_eq!(event, "missing field `event_type`");
        let kept = Extra::from_iter([("$serde_json::private::Number", "7")]);
        assert_eq!(OptOut::read(disguise()).unwrap().unwrap().extra, kept);
        assert_eq!(Upload::read(disguise()).unwrap().unwrap().extra, kept);
    }
}

#[test]
fn the_canonical_form_is_written() {
    let mut page = PageView::new("/");
    page.duration = Some(100.0);
    page.common.custom_attributes.insert("tag".into(), Scalar::Null);
    page.extra = extra(&[("new", 1)]);
    page.envelope = extra(&[("x", 2)]);
    let unknown = Event::Unknown {
        event_type: "Y".into(),
        data: json!({ "a": 2, "b": 1 }),
        extra: extra(&[("x", 2)]),
    };
    let nothing = Event::Unknown { event_type: "Z".into(), data: Value::Null, extra: Extra::new() };
    let upload = Upload {
        environment: Some(Stage::Development),
        events: vec![page.into(), OptOut::default().into(), unknown, nothing],
        ..Upload::default()
    };
    let written = serde_json::to_string(&upload).unwrap();
    let expected = concat!(
        r#"{"environment":"development","events":["#,
        r#"{"event_type":"page_view","data":{"url":"/","duration":100,"old":null,"#,
        r#""custom_attributes":{"tag":null},"new":1},"x":2},"#,
        r#"{"event_type":"opt_out","data":{}},"#,
        r#"{"event_type":"Y","data":{"a":2,"b":1},"x":2},"#,
        r#"{"event_type":"Z"}]}"#,
    );
    assert_eq!(written, expected);
    assert_eq!(Upload::from_str(&written).unwrap(), upload);
}

#[test]
fn an_envelope_cannot_repeat_tag_or_content() {
    for key in ["event_type", "data"] {
        let event = Event::from(OptOut { envelope: extra(&[(key, 1)]), ..OptOut::default() });
        let error = serde_json::to_string(&event).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("`{key}` in the unknown fields is the name of a known field")
        );
    }
}

#[test]
fn an_amount_that_is_not_finite_is_not_written() {
    for number in [f64::NAN, f64::INFINITY] {
        let page = PageView { duration: Some(number), ..PageView::new("/") };
        assert!(serde_json::to_string(&page).is_err());
        assert!(serde_json::to_value(Event::from(page)).is_err());
    }
}

#[test]
fn an_open_enum_reads_exactly_then_in_any_case_then_keeps_the_text() {
    let other = |text: &str| Stage::UnknownValue(text.to_owned());
    for (json, stage, back) in [
        (r#""production""#, Some(Stage::Production), "production"),
        (r#""PRODUCTION""#, Some(Stage::Production), "production"),
        (r#""dev""#, Some(Stage::Development), "development"),
        (r#""Dev""#, Some(Stage::Development), "development"),
        (r#""Staging""#, Some(other("Staging")), "Staging"),
        ("6", Some(other("6")), "6"),
        ("true", Some(other("true")), "true"),
        (r#""""#, None, ""),
        ("null", None, ""),
    ] {
        let upload = Upload::from_str(&format!(r#"{{"environment":{json}}}"#)).unwrap();
        assert_eq!(upload.environment, stage, "{json}");
        if let Some(stage) = stage {
            assert_eq!((stage.as_ref(), stage.to_string().as_str()), (back, back));
            assert_eq!(serde_json::to_value(&stage).unwrap(), json!(back));
            assert_eq!(serde_json::from_str::<Stage>(json).unwrap(), stage);
            assert_eq!((Stage::from(back), Stage::from(back.to_owned())), (stage.clone(), stage));
        }
    }
    assert!(serde_json::from_str::<Stage>("[]").is_err());
}

#[test]
fn identities_are_read_from_an_object_or_from_records() {
    let read = |json: &str| Upload::from_str(&format!(r#"{{"user_identities":{json}}}"#)).unwrap();
    let object = read(r#"{"customerid":"c","new":1}"#).user_identities.unwrap();
    assert_eq!(object.customer_id.as_deref(), Some("c"));
    assert_eq!((object.extra, object.records.len()), (extra(&[("new", 1)]), 0));

    let records = concat!(
        r#"[{"identity_type":"customer_id","identity":7,"timestamp":"1"},"#,
        r#"{"identity_type":"new","identity":1},{"timestamp":2},{"identity_type":"x"}]"#
    );
    let identities = read(records).user_identities.unwrap();
    assert_eq!(identities.customer_id.as_deref(), Some("7"));
    assert_eq!(identities.extra, extra(&[("new", 1)]));
    let timestamps: Vec<_> = identities.records.iter().map(|record| record.timestamp).collect();
    assert_eq!(timestamps, [Some(1), None, Some(2), None]);
    assert_eq!(serde_json::to_string(&identities).unwrap(), r#"{"customer_id":"7","new":1}"#);

    assert_eq!(read("[]").user_identities, Some(Identities::default()));
    assert_eq!(read("null").user_identities, None);
}

#[test]
fn fields_that_are_not_known_survive_a_round_trip() {
    for json in [
        r#"{"events":[{"event_type":"opt_out","data":{"a":{"b":[null,1.5]}},"message_id":5}],"batch_id":"x"}"#,
        r#"{"events":[{"event_type":"page_view","data":{"url":"/","old":1,"children":[{"url":"/a","old":null,"x":1}]}}]}"#,
        r#"{"mpid":-9223372036854775808,"unknown":18446744073709551615}"#,
    ] {
        let upload = Upload::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&upload).unwrap(), json);
    }
}

/// Reads each document, and checks the kind, the pointer and the message of the error.
fn check_errors(kind: ReadErrorKind, cases: &[(&str, &str, &str)]) {
    for (json, pointer, message) in cases {
        let error = Upload::from_str(json).expect_err(json);
        assert_eq!(
            (error.kind(), error.pointer(), error.message()),
            (kind, *pointer, *message),
            "{json}"
        );
    }
}

#[test]
fn a_missing_field_is_reported_by_its_own_pointer() {
    let tag = "missing field `event_type`";
    let url = "missing field `url`";
    check_errors(
        ReadErrorKind::Missing,
        &[
            (r#"{"events":[{"data":{}}]}"#, "/events/0/event_type", tag),
            (r#"{"events":[{"event_type":"page_view"}]}"#, "/events/0/data/url", url),
            (r#"{"events":[{"event_type":"page_view","data":null}]}"#, "/events/0/data/url", url),
            (
                r#"{"events":[{"event_type":"page_view","data":{"url":"/","links":[{"url":"/"},{}]}}]}"#,
                "/events/0/data/links/1/url",
                url,
            ),
        ],
    );
}

#[test]
fn a_value_of_the_wrong_type_is_reported_at_its_place() {
    const SCALAR: &str = "expected null, a boolean, a number or a string, found";
    check_errors(
        ReadErrorKind::WrongType,
        &[
            ("null", "", "expected an object, found null or an empty string"),
            ("[]", "", "expected an object, found a list"),
            (r#""secret""#, "", "expected an object, found a string"),
            (
                r#"{"mpid":"secret"}"#,
                "/mpid",
                "expected a 64-bit integer, found a string that is none",
            ),
            (r#"{"events":{}}"#, "/events", "expected a list, found an object"),
            (
                r#"{"events":[null]}"#,
                "/events/0",
                "expected an object, found null or an empty string",
            ),
            (
                r#"{"events":[{"event_type":null}]}"#,
                "/events/0/event_type",
                "expected a string, found null",
            ),
            (
                r#"{"events":[{"event_type":"opt_out"},{"data":{"url":null},"event_type":"PAGE_VIEW"}]}"#,
                "/events/1/data/url",
                "expected a string, found null or an empty string",
            ),
            (
                r#"{"events":[{"event_type":"opt_out","data":7}]}"#,
                "/events/0/data",
                "expected an object, found a number",
            ),
            (
                r#"{"events":[{"event_type":"opt_out","data":{"custom_attributes":{"a/b~c":{}}}}]}"#,
                "/events/0/data/custom_attributes/a~1b~0c",
                &format!("{SCALAR} an object"),
            ),
            (
                r#"{"events":[{"event_type":"opt_out","data":{"is_opted_out":"perhaps"}}]}"#,
                "/events/0/data/is_opted_out",
                "expected a boolean, found a string that is neither true nor false",
            ),
            (
                r#"{"user_attributes":{"a":[[]]}}"#,
                "/user_attributes/a",
                &format!("{SCALAR} a list"),
            ),
        ],
    );
}

#[test]
fn a_value_of_the_wrong_type_in_a_record_is_reported_at_its_place() {
    check_errors(
        ReadErrorKind::WrongType,
        &[
            (
                r#"{"user_identities":7}"#,
                "/user_identities",
                "expected an object or a list of records, found a number",
            ),
            (
                r#"{"user_identities":{"customer_id":[]}}"#,
                "/user_identities/customer_id",
                "expected a string, found a list",
            ),
            (
                r#"{"user_identities":[{"timestamp":{}}]}"#,
                "/user_identities/0/timestamp",
                "expected a 64-bit integer, found an object",
            ),
            (
                r#"{"user_identities":[{"identity_type":"customer_id","identity":{}}]}"#,
                "/user_identities/0/identity",
                "expected a string, found an object",
            ),
        ],
    );
}

#[test]
fn a_repeated_key_is_reported_at_its_place() {
    check_errors(
        ReadErrorKind::Repeated,
        &[
            (r#"{"mpid":1,"mpid":1}"#, "/mpid", "repeated key `mpid`"),
            (
                r#"{"user_identities":{"customer_id":"a","customerid":"a"}}"#,
                "/user_identities/customerid",
                "repeated key `customer_id`",
            ),
            (r#"{"user_attributes":{"a":1,"a":2}}"#, "/user_attributes/a", "repeated key `a`"),
            (r#"{"new":[{"x":1,"x":1}]}"#, "/new/0/x", "repeated key `x`"),
            (
                r#"{"events":[{"event_type":"new","data":{"x":1,"x":1}}]}"#,
                "/events/0/data/x",
                "repeated key `x`",
            ),
            (
                r#"{"events":[{"event_type":"a","event_type":"b"}]}"#,
                "/events/0/event_type",
                "repeated key `event_type`",
            ),
            (
                r#"{"user_identities":[{"identity_type":"x","identity":1},{"identity_type":"x","identity":1}]}"#,
                "/user_identities/1/identity_type",
                "repeated key `x`",
            ),
        ],
    );
}

#[test]
fn text_that_is_not_json_is_reported_with_line_and_column() {
    for (json, line, column) in [
        ("", 1, 0),
        ("{", 1, 1),
        ("{\n  \"mpid\": 1,\n}", 3, 1),
        ("{} {}", 1, 4),
        (r#"{"mpid":1e999}"#, 1, 13),
    ] {
        let error = Upload::from_str(json).expect_err(json);
        assert_eq!(error.kind(), ReadErrorKind::Syntax, "{json}");
        assert_eq!((error.line(), error.column(), error.pointer()), (line, column, ""), "{json}");
        let start = format!("at line {line}, column {column}: ");
        assert!(error.to_string().starts_with(&start), "{error}");
        assert!(!error.to_string().contains(" at line "), "{error}");
    }
    let error = locate::from_slice::<Upload>(b"{\"a\":\"\xff\"}").expect_err("not UTF-8");
    assert_eq!(error.kind(), ReadErrorKind::Syntax);
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    assert_eq!(Upload::from_str(&deep).unwrap_err().kind(), ReadErrorKind::Syntax);
}

#[test]
fn an_error_on_reading_names_the_place_and_keeps_its_source() {
    let json = r#"{"events":[{"event_type":"page_view","data":{"secret":"value"}}]}"#;
    let error = Upload::from_str(json).expect_err(json);
    assert_eq!(error.to_string(), "at /events/0/data/url: missing field `url`");
    let source = std::error::Error::source(&error).expect("the error of serde_json");
    assert!(source.to_string().starts_with("page_view: missing field `url`"), "{source}");
}

#[test]
fn values_never_appear_in_errors() {
    for json in [
        r#""secret""#,
        r#"{"mpid":"secret"}"#,
        r#"{"mpid":["secret"]}"#,
        r#"{"events":"secret"}"#,
        r#"{"events":["secret"]}"#,
        r#"{"events":[{"event_type":"opt_out","data":"secret"}]}"#,
        r#"{"events":[{"data":"secret","event_type":"opt_out"}]}"#,
        r#"{"events":[{"event_type":"opt_out","data":{"is_opted_out":"secret"}}]}"#,
        r#"{"user_identities":"secret"}"#,
        r#"{"user_attributes":"secret"}"#,
    ] {
        let error = Upload::from_str(json).expect_err(json);
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    }
}

#[test]
fn a_repeated_key_is_accepted_if_it_is_not_ambiguous() {
    for (json, same_as) in [
        (r#"{"mpid":null,"mpid":7}"#, r#"{"mpid":7}"#),
        (r#"{"mpid":7,"mpid":null,"mpid":null}"#, r#"{"mpid":7}"#),
        (r#"{"mpid":null,"mpid":null}"#, "{}"),
        (r#"{"new":null,"new":7}"#, r#"{"new":7}"#),
        (
            r#"{"events":[{"event_type":"opt_out","data":{"is_opted_out":true,"is_opted_out":null},"data":null}]}"#,
            r#"{"events":[{"event_type":"opt_out","data":{"is_opted_out":true}}]}"#,
        ),
    ] {
        assert_eq!(Upload::from_str(json).unwrap(), Upload::from_str(same_as).unwrap(), "{json}");
    }
    let both = Upload::from_str(r#"{"mpid":null,"mpid":7,"events":[{}]}"#).unwrap_err();
    assert_eq!(both.pointer(), "/events/0/event_type", "the other mistake is reported");
}

#[test]
fn a_list_of_documents_is_read_and_located_as_well() {
    let json = r#"[{"mpid":1},{"mpid":"2"}]"#;
    let uploads: Vec<Upload> = locate::from_str(json).unwrap();
    assert_eq!(uploads.iter().map(|upload| upload.mpid).collect::<Vec<_>>(), [Some(1), Some(2)]);
    let error = locate::from_str::<Vec<Upload>>(r#"[{"mpid":1},{"mpid":{}}]"#).unwrap_err();
    assert_eq!(error.pointer(), "/1/mpid");
}

#[test]
fn a_valid_document_has_no_violations() {
    let json = concat!(
        r#"{"environment":"production","user_attributes":{"a":["x",null],"b":null},"events":["#,
        r#"{"event_type":"page_view","data":{"url":"/","duration":1.5,"timestamp_unixtime_ms":1700000000000,"#,
        r#""source_message_id":"01234567-89ab-cdef-0123-456789ABCDEF"}},"#,
        r#"{"event_type":"new","data":{}}]}"#
    );
    assert_eq!(validate::run(&Upload::from_str(json).unwrap()), []);
}

#[test]
fn all_violations_are_found_at_once_and_in_order() {
    let long = "x".repeat(5000);
    let json = format!(
        concat!(
            r#"{{"user_attributes":{{"a/b":"{0}","list":["ok","{0}"]}},"events":["#,
            r#"{{"event_type":"page_view","data":{{"url":"{0}","timestamp_unixtime_ms":1700000000,"#,
            r#""source_message_id":"1","custom_attributes":{{"v":"{0}"}}}}}},"#,
            r#"{{"event_type":"page_view","data":{{"url":"/","old":1,"children":["#,
            r#"{{"url":"/","old":1}},{{"url":"/","old":1,"duration":2}},{{"url":"/","old":1}}]}}}},"#,
            r#"{{"event_type":"new","data":[1]}}]}}"#
        ),
        long
    );
    let found: Vec<String> =
        validate::run(&Upload::from_str(&json).unwrap()).iter().map(Violation::to_string).collect();
    let expected = [
        "/environment: missing, but mParticle requires it (required)",
        "/events/0/data/url: 5000 characters, at most 20 are allowed (maxLength)",
        "/events/0/data/timestamp_unixtime_ms: looks like seconds; mParticle expects milliseconds (unixMillis)",
        "/events/0/data/source_message_id: not a UUID; mParticle expects the form 8-4-4-4-12 in hexadecimal digits (uuid)",
        "/events/0/data/custom_attributes/v: 5000 characters, at most 4096 are allowed (maxLength)",
        "/events/0/data: expected exactly one of duration, old, found 0 (exactlyOneOf)",
        "/events/1/data/children: 3 items, at most 2 are allowed (maxItems)",
        "/events/1/data/children/1: expected exactly one of duration, old, found 2 (exactlyOneOf)",
        "/events/2/data: expected an object or null (type)",
        "/user_attributes/a~1b: 5000 characters, at most 4096 are allowed (maxLength)",
        "/user_attributes/list/1: 5000 characters, at most 512 are allowed (maxLength)",
    ];
    assert_eq!(found, expected);
}

#[test]
fn an_unknown_value_of_a_closed_enum_is_an_error() {
    let upload = Upload { environment: Some("staging".into()), ..Upload::default() };
    let [violation] = &validate::run(&upload)[..] else { panic!("one violation") };
    assert_eq!((violation.rule, violation.severity), (Rule::Enum, Severity::Error));
    assert_eq!(
        violation.to_string(),
        "/environment: not one of the values that mParticle accepts (enum)"
    );
}

#[test]
fn the_envelope_is_reached_through_its_trait() {
    let mut data = OptOut::default();
    data.envelope_mut().insert("x".into(), json!(1));
    assert_eq!(data.envelope(), &extra(&[("x", 1)]));
}
