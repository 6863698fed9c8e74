//! Invalid data is refused before anything is sent, and errors do not reveal what the server quotes.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod sample;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mparticle_client::models::{Batch, CustomEvent, CustomEventType, Environment, UnixMillis};
use mparticle_client::testing::{Answer, Emulator};
use mparticle_client::{Client, Error, ErrorKind, Stopped, Validation};
use sample::{batch, builder};
use std::error::Error as _;
use std::time::{Duration, SystemTime};

/// Returns a batch whose JSON has that many bytes, including the id.
fn batch_of_size(bytes: usize) -> Batch {
    let padded = |length: usize| {
        let event = CustomEvent::new("padded", CustomEventType::Other)
            .with_custom_attribute("padding", "x".repeat(length));
        Batch::new(Environment::Production).with_source_request_id("sized").with_event(event)
    };
    let empty = serde_json::to_vec(&padded(0)).unwrap().len();
    padded(bytes - empty)
}

fn hours_ago(hours: i64) -> UnixMillis {
    let hour = Duration::from_secs(3600);
    let now = UnixMillis::from(SystemTime::now()).as_millis();
    UnixMillis::from_millis(now - hours * i64::try_from(hour.as_millis()).unwrap())
}

/// Returns a batch with an event that is that many hours old.
fn batch_of_hours_ago(hours: i64) -> Batch {
    let event = CustomEvent::new("Signed up", CustomEventType::Other);
    Batch::new(Environment::Production)
        .with_event(event.with_timestamp_unixtime_ms(hours_ago(hours)))
}

/// Asserts that nothing was sent, and that the error says so.
#[track_caller]
fn assert_refused(emulator: &Emulator, error: &Error, kind: ErrorKind, text: &str) {
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(text), "{error}");
    assert!(emulator.requests().is_empty(), "{error}");
    assert_eq!((error.attempts(), error.status()), (0, None));
    assert!(!error.may_have_been_sent() && !error.is_retryable());
    assert!(error.request().is_none() && error.source_request_ids().is_empty());
}

fn client() -> (Emulator, Client) {
    let emulator = Emulator::in_memory();
    let client = builder(&emulator).validation(Validation::Off).build().unwrap();
    (emulator, client)
}

#[tokio::test]
async fn an_empty_bulk_request_is_refused() {
    let (emulator, client) = client();
    let error = client.bulk_upload_events(&[]).await.unwrap_err();
    assert_refused(&emulator, &error, ErrorKind::Invalid, "no batches");
    let error = client.bulk_upload_historical_events(&[]).await.unwrap_err();
    assert_refused(&emulator, &error, ErrorKind::Invalid, "no batches");
}

#[tokio::test]
async fn two_batches_with_the_same_id_are_refused() {
    let (emulator, client) = client();
    let batches = [
        batch_of_hours_ago(100),
        batch_of_hours_ago(100).with_source_request_id("a"),
        batch_of_hours_ago(100).with_source_request_id("a"),
    ];
    let error = client.bulk_upload_events(&batches).await.unwrap_err();
    assert_refused(&emulator, &error, ErrorKind::Invalid, "that of batch 1");
    assert_eq!(error.pointer(), Some("/2/source_request_id"));
    let error = client.bulk_upload_historical_events(&batches).await.unwrap_err();
    assert_refused(&emulator, &error, ErrorKind::Invalid, "that of batch 1");
    client.bulk_upload_events(&[batch(), batch()]).await.unwrap();
}

#[tokio::test]
async fn more_than_100_batches_are_refused() {
    let (emulator, client) = client();
    for count in [101, 1000] {
        let batches = vec![batch_of_hours_ago(100); count];
        let text = format!("{count} batches, more than 100");
        let error = client.bulk_upload_events(&batches).await.unwrap_err();
        assert_refused(&emulator, &error, ErrorKind::TooLarge, &text);
        let error = client.bulk_upload_historical_events(&batches).await.unwrap_err();
        assert_refused(&emulator, &error, ErrorKind::TooLarge, &text);
    }
    client.bulk_upload_events(&vec![batch_of_hours_ago(100); 100]).await.unwrap();
    assert_eq!(emulator.batches().len(), 100);
}

