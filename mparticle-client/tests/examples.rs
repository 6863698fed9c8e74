//! Runs the examples as a user does: as processes, with and without a key.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

#[cfg(feature = "jetstream")]
#[path = "fleet/server.rs"]
#[allow(clippy::panic, dead_code, reason = "the tests of fleets use more of it")]
mod nats_server;

use mparticle_client::Credentials;
use mparticle_client::testing::{Answer, Emulator};
#[cfg(feature = "jetstream")]
use nats_server::NatsServer;
use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::process::{self, Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Returns the command of an example. Cargo builds the examples in a directory beside that of the tests.
fn example(name: &str) -> Command {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    if path.ends_with("deps") {
        path.pop();
    }
    let program = path.join("examples").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(program.exists(), "build the examples first: cargo build --examples");
    let mut command = Command::new(program);
    let variables =
        ["MPARTICLE_API_KEY", "MPARTICLE_API_SECRET", "MPARTICLE_BASE_URL", "MPARTICLE_POD"];
    for variable in variables.into_iter().chain(["MPARTICLE_SPOOL", "PORT", "RUST_LOG"]) {
        command.env_remove(variable);
    }
    command
}

/// Returns the same command with the key, the secret and the address of a server.
fn example_with(name: &str, emulator: &Emulator) -> Command {
    let mut command = example(name);
    command
        .env("MPARTICLE_API_KEY", "k-4711")
        .env("MPARTICLE_API_SECRET", "s-0815")
        .env("MPARTICLE_BASE_URL", emulator.base_url());
    command
}

async fn emulator() -> Emulator {
    Emulator::builder().credentials(Credentials::new("k-4711", "s-0815")).start().await.unwrap()
}

/// The output and the exit status of a process.
struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let ended =
            Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) };
        for secret in ["s-0815", "emulated-secret"] {
            assert!(!ended.out.contains(secret) && !ended.err.contains(secret), "{secret} leaks");
        }
        ended
    }
}

fn run(command: &mut Command) -> Ended {
    command.output().unwrap().into()
}

/// Runs the command while this runtime continues to serve.
async fn run_beside(mut command: Command) -> Ended {
    tokio::task::spawn_blocking(move || run(&mut command)).await.unwrap()
}

/// A directory that is removed when the test has passed.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("mparticle-examples-{}-{number}", process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}

fn ids(emulator: &Emulator) -> Vec<String> {
    emulator.batches().into_iter().map(|batch| batch.id.unwrap()).collect()
}

#[test]
fn the_quickstart_sends_to_an_emulator_if_there_is_no_key() {
    let ended = run(&mut example("quickstart"));
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    for wanted in [
        "MPARTICLE_API_KEY is not set: sending to an emulator",
        "One batch with 9 events:\n  accepted: 202 Accepted, attempts: 1",
        "source_request_id ",
        " % of the rate limit used",
        "took 4 batches with 12 events",
        "5 application_state_transition\n",
        "1 commerce_event\n",
        "4 custom_event\n",
        "1 session_end\n",
        "1 session_start\n",
    ] {
        assert!(ended.out.contains(wanted), "no {wanted:?} in:\n{}", ended.out);
    }
    assert!(!ended.out.contains("would object"), "{}", ended.out);
}

