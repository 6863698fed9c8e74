//! The lock of a spool is released by a shutdown, even while a forked process has the file open.
//!
//! This program has a single test, so that no other test runs while it forks.
#![cfg(all(unix, feature = "spool", feature = "testing"))]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use fork::Fork;
use mparticle_client::testing::Emulator;
use std::thread;
use std::time::Duration;

/// Longer than the parent needs.
const LIFE_OF_THE_CHILD: Duration = Duration::from_secs(3);

#[test]
fn a_spool_can_be_opened_again_while_a_forked_process_lives() {
    let folder = tempfile::tempdir().unwrap();
    let client = Emulator::in_memory().client_builder().build().unwrap();
    let open = || pollster::block_on(client.queue().spool(folder.path()).build());
    let queue = open().unwrap();
    match fork::fork().unwrap() {
        Fork::Child => {
            thread::sleep(LIFE_OF_THE_CHILD);
            std::process::exit(0);
        }
        Fork::Parent(child) => {
            assert!(pollster::block_on(queue.shutdown(Duration::from_secs(5))).is_complete());
            let again = open();
            assert_eq!(fork::waitpid_nohang(child).unwrap(), None, "the child lives");
            assert!(again.is_ok(), "{again:?}");
        }
    }
}
