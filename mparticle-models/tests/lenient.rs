//! All forms that occur on the wire are read, and one canonical form is written.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use mparticle_models::{Batch, Breadcrumb, BreadcrumbEvent, Event, from_slice, from_str};
use serde_json::{Value, json};
use support::canonical::canonical;
use support::json::plain;
use support::random::{Spelling, documents, runner};
use support::schema::BATCH;

fn written(document: &Value) -> Value {
    let batch: Batch = from_slice(&serde_json::to_vec(document).unwrap())
        .unwrap_or_else(|error| panic!("{error}: {document}"));
    serde_json::to_value(&batch).unwrap()
}

/// Returns an event of a type with one field in addition to the required ones.
fn event(kind: &str, field: &str, value: &Value) -> Value {
    let mut data = match kind {
        "custom_event" => json!({ "event_name": "n" }),
        "application_state_transition" => {
            json!({ "application_transition_type": "application_exit" })
        }
        "push_message" => json!({ "push_message_type": "sent" }),
        "network_performance" => json!({ "url": "u" }),
        "user_attribute_change" => json!({ "user_attribute_name": "a", "new": null, "old": null }),
        _ => json!({}),
    };
    data[field] = value.clone();
    json!({ "events": [{ "event_type": kind, "data": data }] })
}

/// The forms of fields of events: the first value is read and written as the second. Null means that the field is
/// omitted.
#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn each_form_of_a_field_of_an_event_is_written_in_the_documented_one() {
    let cases = [
        // Null and an empty text mean that a field is absent, unless the field is text.
        ("session_start", "session_id", json!(null), json!(null)),
        ("session_start", "session_id", json!(""), json!(null)),
        ("session_start", "location", json!(null), json!(null)),
        ("session_start", "location", json!(""), json!(null)),
        ("session_start", "custom_attributes", json!(null), json!(null)),
        ("session_start", "custom_attributes", json!({}), json!(null)),
        ("session_start", "is_main_thread", json!(""), json!(null)),
        ("session_start", "session_uuid", json!(""), json!(null)),
        ("session_start", "lifetime_value_change", json!(null), json!(null)),
        ("commerce_event", "product_impressions", json!(null), json!(null)),
        ("commerce_event", "product_impressions", json!([]), json!(null)),
        ("commerce_event", "currency_code", json!(""), json!("")),
        ("application_state_transition", "launch_referral", json!(null), json!(null)),
        ("push_message", "application_state", json!(""), json!(null)),
        // A number, or a boolean.
        ("session_start", "lifetime_value_change", json!(0), json!(0)),
        ("session_start", "lifetime_value_change", json!(false), json!(false)),
        // 64-bit integers as decimal strings.
        (
            "session_start",
            "timestamp_unixtime_ms",
            json!("1573828863888"),
            json!(1_573_828_863_888_i64),
        ),
        (
            "session_start",
            "event_id",
            json!("-109840007014118971"),
            json!(-109_840_007_014_118_971_i64),
        ),
        ("session_start", "session_id", json!("-9223372036854775808"), json!(i64::MIN)),
        ("session_start", "event_num", json!(3.0), json!(3)),
        ("crash_report", "ios_image_size", json!("18446744073709551615"), json!(u64::MAX)),
        ("network_performance", "response_code", json!("200"), json!(200)),
        // Any scalar in a text field.
        ("session_start", "page_url", json!(12), json!("12")),
        ("custom_event", "event_name", json!(true), json!("true")),
        ("network_performance", "data", json!(1.5), json!("1.5")),
        ("network_performance", "data", json!(2.0), json!("2")),
        ("network_performance", "data", json!(-1e300), json!("-1e300")),
        ("network_performance", "data", json!(5e-324), json!("5e-324")),
        // An open set keeps unknown values. Numbers become text.
        ("push_message", "push_message_behavior", json!(2), json!("2")),
        ("push_message", "push_message_behavior", json!("directopen"), json!("DirectOpen")),
        // Letter case of enums.
        ("custom_event", "custom_event_type", json!("NAVIGATION"), json!("navigation")),
        ("custom_event", "custom_event_type", json!("Of_My_Own"), json!("Of_My_Own")),
        (
            "application_state_transition",
            "application_transition_type",
            json!("INITIALIZED"),
            json!("application_initialized"),
        ),
        (
            "application_state_transition",
            "application_transition_type",
            json!("FOREGROUND"),
            json!("application_foreground"),
        ),
        // Attributes contain scalars, flags contain any JSON, and null is a value in both.
        (
            "custom_event",
            "custom_attributes",
            json!({ "a": null, "b": 1.0, "c": "" }),
            json!({ "a": null, "b": 1.0, "c": "" }),
        ),
        (
            "custom_event",
            "custom_flags",
            json!({ "a": null, "b": [{ "c": null }] }),
            json!({ "a": null, "b": [{ "c": null }] }),
        ),
        // Booleans as texts.
        ("session_start", "is_goal_defined", json!("TRUE"), json!(true)),
        // These two fields are always written.
        ("user_attribute_change", "old", json!(""), json!("")),
        ("user_attribute_change", "new", json!(["a", 1, null]), json!(["a", 1, null])),
    ];
    for (kind, field, read, expected) in cases {
        let written = written(&event(kind, field, &read));
        assert_eq!(
            written["events"][0]["data"].get(field).unwrap_or(&Value::Null),
            &expected,
            "{field}: {read}"
        );
    }
}

