//! The spans and events of the client, and the data that it never logs.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod log;
mod sample;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use log::Log;
use mparticle_client::models::{Batch, CustomEvent, CustomEventType, Environment};
use mparticle_client::testing::{Answer, Emulator};
use mparticle_client::{Client, Credentials, Validation};
use sample::{batch, builder};
use std::sync::Once;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};
use tracing::Instrument;
use tracing::instrument::WithSubscriber;
use tracing::subscriber::DefaultGuard;
use tracing_log::LogTracer;
use tracing_subscriber::fmt::format::FmtSpan;

const SECOND: Duration = Duration::from_secs(1);

const KEY: &str = "key-for-nobody";
const SECRET: &str = "secret-for-nobody-ü";

/// Everything that any crate logs with the subscriber of this thread, at every level, as text.
struct Captured {
    log: Log,
    _guard: DefaultGuard,
}

impl Captured {
    fn start() -> Self {
        static LOG: Once = Once::new();
        // Sends the records of the crate `log`, which reqwest uses, to the subscriber of the thread.
        LOG.call_once(|| LogTracer::init().unwrap());
        let (log, guard) =
            Log::capture_with(|subscriber| subscriber.with_span_events(FmtSpan::FULL));
        Self { log, _guard: guard }
    }

    fn text(&self) -> String {
        self.log.text()
    }

    /// Counts the lines of a level that contain all of these words.
    fn count(&self, level: &str, words: &[&str]) -> usize {
        let text = self.text();
        let matches = |line: &&str| {
            line.contains(&format!(" {level} ")) && words.iter().all(|words| line.contains(words))
        };
        text.lines().filter(matches).count()
    }

    /// Asserts that a line of a level contains all of these words.
    #[track_caller]
    fn assert_logged(&self, level: &str, words: &[&str]) {
        assert!(self.count(level, words) > 0, "{level} {words:?} is not in:\n{}", self.text());
    }

    /// Asserts that nothing was logged above DEBUG.
    #[track_caller]
    fn assert_quiet(&self) {
        let quiet = ["ERROR", "WARN", "INFO"].iter().all(|level| self.count(level, &[]) == 0);
        assert!(quiet, "{}", self.text());
    }
}

/// Returns the texts that must not be logged, each with a name.
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

/// Returns an answer that quotes the request and its credentials.
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

