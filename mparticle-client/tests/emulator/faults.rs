//! Every scripted answer and fault, over TCP, and in memory where there is a difference.

use crate::wire::{EVENTS, batch, builder, bytes_of, connect, exchange, in_memory, post};
use http::StatusCode;
use mparticle_client::testing::{Answer, Emulator};
use mparticle_client::transport::TransportErrorKind;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

/// Returns whether a batch was accepted.
fn has_accepted(emulator: &Emulator) -> bool {
    !emulator.batches().is_empty()
}

async fn scripted(answer: Answer) -> Emulator {
    let emulator = builder().start().await.unwrap();
    emulator.script([answer]);
    emulator
}

#[tokio::test]
async fn scripted_answers_are_used_in_order_before_normal_ones() {
    let emulator = builder().start().await.unwrap();
    emulator.script([Answer::status(503), Answer::status(429).retry_after(2)]);
    emulator.script([Answer::status(408)]);
    let request = post(EVENTS, batch("a"));
    let mut statuses = Vec::new();
    for _ in 0..5 {
        let received = exchange(&emulator, &request).await;
        let retry_after = received.header("retry-after");
        assert_eq!(retry_after.as_deref(), (received.status() == 429).then_some("2"));
        statuses.push(received.status());
    }
    assert_eq!(statuses, [503, 429, 408, 202, 202]);
    let recorded: Vec<_> =
        emulator.requests().iter().map(|request| request.status.unwrap().as_u16()).collect();
    assert_eq!(recorded, statuses);
    assert_eq!((emulator.batches().len(), emulator.duplicates().len()), (1, 1));
}

#[tokio::test]
async fn a_share_of_the_requests_gets_a_fault() {
    let emulator = builder().in_memory();
    emulator.set_faults([(0.25, Answer::status(503)), (0.5, Answer::status(429))]);
    emulator.script([Answer::status(408)]);
    let mut counts = [0; 4];
    for _ in 0..1_000 {
        let response = in_memory(&emulator, post(EVENTS, batch("a"))).await.unwrap();
        let kind = match response.status().as_u16() {
            503 => 0,
            429 => 1,
            408 => 2,
            _ => 3,
        };
        counts[kind] += 1;
    }
    // Six standard deviations from the mean are at most 95.
    for (count, mean) in counts.iter().zip([250_i32, 500, 1, 249]) {
        assert!((count - mean).abs() < 95, "{counts:?}");
    }
    assert_eq!(counts[2], 1);

    emulator.set_faults([]);
    let response = in_memory(&emulator, post(EVENTS, batch("a"))).await.unwrap();
    assert_eq!(response.status(), 202);
}

#[tokio::test]
async fn the_answer_for_all_requests_applies_after_the_script_until_it_is_replaced() {
    let emulator = builder().in_memory();
    emulator.always(Answer::status(503));
    emulator.script([Answer::status(500)]);
    let mut statuses = Vec::new();
    for turn in 0..4 {
        if turn == 3 {
            emulator.always(Answer::normal());
        }
        let response = in_memory(&emulator, post(EVENTS, batch("a"))).await.unwrap();
        statuses.push(response.status().as_u16());
    }
    assert_eq!(statuses, [500, 503, 503, 202]);
}

#[tokio::test]
async fn a_scripted_status_accepts_batches_if_it_is_a_success_or_after_processing() {
    for (answer, accepted) in [
        (Answer::status(200), true),
        (Answer::status(400), false),
        (Answer::status(503), false),
        (Answer::status(503).after_processing(), true),
        (Answer::redirect("http://localhost/"), false),
    ] {
        let emulator = scripted(answer.clone()).await;
        exchange(&emulator, &post(EVENTS, batch("a"))).await;
        assert_eq!(has_accepted(&emulator), accepted, "{answer:?}");
    }
}