/// The forms of fields of the batch: the first value is read and written as the second. Null means that it is omitted.
#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn each_form_of_a_field_of_the_batch_is_written_in_the_documented_one() {
    let state = |field: &str, value: Value| {
        json!({ "events": [{
        "event_type": "session_start",
        "data": { "device_current_state": { field: value } },
    }] })
    };
    let amount = |value: Value| {
        json!({ "events": [{
        "event_type": "commerce_event",
        "data": { "product_action": { "action": "purchase", "total_amount": value } },
    }] })
    };
    let cases = [
        ("/environment", json!({ "environment": "PRODUCTION" }), json!("production")),
        ("/environment", json!({ "environment": "unknown" }), json!("unknown")),
        ("/environment", json!({ "environment": null }), json!(null)),
        ("/events", json!({ "events": [] }), json!(null)),
        ("/device_info", json!({ "device_info": "" }), json!(null)),
        ("/device_info", json!({ "device_info": {} }), json!({})),
        ("/mpid", json!({ "mpid": "600868121729048600" }), json!(600_868_121_729_048_600_i64)),
        ("/ip", json!({ "ip": "" }), json!(null)),
        (
            "",
            json!({ "batch_context": { "data_plan": { "plan_id": "p" } } }),
            json!({ "context": { "data_plan": { "plan_id": "p" } } }),
        ),
        (
            "/user_identities",
            json!({ "user_identities": { "customerid": 12 } }),
            json!({ "customer_id": "12" }),
        ),
        (
            "/user_identities",
            json!({ "user_identities": { "customerId": 12 } }),
            json!({ "customerId": 12 }),
        ),
        (
            "/user_identities",
            json!({ "user_identities": [
                { "identity_type": "customer_id", "identity": "c", "timestamp_unixtime_ms": "1540483995196" },
                { "identity_type": "email", "identity": "e" },
            ] }),
            json!({ "customer_id": "c", "email": "e" }),
        ),
        (
            "/device_info/platform",
            json!({ "device_info": { "platform": "FireTV" } }),
            json!("fire_tv"),
        ),
        ("/device_info/platform", json!({ "device_info": { "platform": "IOS" } }), json!("iOS")),
        (
            "/device_info/supports_telephony",
            json!({ "device_info": { "supports_telephony": "" } }),
            json!(null),
        ),
        (
            "/device_info/android_advertising_id",
            json!({ "device_info": { "android_advertising_id": "" } }),
            json!(null),
        ),
        // Amounts.
        ("/events/0/data/product_action/total_amount", amount(json!("123")), json!(123)),
        ("/events/0/data/product_action/total_amount", amount(json!("21.49")), json!(21.49)),
        ("/events/0/data/product_action/total_amount", amount(json!(100.0)), json!(100)),
        ("/events/0/data/product_action/total_amount", amount(json!("")), json!(null)),
        (
            "/events/0/data/device_current_state/gps_state",
            state("gps_state", json!("true")),
            json!(true),
        ),
        (
            "/events/0/data/device_current_state/gps_state",
            state("gps_state", json!("unknown")),
            json!("unknown"),
        ),
        (
            "/events/0/data/device_current_state/device_orientation",
            state("device_orientation", json!(6)),
            json!("6"),
        ),
        (
            "/events/0/data/device_current_state/device_orientation",
            state("device_orientation", json!("FACEUP")),
            json!("FaceUp"),
        ),
        // Misspelled names are kept as they are.
        (
            "/events/0/data/device_current_state",
            state("system_memory_available_Bytes", json!(1.0)),
            json!({ "system_memory_available_Bytes": 1.0 }),
        ),
        // Entries without a value are dropped, unless null is a value.
        (
            "/partner_identities",
            json!({ "partner_identities": { "a": null, "b": "c" } }),
            json!({ "b": "c" }),
        ),
        (
            "/consent_state/gdpr",
            json!({ "consent_state": { "gdpr": { "a": null, "b": {} } } }),
            json!({ "b": {} }),
        ),
        (
            "/user_attributes",
            json!({ "user_attributes": { "tag": null, "list": [1, "2"] } }),
            json!({ "tag": null, "list": [1, "2"] }),
        ),
        (
            "/integration_attributes",
            json!({ "integration_attributes": { "1": {}, "2": { "a": null } } }),
            json!({ "1": {}, "2": { "a": null } }),
        ),
        // Unknown fields are written back unchanged.
        ("/new", json!({ "new": { "a": [null, 1.0, ""] } }), json!({ "a": [null, 1.0, ""] })),
        ("", json!({ "new": null }), json!({ "new": null })),
    ];
    for (pointer, document, expected) in cases {
        let written = written(&document);
        assert_eq!(written.pointer(pointer).unwrap_or(&Value::Null), &expected, "{document}");
    }
}

