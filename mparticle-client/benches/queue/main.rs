//! Benchmarks of the queue: a call of `try_send` compared with the encoding of the batch, the spool compared with
//! appending the same bytes to a file, and a start with half a million pending batches.
//!
//! The server is a loopback sink in this process. All parts therefore share the cores of the machine, as in a service.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run has to fail")]

mod calls;
#[path = "../common/sample.rs"]
mod sample;
#[path = "../common/sink.rs"]
mod sink;
mod spool;
mod start;

use mparticle_client::{Client, Credentials};

fn client() -> Client {
    let base_url = sink::start().unwrap();
    Client::builder(Credentials::new("some-key", "some-secret")).base_url(base_url).build().unwrap()
}

fn main() {
    if start::is_child() {
        return start::run_child();
    }
    // `cargo bench` passes arguments for criterion. A word among them selects a part.
    let chosen = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let is_chosen = |part: &str| chosen.as_deref().is_none_or(|chosen| part.contains(chosen));
    if is_chosen("try_send") {
        calls::run();
    }
    if is_chosen("spool") {
        spool::run();
    }
    if is_chosen("start") {
        start::run();
    }
}