#[tokio::test]
async fn status_headers_and_body_are_sent_as_scripted() {
    let long = "a".repeat(100_000);
    let answer = Answer::status(400)
        .header("x-long", &long)
        .header("x-twice", "1")
        .header("x-twice", "2")
        .header("retry-after", "soon")
        .body("{\"errors\":[");
    let emulator = scripted(answer).await;
    let received = exchange(&emulator, &post(EVENTS, batch("a"))).await;
    assert_eq!((received.status(), received.body().as_str()), (400, "{\"errors\":["));
    assert_eq!(received.header("x-long"), Some(long));
    assert_eq!(received.header("retry-after").as_deref(), Some("soon"));
    assert_eq!(received.text().matches("x-twice: ").count(), 2);
    assert!(received.end.is_ok());
}

#[tokio::test]
async fn a_redirect_has_a_location() {
    let emulator = scripted(Answer::redirect("http://example.com/v2/events")).await;
    let received = exchange(&emulator, &post(EVENTS, batch("a"))).await;
    let location = received.header("location");
    assert_eq!(
        (received.status(), location.as_deref()),
        (307, Some("http://example.com/v2/events"))
    );
}

#[tokio::test]
async fn a_normal_answer_can_have_other_headers_and_another_body() {
    let used = "x-mp-rate-limit-percentage-used";
    let emulator = scripted(Answer::normal().header(used, "\"92.5\"").body("<html>")).await;
    let received = exchange(&emulator, &post(EVENTS, batch("a"))).await;
    assert_eq!((received.status(), received.body().as_str()), (202, "<html>"));
    assert_eq!(received.header(used).as_deref(), Some("\"92.5\""));
    assert!(has_accepted(&emulator));

    emulator.script([Answer::normal().header("x-note", "seen")]);
    let received = exchange(&emulator, &post(EVENTS, "{}")).await;
    assert_eq!((received.status(), received.header("x-note").as_deref()), (400, Some("seen")));
}

#[tokio::test]
async fn a_wrong_content_length_is_sent_as_scripted() {
    let emulator = scripted(Answer::status(200).header("content-length", "50").body("short")).await;
    let received = exchange(&emulator, &post(EVENTS, batch("a"))).await;
    assert_eq!(
        (received.header("content-length").as_deref(), received.body().as_str()),
        (Some("50"), "short")
    );
}

#[tokio::test]
async fn an_invalid_script_is_answered_500_with_the_reason() {
    for (answer, part) in [
        (Answer::status(99), "status 99"),
        (Answer::status(100), "status 100"),
        (Answer::status(1000), "status 1000"),
        (Answer::normal().header("bad name", "1"), "`bad name`"),
        (Answer::status(503).header("x", "bad\nvalue"), "`x`"),
    ] {
        let emulator = scripted(answer).await;
        let received = exchange(&emulator, &post(EVENTS, batch("a"))).await;
        assert_eq!(received.status(), 500);
        assert!(received.body().contains(part), "{} contains {part}", received.body());
        assert!(!has_accepted(&emulator));
    }
}

#[tokio::test]
async fn a_connection_can_be_closed_or_reset_without_an_answer() {
    for (answer, reset, accepted, body_read) in [
        (Answer::close(), false, false, true),
        (Answer::close().after_processing(), false, true, true),
        (Answer::reset(), true, false, true),
        (Answer::reset().after_processing(), true, true, true),
        (Answer::reset_at_head(), true, false, false),
        (Answer::reset_at_head().after_processing(), true, false, false),
    ] {
        let request = post(EVENTS, batch("a"));
        let emulator = scripted(answer.clone()).await;
        let received = exchange(&emulator, &request).await;
        assert_eq!(received.text(), "", "{answer:?}");
        assert_eq!(received.was_reset(), reset, "{answer:?}");

        emulator.script([answer.clone()]);
        let error = in_memory(&emulator, request).await.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Interrupted, "{answer:?}");

        assert_eq!(has_accepted(&emulator), accepted, "{answer:?}");
        for request in emulator.requests() {
            assert_eq!((request.status, request.body.is_empty()), (None, !body_read), "{answer:?}");
        }
        assert_eq!(emulator.requests().len(), 2);
    }
}