/// The forms of events: the first event is read and written as the second.
#[test]
fn each_form_of_an_event_is_written_in_the_documented_one() {
    let start = json!({ "event_type": "session_start", "data": {} });
    let custom = json!({ "event_type": "custom_event", "data": { "event_name": "n" } });
    let with = |event: &Value, field: &str, value: Value| {
        let mut event = event.clone();
        event[field] = value;
        event
    };
    let cases = [
        (r#"{"data":{"event_name":"n"},"event_type":"custom_event"}"#, custom.clone()),
        (r#"{"event_type":"CUSTOM_EVENT","data":{"event_name":"n"}}"#, custom.clone()),
        (r#"{"event_type":"session_start"}"#, start.clone()),
        (r#"{"event_type":"session_start","data":null}"#, start.clone()),
        (r#"{"data":null,"event_type":"SESSION_START"}"#, start.clone()),
        (
            r#"{"event_type":"session_start","data":{},"message_id":[1,null]}"#,
            with(&start, "message_id", json!([1, null])),
        ),
        (
            r#"{"message_id":null,"data":{},"event_type":"session_start"}"#,
            with(&start, "message_id", json!(null)),
        ),
        (
            r#"{"event_type":"tomorrow","data":{"a":[null,1.0]}}"#,
            json!({ "event_type": "tomorrow", "data": { "a": [null, 1.0] } }),
        ),
        (
            r#"{"data":{"a":""},"event_type":"Tomorrow","x":1}"#,
            json!({ "event_type": "Tomorrow", "data": { "a": "" }, "x": 1 }),
        ),
        (r#"{"event_type":"tomorrow"}"#, json!({ "event_type": "tomorrow" })),
        (r#"{"event_type":"tomorrow","data":null}"#, json!({ "event_type": "tomorrow" })),
        (
            r#"{"event_type":"user_identity_change","data":{}}"#,
            json!({ "event_type": "user_identity_change", "data": { "new": null, "old": null } }),
        ),
    ];
    for (text, expected) in cases {
        let event: Event = from_str(text).unwrap();
        assert_eq!(serde_json::to_value(&event).unwrap(), expected, "{text}");
        assert_eq!(
            matches!(event, Event::Unknown { .. }),
            text.to_lowercase().contains("tomorrow")
        );
    }
}

#[test]
fn each_form_of_a_breadcrumb_is_written_back_as_it_was_read() {
    type Is = fn(&Breadcrumb<BreadcrumbEvent>) -> bool;
    let event: Is = |breadcrumb| matches!(breadcrumb, Breadcrumb::Event(data) if data.label == "l");
    let data: Is = |breadcrumb| matches!(breadcrumb, Breadcrumb::Data(data) if data.label == "l");
    let text: Is = |breadcrumb| matches!(breadcrumb, Breadcrumb::Text(text) if text == "l");
    let whole = json!({ "event_type": "breadcrumb", "data": { "label": "l" } });
    let cases = [
        (whole.clone(), whole.clone(), event),
        (json!({ "data": { "label": "l" }, "event_type": "BREADCRUMB" }), whole.clone(), event),
        (json!({ "data": { "label": "l" } }), whole, event),
        (
            json!({ "event_type": "breadcrumb", "data": { "label": "l" }, "x": null }),
            json!({ "event_type": "breadcrumb", "data": { "label": "l" }, "x": null }),
            event,
        ),
        (
            json!({ "label": "l", "session_number": "4" }),
            json!({ "label": "l", "session_number": 4 }),
            data,
        ),
        (json!("l"), json!("l"), text),
        (json!({}), json!({}), |breadcrumb| matches!(breadcrumb, Breadcrumb::Empty)),
    ];
    for (read, expected, is) in cases {
        let report = json!({ "event_type": "crash_report", "data": { "breadcrumbs": [read] } });
        let event: Event = from_slice(&serde_json::to_vec(&report).unwrap()).unwrap();
        let Event::CrashReport(crash) = &event else { panic!("{event:?}") };
        assert!(is(&crash.breadcrumbs[0]), "{:?}", crash.breadcrumbs);
        assert_eq!(serde_json::to_value(&event).unwrap()["data"]["breadcrumbs"], json!([expected]));
    }
}

#[test]
fn the_records_of_exported_identities_are_kept_but_never_written() {
    let records = json!([
        { "identity_type": "email", "identity": "e", "timestamp_unixtime_ms": 1_540_483_995_196_i64, "new": [1] },
        { "identity_type": "of_tomorrow", "identity": "t" },
        { "identity_type": "yahoo", "identity": null },
    ]);
    let document = json!({ "user_identities": records }).to_string();
    let identities = Batch::from_str(&document).unwrap().user_identities.unwrap();
    assert_eq!(
        serde_json::to_value(&identities).unwrap(),
        json!({ "email": "e", "of_tomorrow": "t" })
    );
    let kept = json!([records[0], records[1], { "identity_type": "yahoo" }]);
    assert_eq!(serde_json::to_value(&identities.records).unwrap(), kept);
}

#[test]
fn any_mixture_of_forms_is_written_in_the_canonical_one() {
    runner(1000)
        .run(&documents(&BATCH, Spelling::Lenient), |document| {
            if !document.is_object() {
                return Ok(());
            }
            let expected = plain(&canonical(&BATCH, &document).unwrap());
            let text = serde_json::to_vec(&document).unwrap();
            let batch: Batch =
                from_slice(&text).unwrap_or_else(|error| panic!("{error}: {document}"));
            let first = batch.to_vec().unwrap();
            assert_eq!(plain(&serde_json::from_slice(&first).unwrap()), expected, "{document}");
            let again: Batch = from_slice(&first).unwrap();
            assert_eq!(again.to_vec().unwrap(), first);
            Ok(())
        })
        .unwrap();
}

#[test]
fn any_batch_is_the_same_after_writing_and_reading() {
    runner(1000)
        .run(&documents(&BATCH, Spelling::Documented), |document| {
            let batch: Batch = from_slice(&serde_json::to_vec(&document).unwrap()).unwrap();
            assert_eq!(Batch::from_slice(&batch.to_vec().unwrap()).unwrap(), batch);
            let in_a_list = vec![batch];
            assert_eq!(
                from_slice::<Vec<Batch>>(&serde_json::to_vec(&in_a_list).unwrap()).unwrap(),
                in_a_list
            );
            Ok(())
        })
        .unwrap();
}