#[tokio::test]
async fn a_batch_of_more_than_128_kb_is_refused() {
    let (emulator, client) = client();
    let over = batch_of_size(128_001);
    let text = "128001 bytes, more than 128000";
    let error = client.upload_events(&over).await.unwrap_err();
    assert_refused(&emulator, &error, ErrorKind::TooLarge, text);
    let error = client.bulk_upload_events(&[batch(), over]).await.unwrap_err();
    assert_refused(&emulator, &error, ErrorKind::TooLarge, text);
    assert_eq!(error.pointer(), Some("/1"));
    client.upload_events(&batch_of_size(128_000)).await.unwrap();
    assert_eq!(emulator.requests()[0].body.len(), 128_000);
}

#[tokio::test]
async fn a_request_of_more_than_256_kb_is_refused() {
    let (emulator, client) = client();
    // The body consists of three batches, two brackets and two commas.
    let three = |last: usize| {
        let mut batches = [batch_of_size(100_000), batch_of_size(100_000), batch_of_size(last)];
        for (number, batch) in batches.iter_mut().enumerate() {
            *batch = batch.clone().with_source_request_id(format!("size{number}")[..5].to_owned());
        }
        batches
    };
    let error = client.bulk_upload_events(&three(55_997)).await.unwrap_err();
    assert_refused(&emulator, &error, ErrorKind::TooLarge, "256001 bytes, more than 256000");
    client.bulk_upload_events(&three(55_996)).await.unwrap();
    assert_eq!(emulator.requests()[0].body.len(), 256_000);
}

#[tokio::test]
async fn data_that_the_historical_endpoint_would_discard_is_refused() {
    let (emulator, client) = client();
    let empty = Batch::new(Environment::Production);
    let without_timestamp = empty.clone().with_event(CustomEvent::new("a", CustomEventType::Other));
    for (invalid, pointer, text) in [
        (empty, "/1/events", "has no events"),
        (without_timestamp, "/1/events/0/data/timestamp_unixtime_ms", "has no timestamp"),
        (
            batch_of_hours_ago(71),
            "/1/events/0/data/timestamp_unixtime_ms",
            "71 hours old, and 72 are required",
        ),
        (batch_of_hours_ago(0), "/1/events/0/data/timestamp_unixtime_ms", "0 hours old"),
        (batch_of_hours_ago(-30), "/1/events/0/data/timestamp_unixtime_ms", "in the future"),
    ] {
        let batches = [batch_of_hours_ago(100), invalid];
        let error = client.bulk_upload_historical_events(&batches).await.unwrap_err();
        assert_refused(&emulator, &error, ErrorKind::Invalid, text);
        assert_eq!(error.pointer(), Some(pointer));
    }
    client
        .bulk_upload_historical_events(&[batch_of_hours_ago(73), batch_of_hours_ago(24 * 400)])
        .await
        .unwrap();
    assert_eq!((emulator.batches().len(), emulator.unprocessed().len()), (2, 0));
}

#[tokio::test]
async fn strict_validation_refuses_an_event_in_the_future() {
    let (emulator, lenient) = client();
    let strict = builder(&emulator).validation(Validation::Strict).build().unwrap();
    let error = strict.upload_events(&batch_of_hours_ago(-26)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(emulator.requests().is_empty());
    assert!(error.pointer().unwrap().ends_with("/timestamp_unixtime_ms"), "{error}");
    lenient.upload_events(&batch_of_hours_ago(-26)).await.unwrap();
    let error = strict
        .bulk_upload_events(&[batch_of_hours_ago(1), batch_of_hours_ago(-26)])
        .await
        .unwrap_err();
    assert!(error.pointer().unwrap().starts_with("/1/events/0"), "{error}");
    assert_eq!(emulator.requests().len(), 1);
}

#[tokio::test]
async fn numbers_that_json_cannot_represent_are_refused() {
    let (emulator, client) = client();
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let invalid = batch().with_user_attribute("weight", number);
        let error = client.upload_events(&invalid).await.unwrap_err();
        assert_refused(&emulator, &error, ErrorKind::Invalid, "not finite");
        assert_eq!(error.pointer(), Some("/user_attributes/weight"));
        let error = client.bulk_upload_events(&[batch(), batch(), invalid]).await.unwrap_err();
        assert_refused(&emulator, &error, ErrorKind::Invalid, "not finite");
        assert_eq!(error.pointer(), Some("/2/user_attributes/weight"));
        assert!(error.source().is_some());
    }
}