#[test]
fn the_quickstart_names_the_missing_secret_if_there_is_only_a_key() {
    let ended = run(example("quickstart").env("MPARTICLE_API_KEY", "k-4711"));
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("MPARTICLE_API_SECRET is not set"), "{}", ended.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_quickstart_sends_to_the_server_that_the_environment_names() {
    let emulator = emulator().await;
    emulator.script([Answer::status(503), Answer::reset()]);
    let ended = run_beside(example_with("quickstart", &emulator)).await;
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(ended.out.contains("sending to MPARTICLE_BASE_URL"), "{}", ended.out);
    assert!(ended.out.contains("attempts: 3"), "{}", ended.out);
    assert_eq!(emulator.batches().len(), 4);
    for id in ids(&emulator) {
        assert!(ended.out.contains(&id), "{id} is not printed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_quickstart_fails_in_one_readable_line_if_the_server_refuses_it() {
    let emulator = emulator().await;
    emulator.always(Answer::status(403));
    let ended = run_beside(example_with("quickstart", &emulator)).await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.starts_with("Error: ") && ended.err.contains("403"), "{}", ended.err);
    assert!(ended.err.lines().count() == 1 && !ended.err.contains('{'), "{}", ended.err);
}

#[test]
fn the_log_of_the_quickstart_follows_rust_log() {
    let ended = run(example("quickstart").env("RUST_LOG", "mparticle_client=debug"));
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(ended.err.contains("mparticle_client"), "{}", ended.err);
}

#[test]
fn each_small_example_succeeds_without_a_key() {
    let mut cases = vec![
        ("bulk", "took 250 batches with 250 events"),
        ("historical", "took 253 batches with 253 events"),
        ("historical", "An order of 2 days ago is not sent"),
        ("consent", "took 3 batches with 0 events"),
        ("commerce", "took 7 batches with 7 events"),
        ("durable_queue", "took 100 batches with 100 events"),
        ("queue", "took 21 batches with 400 events"),
        ("relay", "1000 batches delivered, 0 not delivered."),
    ];
    if cfg!(feature = "blocking") {
        cases.push(("blocking", "took 254 batches with 254 events"));
    }
    for (name, wanted) in cases {
        let ended = run(&mut example(name));
        assert_eq!(ended.code, Some(0), "{name}: {}", ended.err);
        assert!(ended.out.contains(wanted), "{name}: no {wanted:?} in:\n{}", ended.out);
    }
}

/// Makes three requests to the service, sends SIGTERM, and returns the output of the service.
#[cfg(unix)]
fn sign_up_and_terminate(mut service: Command) -> String {
    use std::io::{BufRead, BufReader, Read, Write};
    let mut service = service.env("PORT", "0").stdout(process::Stdio::piped()).spawn().unwrap();
    let mut reader = BufReader::new(service.stdout.take().unwrap());
    let mut output = String::new();
    while !output.contains("Listening at http://") {
        assert!(reader.read_line(&mut output).unwrap() > 0, "the service has ended:\n{output}");
    }
    let (_, address) = output.trim_end().rsplit_once("http://").unwrap();
    for customer in 1..=3 {
        let mut connection = std::net::TcpStream::connect(address).unwrap();
        let head = format!("POST /customers/{customer}/signup HTTP/1.1");
        write!(connection, "{head}\r\nhost: {address}\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    }
    let terminated = Command::new("kill").args(["-TERM", &service.id().to_string()]).status();
    assert!(terminated.unwrap().success());
    reader.read_to_string(&mut output).unwrap();
    assert!(service.wait().unwrap().success());
    output
}

#[cfg(unix)]
#[test]
fn a_service_that_is_stopped_delivers_what_it_accepted() {
    let output = sign_up_and_terminate(example("axum_service"));
    assert!(output.contains("Stopped; 3 batches delivered."), "{output}");
    assert!(output.contains("took 3 batches with 3 events"), "{output}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_stopped_in_an_outage_delivers_when_it_is_started_again() {
    let (scratch, emulator) = (Scratch::new(), emulator().await);
    let service = || {
        let mut service = example_with("axum_service", &emulator);
        service.env("MPARTICLE_SPOOL", scratch.0.join("spool"));
        tokio::task::spawn_blocking(|| sign_up_and_terminate(service))
    };
    emulator.always(Answer::status(503));
    let output = service().await.unwrap();
    assert!(output.contains("3 are left in the spool, 0 dropped."), "{output}");
    emulator.always(Answer::normal());
    let output = service().await.unwrap();
    assert!(output.contains("3 batches of an earlier run are pending."), "{output}");
    assert!(output.contains("Stopped; 6 batches delivered."), "{output}");
    assert_eq!(emulator.batches().len(), 6);
}

#[test]
fn a_function_that_is_frozen_after_each_invocation_has_sent_its_events() {
    let ended = run(&mut example("lambda"));
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert_eq!(ended.out.matches("2 batches delivered, 0 pending").count(), 3, "{}", ended.out);
    assert!(ended.out.contains("took 3 batches with 6 events"), "{}", ended.out);
}

#[test]
fn a_durable_queue_creates_no_folder_for_an_option() {
    let scratch = Scratch::new();
    for words in [vec!["--help"], vec!["--batches", "3"], vec!["folder", "another"]] {
        let ended = run(example("durable_queue").current_dir(&scratch.0).args(words));
        assert_eq!(ended.code, Some(1), "{}", ended.out);
        assert!(ended.err.contains("usage: durable_queue [FOLDER]"), "{}", ended.err);
    }
    assert_eq!(fs::read_dir(&scratch.0).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_durable_queue_that_is_killed_before_it_gets_an_answer_counts_nothing_twice() {
    let (scratch, emulator) = (Scratch::new(), emulator().await);
    let spool = scratch.0.join("spool");
    emulator.always(Answer::close().after_processing());
    let mut first = example_with("durable_queue", &emulator);
    let mut first = first.arg(&spool).stdout(process::Stdio::null()).spawn().unwrap();
    // mParticle has accepted all batches. The process is still waiting for the response.
    let everything = emulator.wait_for_batches(100);
    let arrived = tokio::time::timeout(Duration::from_secs(60), everything).await;
    first.kill().unwrap();
    assert!(!first.wait().unwrap().success());
    assert_eq!(arrived.unwrap().len(), 100);

    emulator.always(Answer::normal());
    let mut second = example_with("durable_queue", &emulator);
    second.arg(&spool);
    let ended = run_beside(second).await;
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(ended.out.contains("The spool held 100 batches."), "{}", ended.out);
    assert!(ended.out.contains("200 batches delivered, 0 left"), "{}", ended.out);
    // Each run takes one batch of each customer.
    let mut events = HashMap::new();
    for batch in emulator.batches() {
        let customer = batch.json["user_identities"]["customer_id"].as_str().unwrap().to_owned();
        *events.entry(customer).or_insert(0) += batch.json["events"].as_array().unwrap().len();
    }
    assert_eq!(events.len(), 100);
    assert!(events.values().all(|count| *count == 2), "{events:?}");
    assert!(emulator.duplicates().len() >= 100);
}

#[cfg(feature = "jetstream")]
#[test]
fn a_fleet_delivers_through_a_nats_server() {
    let Some(nats) = NatsServer::start() else { return };
    let ended = run(example("fleet").env("NATS_URL", nats.url()));
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    for wanted in ["1000 batches delivered, 0 rejected", "took 1000 batches with 1000 events"] {
        assert!(ended.out.contains(wanted), "no {wanted:?} in:\n{}", ended.out);
    }
}
