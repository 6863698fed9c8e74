//! Connections that the server closes while nothing drives the client's runtime.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod wire;

use mparticle_client::RetryPolicy;
use std::io::Write;
use std::thread;
use std::time::Duration;
use wire::{ACCEPTED, Server, batch, builder, read_request};

const UPLOADS: usize = 40;

/// How long the server keeps an idle connection.
const KEPT_IDLE: Duration = Duration::from_millis(30);

/// How long the runtime is not driven between two uploads.
const PAUSE: Duration = Duration::from_millis(80);

#[test]
fn a_connection_that_was_closed_between_two_calls_is_not_used_again() {
    let server = Server::start(|mut stream, _| {
        stream.set_read_timeout(Some(KEPT_IDLE)).unwrap();
        while read_request(&mut stream).is_some() {
            let _ = stream.write_all(ACCEPTED);
        }
    });
    let client = builder(server.base_url()).retry(RetryPolicy::never()).build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut failed = Vec::new();
    for _ in 0..UPLOADS {
        if let Err(error) = runtime.block_on(client.upload_events(&batch())) {
            failed.push(error);
        }
        thread::sleep(PAUSE);
    }
    assert!(failed.is_empty(), "{} of {UPLOADS} failed: {:?}", failed.len(), failed.first());
    assert_eq!(server.connections(), UPLOADS, "the server closed each connection");
}
