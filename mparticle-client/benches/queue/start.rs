//! The time and the memory that a queue takes to start with a full spool.
//!
//! They are measured in another process, whose memory contains nothing else.

use mparticle_client::models::{Batch, Environment};
use mparticle_client::{Client, Credentials};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs};
use tokio::runtime::{Builder, Runtime};

const BATCHES: u32 = 500_000;
/// The variable with the folder for the child.
const FOLDER: &str = "QUEUE_BENCHMARK_FOLDER";

/// Returns a client whose server does not exist.
fn client() -> Client {
    let credentials = Credentials::new("some-key", "some-secret");
    Client::builder(credentials).base_url("http://127.0.0.1:9").build().unwrap()
}

/// A batch of 600 bytes of JSON.
fn batch(number: u32) -> Batch {
    Batch::new(Environment::Production)
        .with_mpid(i64::from(number))
        .with_user_attribute("note", "x".repeat(482))
        .with_source_request_id(format!("request-{number:020}"))
}

pub(crate) fn run() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("queue-start");
    _ = fs::remove_dir_all(&folder);
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let bytes: usize = runtime.block_on(async {
        let queue = client().queue().spool(&folder).max_pending(1_000_000, usize::MAX);
        let queue = queue.build().await.unwrap();
        for number in 0..BATCHES {
            drop(queue.try_send(batch(number)).unwrap());
        }
        let report = queue.shutdown(Duration::from_secs(20)).await;
        assert_eq!(report.left_in_spool, u64::from(BATCHES), "{report:?}");
        batch(0).to_vec().unwrap().len() * BATCHES as usize
    });
    // The first start fills the cache of the system.
    for _ in 0..4 {
        let child = Command::new(env::current_exe().unwrap()).env(FOLDER, &folder).output();
        let output = String::from_utf8(child.unwrap().stdout).unwrap();
        let (millis, memory) = output.trim().split_once(' ').unwrap();
        let memory: usize = memory.parse().unwrap();
        #[allow(clippy::cast_precision_loss, reason = "some hundred megabytes")]
        let ratio = memory as f64 / bytes as f64;
        println!(
            "start with {BATCHES} pending batches of {} bytes: {millis} ms, {ratio:.2} of their bytes in memory; aims: at most 1500 ms, 1.5",
            bytes / BATCHES as usize
        );
    }
    fs::remove_dir_all(&folder).unwrap();
}

pub(crate) fn is_child() -> bool {
    env::var_os(FOLDER).is_some()
}

pub(crate) fn run_child() {
    let runtime = Runtime::new().unwrap();
    let client = client();
    let before = memory("VmRSS:");
    let start = Instant::now();
    let folder = env::var_os(FOLDER).unwrap();
    let builder = client.queue().spool(PathBuf::from(folder));
    let queue = runtime.block_on(builder.build()).unwrap();
    let elapsed = start.elapsed();
    let peak = memory("VmHWM:");
    assert_eq!(queue.recovery().recovered, u64::from(BATCHES));
    println!("{} {}", elapsed.as_millis(), peak - before);
    _ = runtime.block_on(queue.shutdown(Duration::ZERO));
}

/// A size of this process in bytes.
fn memory(name: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.split_whitespace().next().unwrap().parse::<usize>().unwrap() * 1024
}
