//! Tests of connections that the server closes while the runtime of the client is not driven.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod wire;

use mparticle_client::RetryPolicy;
use std::io::Write;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use wire::{ACCEPTED, Server, batch, builder, read_request};

const UPLOADS: usize = 40;

/// The time for which the server keeps an idle connection.
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
    // The runtime is not driven between two calls, and cannot detect that the connection was closed.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut failed = Vec::new();
    for _ in 0..UPLOADS {
        match runtime.block_on(client.upload_events(&batch())) {
            Ok(_) => closed.recv_timeout(Duration::from_secs(10)).unwrap(),
            Err(error) => failed.push(error),
        }
        // Wait until the end of the connection has arrived.
        thread::sleep(Duration::from_millis(10));
    }
    assert!(failed.is_empty(), "{} of {UPLOADS} failed: {:?}", failed.len(), failed.first());
    assert_eq!(server.connections(), UPLOADS);
}