/// Returns a batch that violates rules, in places whose names are personal data as well.
fn invalid_batch() -> Batch {
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

/// Uploads a batch, and logs the result in every form.
async fn upload(client: &Client, batch: &Batch) {
    match client.upload_events(batch).await {
        Ok(receipt) => tracing::info!(ids = ?receipt.source_request_ids(), "delivered"),
        Err(error) => {
            tracing::error!(%error, ?error, "failed");
            tracing::error!(error = &error as &dyn std::error::Error, unsent = ?error.request());
        }
    }
}

/// Makes an upload go through everything that can happen to it.
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
    upload(&client, &invalid_batch()).await;
    let strict = builder(&emulator).validation(Validation::Strict).build().unwrap();
    upload(&strict, &invalid_batch()).await;
    // The pointer of the error ends in the name of the attribute.
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
async fn secrets_data_and_texts_of_responses_are_logged_at_no_level() {
    for emulator in emulators().await {
        let captured = Captured::start();
        scenarios(emulator).await;
        let text = captured.text();
        assert!(text.lines().count() > 200, "{text}");
        assert_without(&text, &secrets());
        assert_without(&text, &personal_data());
    }
}

#[tokio::test(start_paused = true)]
async fn the_events_of_other_crates_are_captured_as_well() {
    let captured = Captured::start();
    let [emulator, _] = emulators().await;
    upload(&builder(&emulator).build().unwrap(), &batch()).await;
    captured.assert_logged("DEBUG", &["reqwest", "starting new connection"]);
}

#[tokio::test(start_paused = true)]
async fn bodies_are_logged_at_trace_if_enabled_and_secrets_never() {
    for emulator in emulators().await {
        let captured = Captured::start();
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
async fn an_upload_is_a_span_and_each_attempt_a_span_in_it() {
    let [emulator, _] = emulators().await;
    let captured = Captured::start();
    emulator.script([
        Answer::status(503).retry_after(2),
        Answer::normal().header("x-mp-rate-limit-percentage-used", "12.5"),
    ]);
    let client = builder(&emulator).build().unwrap();
    client.bulk_upload_events(&[batch().with_source_request_id("id-1"), batch()]).await.unwrap();
    let bytes = emulator.requests()[0].body.len();
    let upload = format!("upload{{endpoint=/bulkevents batches=2 bytes={bytes}}}");
    captured.assert_logged("DEBUG", &[&upload, "mparticle_client::send", "new"]);
    let first = format!("{upload}:attempt{{attempt=1 waited_ms=0 status=503}}");
    captured.assert_logged("DEBUG", &[&first, "not accepted", "retry_after=Some(2s)"]);
    // The wait after the seed 7.
    captured.assert_logged("DEBUG", &[&upload, "trying again", "wait_ms=2143"]);
    let second = "attempt=2 waited_ms=2144 status=202 rate_limit_used=12.5}";
    captured.assert_logged("DEBUG", &[&upload, second, "accepted"]);
    captured.assert_logged("DEBUG", &["mparticle_client::send", second, "close"]);
    captured.assert_quiet();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_keeps_the_span_and_the_subscriber_of_its_caller() {
    let [emulator, _] = emulators().await;
    // The upload runs as a task of the other threads, which have no subscriber.
    let captured = Captured::start();
    let client = builder(&emulator).build().unwrap();
    let batch = batch();
    client.upload_events(&batch).instrument(tracing::info_span!("caller")).await.unwrap();
    captured.assert_logged("DEBUG", &[" caller:upload{", ":attempt{attempt=1", "accepted"]);
}

#[tokio::test(start_paused = true)]
async fn the_wait_for_the_rate_limiter_is_part_of_waited_ms() {
    let [_, emulator] = emulators().await;
    let captured = Captured::start();
    let client = builder(&emulator).build().unwrap();
    emulator.script([Answer::status(429).retry_after(7)]);
    let early = batch();
    let refused = client.upload_events(&early);
    let late = async {
        sleep(SECOND).await;
        client.upload_events(&batch().with_source_request_id("late")).await
    };
    let (first, second) = tokio::join!(refused, late);
    assert!(first.is_ok() && second.is_ok());
    // The request that was refused waits for 7 seconds, and the later one for a second less. Both are up to a tenth
    // longer, and ten batches a second are sent.
    let text = captured.text();
    let waited = |attempt: &str| {
        let attempt = format!("attempt{{attempt={attempt} waited_ms=");
        let values = text.split(&attempt).skip(1);
        values.filter_map(|rest| rest.split(['}', ' ']).next()?.parse::<u64>().ok()).max().unwrap()
    };
    assert!((7_000..=7_900).contains(&waited("2")), "{text}");
    assert!((6_000..=6_900).contains(&waited("1")), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_failed_attempt_or_upload_is_logged_at_debug_only() {
    let acceleration = Answer::status(429).header("x-mp-rate-limit-exceeded", "acceleration");
    for (answer, words) in [
        (Answer::status(400), &["upload failed", "status 400", "kind=Rejected"][..]),
        (Answer::status(400), &["not accepted", "status=400"]),
        (Answer::status(503), &["not accepted", "status=503"]),
        (Answer::status(503), &["trying again", "wait_ms="]),
        (Answer::status(429).retry_after(9), &["not accepted", "status=429", "Some(9s)"]),
        (acceleration.retry_after(99), &["upload failed", "status 429", "kind=RateLimited"]),
        (Answer::reset(), &["no answer", "reset"]),
        (Answer::raw("junk\r\n\r\n"), &["no answer", "HTTP"]),
        (Answer::normal(), &["accepted"]),
    ] {
        let [emulator, _] = emulators().await;
        let captured = Captured::start();
        emulator.script([answer]);
        let client = builder(&emulator).build().unwrap();
        let _ = client.upload_events(&batch()).await;
        captured.assert_logged("DEBUG", words);
        captured.assert_quiet();
    }
}

/// Starts uploads and waits for them, one after the other, for this long.
async fn upload_for(client: &Client, time: Duration) {
    let end = Instant::now() + time;
    while Instant::now() < end {
        let _ = client.upload_events(&batch()).await;
        sleep(SECOND / 2).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_one_warning_after_ten_seconds_and_its_end_one_event() {
    for (answer, reason) in [
        (Answer::status(503), "mParticle answers with status 503"),
        (Answer::status(408), "mParticle answers with status 408"),
        (Answer::close(), "the connection broke before a response"),
        (Answer::status(429).retry_after(1), "mParticle's rate limit is exceeded"),
    ] {
        let [_, emulator] = emulators().await;
        let captured = Captured::start();
        let client = builder(&emulator).build().unwrap();
        for outage in 1..=2 {
            emulator.always(answer.clone());
            let uploads = tokio::spawn({
                let (client, dispatch) =
                    (client.clone(), tracing::dispatcher::get_default(Clone::clone));
                async move { upload_for(&client, 60 * SECOND).await }.with_subscriber(dispatch)
            });
            sleep(9 * SECOND).await;
            assert_eq!(captured.count("WARN", &[]), outage - 1, "{}", captured.text());
            sleep(60 * SECOND).await;
            emulator.always(Answer::normal());
            uploads.await.unwrap();
            let stalled = ["mparticle_client::send::stall", "delivery is stalled", reason];
            assert_eq!(captured.count("WARN", &stalled), outage, "{}", captured.text());
            upload_for(&client, 20 * SECOND).await;
            let recovered = ["mparticle_client::send::stall", "delivery has recovered"];
            assert_eq!(captured.count("INFO", &recovered), outage, "{}", captured.text());
            assert_eq!(captured.count("WARN", &[]), outage, "{}", captured.text());
            assert_eq!(captured.count("INFO", &[]), outage, "{}", captured.text());
        }
        let since = captured.text();
        let since = since.split("since_ms=").nth(1).unwrap().split(' ').next().unwrap();
        assert!((10_000..15_000).contains(&since.parse::<u32>().unwrap()), "{since}");
    }
}

#[tokio::test(start_paused = true)]
async fn failures_among_acceptances_are_no_outage() {
    let [_, emulator] = emulators().await;
    let captured = Captured::start();
    let client = builder(&emulator).build().unwrap();
    for _ in 0..20 {
        emulator.script(vec![Answer::status(503); 3]);
        upload_for(&client, 3 * SECOND).await;
    }
    captured.assert_quiet();
}

#[tokio::test(start_paused = true)]
async fn a_429_that_closes_the_limiter_for_ten_seconds_is_a_warning_at_once() {
    for (seconds, warnings) in [(9, 0), (10, 1), (3600, 1)] {
        let [_, emulator] = emulators().await;
        let captured = Captured::start();
        let client = builder(&emulator).build().unwrap();
        emulator.script([Answer::status(429).retry_after(seconds)]);
        let upload = client.clone();
        let batch = batch();
        let early = timeout(SECOND, upload.upload_events(&batch)).await;
        assert!(early.is_err() || seconds == 3600);
        let pause = format!("pause_ms={seconds}000");
        let words = ["delivery is stalled: mParticle's rate limit is exceeded", &pause];
        assert_eq!(captured.count("WARN", &words), warnings, "{}", captured.text());
        assert_eq!(captured.count("WARN", &[]), warnings, "{}", captured.text());
        // A minute later the limiter is open, or a probe is due.
        sleep(60 * SECOND).await;
        client.upload_events(&batch).await.unwrap();
        assert_eq!(captured.count("INFO", &["delivery has recovered"]), warnings);
    }
}

#[tokio::test(start_paused = true)]
async fn an_undocumented_status_of_an_accepted_request_is_one_warning_per_client() {
    let [_, emulator] = emulators().await;
    emulator.always(Answer::status(200));
    for _ in 0..2 {
        let captured = Captured::start();
        let client = builder(&emulator).build().unwrap();
        for _ in 0..3 {
            client.clone().upload_events(&batch()).await.unwrap();
        }
        let words = ["mparticle_client::send", "does not document", "status=200"];
        assert_eq!(captured.count("WARN", &words), 1, "{}", captured.text());
        assert_eq!(captured.count("WARN", &[]), 1, "{}", captured.text());
    }
}

#[tokio::test(start_paused = true)]
async fn a_violation_is_a_warning_with_its_rule_and_place() {
    let [_, emulator] = emulators().await;
    let captured = Captured::start();
    let client = builder(&emulator).build().unwrap();
    let nobody = Batch::new(Environment::Production).with_source_request_id("nobody");
    client.upload_events(&nobody.with_user_attribute("a".repeat(257), "b")).await.unwrap();
    captured.assert_logged("WARN", &["mparticle_client", "nobody", "rule=", "/user_attributes"]);
    let captured = Captured::start();
    let client = builder(&emulator).validation(Validation::Off).build().unwrap();
    client.upload_events(&invalid_batch()).await.unwrap();
    assert!(!captured.text().contains(" WARN "), "{}", captured.text());
}
