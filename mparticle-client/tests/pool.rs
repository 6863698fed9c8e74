//! Connections that are kept from one upload to the next.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod wire;

use mparticle_client::{Credentials, RetryPolicy};
use std::io::Write;
use std::sync::{Arc, Barrier};
use std::time::Duration;
use wire::{ACCEPTED, Server, batch, builder, close, read_request};

const UPLOADS: usize = 10;

#[tokio::test]
async fn uploads_one_after_the_other_share_a_connection() {
    let server = Server::accepting();
    let client = builder(server.base_url()).build().unwrap();
    for _ in 0..UPLOADS {
        client.clone().upload_events(&batch()).await.unwrap();
    }
    let other = client.with_credentials(&Credentials::new("other-key", "other-secret")).unwrap();
    other.bulk_upload_events(&[batch()]).await.unwrap();
    assert_eq!(server.requests().len(), UPLOADS + 1);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_connection_is_kept_after_an_answer_with_a_body() {
    for body in ["", "{}", "accepted, and thank you"] {
        let server = Server::start(move |mut stream, _| {
            while read_request(&mut stream).is_some() {
                let length = body.len();
                let answer = format!("HTTP/1.1 202 A\r\ncontent-length: {length}\r\n\r\n{body}");
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        let client = builder(server.base_url()).build().unwrap();
        for _ in 0..UPLOADS {
            client.upload_events(&batch()).await.unwrap();
        }
        assert_eq!(server.connections(), 1, "{body:?}");
    }
}

#[tokio::test]
async fn a_repetition_uses_the_connection_of_the_failed_attempt() {
    let server = Server::recording(|mut stream, _, record| {
        for answer in [b"HTTP/1.1 503 No\r\ncontent-length: 2\r\n\r\nno", ACCEPTED] {
            record(read_request(&mut stream).unwrap());
            stream.write_all(answer).unwrap();
        }
    });
    let retry = RetryPolicy::default().with_base_delay(Duration::from_millis(1));
    let client = builder(server.base_url()).retry(retry).build().unwrap();
    assert_eq!(client.upload_events(&batch()).await.unwrap().attempts(), 2);
    assert_eq!(server.connections(), 1);
    let requests = server.requests();
    assert_eq!(requests[0].body, requests[1].body);
}

#[tokio::test]
async fn a_pool_without_room_makes_a_connection_for_each_upload() {
    let server = Server::accepting();
    let client = builder(server.base_url()).pool_max_idle(0).build().unwrap();
    for _ in 0..UPLOADS {
        client.upload_events(&batch()).await.unwrap();
    }
    assert_eq!(server.connections(), UPLOADS);
}

#[tokio::test]
async fn no_more_idle_connections_are_kept_than_there_is_room_for() {
    const AT_ONCE: usize = 4;
    // Answers come when all requests are there, so each has a connection of its own.
    let all = Arc::new(Barrier::new(AT_ONCE));
    let server = Server::start(move |mut stream, _| {
        while read_request(&mut stream).is_some() {
            all.wait();
            let _ = stream.write_all(ACCEPTED);
        }
    });
    let client = builder(server.base_url()).pool_max_idle(1).build().unwrap();
    for connections in [AT_ONCE, AT_ONCE + AT_ONCE - 1] {
        let uploads = (0..AT_ONCE).map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.upload_events(&batch()).await.unwrap() })
        });
        for upload in uploads.collect::<Vec<_>>() {
            upload.await.unwrap();
        }
        // Connections go back to the pool in the background.
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(server.connections(), connections);
    }
}

#[tokio::test]
async fn a_connection_that_was_idle_for_too_long_is_not_used() {
    for (timeout, connections) in [(Duration::from_millis(50), 3), (Duration::from_secs(60), 1)] {
        let server = Server::accepting();
        let client = builder(server.base_url()).pool_idle_timeout(timeout).build().unwrap();
        for _ in 0..3 {
            client.upload_events(&batch()).await.unwrap();
            tokio::time::sleep(Duration::from_millis(150)).await;
        }
        assert_eq!(server.connections(), connections, "{timeout:?}");
    }
}

#[tokio::test]
async fn a_connection_that_the_server_closed_meanwhile_is_no_error() {
    for pause in [Duration::from_millis(50), Duration::ZERO] {
        let server = Server::recording(|mut stream, _, record| {
            record(read_request(&mut stream).unwrap());
            let _ = stream.write_all(ACCEPTED);
            // It did not say so before.
            close(stream);
        });
        let retry = RetryPolicy::default().with_base_delay(Duration::from_millis(1));
        let client = builder(server.base_url()).retry(retry).build().unwrap();
        let mut ids = Vec::new();
        for _ in 0..UPLOADS {
            let receipt = client.upload_events(&batch()).await.unwrap();
            if !pause.is_zero() {
                assert_eq!(receipt.attempts(), 1, "not even a repetition");
            }
            ids.extend_from_slice(receipt.source_request_ids());
            tokio::time::sleep(pause).await;
        }
        // Each arrived, once, in order.
        let requests = server.requests();
        assert_eq!(requests.len(), UPLOADS);
        for (request, id) in requests.iter().zip(&ids) {
            assert!(String::from_utf8_lossy(&request.body).contains(id), "{id}");
        }
    }
}

#[tokio::test]
async fn a_server_that_announces_the_end_of_a_connection_is_taken_at_its_word() {
    let server = Server::recording(|mut stream, _, record| {
        while let Some(request) = read_request(&mut stream) {
            record(request);
            let answer = b"HTTP/1.1 202 A\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
            let _ = stream.write_all(answer);
        }
    });
    let client = builder(server.base_url()).build().unwrap();
    for _ in 0..3 {
        assert_eq!(client.upload_events(&batch()).await.unwrap().attempts(), 1);
    }
    assert_eq!(server.connections(), 3);
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_connection_whose_answer_was_late_is_not_used_again() {
    let server = Server::recording(|mut stream, earlier, record| {
        while let Some(request) = read_request(&mut stream) {
            record(request);
            if earlier == 0 {
                std::thread::sleep(Duration::from_millis(400));
                let _ = stream.write_all(b"HTTP/1.1 403 Late\r\ncontent-length: 0\r\n\r\n");
            } else {
                let _ = stream.write_all(ACCEPTED);
            }
        }
    });
    let client = server.impatient().build().unwrap();
    client.upload_events(&batch()).await.unwrap_err();
    tokio::time::sleep(Duration::from_millis(200)).await;
    client.upload_events(&batch()).await.unwrap();
    assert_eq!(server.connections(), 2);
}