#[tokio::test]
async fn raw_bytes_are_sent_unchanged() {
    let emulator = scripted(Answer::raw("HTTP/1.0 202 Accepted\r\n\r\n")).await;
    let request = post(EVENTS, batch("a"));
    let received = exchange(&emulator, &request).await;
    assert_eq!(received.text(), "HTTP/1.0 202 Accepted\r\n\r\n");
    assert!(received.end.is_ok());
    assert_eq!(emulator.requests()[0].status, None);

    emulator.script([Answer::raw("nonsense")]);
    let error = in_memory(&emulator, request).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Interrupted);
}

#[tokio::test]
async fn a_body_can_be_truncated_or_reset() {
    for (answer, reset) in [
        (Answer::status(503).body("half").truncated(), false),
        (Answer::status(503).body("half").reset_in_body(), true),
        (Answer::normal().body("half").truncated(), false),
        (Answer::normal().body("half").reset_in_body(), true),
    ] {
        let emulator = scripted(answer.clone()).await;
        let received = exchange(&emulator, &post(EVENTS, batch("a"))).await;
        assert_eq!(received.header("content-length").as_deref(), Some("1004"), "{answer:?}");
        assert_eq!(received.body(), "half", "{answer:?}");
        assert_eq!(received.was_reset(), reset, "{answer:?}");
        assert_eq!(
            emulator.requests()[0].status,
            Some(StatusCode::from_u16(received.status()).unwrap())
        );
    }
}

#[tokio::test]
async fn the_head_is_sent_even_if_an_empty_body_is_truncated() {
    let emulator = scripted(Answer::normal().truncated()).await;
    let received = exchange(&emulator, &post(EVENTS, batch("a"))).await;
    assert_eq!((received.status(), received.body().as_str()), (202, ""));
    assert_eq!(received.header("content-length").as_deref(), Some("1000"));
}

#[tokio::test]
async fn an_endless_body_goes_on_until_the_client_disconnects() {
    let emulator = scripted(Answer::status(500).body("start").endless()).await;
    let mut stream = connect(&emulator).await;
    stream.write_all(&bytes_of(&post(EVENTS, batch("a")))).await.unwrap();
    let mut bytes = vec![0; 1 << 20];
    stream.read_exact(&mut bytes).await.unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 500 "));
    assert!(!head.contains("content-length"), "{head}");
    assert!(body.contains("start"));
}

#[tokio::test]
async fn connections_stay_open_after_answers_but_not_after_faults() {
    let emulator = builder().start().await.unwrap();
    let request = String::from_utf8(bytes_of(&post(EVENTS, batch("a")))).unwrap();
    let request = request.replace("connection: close\r\n", "");
    let mut stream = connect(&emulator).await;
    emulator.script([Answer::status(503), Answer::normal(), Answer::close()]);
    for expected in ["HTTP/1.1 503 ", "HTTP/1.1 202 "] {
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut bytes = vec![0; 1000];
        let count = stream.read(&mut bytes).await.unwrap();
        assert!(bytes[..count].starts_with(expected.as_bytes()));
    }
    stream.write_all(request.as_bytes()).await.unwrap();
    assert_eq!(stream.read(&mut [0; 10]).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_hanging_request_is_recorded_and_never_answered() {
    let hour = Duration::from_secs(3600);
    for (answer, accepted) in [(Answer::hang(), false), (Answer::hang().after_processing(), true)] {
        let emulator = scripted(answer.clone()).await;
        let request = post(EVENTS, batch("a"));
        assert!(timeout(hour, exchange(&emulator, &request)).await.is_err());
        emulator.script([answer]);
        assert!(timeout(hour, in_memory(&emulator, request)).await.is_err());
        let statuses: Vec<_> = emulator.requests().iter().map(|request| request.status).collect();
        assert_eq!(statuses, [None, None]);
        assert_eq!(has_accepted(&emulator), accepted);
    }
}
