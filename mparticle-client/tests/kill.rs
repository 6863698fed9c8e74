//! Tests of a process with a spool that is killed repeatedly.
//!
//! The test program starts itself as the process that is killed. The emulator runs in the parent process. The memory of
//! the child is lost each time, and its files are kept.
#![cfg(all(unix, feature = "spool"))]
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may panic")]

use mparticle_client::models::{Batch, CustomEvent, CustomEventType, Environment, UserIdentities};
use mparticle_client::testing::{Answer, Emulator};
use mparticle_client::{Client, Credentials, ErrorKind};
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, process, thread};

/// The least number of times that the process is killed.
const ROUNDS: u32 = 300;

/// The least number of batches that have to be accepted. On a busy machine, this takes more rounds.
const ACCEPTED: usize = 1000;

/// The variable with the destination of the child. It is not set in the parent.
const BASE_URL: &str = "KILL_TEST_BASE_URL";
const SPOOL: &str = "KILL_TEST_SPOOL";

fn credentials() -> Credentials {
    Credentials::new("key", "secret")
}

/// The process that is killed: sends batches endlessly, and prints a line before and after each.
#[test]
fn child() {
    let Ok(base_url) = env::var(BASE_URL) else { return };
    let client = Client::builder(credentials()).base_url(base_url).build().unwrap();
    let spool = env::var(SPOOL).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let builder = client.queue().spool(spool).flush_every(Duration::from_millis(3));
        let queue = builder.build().await.unwrap();
        assert!(queue.recovery().is_clean(), "{:?}", queue.recovery());
        let sending = (0..4).map(|producer| {
            let queue = queue.clone();
            tokio::spawn(async move {
                for number in 0_u32.. {
                    let name = format!("{}-{producer}-{number}", process::id());
                    let mut batch = Batch::new(Environment::Development)
                        .with_user_identities(
                            UserIdentities::new().with_customer_id((number % 3).to_string()),
                        )
                        .with_event(CustomEvent::new(&name, CustomEventType::Other));
                    if number % 4 == 0 {
                        batch = batch.with_source_request_id(format!("own-{name}"));
                    }
                    println!("\ntrying {name}");
                    queue.send(batch).await.unwrap();
                    println!("\naccepted {name}");
                    tokio::time::sleep(Duration::from_micros(500)).await;
                }
            })
        });
        let sending: Vec<_> = sending.collect();
        for task in sending {
            task.await.unwrap();
        }
    });
}

fn start(base_url: &str, spool: &Path) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env(BASE_URL, base_url)
        .env(SPOOL, spool)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Runs the child for a while. Returns the names of the events that it tried to send, and of those that were accepted.
fn run_and_kill(base_url: &str, spool: &Path, lifetime: Duration) -> (Vec<String>, Vec<String>) {
    let mut child = start(base_url, spool);
    let output = BufReader::new(child.stdout.take().unwrap());
    let reading = thread::spawn(move || {
        let (mut tried, mut accepted) = (Vec::new(), Vec::new());
        for line in output.lines().map_while(Result::ok) {
            match line.split_once(' ') {
                Some(("trying", name)) => tried.push(name.to_owned()),
                Some(("accepted", name)) => accepted.push(name.to_owned()),
                _ => {}
            }
        }
        (tried, accepted)
    });
    thread::sleep(lifetime);
    assert!(child.try_wait().unwrap().is_none(), "{:?}", child.wait_with_output());
    child.kill().unwrap();
    let status = child.wait().unwrap();
    assert!(!status.success());
    reading.join().unwrap()
}

/// Returns the faults of one life. Half of the lives have none. The others have fewer faults than requests, because
/// unused faults apply to the next life.
fn faults(rng: &mut fastrand::Rng) -> Vec<Answer> {
    let one = |rng: &mut fastrand::Rng| match rng.u32(0..7) {
        0 => Answer::reset().after_processing(),
        1 => Answer::close().after_processing(),
        2 => Answer::reset(),
        3 => Answer::status(503),
        4 => Answer::normal().delayed(Duration::from_millis(rng.u64(1..40))),
        5 => Answer::status(500).after_processing(),
        _ => Answer::normal(),
    };
    (1..rng.usize(0..4)).map(|_| one(rng)).collect()
}