/// Asserts that neither an error nor its sources show any of the texts.
fn assert_hides(error: &Error, hidden: &[&str]) {
    let mut shown = vec![format!("{error} {error:?} {error:#?} {:?}", error.request())];
    let mut source = error.source();
    while let Some(error) = source {
        shown.push(format!("{error} {error:?}"));
        source = error.source();
    }
    let shown = shown.join(" ");
    for text in hidden {
        assert!(!shown.contains(text), "{text} in {shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_does_not_show_what_the_server_quotes() {
    let pair = STANDARD.encode("emulated-key:emulated-secret");
    let body = serde_json::to_string(&batch()).unwrap();
    let hidden = [
        "emulated-key",
        "emulated-secret",
        pair.as_str(),
        "4711",
        "shoe size",
        "Opened vault",
        "you sent",
    ];
    for status in [301, 400, 401, 403, 404, 408, 413, 429, 500, 501, 503] {
        let message = format!("you sent {body} with Basic {pair} of emulated-key:emulated-secret");
        let errors = serde_json::json!({ "errors": [
            { "code": "BAD_REQUEST", "message": message },
            { "code": "emulated-secret", "message": message },
            { "code": format!("you sent {body}"), "message": message },
        ]});
        let emulator = Emulator::in_memory();
        emulator.always(
            Answer::status(status)
                .header("location", &format!("https://example.com/{pair}"))
                .header("www-authenticate", &format!("Basic {pair}"))
                .body(errors.to_string()),
        );
        let client = builder(&emulator).build().unwrap();
        let error = client.upload_events(&batch()).await.unwrap_err();
        assert_hides(&error, &hidden);
        assert!(error.to_string().contains("BAD_REQUEST"), "{error}");
        // The methods return the text of the response.
        assert_eq!(error.api_errors().len(), 3);
        assert_eq!(error.api_errors()[0].message.as_ref(), Some(&message));
        assert_eq!(error.body().unwrap(), errors.to_string().as_bytes());
        assert!(format!("{error:?}").contains(&error.source_request_ids()[0]));
    }
}

#[tokio::test(start_paused = true)]
async fn the_body_of_an_error_response_may_have_any_form() {
    let many = format!(r#"{{"errors":[{}{{"code":"LAST"}}]}}"#, r#"{"code":"A"},"#.repeat(500));
    let cut = format!(r#"{{"errors":[{{"code":"A","message":"{}"}}]}}"#, "x".repeat(70_000));
    let deep = "[".repeat(60_000);
    for (body, codes) in [
        ("", &[][..]),
        ("<html><body><h1>502 Bad Gateway</h1></body></html>", &[]),
        ("null", &[]),
        ("[]", &[]),
        ("17", &[]),
        ("\"errors\"", &[]),
        ("{}", &[]),
        (r#"{"errors":null}"#, &[]),
        (r#"{"errors":[]}"#, &[]),
        (r#"{"errors":{}}"#, &[]),
        (r#"{"errors":"no"}"#, &[]),
        (r#"{"message":"no"}"#, &[]),
        (r#"{"errors":[{"message":"without a code"}]}"#, &[None]),
        (r#"{"errors":[{"code":null,"message":null}]}"#, &[None]),
        (r#"{"errors":[{"code":"BAD_REQUEST","message":"m","more":1}]}"#, &[Some("BAD_REQUEST")]),
        (r#" {"errors":[{"code":"A"},{"code":"B"}],"x":0} "#, &[Some("A"), Some("B")]),
        ("{\"errors\":[{\"code\":\"A\"", &[]),
        (cut.as_str(), &[]),
        (deep.as_str(), &[]),
    ] {
        let emulator = Emulator::in_memory();
        emulator.always(Answer::status(400).body(body.to_owned()));
        let client = builder(&emulator).build().unwrap();
        let error = client.upload_events(&batch()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Rejected);
        let errors = error.api_errors();
        let found: Vec<_> = errors.iter().map(|error| error.code.as_deref()).collect();
        assert_eq!(found, codes, "{}", &body[..body.len().min(100)]);
        assert_eq!(error.body().unwrap(), &body.as_bytes()[..body.len().min(65_536)]);
        assert!(error.to_string().starts_with("mParticle refused the request (status 400)"));
    }
    let emulator = Emulator::in_memory();
    emulator.script([Answer::status(400).body(vec![0xff, 0xfe]), Answer::status(400).body(many)]);
    let client = builder(&emulator).build().unwrap();
    let error = client.upload_events(&batch()).await.unwrap_err();
    assert!(error.api_errors().is_empty());
    let error = client.upload_events(&batch()).await.unwrap_err();
    assert_eq!(error.api_errors().len(), 501);
    assert!(error.to_string().ends_with("(status 400): A, A, A"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn the_sources_of_an_error_lead_to_the_first_cause() {
    let emulator = Emulator::in_memory();
    emulator.always(Answer::reset());
    let client = builder(&emulator).build().unwrap();
    let error = client.upload_events(&batch()).await.unwrap_err();
    let mut texts = vec![error.to_string()];
    let mut source = error.source();
    while let Some(error) = source {
        texts.push(error.to_string());
        source = error.source();
    }
    assert_eq!(texts.len(), 3, "{texts:?}");
    assert!(texts[0].starts_with("given up: the last attempt got no answer, and "), "{texts:?}");
    assert_eq!(texts[1], "the connection broke before a response");
    assert!(texts[2].contains("reset the connection"), "{texts:?}");
    assert_eq!(format!("{error:#}"), texts.join(": "));
    assert_hides(&error, &["4711"]);
}

#[tokio::test]
async fn an_error_is_displayed_in_one_line() {
    let (_, client) = client();
    let invalid = batch().with_user_attribute("shoe\nsize", f64::NAN);
    let error = client.upload_events(&invalid).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "a number is not finite, and JSON cannot represent it (at /user_attributes/shoe\\nsize)"
    );
}

#[tokio::test]
async fn an_error_about_credentials_ends_with_a_hint() {
    let (emulator, client) = client();
    emulator.always(Answer::status(401));
    let error = client.upload_events(&batch()).await.unwrap_err();
    let hint = "; check that the key and the secret belong to an input of this pod";
    assert!(error.to_string().ends_with(hint), "{error}");
}

#[test]
fn an_error_can_be_sent_between_threads_and_is_small() {
    fn is_error<T: std::error::Error + Clone + Send + Sync + 'static>() {}
    is_error::<Error>();
    assert_eq!(size_of::<Result<(), Error>>(), size_of::<usize>());
}

#[test]
fn an_upload_outside_a_runtime_is_an_error_with_the_request() {
    let emulator = Emulator::in_memory();
    let client = builder(&emulator).build().unwrap();
    let error = pollster::block_on(client.upload_events(&batch())).unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Config, 0));
    assert!(error.to_string().contains("no Tokio runtime"), "{error}");
    assert!(error.into_request().is_some());

    let report = pollster::block_on(client.upload_all([batch()]).into_future());
    assert_eq!((report.given(), report.stopped()), (0, Some(Stopped::Closed)));
    assert!(emulator.requests().is_empty());
}
