//! How connections are opened, kept and reused.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod wire;

use mparticle_client::{ClientBuilder, Credentials, ErrorKind, RetryPolicy, Timeouts};
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Barrier};
use std::time::Duration;
use wire::{ACCEPTED, Server, batch, builder, close, drain, read_request};

const UPLOADS: usize = 10;

#[tokio::test]
async fn consecutive_uploads_share_a_connection() {
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
async fn a_connection_is_reused_after_a_response_with_a_body() {
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
async fn a_retry_reuses_the_connection_of_the_failed_attempt() {
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
async fn without_idle_connections_each_upload_opens_a_connection() {
    let server = Server::accepting();
    let client = builder(server.base_url()).pool_max_idle(0).build().unwrap();
    for _ in 0..UPLOADS {
        client.upload_events(&batch()).await.unwrap();
    }
    assert_eq!(server.connections(), UPLOADS);
}

#[tokio::test]
async fn no_more_idle_connections_are_kept_than_allowed() {
    assert_max_idle(1, 4, |builder| builder.pool_max_idle(1)).await;
}

#[tokio::test]
async fn at_most_16_idle_connections_are_kept_by_default() {
    assert_max_idle(16, 20, |builder| builder).await;
}

/// Asserts how many of several connections are reused when as many uploads are made again.
async fn assert_max_idle(
    max_idle: usize,
    concurrent: usize,
    set: impl FnOnce(ClientBuilder) -> ClientBuilder,
) {
    // Each request has a connection of its own, because responses are sent when all requests have arrived.
    let all = Arc::new(Barrier::new(concurrent));
    let server = Server::start(move |mut stream, _| {
        while read_request(&mut stream).is_some() {
            all.wait();
            let _ = stream.write_all(ACCEPTED);
        }
    });
    let client = set(builder(server.base_url())).build().unwrap();
    for connections in [concurrent, concurrent + concurrent - max_idle] {
        let uploads = (0..concurrent).map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.upload_events(&batch()).await.unwrap() })
        });
        for upload in uploads.collect::<Vec<_>>() {
            upload.await.unwrap();
        }
        // Connections return to the pool in the background.
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(server.connections(), connections);
    }
}

#[tokio::test]
async fn an_idle_connection_is_kept_for_20_seconds_by_default() {
    let server = Server::accepting();
    let client = builder(server.base_url()).build().unwrap();
    client.upload_events(&batch()).await.unwrap();
    for (idle, connections) in [(19, 1), (21, 2)] {
        // The connection returns to the pool in the background.
        tokio::time::sleep(Duration::from_millis(50)).await;
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(idle)).await;
        tokio::time::resume();
        client.upload_events(&batch()).await.unwrap();
        assert_eq!(server.connections(), connections, "after {idle} s");
    }
}

#[tokio::test]
async fn a_connection_is_not_reused_after_the_idle_timeout() {
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
async fn a_connection_that_the_server_has_closed_is_not_an_error() {
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
async fn a_connection_is_not_reused_if_the_server_announces_that_it_closes_it() {
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
async fn a_connection_is_not_reused_after_an_attempt_timed_out() {
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
    let client = server.with_short_timeouts().build().unwrap();
    client.upload_events(&batch()).await.unwrap_err();
    tokio::time::sleep(Duration::from_millis(200)).await;
    client.upload_events(&batch()).await.unwrap();
    assert_eq!(server.connections(), 2);
}

/// Asserts that an upload fails without a connection, at every attempt.
async fn assert_not_sent(what: &str, builder: ClientBuilder) {
    let retry =
        RetryPolicy::default().with_max_attempts(2).with_base_delay(Duration::from_millis(1));
    let timeouts = Timeouts::default().with_connect(Duration::from_millis(300));
    let builder = builder.danger_allow_plain_http().no_proxy().timeouts(timeouts);
    for (retry, kind, attempts) in
        [(RetryPolicy::never(), ErrorKind::Transport, 1), (retry, ErrorKind::RetriesExhausted, 2)]
    {
        let client = builder.clone().retry(retry).build().unwrap();
        let error = client.upload_events(&batch()).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (kind, attempts), "{what}: {error:?}");
        assert!(!error.may_have_been_sent(), "{what}: {error:?}");
        assert!(error.is_retryable(), "{what}: {error:?}");
    }
}

#[tokio::test]
async fn nothing_was_sent_if_the_connection_was_refused() {
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    for scheme in ["http", "https"] {
        assert_not_sent(scheme, builder(format!("{scheme}://{address}"))).await;
    }
}

#[tokio::test]
async fn nothing_was_sent_if_the_host_name_is_unknown() {
    assert_not_sent("http", builder("http://events.example.invalid")).await;
    assert_not_sent("https", builder("https://events.example.invalid")).await;
}

/// Returns the address of a listener that accepts no further connection, and what keeps it so.
#[cfg(target_os = "linux")]
async fn full_listener() -> (std::net::SocketAddr, impl Sized) {
    use tokio::net::{TcpSocket, TcpStream};
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queued = Vec::new();
    let connect = || tokio::time::timeout(Duration::from_millis(100), TcpStream::connect(address));
    while let Ok(stream) = connect().await {
        queued.push(stream);
    }
    (address, (listener, queued))
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn nothing_was_sent_if_the_connection_timed_out() {
    let (address, _listener) = full_listener().await;
    for scheme in ["http", "https"] {
        assert_not_sent(scheme, builder(format!("{scheme}://{address}"))).await;
    }
}

#[tokio::test]
async fn nothing_was_sent_if_the_tls_handshake_failed() {
    let answers: [(&str, &[u8]); 3] = [
        ("the connection is closed", b""),
        ("the answer is not TLS", b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        // A fatal alert with the description `internal_error`.
        ("the answer is an alert", &[21, 3, 3, 0, 2, 2, 80]),
    ];
    for (what, answer) in answers {
        let server = Server::start(move |mut stream, _| {
            let _ = stream.write_all(answer);
            close(stream);
        });
        assert_not_sent(what, builder(format!("https://{}", server.address()))).await;
    }
}

#[tokio::test]
async fn nothing_was_sent_if_the_tls_handshake_timed_out() {
    let server = Server::start(|mut stream, _| drain(&mut stream));
    assert_not_sent("silent", builder(format!("https://{}", server.address()))).await;
}