fn event_names(batch: &Value) -> Vec<String> {
    let events = batch["events"].as_array().unwrap();
    events.iter().map(|event| event["data"]["event_name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn accepted_batches_arrive_exactly_once_however_often_the_process_is_killed() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let emulator =
        runtime.block_on(Emulator::builder().credentials(credentials()).start()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut rng = fastrand::Rng::with_seed(7);
    let (mut tried, mut accepted) = (HashSet::new(), HashSet::new());
    let mut rounds = 0;
    while rounds < ROUNDS || accepted.len() < ACCEPTED {
        assert!(rounds < 3 * ROUNDS, "only {} batches were accepted", accepted.len());
        emulator.script(faults(&mut rng));
        let longest = if rounds < ROUNDS { 90 } else { 900 };
        let lifetime = Duration::from_millis(rng.u64(20..longest));
        rounds += 1;
        let (some_tried, some_accepted) =
            run_and_kill(emulator.base_url(), folder.path(), lifetime);
        tried.extend(some_tried);
        accepted.extend(some_accepted);
    }
    let left = runtime.block_on(async {
        let client = emulator.client_builder().build().unwrap();
        let queue = client.queue().spool(folder.path()).build().await.unwrap();
        let recovered = queue.recovery().recovered;
        let report = queue.shutdown(Duration::from_secs(60)).await;
        assert!(report.is_complete(), "{report:?}");
        recovered
    });

    let mut received = HashMap::new();
    for batch in emulator.batches() {
        for name in event_names(&batch.json) {
            *received.entry(name).or_insert(0) += 1;
        }
    }
    let missing: Vec<_> = accepted.iter().filter(|name| !received.contains_key(*name)).collect();
    assert!(missing.is_empty(), "{} of {} are missing: {missing:?}", missing.len(), accepted.len());
    for (name, times) in &received {
        assert_eq!(*times, 1, "{name} counts {times} times");
        assert!(tried.contains(name), "{name} is unknown");
    }
    let mut bytes = HashMap::new();
    for batch in emulator.batches().into_iter().chain(emulator.duplicates()) {
        let first = bytes.entry(batch.id.unwrap()).or_insert_with(|| batch.raw.clone());
        assert_eq!(*first, batch.raw);
    }
    println!(
        "{rounds} kills: {} accepted, {} received, {} duplicates dropped, {left} left for the last run",
        accepted.len(),
        received.len(),
        emulator.duplicates().len(),
    );
}

#[test]
fn a_spool_belongs_to_one_process_until_the_process_ends() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let emulator =
        runtime.block_on(Emulator::builder().credentials(credentials()).start()).unwrap();
    emulator.always(Answer::status(503));
    let folder = tempfile::tempdir().unwrap();
    let client = emulator.client_builder().build().unwrap();
    let open = || runtime.block_on(client.queue().spool(folder.path()).build());

    let mut child = start(emulator.base_url(), folder.path());
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let accepted_in = |line: String| line.strip_prefix("accepted ").map(str::to_owned);
    let mut accepted: HashSet<String> = lines.by_ref().filter_map(accepted_in).take(20).collect();
    assert_eq!(accepted.len(), 20, "the child ended: {:?}", child.wait_with_output());
    let error = open().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Storage, "{error}");
    assert!(error.to_string().contains("is in use"), "{error}");

    assert!(child.try_wait().unwrap().is_none(), "it goes on");
    child.kill().unwrap();
    child.wait().unwrap();
    accepted.extend(lines.filter_map(accepted_in));
    let queue = open().unwrap();
    assert!(queue.recovery().is_clean(), "{:?}", queue.recovery());
    assert!(queue.recovery().recovered >= u64::try_from(accepted.len()).unwrap());
    emulator.always(Answer::normal());
    let report = runtime.block_on(queue.shutdown(Duration::from_secs(60)));
    assert!(report.is_complete(), "{report:?}");
    let received: Vec<String> =
        emulator.batches().iter().flat_map(|batch| event_names(&batch.json)).collect();
    let missing: Vec<_> = accepted.iter().filter(|name| !received.contains(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
