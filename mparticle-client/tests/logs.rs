//! What is logged, and what never is.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod sample;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mparticle_client::models::{Batch, CustomEvent, CustomEventType, Environment};
use mparticle_client::testing::{Answer, Emulator};
use mparticle_client::{Client, Credentials, Validation};
use sample::{batch, builder};
use std::io::{self, Write};
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::DefaultGuard;
use tracing_log::LogTracer;
use tracing_subscriber::fmt::format::FmtSpan;

const KEY: &str = "key-for-nobody";
const SECRET: &str = "secret-for-nobody-ü";

/// Everything that any crate logs on this thread, at every level, as text.
struct Captured {
    text: Arc<Mutex<Vec<u8>>>,
    _guard: DefaultGuard,
}

struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Captured {
    fn begin() -> Self {
        static LOG: Once = Once::new();
        // What uses the crate `log`, as reqwest does, goes to the subscriber of its thread.
        LOG.call_once(|| LogTracer::init().unwrap());
        let text = Arc::default();
        let sink = Arc::clone(&text);
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_ansi(false)
            .with_span_events(FmtSpan::FULL)
            .with_writer(move || Sink(Arc::clone(&sink)))
            .finish();
        Self { text, _guard: tracing::subscriber::set_default(subscriber) }
    }

    fn text(&self) -> String {
        String::from_utf8(self.text.lock().unwrap().clone()).unwrap()
    }

    /// Asserts that a line of a level holds some words.
    #[track_caller]
    fn assert_logged(&self, level: &str, words: &[&str]) {
        let text = self.text();
        let found = text.lines().any(|line| {
            line.contains(&format!(" {level} ")) && words.iter().all(|words| line.contains(words))
        });
        assert!(found, "{level} {words:?} is not in:\n{text}");
    }
}

/// What must not be seen, with a name for each.
fn secrets() -> Vec<(&'static str, String)> {
    vec![
        ("key", KEY.to_owned()),
        ("secret", "secret-for-nobody".to_owned()),
        ("authorization", STANDARD.encode(format!("{KEY}:{SECRET}"))),
        ("key in base64", STANDARD.encode(KEY).trim_end_matches('=').to_owned()),
        ("secret in base64", STANDARD.encode(SECRET).trim_end_matches('=').to_owned()),
        ("authorization", "Basic ".to_owned()),
    ]
}

fn personal_data() -> Vec<(&'static str, String)> {
    [
        ("identity", "customer-4711"),
        ("identity", "jane.4711"),
        ("user attribute", "attr-of-user-4711"),
        ("name of a user attribute", "shoe size"),
        ("event attribute", "attr-in-event-4711"),
        ("event", "Opened vault"),
        ("body", "\"user_identities\""),
        ("escaped body", "\\\"user_identities"),
        ("response", "text of the response"),
    ]
    .map(|(name, text)| (name, text.to_owned()))
    .to_vec()
}

#[track_caller]
fn assert_without(text: &str, hidden: &[(&str, String)]) {
    for (name, words) in hidden {
        let line = text.lines().find(|line| line.contains(words.as_str()));
        assert_eq!(line, None, "{name}");
    }
}

/// An answer that quotes what the request held, as a careless server or relay does.
fn echo(status: u16) -> Answer {
    let batch = String::from_utf8(serde_json::to_vec(&batch()).unwrap()).unwrap();
    let authorization = format!("Basic {}", STANDARD.encode(format!("{KEY}:{SECRET}")));
    let message = format!("text of the response: {batch} with {authorization} of {KEY}:{SECRET}");
    let body = serde_json::json!({ "errors": [
        { "code": "BAD_REQUEST", "message": message },
        { "code": SECRET, "message": message },
        { "code": batch, "message": null },
    ]});
    Answer::status(status)
        .header("www-authenticate", &authorization)
        .header("location", &format!("https://example.com/?auth={authorization}"))
        .header("x-mp-rate-limit-exceeded", &authorization)
        .header("x-mp-rate-limit-percentage-used", &authorization)
        .body(body.to_string())
}

/// A batch that breaks rules in places whose names are personal, too.
fn rule_breaking() -> Batch {
    let event = CustomEvent::new("Opened vault ".repeat(50), CustomEventType::Other)
        .with_custom_attribute("attr-in-event-4711".repeat(40), "attr-in-event-4711".repeat(400));
    batch()
        .with_user_attribute("shoe size ".repeat(60), "attr-of-user-4711".repeat(400))
        .with_event(event)
}

