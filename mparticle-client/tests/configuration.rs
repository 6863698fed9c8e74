//! The settings of a client, and what follows from them.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod sample;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mparticle_client::models::{Batch, Context, DataPlanContext, Environment};
use mparticle_client::testing::{Answer, Emulator};
use mparticle_client::{
    Client, ClientBuilder, Credentials, ErrorKind, Pod, RetryPolicy, Timeouts, Validation,
};
use sample::{batch, builder};
use serde_json::{Value, json};
use std::time::Duration;

fn valid() -> ClientBuilder {
    Client::builder(Credentials::new("key", "secret"))
}

/// Returns the message of the error that `build` returns.
#[track_caller]
fn build_error(builder: ClientBuilder) -> String {
    let error = builder.build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(!error.is_retryable() && !error.may_have_been_sent() && error.attempts() == 0);
    error.to_string()
}

#[test]
fn each_mistake_is_described() {
    let with = |key: &str, secret: &str| Client::builder(Credentials::new(key, secret));
    let base_url = |url: &str| valid().base_url(url);
    let header = |name: &str, value: &str| valid().default_header(name, value);
    let pem = "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n";
    for (builder, expected) in vec![
        (with("", "secret"), "the API key is empty"),
        (with(" \t", "secret"), "the API key is empty"),
        (with("key", ""), "the API secret is empty"),
        (with("key", "  "), "the API secret is empty"),
        (with("key ", "secret"), "the API key begins or ends with white space"),
        (with("key", "secret\n"), "the API secret begins or ends with white space"),
        (with("key", "se\u{7}cret"), "the API secret contains a control character"),
        (with("k:ey", "secret"), "the API key contains a colon"),
        (with("\u{feff}key", "secret"), "the API key contains a byte order mark"),
        (with("key", "\u{feff}secret"), "the API secret contains a byte order mark"),
        (with("\"key\"", "secret"), "the API key begins or ends with a quotation mark"),
        (with("key", "'secret'"), "the API secret begins or ends with a quotation mark"),
        (with("key", "“secret”"), "the API secret begins or ends with a quotation mark"),
        (with("k ey", "secret"), "the API key contains white space"),
        (with("key", "sec\u{a0}ret"), "the API secret contains white space"),
        (with("your key", "your secret"), "the API key contains white space"),
        (valid().max_rate(0.0), "max_rate is not a positive number"),
        (valid().max_rate(f64::NAN), "max_rate is not a positive number"),
        (valid().max_rate(f64::INFINITY), "max_rate is not a positive number"),
        (base_url(""), "not a URL"),
        (base_url("example.com"), "not a URL"),
        (base_url("ftp://example.com"), "neither https nor http"),
        (base_url("http://example.com"), "use https"),
        (base_url("http://127.0.0.1.example.com"), "use https"),
        (base_url("http://localhost.example.com"), "use https"),
        (base_url("https://a:b@example.com"), "contains credentials"),
        (base_url("https://example.com?a=b"), "query or a fragment"),
        (base_url("https://example.com/v2/bulkevents"), "path of an endpoint"),
        (base_url("https://example.com/v1"), "version of the API other than /v2"),
        (base_url("https://example.com//v2"), "empty segment"),
        (base_url("https://example.com/%2e%2e/v2"), "dot segment"),
        (base_url("https://example.com/s2s%2Fv2"), "encoded slash"),
        (base_url("\u{feff}https://example.com"), "the base URL contains a byte order mark"),
        (base_url("\"https://example.com\""), "the base URL begins or ends with a quotation mark"),
        (base_url("https://example.com "), "the base URL begins or ends with white space"),
        (header("Authorization", "x"), "the header authorization is set by the client"),
        (header("content-TYPE", "x"), "the header content-type is set by the client"),
        (header("content-length", "1"), "content-length"),
        (header("content-encoding", "gzip"), "content-encoding"),
        (header("connection", "close"), "connection"),
        (header("transfer-encoding", "chunked"), "transfer-encoding"),
        (header("expect", "100-continue"), "expect"),
        (header("host", "example.com"), "host"),
        (header("user-agent", "x"), "user-agent"),
        (header("a b", "x"), "\"a b\" is not a valid header name"),
        (header("", "x"), "\"\" is not a valid header name"),
        (header("x-a", "a\nb"), "the value of the header x-a contains an invalid character"),
        (valid().user_agent("a\r\nb: c"), "the user agent contains an invalid character"),
        (valid().proxy("::"), "the proxy URL is not a URL"),
        (valid().proxy("socks5://a"), "the proxy URL names a SOCKS proxy"),
        (valid().only_added_root_certificates(), "no root certificate was added"),
        (valid().add_root_certificates(pem), "certificate"),
        (valid().add_root_certificates("nothing"), "certificate"),
        (valid().client_identity("nothing", "nothing"), "certificate"),
        (valid().timeouts(Timeouts::default().with_connect(Duration::ZERO)), "the connect timeout"),
        (valid().timeouts(Timeouts::default().with_attempt(Duration::ZERO)), "the attempt timeout"),
        (valid().timeouts(Timeouts::default().with_overall(Duration::ZERO)), "the overall timeout"),
    ] {
        let shown = format!("{builder:?}");
        let message = build_error(builder);
        assert!(message.contains(expected), "{message} of {shown}");
        assert!(!message.contains("se\u{7}cret"), "{message}");
    }
}

