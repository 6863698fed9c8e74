//! What the client sends, and what it makes of the answers.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../examples/quickstart/sink.rs"]
mod sink;

use mparticle_client::models::{Batch, CustomEvent, CustomEventType, Environment};
use mparticle_client::{Client, Error};
use sink::Sink;

fn batch() -> Batch {
    let event = CustomEvent::new("Signed up", CustomEventType::Navigation);
    Batch::new(Environment::Production).with_event(event)
}

fn client(base_url: &str) -> Client {
    Client::new(base_url, "some-key", "pässword").unwrap()
}

#[tokio::test]
async fn a_batch_is_posted_with_basic_auth() {
    let sink = Sink::start("202 Accepted", "").unwrap();
    assert_eq!(client(&sink.url).upload_events(&batch()).await.unwrap(), 202);

    let request = sink.received.recv().unwrap();
    let head = request.head.to_ascii_lowercase();
    assert!(head.starts_with("post /v2/events http/1.1\r\n"), "{head}");
    assert!(head.contains("\r\ncontent-type: application/json\r\n"), "{head}");
    // base64 of the UTF-8 text "some-key:pässword"
    assert!(request.head.contains(": Basic c29tZS1rZXk6cMOkc3N3b3Jk\r\n"), "{head}");
    assert_eq!(head.matches("\r\nauthorization:").count(), 1);
    assert_eq!(request.body.as_bytes(), batch().to_vec().unwrap());
}

#[tokio::test]
async fn every_spelling_of_the_base_url_leads_to_the_same_path() {
    let sink = Sink::start("202 Accepted", "").unwrap();
    for (ending, path) in [
        ("", "/v2/events"),
        ("/", "/v2/events"),
        ("/v2", "/v2/events"),
        ("/v2/", "/v2/events"),
        ("/s2s", "/s2s/v2/events"),
        ("/s2s/v2", "/s2s/v2/events"),
    ] {
        client(&format!("{}{ending}", sink.url)).upload_events(&batch()).await.unwrap();
        let request = sink.received.recv().unwrap();
        assert!(request.head.starts_with(&format!("POST {path} HTTP/1.1\r\n")), "{ending}");
    }
}

#[tokio::test]
async fn a_refusal_tells_status_and_answer() {
    let body = r#"{"errors":[{"code":"BAD_REQUEST","message":"no events"}]}"#;
    for (line, status) in [("400 Bad Request", 400), ("403 Forbidden", 403), ("503 Busy", 503)] {
        let sink = Sink::start(line, body).unwrap();
        let error = client(&sink.url).upload_events(&batch()).await.unwrap_err();
        assert!(matches!(&error, Error::Refused(found, text) if *found == status && text == body));
        assert_eq!(error.to_string(), format!("mParticle answered with status {status}: {body}"));
    }
}

#[tokio::test]
async fn a_redirect_is_a_refusal_and_is_not_followed() {
    let elsewhere = Sink::start("200 OK", "").unwrap();
    let status = format!("307 Temporary Redirect\r\nlocation: {}", elsewhere.url);
    let sink = Sink::start(&status, "").unwrap();
    let error = client(&sink.url).upload_events(&batch()).await.unwrap_err();
    assert!(matches!(error, Error::Refused(307, _)), "{error:?}");
    assert!(elsewhere.received.try_recv().is_err());
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_transport_error() {
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = client(&format!("http://{unused}")).upload_events(&batch()).await.unwrap_err();
    assert!(matches!(error, Error::Transport(_)), "{error:?}");
    assert!(std::error::Error::source(&error).is_some());
}

#[tokio::test]
async fn a_number_that_is_not_finite_is_refused_before_sending() {
    let event =
        CustomEvent::new("Rated", CustomEventType::Other).with_custom_attribute("stars", f64::NAN);
    let sink = Sink::start("202 Accepted", "").unwrap();
    let error = client(&sink.url).upload_events(&batch().with_event(event)).await.unwrap_err();
    assert!(matches!(error, Error::Invalid(_)), "{error:?}");
    assert!(sink.received.try_recv().is_err());
}

#[test]
fn only_https_and_loopback_urls_are_taken() {
    for good in
        ["https://s2s.mparticle.com/v2", "http://localhost:1", "http://[::1]:1", "http://127.0.0.2"]
    {
        assert!(Client::new(good, "k", "s").is_ok(), "{good}");
    }
    for bad in [
        "",
        "s2s.mparticle.com",
        "http://s2s.mparticle.com",
        "ftp://localhost",
        "http://localhost.example.com",
        "https://user:hunter2@s2s.mparticle.com",
        "https://user@s2s.mparticle.com",
    ] {
        let error = Client::new(bad, "k", "s").unwrap_err();
        assert!(matches!(error, Error::Config(_)), "{bad}");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}

#[tokio::test]
async fn secrets_are_not_in_debug() {
    let sink = Sink::start("500 Oops", "").unwrap();
    let client = client(&sink.url);
    let error = client.upload_events(&batch()).await.unwrap_err();
    let debug = format!("{client:?} {error:?}");
    for secret in ["some-key", "pässword", "c29tZS1rZXk6cMOkc3N3b3Jk"] {
        assert!(!debug.contains(secret), "{debug}");
    }
}