async fn emulators() -> [Emulator; 2] {
    let emulator = || Emulator::builder().credentials(Credentials::new(KEY, SECRET));
    [emulator().start().await.unwrap(), emulator().in_memory()]
}

/// Uploads a batch, and shows the outcome as a careless program does.
async fn upload(client: &Client, batch: &Batch) {
    match client.upload_events(batch).await {
        Ok(receipt) => tracing::info!(ids = ?receipt.source_request_ids(), "delivered"),
        Err(error) => {
            tracing::error!(%error, ?error, "failed");
            tracing::error!(error = &error as &dyn std::error::Error, unsent = ?error.request());
        }
    }
}

/// Everything that may happen to an upload.
async fn scenarios(emulator: Emulator) {
    let client = builder(&emulator).build().unwrap();
    tracing::info!(?client, builder = ?builder(&emulator).proxy("http://a:secret-for-nobody@b"));
    let batch = batch();
    upload(&client, &batch).await;
    let recovered = [Answer::status(503), Answer::reset(), Answer::hang(), Answer::close()];
    emulator.script(recovered);
    upload(&client, &batch).await;
    for status in [200, 202, 301, 400, 401, 403, 404, 408, 413, 429, 500, 501, 503] {
        emulator.script(vec![echo(status).retry_after(1); 5]);
        upload(&client, &batch).await;
        emulator.always(Answer::normal());
    }
    emulator.script([Answer::status(429).retry_after(100)]);
    let throttled = builder(&emulator).build().unwrap();
    upload(&throttled, &batch).await;
    upload(&throttled, &batch).await;
    for answer in [Answer::raw("text of the response\r\n\r\n"), Answer::reset(), Answer::hang()] {
        emulator.always(answer);
        upload(&builder(&emulator).build().unwrap(), &batch).await;
    }
    emulator.always(Answer::normal());
    upload(&client, &rule_breaking()).await;
    let strict = builder(&emulator).validation(Validation::Strict).build().unwrap();
    upload(&strict, &rule_breaking()).await;
    // The pointer of such an error, which the program shows, ends in the attribute's name; its value is not shown.
    upload(&client, &batch.clone().with_user_attribute("weight", f64::NAN)).await;
    let wrong = client.with_credentials(&Credentials::new("other", SECRET)).unwrap();
    upload(&wrong, &batch).await;
    let error = client.bulk_upload_historical_events(&vec![batch.clone(); 101]).await.unwrap_err();
    tracing::info!(%error, ?error);
    let error = builder(&emulator)
        .base_url(format!("ftp://{KEY}:secret-for-nobody@example.com/?x={SECRET}"))
        .default_header("x-secret", format!("{SECRET}\n"))
        .build()
        .unwrap_err();
    tracing::info!(%error, ?error);
    drop(emulator);
    tokio::task::yield_now().await;
    upload(&client, &batch).await;
}

#[tokio::test(start_paused = true)]
async fn neither_secrets_nor_data_nor_texts_of_responses_are_logged_at_any_level() {
    for emulator in emulators().await {
        let captured = Captured::begin();
        scenarios(emulator).await;
        let text = captured.text();
        assert!(text.lines().count() > 200, "{text}");
        assert_without(&text, &secrets());
        assert_without(&text, &personal_data());
    }
}

#[tokio::test(start_paused = true)]
async fn other_crates_are_heard_too() {
    let captured = Captured::begin();
    let [emulator, _] = emulators().await;
    upload(&builder(&emulator).build().unwrap(), &batch()).await;
    captured.assert_logged("DEBUG", &["reqwest", "starting new connection"]);
}

#[tokio::test(start_paused = true)]
async fn bodies_are_logged_at_trace_if_that_was_said_and_secrets_not_even_then() {
    for emulator in emulators().await {
        let captured = Captured::begin();
        let client = builder(&emulator).danger_trace_bodies().build().unwrap();
        upload(&client, &batch()).await;
        let other = client.with_credentials(&Credentials::new(KEY, SECRET)).unwrap();
        upload(&other, &batch()).await;
        let text = captured.text();
        let sent = emulator.requests();
        let told: Vec<_> = text
            .lines()
            .filter(|line| line.contains("jane.4711@example.com"))
            .map(|line| line.contains(" TRACE ") && line.contains("mparticle_client"))
            .collect();
        assert_eq!(told, [true, true], "{text}");
        for request in sent {
            assert!(text.contains(std::str::from_utf8(&request.body).unwrap()));
        }
        assert_without(&text, &secrets());
    }
}

