//! In a forked process, the queues and clients of the parent return errors and do not hang.
//!
//! This program has a single test, so that no other test runs while it forks.
#![cfg(all(unix, feature = "blocking", feature = "queue"))]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use fork::Fork;
use mparticle_client::models::{Batch, Environment};
use mparticle_client::queue::{Queue, Stats};
use mparticle_client::testing::Emulator;
use mparticle_client::{ErrorKind, blocking};
use std::process;
use std::time::{Duration, Instant};

fn batch() -> Batch {
    Batch::new(Environment::Development).with_mpid(1)
}

/// Returns the number of the first wrong result in the child as its exit code, or zero.
fn mistakes(queue: &Queue, client: &blocking::Client) -> i32 {
    let minute = Duration::from_secs(60);
    let findings = [
        queue.try_send(batch()).is_err_and(|error| error.kind() == ErrorKind::Closed),
        pollster::block_on(queue.send(batch()))
            .is_err_and(|error| error.kind() == ErrorKind::Closed),
        pollster::block_on(queue.flush(minute)).is_complete(),
        pollster::block_on(queue.shutdown(minute)).is_complete(),
        queue.resume().is_err_and(|error| error.kind() == ErrorKind::Closed),
        queue.stats() == Stats::default(),
        client.upload_events(&batch()).is_err_and(|error| error.kind() == ErrorKind::Closed),
    ];
    let wrong = findings.iter().position(|is_right| !is_right);
    wrong.map_or(0, |index| i32::try_from(index).unwrap() + 1)
}

#[test]
fn in_a_forked_process_queue_and_client_return_closed() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let emulator = runtime.block_on(Emulator::start()).unwrap();
    let queue = emulator.client_builder().build().unwrap().queue();
    let queue = pollster::block_on(queue.build()).unwrap();
    let client = emulator.client_builder().build_blocking().unwrap();
    let before = queue.try_send(batch()).unwrap();
    match fork::fork().unwrap() {
        Fork::Child => process::exit(mistakes(&queue, &client)),
        Fork::Parent(child) => {
            let begun = Instant::now();
            let status = loop {
                match fork::waitpid_nohang(child).unwrap() {
                    Some(status) => break status,
                    None if begun.elapsed() > Duration::from_secs(30) => panic!("the child hangs"),
                    None => std::thread::sleep(Duration::from_millis(5)),
                }
            };
            assert_eq!(status, 0, "the exit code, times 256, is the number of the mistake");
        }
    }
    assert!(pollster::block_on(queue.shutdown(Duration::from_secs(60))).is_complete());
    assert!(pollster::block_on(before).is_delivered());
    client.upload_events(&batch()).unwrap();
}
