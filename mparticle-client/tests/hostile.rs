//! Servers that violate HTTP: the client does not panic, wait past its deadline or keep more than 64 KiB of an answer.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod wire;

use mparticle_client::models::{Batch, CustomEvent, CustomEventType, Environment};
use mparticle_client::{Error, ErrorKind, Receipt, RetryPolicy, Timeouts};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};
use wire::{ACCEPTED, Server, batch, close, drain, everything_shown, read_head, read_request};

/// The number of bytes of a body that are kept.
const KEPT: usize = 64 * 1024;
/// The time limit of an upload in these tests. It is longer than the attempt timeout, because the machine may be busy.
const TIME_LIMIT: Duration = Duration::from_millis(1500);

/// What a server does after its answer.
#[derive(Clone, Copy, Debug)]
enum Then {
    Close,
    Wait,
}

/// The result of an upload.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Accepted,
    Failed(ErrorKind),
}

const ACCEPTANCE: End = End::Accepted;
const REJECTION: End = End::Failed(ErrorKind::Rejected);
const BROKEN: End = End::Failed(ErrorKind::Transport);
const LATE: End = End::Failed(ErrorKind::Timeout);

/// Starts a server that answers every request with these bytes.
fn answering(answer: impl Into<Vec<u8>>, then: Then) -> Server {
    let answer = answer.into();
    Server::recording(move |mut stream, _, record| {
        while let Some(request) = read_request(&mut stream) {
            record(request);
            if stream.write_all(&answer).is_err() {
                return;
            }
            match then {
                Then::Wait => {}
                Then::Close => return close(stream),
            }
        }
    })
}

/// Makes one attempt, and asserts what holds for every server.
async fn upload(server: &Server) -> Result<Receipt, Error> {
    let client = server.with_short_timeouts().build().unwrap();
    let start = Instant::now();
    let result = client.upload_events(&batch()).await;
    let took = start.elapsed();
    assert!(took < TIME_LIMIT, "took {took:?}: {result:?}");
    if let Err(error) = &result {
        assert_eq!(error.attempts(), 1);
        assert!(error.request().is_some(), "the error contains the request");
        assert!(error.body().unwrap_or_default().len() <= KEPT);
        let shown = everything_shown(error);
        assert!(!shown.contains(wire::SECRET) && !shown.contains("Signed up"), "{shown}");
        assert!(shown.len() < 10_000, "an error of {} bytes", shown.len());
    }
    result
}

fn end(result: &Result<Receipt, Error>) -> End {
    match result {
        Ok(_) => End::Accepted,
        Err(error) => End::Failed(error.kind()),
    }
}

async fn check(what: &str, server: &Server, wanted: End) {
    let result = upload(server).await;
    assert_eq!(end(&result), wanted, "{what}: {result:?}");
    let Err(error) = result else { return };
    if wanted == BROKEN || wanted == LATE {
        assert!(error.may_have_been_sent(), "{what}: {error:?}");
        assert!(error.is_retryable(), "{what}: {error:?}");
    }
}