#[test]
fn all_mistakes_are_reported_together_without_their_values() {
    let message = build_error(
        Client::builder(Credentials::new("\"hidden:key\"", "hidden\u{1} secret"))
            .base_url("http://hidden.example.com//hidden/v2/events?hidden=1")
            .default_header("authorization", "hidden")
            .default_header("x-a", "hidden\0")
            .user_agent("hidden\n")
            .add_root_certificates("hidden")
            .proxy("socks5://hidden")
            .timeouts(Timeouts::default().with_overall(Duration::ZERO)),
    );
    for expected in [
        "colon",
        "quotation mark",
        "white space",
        "control character",
        "use https",
        "query",
        "endpoint",
        "empty segment",
        "authorization",
        "x-a",
        "user agent",
        "certificate",
        "SOCKS proxy",
        "overall timeout",
    ] {
        assert!(message.contains(expected), "{expected} is not in {message}");
    }
    assert!(!message.contains("hidden"), "{message}");
}

#[test]
fn valid_settings_build_a_client() {
    for builder in [
        valid(),
        valid().base_url("https://example.com/v2/"),
        valid().base_url("https://inbound.mparticle.com/s2s/V2"),
        valid().base_url("http://10.0.0.1").danger_allow_plain_http(),
        valid().base_url("http://localhost:1"),
        valid().base_url("http://[::1]:1"),
        valid().proxy("http://proxy.example.com:3128"),
        valid().no_proxy().pool_max_idle(0).pool_idle_timeout(Duration::from_secs(1)),
        valid().pool_idle_timeout(Duration::MAX).pool_max_idle(usize::MAX),
        valid().danger_accept_invalid_certificates(),
        valid().only_added_root_certificates().danger_accept_invalid_certificates(),
        valid().proxy("socks5://a").no_proxy(),
        // The settings of proxies do not apply to another transport.
        Emulator::in_memory().client_builder().proxy("socks5://a"),
        valid().default_header("accept", "text/plain"),
        Client::builder(Credentials::new("ключ", "käse:秘\"密")),
    ] {
        builder.build().unwrap();
    }
}

#[test]
fn each_pod_has_its_host() {
    for (pod, name, host) in [
        (Pod::Us1, "us1", "s2s.us1.mparticle.com"),
        (Pod::Us2, "US2", "s2s.us2.mparticle.com"),
        (Pod::Eu1, " eu1 ", "s2s.eu1.mparticle.com"),
        (Pod::Au1, "Au1", "s2s.au1.mparticle.com"),
    ] {
        assert_eq!(pod.base_url(), format!("https://{host}/v2"));
        assert_eq!(name.parse(), Ok(pod));
        assert_eq!(pod.to_string().parse(), Ok(pod));
        valid().pod(pod).build().unwrap();
    }
    assert_eq!(Pod::default(), Pod::Us1);
    assert!("us3".parse::<Pod>().is_err() && "".parse::<Pod>().is_err());
}

