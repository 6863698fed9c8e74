//! Connections that the server closes while nothing drives the client's runtime.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod wire;

use mparticle_client::RetryPolicy;
use std::io::Write;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use wire::{ACCEPTED, Server, batch, builder, read_request};

const UPLOADS: usize = 40;

/// How long the server keeps an idle connection.
const KEPT_IDLE: Duration = Duration::from_millis(20);

#[test]
fn a_connection_that_was_closed_between_two_calls_is_not_used_again() {
    let (closing, closed) = mpsc::channel();
    let server = Server::start(move |mut stream, _| {
        stream.set_read_timeout(Some(KEPT_IDLE)).unwrap();
        while read_request(&mut stream).is_some() {
            let _ = stream.write_all(ACCEPTED);
        }
        drop(stream);
        let _ = closing.send(());
    });
    let client = builder(server.base_url()).retry(RetryPolicy::never()).build().unwrap();
    // Nothing drives the runtime between two calls, so that it cannot see that the connection is closed.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut failed = Vec::new();
    for _ in 0..UPLOADS {
        match runtime.block_on(client.upload_events(&batch())) {
            Ok(_) => closed.recv_timeout(Duration::from_secs(10)).unwrap(),
            Err(error) => failed.push(error),
        }
        // The end of the connection has to arrive.
        thread::sleep(Duration::from_millis(10));
    }
    assert!(failed.is_empty(), "{} of {UPLOADS} failed: {:?}", failed.len(), failed.first());
    assert_eq!(server.connections(), UPLOADS);
}