#[tokio::test]
async fn an_invalid_answer_is_a_transport_error() {
    let many = "x: y\r\n".repeat(10_000);
    let huge = "y".repeat(1 << 20);
    let answers: Vec<(&str, Vec<u8>)> = vec![
        ("garbage", b"\x00\xff\x13garbage\r\n\r\n\x00".to_vec()),
        ("a TLS alert", b"\x15\x03\x03\x00\x02\x02\x28".to_vec()),
        ("HTTP/0.9", b"accepted\n".to_vec()),
        ("HTML alone", b"<html>202 Accepted</html>\r\n\r\n".to_vec()),
        ("HTTP/2 that nobody asked for", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec()),
        ("a request", b"POST / HTTP/1.1\r\n\r\n".to_vec()),
        ("another protocol", b"SSH-2.0-OpenSSH_9.6\r\n\r\n".to_vec()),
        ("another version", b"HTTP/3.7 202 Accepted\r\n\r\n".to_vec()),
        ("no status", b"HTTP/1.1 \r\n\r\n".to_vec()),
        ("status 000", b"HTTP/1.1 000 Zero\r\n\r\n".to_vec()),
        ("status 099", b"HTTP/1.1 099 Low\r\n\r\n".to_vec()),
        ("status 1000", b"HTTP/1.1 1000 High\r\n\r\n".to_vec()),
        ("status -20", b"HTTP/1.1 -20 Negative\r\n\r\n".to_vec()),
        ("status 20", b"HTTP/1.1 20 Short\r\n\r\n".to_vec()),
        ("status in words", b"HTTP/1.1 two Accepted\r\n\r\n".to_vec()),
        ("10,000 headers", format!("HTTP/1.1 202 A\r\n{many}\r\n").into()),
        ("a header of 1 MiB", format!("HTTP/1.1 202 A\r\nx: {huge}\r\n\r\n").into()),
        ("a name of 1 MiB", format!("HTTP/1.1 202 A\r\n{huge}: x\r\n\r\n").into()),
        ("a reason of 1 MiB", format!("HTTP/1.1 202 {huge}\r\n\r\n").into()),
        ("no colon", b"HTTP/1.1 202 A\r\nwithout colon\r\n\r\n".to_vec()),
        ("a zero in a value", b"HTTP/1.1 202 A\r\nx: a\x00b\r\n\r\n".to_vec()),
        (
            "two lengths that differ",
            b"HTTP/1.1 202 A\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab".to_vec(),
        ),
        ("a length in words", b"HTTP/1.1 202 A\r\ncontent-length: two\r\n\r\nab".to_vec()),
        ("a negative length", b"HTTP/1.1 202 A\r\ncontent-length: -2\r\n\r\nab".to_vec()),
        (
            "a length over all bounds",
            b"HTTP/1.1 202 A\r\ncontent-length: 99999999999999999999\r\n\r\nab".to_vec(),
        ),
        ("nothing", Vec::new()),
        ("half a status line", b"HTTP/1.1 20".to_vec()),
        ("a status line alone", b"HTTP/1.1 202 Accepted\r\n".to_vec()),
        ("half a header", b"HTTP/1.1 202 Accepted\r\ncontent-le".to_vec()),
        ("no empty line", b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n".to_vec()),
        ("only 100", b"HTTP/1.1 100 Continue\r\n\r\n".to_vec()),
    ];
    for (what, answer) in answers {
        check(what, &answering(answer, Then::Close), BROKEN).await;
    }
}

#[tokio::test]
async fn a_valid_head_is_an_answer_whatever_follows() {
    let huge = "y".repeat(200_000);
    let lines = "x: y\r\n".repeat(90);
    let bodies = [
        "\r\n".to_owned(),
        "\r\nno length".to_owned(),
        "content-length: 1000\r\n\r\nless".to_owned(),
        "content-length: 2\r\n\r\nmore".to_owned(),
        "content-length: 2\r\ncontent-length: 2\r\n\r\nab".to_owned(),
        "content-length: 18446744073709551613\r\n\r\nless".to_owned(),
        "transfer-encoding: chunked\r\n\r\ngarbage".to_owned(),
        "transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\nx".to_owned(),
        "transfer-encoding: chunked\r\n\r\n-1\r\nx\r\n".to_owned(),
        "transfer-encoding: chunked\r\n\r\n3\r\nabcdefg\r\n0\r\n\r\n".to_owned(),
        format!("transfer-encoding: chunked\r\n\r\n3;{huge}\r\nabc\r\n0\r\n\r\n"),
        format!("transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n{lines}{lines}\r\n"),
        "transfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n1\r\na\r\n0\r\n\r\n".to_owned(),
        "content-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc".to_owned(),
        "content-type: \u{fffd}\r\ncontent-length: 0\r\n\r\n".to_owned(),
        format!("x: {huge}\r\n\r\n"),
        format!("{lines}\r\n"),
        "x:\r\n\r\n".to_owned(),
    ];
    for version in ["HTTP/1.1", "HTTP/1.0"] {
        for (status, wanted) in [
            ("202 Accepted", ACCEPTANCE),
            ("202", ACCEPTANCE),
            ("400 Bad Request", REJECTION),
            ("503 Service Unavailable", End::Failed(ErrorKind::Server)),
        ] {
            for body in &bodies {
                let what = format!("{version} {status} {:?}", body.get(..60).unwrap_or(body));
                let server = answering(format!("{version} {status}\r\n{body}"), Then::Close);
                let result = upload(&server).await;
                // HTTP/1.0 has no chunked encoding.
                let is_old_chunks = version == "HTTP/1.0" && body.contains("chunked");
                let is_end = end(&result) == wanted || is_old_chunks && end(&result) == BROKEN;
                assert!(is_end, "{what}: {result:?}");
            }
        }
    }
}

#[tokio::test]
async fn odd_statuses_end_the_upload() {
    for (status, wanted) in [
        ("101 Switching Protocols", REJECTION),
        ("200 OK", ACCEPTANCE),
        ("204 No Content", ACCEPTANCE),
        ("299 Odd", ACCEPTANCE),
        ("304 Not Modified", REJECTION),
        ("407 Proxy Authentication Required", REJECTION),
        ("418 Teapot", REJECTION),
        ("599 Odd", End::Failed(ErrorKind::Server)),
        ("600 Odd", REJECTION),
        ("999 Odd", REJECTION),
    ] {
        let server = answering(format!("HTTP/1.1 {status}\r\n\r\n"), Then::Close);
        check(status, &server, wanted).await;
    }
}

#[tokio::test]
async fn a_missing_body_does_not_delay_the_upload() {
    for (status, wanted) in [("202 A", ACCEPTANCE), ("400 B", REJECTION)] {
        let server =
            answering(format!("HTTP/1.1 {status}\r\ncontent-length: 9\r\n\r\nhalf"), Then::Wait);
        check(status, &server, wanted).await;
    }
}

#[tokio::test]
async fn the_part_of_a_broken_body_that_was_read_is_kept() {
    let body = r#"{"errors":[{"code":"BAD_REQUEST","message":"m"}]}"#;
    for (then, length) in [(Then::Close, 1000), (Then::Wait, 1000), (Then::Wait, body.len())] {
        let answer = format!("HTTP/1.1 400 Bad\r\ncontent-length: {length}\r\n\r\n{body}");
        let error = upload(&answering(answer, then)).await.unwrap_err();
        assert_eq!(error.body(), Some(body.as_bytes()), "{then:?}");
        assert_eq!(error.api_errors()[0].code.as_deref(), Some("BAD_REQUEST"));
    }
}

#[tokio::test]
async fn after_a_body_that_is_too_long_the_next_upload_is_not_confused() {
    let server = Server::recording(|mut stream, _, record| {
        while let Some(request) = read_request(&mut stream) {
            record(request);
            // The second answer belongs to no request.
            let answer = "HTTP/1.1 202 A\r\ncontent-length: 0\r\n\r\nHTTP/1.1 403 No\r\n\r\n";
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    let client = server.with_short_timeouts().build().unwrap();
    for _ in 0..5 {
        client.upload_events(&batch()).await.unwrap();
    }
    assert_eq!(server.requests().len(), 5);
    assert_eq!(server.connections(), 5, "a connection that broke the rules is not used again");
}

/// Starts a server that writes a beginning, and then repeats some bytes until the client closes the connection.
fn endless(beginning: &str, again: &[u8]) -> (Server, Arc<AtomicUsize>) {
    endless_with_pauses(beginning, again, Duration::ZERO)
}

/// The same with a pause after each 16 kB.
fn endless_with_pauses(
    beginning: &str,
    again: &[u8],
    pause: Duration,
) -> (Server, Arc<AtomicUsize>) {
    let written = Arc::<AtomicUsize>::default();
    let (beginning, again) = (beginning.to_owned(), again.repeat(16_000 / again.len()));
    let counter = Arc::clone(&written);
    let server = Server::start(move |mut stream, _| {
        let _ = read_request(&mut stream);
        let _ = stream.write_all(beginning.as_bytes());
        while stream.write_all(&again).is_ok() {
            counter.fetch_add(again.len(), Ordering::SeqCst);
            std::thread::sleep(pause);
        }
    });
    (server, written)
}

#[tokio::test]
async fn an_endless_answer_is_cut() {
    for (what, beginning, again, wanted) in [
        ("a body without length", "HTTP/1.1 202 A\r\n\r\n", &b"x"[..], ACCEPTANCE),
        ("a body of an error", "HTTP/1.1 400 B\r\n\r\n", b"x", REJECTION),
        (
            "chunks",
            "HTTP/1.1 400 B\r\ntransfer-encoding: chunked\r\n\r\n",
            b"5\r\nabcde\r\n",
            REJECTION,
        ),
        (
            "an extension of a chunk",
            "HTTP/1.1 400 B\r\ntransfer-encoding: chunked\r\n\r\n5;",
            b"x",
            REJECTION,
        ),
        (
            "trailers",
            "HTTP/1.1 400 B\r\ntransfer-encoding: chunked\r\n\r\n0\r\n",
            b"x: y\r\n",
            REJECTION,
        ),
        ("headers", "HTTP/1.1 202 A\r\n", b"x: y\r\n", BROKEN),
        ("a header", "HTTP/1.1 202 A\r\nx: ", b"y", BROKEN),
        ("a status line", "HTTP/1.1 202 ", b"y", BROKEN),
        ("garbage", "", b"\x00", BROKEN),
    ] {
        let (server, written) = endless(beginning, again);
        check(what, &server, wanted).await;
        // This includes what the buffers of the sockets contain.
        let mebibytes = written.load(Ordering::SeqCst) >> 20;
        assert!(mebibytes < 24, "{what}: the client took {mebibytes} MiB");
    }
}

#[tokio::test]
async fn a_body_is_kept_up_to_its_bound() {
    for (length, kept) in [(KEPT - 1, KEPT - 1), (KEPT, KEPT), (KEPT + 1, KEPT), (1 << 20, KEPT)] {
        let body = "x".repeat(length);
        let server = answering(
            format!("HTTP/1.1 400 B\r\ncontent-length: {length}\r\n\r\n{body}"),
            Then::Close,
        );
        let error = upload(&server).await.unwrap_err();
        assert_eq!(error.body().unwrap().len(), kept, "of {length}");
    }
}

#[tokio::test]
async fn interim_answers_without_end_are_not_followed_past_the_deadline() {
    for interim in [
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 102 Processing\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n",
        "HTTP/1.1 199 Odd\r\n\r\n",
    ] {
        // Without a pause, an unoptimized build of hyper reads more slowly than the server writes.
        let pause = Duration::from_millis(5);
        let (server, _) = endless_with_pauses("", interim.as_bytes(), pause);
        check(interim, &server, LATE).await;
    }
}

#[tokio::test]
async fn interim_answers_are_skipped() {
    let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n".repeat(50);
    let server = answering([interim.as_bytes(), ACCEPTED].concat(), Then::Wait);
    check("100 interim answers", &server, ACCEPTANCE).await;
}

#[tokio::test]
async fn dripping_bytes_do_not_extend_the_attempt() {
    for beginning in ["", "HTTP/1.1 202 A\r\n", "HTTP/1.1 202 A\r\nx: "] {
        let server = Server::start(move |mut stream, _| {
            let _ = read_request(&mut stream);
            let _ = stream.write_all(beginning.as_bytes());
            while stream.write_all(b"H").is_ok() {
                sleep(Duration::from_millis(20));
            }
        });
        check(beginning, &server, LATE).await;
    }
    let server = Server::start(move |mut stream, _| {
        let _ = read_request(&mut stream);
        let answer = "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n";
        for byte in answer.bytes() {
            let _ = stream.write_all(&[byte]);
            sleep(Duration::from_millis(20));
        }
    });
    check("a slow but valid answer", &server, LATE).await;
}

#[tokio::test]
async fn a_dripping_body_is_not_waited_for() {
    for (status, wanted) in [("202 A", ACCEPTANCE), ("400 B", REJECTION)] {
        let server = Server::start(move |mut stream, _| {
            let _ = read_request(&mut stream);
            let _ = write!(stream, "HTTP/1.1 {status}\r\n\r\n");
            while stream.write_all(b"x").is_ok() {
                sleep(Duration::from_millis(20));
            }
        });
        check(status, &server, wanted).await;
    }
}

#[tokio::test]
async fn a_silent_server_costs_one_attempt() {
    let silent = Server::start(|mut stream, _| drain(&mut stream));
    check("reads and says nothing", &silent, LATE).await;
    let deaf = Server::start(|stream, _| {
        sleep(Duration::from_millis(600));
        drop(stream);
    });
    check("does not even read", &deaf, LATE).await;
}

/// Returns the batches of a bulk request of nearly the maximum size.
fn large() -> Vec<Batch> {
    let event = || CustomEvent::new("x".repeat(200), CustomEventType::Navigation);
    let batch = || (0..8).fold(Batch::new(Environment::Production), |it, _| it.with_event(event()));
    (0..80).map(|_| batch()).collect()
}

#[tokio::test]
async fn an_answer_may_come_before_the_request_was_read() {
    let server = Server::start(|mut stream, _| {
        let _ = read_head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n");
        sleep(Duration::from_millis(100));
        close(stream);
    });
    let client = server.with_short_timeouts().build().unwrap();
    let error = client.bulk_upload_events(&large()).await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(413), "{error:?}");
    assert_eq!(error.kind(), ErrorKind::Rejected);
}

#[tokio::test]
async fn an_answer_that_comes_before_the_request_does_no_harm() {
    for answer in [ACCEPTED, b"HTTP/1.1 400 Bad\r\n\r\n", b"garbage\r\n\r\n"] {
        let server = Server::start(move |mut stream, _| {
            let _ = stream.write_all(answer);
            close(stream);
        });
        let result = upload(&server).await;
        // Whether it counts as an answer depends on the timing.
        assert!(
            result.as_ref().is_ok_and(|_| answer == ACCEPTED)
                || [REJECTION, BROKEN].contains(&end(&result)),
            "{result:?}"
        );
    }
}

/// How much of a request is read: a description, and a function that reads it.
type Stage = (&'static str, fn(&mut TcpStream));

#[tokio::test]
async fn a_connection_may_end_at_every_stage() {
    let reset: fn(TcpStream) = |stream| {
        // Closing with unread data resets the connection.
        drop(stream);
    };
    let stages: [Stage; 4] = [
        ("at once", |_| {}),
        ("after a byte", |stream| _ = stream.read_exact(&mut [0])),
        ("after the head", |stream| _ = read_head(stream)),
        ("after half the request", |stream| {
            let _ = read_head(stream);
            let _ = stream.read_exact(&mut vec![0; 60_000]);
        }),
    ];
    for (stage, read) in stages {
        for end in [close, reset] {
            let server = Server::start(move |mut stream, _| {
                read(&mut stream);
                end(stream);
            });
            let client = server.with_short_timeouts().build().unwrap();
            let start = Instant::now();
            let error = client.bulk_upload_events(&large()).await.unwrap_err();
            assert!(start.elapsed() < TIME_LIMIT, "{stage}");
            assert_eq!(error.kind(), ErrorKind::Transport, "{stage}: {error:?}");
            assert!(error.is_retryable(), "{stage}: {error:?}");
            assert!(error.may_have_been_sent(), "{stage}: {error:?}");
        }
    }
}

#[tokio::test]
async fn a_refused_connection_sends_nothing() {
    let builder = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        wire::builder(format!("http://{}", listener.local_addr().unwrap()))
    };
    let client = builder.retry(RetryPolicy::never()).build().unwrap();
    let error = client.upload_events(&batch()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert!(!error.may_have_been_sent());
    assert!(error.is_retryable());
    assert!(format!("{error:#}").contains("refused"), "{error:#}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    for status in [300, 301, 302, 303, 305, 307, 308] {
        let other = Server::accepting();
        let location = format!("http://{}/v2/events", other.address());
        let server = answering(
            format!("HTTP/1.1 {status} Elsewhere\r\nlocation: {location}\r\n\r\n"),
            Then::Close,
        );
        let client = server.with_short_timeouts().retry(RetryPolicy::default()).build().unwrap();
        let error = client.upload_events(&batch()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Rejected, "{error:?}");
        assert!(!error.is_retryable());
        assert!(error.to_string().contains("redirect"), "{error}");
        assert_eq!(server.requests().len(), 1, "{status}");
        assert_eq!(other.connections(), 0, "{status}: not even a connection");
    }
}

/// Starts a server that answers 429 with these headers once, and 202 after that.
fn limiting_once(headers: &[u8]) -> Server {
    let headers = headers.to_vec();
    Server::recording(move |mut stream, earlier, record| {
        let mut refuses = earlier == 0;
        while let Some(request) = read_request(&mut stream) {
            record(request);
            let refusal = b"HTTP/1.1 429 Slow\r\ncontent-length: 0\r\n";
            let refusal = [&refusal[..], &headers, b"\r\n\r\n"].concat();
            let answer = if refuses { &refusal } else { ACCEPTED };
            refuses = false;
            let _ = stream.write_all(answer);
        }
    })
}

#[tokio::test]
async fn an_invalid_or_past_retry_after_delays_nothing() {
    for value in [
        &b""[..],
        b" ",
        b"soon",
        b"-1",
        b"+1",
        b"-99999999999999999999999",
        b"1e3",
        b"0x10",
        b"NaN",
        b"inf",
        b"1 2",
        b"1,2",
        b"1;q=1",
        b"\xff\xfe",
        b"\xd9\xa3\xd9\xa3",
        b"Wed, 99 Xxx 2015 07:28:00 GMT",
        b"Wed, 21 Oct 2015",
        b"0000-00-00T00:00:00Z",
        // In the past.
        b"Wed, 21 Oct 2015 07:28:00 GMT",
        b"Thu, 01 Jan 1970 00:00:00 GMT",
        b"0",
        b"000000000000000000000000000000",
    ] {
        let what = value.escape_ascii();
        let server = limiting_once(&[b"retry-after: ", value].concat());
        let retry = RetryPolicy::default().with_base_delay(Duration::from_millis(1));
        let client = server.with_short_timeouts().retry(retry).build().unwrap();
        let start = Instant::now();
        let receipt = client.upload_events(&batch()).await;
        let receipt = receipt.unwrap_or_else(|error| panic!("{what}: {error:?}"));
        assert_eq!(receipt.attempts(), 2, "{what}");
        assert!(start.elapsed() < TIME_LIMIT, "{what}");
    }
}

#[tokio::test]
async fn a_retry_after_beyond_the_deadline_ends_the_upload_at_once() {
    // A longer time counts as an hour.
    const HOUR: Duration = Duration::from_secs(60 * 60);
    for value in [
        "3600",
        "18446744073709551615",
        "99999999999999999999999999999999999999",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "\"3600\"",
        "1\r\nretry-after: 3600",
        "99999999999.99999",
    ] {
        let server = limiting_once(format!("retry-after: {value}").as_bytes());
        let client = server.with_short_timeouts().retry(RetryPolicy::default()).build().unwrap();
        let start = Instant::now();
        let error = client.upload_events(&batch()).await.unwrap_err();
        assert!(start.elapsed() < TIME_LIMIT, "{value}");
        assert_eq!(error.kind(), ErrorKind::RateLimited, "{value}: {error:?}");
        assert_eq!(error.retry_after(), Some(HOUR), "{value}");
        assert_eq!(server.requests().len(), 1, "{value}");
    }
}

#[tokio::test]
async fn an_invalid_percentage_is_ignored() {
    for (value, wanted) in [
        (&b""[..], None),
        (b"much", None),
        (b"-5", None),
        (b"NaN", None),
        (b"inf", None),
        (b"-inf", None),
        (b"1e999", None),
        (b"\xff\xff", None),
        (b"\xd9\xa3", None),
        (b"50 60", None),
        (b"%", None),
        (b"1e308", Some(1e308)),
        (b"\"42.5 %\"", Some(42.5)),
    ] {
        let what = value.escape_ascii();
        let server = Server::start(move |mut stream, _| {
            while read_request(&mut stream).is_some() {
                let head = b"HTTP/1.1 202 A\r\ncontent-length: 0\r\n";
                let header = b"x-mp-rate-limit-percentage-used: ";
                let _ = stream.write_all(&[head, &header[..], value, b"\r\n\r\n"].concat());
            }
        });
        let client = server.with_short_timeouts().build().unwrap();
        let start = Instant::now();
        for _ in 0..3 {
            let receipt = client.upload_events(&batch()).await.unwrap();
            assert_eq!(receipt.rate_limit_percentage_used(), wanted, "{what}");
        }
        assert!(start.elapsed() < TIME_LIMIT, "{what}");
    }
}

#[tokio::test]
async fn every_failed_attempt_counts_and_none_outlasts_the_upload() {
    let server = Server::start(|mut stream, _| drain(&mut stream));
    let timeouts = Timeouts::default()
        .with_attempt(Duration::from_millis(100))
        .with_overall(Duration::from_millis(350));
    let retry = RetryPolicy::default().with_base_delay(Duration::from_millis(1));
    let client = server.with_short_timeouts().timeouts(timeouts).retry(retry).build().unwrap();
    let start = Instant::now();
    let error = client.upload_events(&batch()).await.unwrap_err();
    assert!(start.elapsed() < TIME_LIMIT, "{:?}", start.elapsed());
    assert!(error.is_retryable() && error.may_have_been_sent(), "{error:?}");
    assert!((2..=4).contains(&error.attempts()), "{error:?}");
    assert_eq!(server.connections(), error.attempts() as usize);
}

/// Generates bytes that resemble an answer.
fn answers() -> impl Strategy<Value = Vec<u8>> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..300);
    let status = prop_oneof![Just("202".to_owned()), Just("429".to_owned()), "[0-9]{3}", ".{0,4}"];
    let name = prop::sample::select(vec![
        "content-length",
        "transfer-encoding",
        "connection",
        "retry-after",
        "x-mp-rate-limit-percentage-used",
        "x-mp-rate-limit-exceeded",
        "location",
        "upgrade",
        "content-encoding",
    ]);
    let value = prop_oneof![
        Just(b"chunked".to_vec()),
        "[0-9]{1,20}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..12),
    ];
    let header =
        (name, value).prop_map(|(name, value)| [name.as_bytes(), b": ", &value, b"\r\n"].concat());
    let headers = prop::collection::vec(header, 0..5).prop_map(|headers| headers.concat());
    let shaped = (status, headers, bytes()).prop_map(|(status, headers, body)| {
        [b"HTTP/1.1 ", status.as_bytes(), b" A\r\n", &headers, b"\r\n", &body].concat()
    });
    prop_oneof![1 => bytes(), 4 => shaped]
}

#[test]
fn random_bytes_do_not_make_the_client_panic_or_wait() {
    let answer = Arc::<Mutex<Vec<u8>>>::default();
    let next = Arc::clone(&answer);
    let server = Server::start(move |mut stream, _| {
        if read_request(&mut stream).is_some() {
            let answer = next.lock().unwrap().clone();
            let _ = stream.write_all(&answer);
            close(stream);
        }
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let ends = Mutex::new((0, 0, 0));
    let config = Config { cases: 200, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&answers(), |bytes| {
            answer.lock().unwrap().clone_from(&bytes);
            let result = runtime.block_on(upload(&server));
            let mut ends = ends.lock().unwrap();
            match result {
                Ok(receipt) => {
                    prop_assert!(receipt.status().unwrap().is_success());
                    ends.0 += 1;
                }
                Err(error) if error.status().is_some() => ends.1 += 1,
                Err(error) => {
                    prop_assert_eq!(error.kind(), ErrorKind::Transport);
                    ends.2 += 1;
                }
            }
            Ok(())
        })
        .unwrap();
    let ends = ends.into_inner().unwrap();
    assert!(ends.0 > 0 && ends.1 > 0 && ends.2 > 0, "the answers are of all kinds: {ends:?}");
}