#[tokio::test(start_paused = true)]
async fn every_form_of_a_base_url_results_in_the_same_paths() {
    let emulator = Emulator::start().await.unwrap();
    let root = emulator.base_url().trim_end_matches("/v2").to_owned();
    for path in ["", "/", "/v2", "/v2/", "/V2", "/V2/"] {
        let url = format!("{root}{path}");
        let client = builder(&emulator).base_url(&url).build().unwrap();
        client.upload_events(&batch()).await.unwrap();
        assert_eq!(emulator.requests().last().unwrap().path, "/v2/events", "{url}");
    }
    // A partner feed has a path. The emulator answers 404 there.
    for path in ["/s2s", "/s2s/", "/s2s/v2", "/s2s/v2/", "/s2s/V2"] {
        let client = builder(&emulator).base_url(format!("{root}{path}")).build().unwrap();
        assert_eq!(client.upload_events(&batch()).await.unwrap_err().status().unwrap(), 404);
        assert_eq!(emulator.requests().last().unwrap().path, "/s2s/v2/events", "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_destination_takes_effect() {
    let emulator = Emulator::start().await.unwrap();
    let client = builder(&emulator).pod(Pod::Eu1).base_url(emulator.base_url()).build().unwrap();
    client.upload_events(&batch()).await.unwrap();
    let built = valid().base_url("http://example.com").pod(Pod::Eu1).build();
    assert!(built.is_ok(), "the pod overrides the base URL and its mistakes");
}

#[tokio::test(start_paused = true)]
async fn every_request_has_exactly_the_expected_headers() {
    for emulator in [Emulator::start().await.unwrap(), Emulator::in_memory()] {
        let client = builder(&emulator).build().unwrap();
        client.upload_events(&batch()).await.unwrap();
        let request = emulator.requests().remove(0);
        let version = env!("CARGO_PKG_VERSION");
        let pair = STANDARD.encode("emulated-key:emulated-secret");
        for (name, value) in [
            ("authorization", format!("Basic {pair}")),
            ("content-type", "application/json".to_owned()),
            ("accept", "application/json".to_owned()),
            ("user-agent", format!("mparticle-client-rust/{version}")),
        ] {
            let values: Vec<_> = request.headers.get_all(name).iter().collect();
            assert_eq!(values, [value.as_str()], "{name}");
        }
        assert_eq!(request.method, "POST");
        let others: Vec<_> = request
            .headers
            .keys()
            .map(http::HeaderName::as_str)
            .filter(|name| {
                !["authorization", "content-type", "accept", "user-agent", "host", "content-length"]
                    .contains(name)
            })
            .collect();
        assert_eq!(others, [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn default_headers_are_sent_with_every_attempt() {
    let emulator = Emulator::start().await.unwrap();
    emulator.script([Answer::status(503)]);
    let client = builder(&emulator)
        .default_header("X-Tenant", "a")
        .default_header("x-twice", "1")
        .default_header("x-twice", "2")
        .default_header("accept", "application/vnd.example+json")
        .default_header("x-utf8", "grün")
        .user_agent("my-service/3")
        .build()
        .unwrap();
    client.upload_events(&batch()).await.unwrap();
    let requests = emulator.requests();
    assert_eq!(requests.len(), 2);
    for request in requests {
        let value = |name| request.headers.get(name).unwrap().as_bytes();
        assert_eq!(value("x-tenant"), b"a");
        assert_eq!(value("x-twice"), b"2", "the last value wins");
        assert_eq!(value("accept"), b"application/vnd.example+json");
        assert_eq!(value("x-utf8"), "grün".as_bytes());
        assert_eq!(value("user-agent"), b"my-service/3");
        assert_eq!(request.headers.get_all("accept").iter().count(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_are_sent_as_utf_8() {
    let (key, secret) = ("us1-ключ", "käse:秘密🧀");
    let emulator =
        Emulator::builder().credentials(Credentials::new(key, secret)).start().await.unwrap();
    let client = builder(&emulator).build().unwrap();
    client.upload_events(&batch()).await.unwrap();
    let authorization = emulator.requests()[0].headers["authorization"].clone();
    let encoded = authorization.to_str().unwrap().strip_prefix("Basic ").unwrap();
    assert_eq!(STANDARD.decode(encoded).unwrap(), format!("{key}:{secret}").as_bytes());
}

#[test]
fn credentials_of_another_client_are_checked_too() {
    let client = valid().build().unwrap();
    for (key, secret, expected) in [
        ("\u{feff}hidden", "secret", "the API key contains a byte order mark"),
        ("key", "\"hidden\"", "the API secret begins or ends with a quotation mark"),
        ("key", "hidden hidden", "the API secret contains white space"),
    ] {
        let error = client.with_credentials(&Credentials::new(key, secret)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!format!("{error} {error:?}").contains("hidden"), "{error:?}");
    }
}

#[test]
fn debug_output_contains_no_secret() {
    let credentials = Credentials::new("hidden-key", "hidden-secret");
    let builder = Client::builder(credentials.clone())
        .base_url("https://hidden:hidden@example.com/?hidden")
        .default_header("x-token", "hidden")
        .proxy("http://hidden:hidden@proxy.example.com")
        .client_identity("hidden", "hidden");
    assert!(!format!("{credentials:?} {builder:?}").contains("hidden"), "{builder:?}");
    let client = Client::builder(credentials).default_header("x-token", "hidden").build().unwrap();
    let pair = STANDARD.encode("hidden-key:hidden-secret");
    let shown = format!("{client:?} {client:#?}");
    assert!(!shown.contains("hidden") && !shown.contains(&pair), "{shown}");
}

/// Returns the JSON that a client with these settings sends for a batch.
async fn sent(set: impl FnOnce(ClientBuilder) -> ClientBuilder, batch: &Batch) -> Value {
    let emulator = Emulator::in_memory();
    let client = set(builder(&emulator)).build().unwrap();
    client.upload_events(batch).await.unwrap();
    emulator.batches().remove(0).json
}

#[tokio::test(start_paused = true)]
async fn the_environment_and_data_plan_of_a_batch_take_precedence_over_those_of_the_client() {
    let plan = |id: &str| DataPlanContext::new(id);
    let defaults = |builder: ClientBuilder| {
        builder.environment(Environment::Development).data_plan(plan("usual"))
    };
    let mut without = batch();
    without.environment = None;
    let json = sent(defaults, &without).await;
    assert_eq!(json["environment"], "development");
    assert_eq!(json["context"]["data_plan"], json!({ "plan_id": "usual" }));
    assert_eq!(json["user_identities"]["customer_id"], "customer-4711");

    let with = batch().with_context(Context::new().with_data_plan(plan("own")));
    let json = sent(defaults, &with).await;
    assert_eq!(json["environment"], "production");
    assert_eq!(json["context"]["data_plan"], json!({ "plan_id": "own" }));

    let json = sent(defaults, &batch().with_context(Context::new())).await;
    assert_eq!(json["context"]["data_plan"], json!({ "plan_id": "usual" }));
    let json = sent(|builder| builder, &batch()).await;
    assert_eq!(json.get("context"), None);
}

#[tokio::test(start_paused = true)]
async fn violations_are_errors_or_sent_unchanged() {
    let name = "n".repeat(300);
    let bad = batch().with_user_attribute(name.clone(), "value");
    assert!(!bad.validate().is_empty());
    for (validation, refused) in
        [(Validation::Strict, true), (Validation::Warn, false), (Validation::Off, false)]
    {
        let emulator = Emulator::in_memory();
        let client = builder(&emulator).validation(validation).build().unwrap();
        let result = client.upload_events(&bad).await;
        assert_eq!(emulator.requests().len(), usize::from(!refused), "{validation:?}");
        if refused {
            let error = result.unwrap_err();
            assert_eq!((error.kind(), error.violations().len()), (ErrorKind::Invalid, 1));
            assert_eq!(error.pointer(), Some(error.violations()[0].pointer.as_str()));
            let error = client.bulk_upload_events(&[batch(), bad.clone()]).await.unwrap_err();
            assert!(error.pointer().unwrap().starts_with("/1/user_attributes"), "{error:?}");
            assert!(error.violations()[0].pointer.starts_with("/1/user_attributes"));
            client.upload_events(&batch()).await.unwrap();
        } else {
            result.unwrap();
            assert_eq!(emulator.batches()[0].json["user_attributes"][&name], "value");
        }
    }
    let mut missing = batch();
    missing.environment = None;
    let emulator = Emulator::in_memory();
    let strict = |builder: ClientBuilder| builder.validation(Validation::Strict);
    let client = strict(builder(&emulator)).build().unwrap();
    assert_eq!(client.upload_events(&missing).await.unwrap_err().pointer(), Some("/environment"));
    let client = strict(builder(&emulator)).environment(Environment::Production).build().unwrap();
    client.upload_events(&missing).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_client_sends_violations_by_default() {
    let emulator = Emulator::in_memory();
    let client = builder(&emulator).build().unwrap();
    client.upload_events(&Batch::new(Environment::Development)).await.unwrap();
    assert_eq!(Validation::default(), Validation::Warn);
}

#[tokio::test(start_paused = true)]
async fn timeouts_and_attempts_have_the_documented_defaults_and_can_be_changed() {
    let timeouts = Timeouts::default();
    let seconds = [timeouts.connect, timeouts.attempt, timeouts.overall].map(|time| time.as_secs());
    assert_eq!(seconds, [5, 15, 60]);
    let retry = RetryPolicy::default();
    assert_eq!((retry.max_attempts, retry.base_delay.as_millis()), (5, 250));
    assert_eq!(retry.max_delay.as_secs(), 30);
    for (attempts, expected) in [(0, 1), (1, 1), (3, 3), (9, 9)] {
        let emulator = Emulator::in_memory();
        emulator.always(Answer::status(503));
        let retry = retry.with_max_attempts(attempts);
        let client = emulator.client_builder().retry(retry).build().unwrap();
        let error = client.upload_events(&batch()).await.unwrap_err();
        assert_eq!((error.attempts(), emulator.requests().len()), (expected, expected as usize));
    }
}

#[tokio::test(start_paused = true)]
async fn timeouts_that_no_clock_can_express_never_elapse() {
    let emulator = Emulator::in_memory();
    emulator.script([Answer::status(503), Answer::status(429).retry_after(3600)]);
    let never = Timeouts::default()
        .with_connect(Duration::MAX)
        .with_attempt(Duration::MAX)
        .with_overall(Duration::MAX);
    let client = builder(&emulator).timeouts(never).build().unwrap();
    assert_eq!(client.upload_events(&batch()).await.unwrap().attempts(), 3);
}