#[tokio::test(start_paused = true)]
async fn an_upload_is_a_span_and_each_attempt_one_in_it() {
    let [emulator, _] = emulators().await;
    let captured = Captured::begin();
    emulator.script([
        Answer::status(503).retry_after(2),
        Answer::normal().header("x-mp-rate-limit-percentage-used", "12.5"),
    ]);
    let client = builder(&emulator).build().unwrap();
    let batches = [batch().with_source_request_id("id-1"), batch()];
    let receipt = client.bulk_upload_events(&batches).await.unwrap();
    let bytes = emulator.requests()[0].body.len();
    let upload = format!("upload{{endpoint=/bulkevents batches=2 bytes={bytes}}}");
    let ids = format!("source_request_ids={:?}", receipt.source_request_ids());
    captured.assert_logged("DEBUG", &[&upload, "mparticle_client", &ids]);
    let first = format!("{upload}:attempt{{attempt=1 waited_ms=0 status=503}}");
    captured.assert_logged("DEBUG", &[&first, "not accepted", "retry_after=Some(2s)"]);
    captured.assert_logged("INFO", &[&upload, "attempt failed, trying again", "wait_ms=2"]);
    let second = "attempt=2 waited_ms=0 status=202 rate_limit_used=12.5}";
    captured.assert_logged("DEBUG", &[&upload, second, "accepted"]);
    captured.assert_logged("DEBUG", &["mparticle_client", second, "close"]);
}

#[tokio::test(start_paused = true)]
async fn what_an_attempt_waited_for_the_gate_is_told() {
    let [_, emulator] = emulators().await;
    let captured = Captured::begin();
    let client = builder(&emulator).build().unwrap();
    emulator.script([Answer::status(429).retry_after(7)]);
    let early = batch();
    let refused = client.upload_events(&early);
    let late = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        client.upload_events(&batch().with_source_request_id("late")).await
    };
    let (first, second) = tokio::join!(refused, late);
    assert!(first.is_ok() && second.is_ok());
    let waited = ["attempt=1 waited_ms=6000", "attempt=1 waited_ms=6001"];
    let text = captured.text();
    assert!(waited.iter().any(|waited| text.contains(waited)), "{text}");
}

#[tokio::test(start_paused = true)]
async fn each_level_holds_what_the_guide_says() {
    let acceleration = ("x-mp-rate-limit-exceeded", "acceleration");
    for (answer, level, words) in [
        (Answer::status(400), "WARN", &["upload failed", "Rejected", "status 400"][..]),
        (Answer::status(429).retry_after(99), "WARN", &["rate limit exceeded", "wait_ms=99000"]),
        (
            Answer::status(429).header(acceleration.0, acceleration.1),
            "WARN",
            &["rate grows too fast"],
        ),
        (Answer::status(200), "WARN", &["does not document", "status=200"]),
        (Answer::status(503), "INFO", &["trying again", "attempt=1"]),
        (Answer::normal(), "DEBUG", &["uploading", "source_request_ids=[\"known\"]"]),
        (Answer::normal(), "DEBUG", &["accepted", "status=202"]),
        (Answer::status(400), "DEBUG", &["not accepted", "status=400"]),
        (Answer::reset(), "DEBUG", &["no answer", "reset"]),
        (Answer::raw("junk\r\n\r\n"), "DEBUG", &["no answer", "HTTP"]),
    ] {
        let [emulator, _] = emulators().await;
        let captured = Captured::begin();
        emulator.script([answer]);
        let client = builder(&emulator).build().unwrap();
        let _ = client.upload_events(&batch().with_source_request_id("known")).await;
        captured.assert_logged(level, words);
    }
}

#[tokio::test(start_paused = true)]
async fn broken_rules_are_warnings_with_rule_and_place() {
    let [_, emulator] = emulators().await;
    let captured = Captured::begin();
    let client = builder(&emulator).build().unwrap();
    let nobody = Batch::new(Environment::Production).with_source_request_id("nobody");
    client.upload_events(&nobody.with_user_attribute("a".repeat(257), "b")).await.unwrap();
    captured.assert_logged("WARN", &["mparticle_client", "nobody", "rule=", "/user_attributes"]);
    let captured = Captured::begin();
    let client = builder(&emulator).validation(Validation::Off).build().unwrap();
    client.upload_events(&rule_breaking()).await.unwrap();
    assert!(!captured.text().contains(" WARN "), "{}", captured.text());
}
