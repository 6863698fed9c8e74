//! Uploads that are dropped or whose runtime ends: what others wait for is free at once, and nothing more is sent.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod sample;

use mparticle_client::testing::{Answer, Emulator};
use mparticle_client::{Client, Error, ErrorKind, RateLimiterSnapshot, Receipt, Timeouts};
use sample::{batch, builder};
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(1);

fn upload(client: &Client) -> JoinHandle<Result<Receipt, Error>> {
    let client = client.clone();
    tokio::spawn(async move { client.upload_events(&batch()).await })
}

/// Starts an upload, and drops it after a time.
async fn drop_after(client: &Client, time: Duration) {
    let batch = batch();
    assert!(timeout(time, client.upload_events(&batch)).await.is_err(), "it ended before");
}

/// Allows this many batches per second from now on.
fn set_rate(client: &Client, rate: f64) {
    let snapshot = RateLimiterSnapshot::default().with_batches_per_second(rate);
    client.rate_limiter().restore(&snapshot);
}

/// Counts the retries that are left in the budget by spending them.
async fn retries_left(client: &Client, emulator: &Emulator) -> usize {
    emulator.always(Answer::status(503));
    let before = emulator.requests().len();
    let uploads: Vec<_> = (0..200).map(|_| upload(client)).collect();
    for upload in uploads {
        upload.await.unwrap().unwrap_err();
    }
    emulator.requests().len() - before - 200
}

#[tokio::test(start_paused = true)]
async fn uploads_that_are_dropped_while_the_limiter_is_closed_delay_no_other() {
    let emulator = Emulator::in_memory();
    let client = builder(&emulator).build().unwrap();
    emulator.script([Answer::status(429).retry_after(10)]);
    let refused = upload(&client);
    sleep(TICK).await;
    let opens = Instant::now() + client.rate_limiter().snapshot().closed_for;
    for _ in 0..60 {
        drop_after(&client, SECOND / 10).await;
    }
    assert_eq!(emulator.requests().len(), 1);
    upload(&client).await.unwrap().unwrap();
    refused.await.unwrap().unwrap();
    // Two uploads at ten a second.
    assert!(opens.elapsed() <= SECOND / 4, "{:?}", opens.elapsed());
    assert_eq!(emulator.requests().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_number_that_is_dropped_takes_no_time_of_the_rate() {
    let emulator = Emulator::in_memory();
    let client = builder(&emulator).build().unwrap();
    set_rate(&client, 1.0);
    let start = Instant::now();
    let mut line = Vec::new();
    for _ in 0..30 {
        line.push(upload(&client));
        sleep(TICK).await;
    }
    // All but the third and the last.
    for (position, upload) in line.iter().enumerate() {
        if ![2, 29].contains(&position) {
            upload.abort();
        }
    }
    let results = futures_util::future::join_all(line).await;
    let accepted = results.iter().filter(|result| matches!(result, Ok(Ok(_)))).count();
    assert_eq!((accepted, emulator.requests().len()), (2, 2));
    assert!(start.elapsed() <= 2 * SECOND + SECOND / 10, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_is_dropped_while_it_waits_for_a_place_takes_none() {
    let emulator = Emulator::in_memory();
    let client = builder(&emulator).max_in_flight(1).build().unwrap();
    emulator.script([Answer::normal().delayed(5 * SECOND)]);
    let start = Instant::now();
    let first = upload(&client);
    sleep(TICK).await;
    let dropped: Vec<_> = (0..20).map(|_| upload(&client)).collect();
    sleep(TICK).await;
    let last = upload(&client);
    sleep(TICK).await;
    dropped.iter().for_each(JoinHandle::abort);
    last.await.unwrap().unwrap();
    assert_eq!(start.elapsed(), 5 * SECOND);
    first.await.unwrap().unwrap();
    assert_eq!(emulator.requests().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_is_dropped_in_flight_frees_its_place() {
    for emulator in [Emulator::start().await.unwrap(), Emulator::in_memory()] {
        let client = builder(&emulator).max_in_flight(1).build().unwrap();
        let limiter = client.rate_limiter().snapshot();
        emulator.script(vec![Answer::hang(); 10]);
        for _ in 0..10 {
            drop_after(&client, 3 * SECOND).await;
        }
        assert_eq!(emulator.requests().len(), 10);
        assert_eq!(client.rate_limiter().snapshot(), limiter);
        let receipt = client.upload_events(&batch()).await.unwrap();
        assert_eq!((receipt.attempts(), receipt.elapsed()), (1, Duration::ZERO));
    }
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_is_dropped_while_it_reads_a_body_frees_its_place() {
    for status in [202, 400, 503] {
        for emulator in [Emulator::start().await.unwrap(), Emulator::in_memory()] {
            let client = builder(&emulator).max_in_flight(1).build().unwrap();
            let answer = Answer::status(status).body("abcdefgh").dripping(2 * SECOND);
            emulator.script(vec![answer; 5]);
            for _ in 0..5 {
                drop_after(&client, SECOND / 2).await;
            }
            assert_eq!(emulator.requests().len(), 5);
            let receipt = client.upload_events(&batch()).await.unwrap();
            assert_eq!((receipt.attempts(), receipt.elapsed()), (1, Duration::ZERO));
            let left = retries_left(&client, &emulator).await;
            // Nothing was spent, and each second restores one.
            assert!((100..=103).contains(&left), "{status}: {left}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_upload_in_backoff_holds_no_place_and_sends_nothing_once_it_is_dropped() {
    let emulator = Emulator::in_memory();
    let client = builder(&emulator).max_in_flight(1).build().unwrap();
    emulator.script([Answer::status(503).retry_after(30)]);
    let waiting = upload(&client);
    sleep(TICK).await;
    let receipt = client.upload_events(&batch()).await.unwrap();
    assert_eq!((receipt.attempts(), receipt.elapsed()), (1, Duration::ZERO));
    waiting.abort();
    sleep(60 * SECOND).await;
    assert_eq!(emulator.requests().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_is_dropped_before_it_was_sent_stays_spent() {
    let emulator = Emulator::in_memory();
    let client = builder(&emulator).max_in_flight(200).build().unwrap();
    emulator.always(Answer::status(503).retry_after(50));
    let waiting: Vec<_> = (0..100).map(|_| upload(&client)).collect();
    sleep(TICK).await;
    assert_eq!(emulator.requests().len(), 100);
    let error = client.upload_events(&batch()).await.unwrap_err();
    assert_eq!((error.attempts(), error.elapsed()), (1, Duration::ZERO), "the budget is spent");
    waiting.iter().for_each(JoinHandle::abort);
    let left = retries_left(&client, &emulator).await;
    assert!(left <= 3, "{left}");
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_dropped_is_followed_by_another_after_a_minute() {
    let emulator = Emulator::in_memory();
    let timeouts = Timeouts::default().with_overall(3600 * SECOND);
    let client = builder(&emulator).timeouts(timeouts).build().unwrap();
    emulator.script([Answer::status(429).retry_after(1800), Answer::hang()]);
    let start = Instant::now();
    let probe = upload(&client);
    sleep(TICK).await;
    emulator.wait_for_requests(2).await;
    let others: Vec<_> = (0..3).map(|_| upload(&client)).collect();
    sleep(SECOND).await;
    probe.abort();
    for other in others {
        other.await.unwrap().unwrap();
    }
    let times: Vec<_> =
        emulator.requests().iter().map(|request| (request.at - start).as_secs()).collect();
    // It is accepted, and the others follow at ten a second.
    assert_eq!(times[..3], [0, 60, 120]);
    assert!(times[3..].iter().all(|at| (120..=121).contains(at)), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_dropped_in_flight_is_counted_once_if_it_is_sent_again() {
    let emulator = Emulator::start().await.unwrap();
    let client = builder(&emulator).build().unwrap();
    emulator.script([Answer::hang().after_processing()]);
    let mine = batch().with_source_request_id("mine");
    assert!(timeout(SECOND, client.upload_events(&mine)).await.is_err());
    client.upload_events(&mine).await.unwrap();
    assert_eq!((emulator.batches().len(), emulator.duplicates().len()), (1, 1));
    emulator.assert_exactly_once(["mine"]);
}

/// An upload that can be polled in one runtime after the other.
type Pending = Pin<Box<dyn Future<Output = Result<Receipt, Error>> + Send>>;

fn pending(client: &Client) -> Pending {
    let client = client.clone();
    Box::pin(async move { client.upload_events(&batch()).await })
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Drives uploads for a moment, after which their runtime is not driven any more.
fn drive(runtime: &Runtime, uploads: &mut [Pending]) {
    runtime.block_on(async {
        let uploads = futures_util::future::select_all(uploads.iter_mut());
        assert!(timeout(20 * TICK, uploads).await.is_err(), "one has ended");
    });
}

/// The state in which an upload is when its runtime is left.
struct Stage {
    name: &'static str,
    /// The answers to the first requests.
    answers: Vec<Answer>,
    /// The uploads of the same runtime that were started before.
    earlier: usize,
    max_in_flight: usize,
    /// The rate, in batches per second.
    rate: Option<f64>,
    /// Whether a place in flight is taken.
    takes_place: bool,
}

fn stages() -> Vec<Stage> {
    let stage = |name, answers| Stage {
        name,
        answers,
        earlier: 0,
        max_in_flight: 1,
        rate: None,
        takes_place: true,
    };
    vec![
        Stage {
            earlier: 10,
            max_in_flight: 64,
            rate: Some(4.0),
            takes_place: false,
            ..stage("waits for its number", vec![])
        },
        Stage { earlier: 1, ..stage("waits for a place", vec![Answer::hang()]) },
        stage("in flight", vec![Answer::hang()]),
        stage("reads a body", vec![Answer::status(400).body("slow").dripping(5 * SECOND)]),
        Stage {
            takes_place: false,
            ..stage("in backoff", vec![Answer::status(503).retry_after(30)])
        },
    ]
}

/// Starts the uploads of a stage in a runtime, and leaves them.
fn start_stage(stage: &Stage, runtime: &Runtime) -> (Emulator, Client, Vec<Pending>) {
    let emulator = Emulator::in_memory();
    let client = builder(&emulator).max_in_flight(stage.max_in_flight).build().unwrap();
    if let Some(rate) = stage.rate {
        set_rate(&client, rate);
    }
    emulator.script(stage.answers.clone());
    let mut uploads: Vec<_> = (0..=stage.earlier).map(|_| pending(&client)).collect();
    drive(runtime, &mut uploads);
    (emulator, client, uploads)
}

#[test]
fn an_upload_that_is_dropped_outside_its_runtime_frees_everything_at_once() {
    for stage in stages() {
        let (left, other) = (runtime(), runtime());
        let (_emulator, client, uploads) = start_stage(&stage, &left);
        drop(uploads);
        other.block_on(async {
            let start = Instant::now();
            let receipt = timeout(5 * SECOND, client.upload_events(&batch())).await;
            let receipt = receipt.unwrap_or_else(|_| panic!("{}: it hangs", stage.name)).unwrap();
            assert_eq!(receipt.attempts(), 1, "{}", stage.name);
            // The rate of the first stage allows one in a quarter of a second.
            let most = if stage.rate.is_some() { SECOND } else { SECOND / 4 };
            assert!(start.elapsed() < most, "{}: {:?}", stage.name, start.elapsed());
        });
    }
}

#[test]
fn the_task_of_an_upload_that_is_dropped_ends() {
    for stage in stages() {
        let runtime = runtime();
        let (_emulator, _client, uploads) = start_stage(&stage, &runtime);
        let tasks = || runtime.metrics().num_alive_tasks();
        assert_eq!(tasks(), stage.earlier + 1, "{}", stage.name);
        drop(uploads);
        runtime.block_on(async { sleep(20 * TICK).await });
        assert_eq!(tasks(), 0, "{}", stage.name);
    }
}

#[test]
fn an_upload_that_waits_in_a_runtime_that_is_not_driven_delays_no_other() {
    for stage in stages().into_iter().filter(|stage| !stage.takes_place) {
        let (left, other) = (runtime(), runtime());
        let (_emulator, client, uploads) = start_stage(&stage, &left);
        // Twelve numbers are granted in order, whether or not their owners are driven.
        let most = if stage.rate.is_some() { 4 * SECOND } else { SECOND / 4 };
        other.block_on(async {
            let upload = timeout(most, client.upload_events(&batch())).await;
            upload.expect(stage.name).unwrap();
        });
        drop(uploads);
    }
}

#[test]
fn a_place_that_is_freed_goes_to_an_upload_that_is_driven() {
    let (left, other) = (runtime(), runtime());
    let emulator = Emulator::in_memory();
    let client = builder(&emulator).max_in_flight(1).build().unwrap();
    emulator.script([Answer::normal().delayed(SECOND)]);
    let mut first = pending(&client);
    drive(&other, std::slice::from_mut(&mut first));
    let mut waiting = pending(&client);
    drive(&left, std::slice::from_mut(&mut waiting));
    other.block_on(async {
        let start = Instant::now();
        let next = upload(&client);
        first.await.unwrap();
        // It looks for a free place once a second in case it was not woken.
        timeout(4 * SECOND, next).await.expect("it hangs").unwrap().unwrap();
        assert!(start.elapsed() < 3 * SECOND, "{:?}", start.elapsed());
    });
    left.block_on(waiting).unwrap();
    assert_eq!(emulator.requests().len(), 3);
}

#[test]
fn uploads_of_a_runtime_that_is_shut_down_fail_as_closed_and_free_everything() {
    for stage in stages() {
        let (left, other) = (runtime(), runtime());
        let (_emulator, client, uploads) = start_stage(&stage, &left);
        left.shutdown_background();
        other.block_on(async {
            for upload in uploads {
                let error = timeout(SECOND, upload).await.expect(stage.name).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Closed, "{}: {error}", stage.name);
                assert_eq!(error.may_have_been_sent(), error.attempts() > 0, "{}", stage.name);
                assert!(error.into_request().is_some(), "{}", stage.name);
            }
            let upload = timeout(5 * SECOND, client.upload_events(&batch())).await;
            upload.expect(stage.name).unwrap();
        });
    }
}

#[test]
fn an_upload_of_a_runtime_of_several_threads_that_is_shut_down_fails_as_closed() {
    let emulator = Emulator::in_memory();
    emulator.always(Answer::hang());
    let client = builder(&emulator).build().unwrap();
    let left = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut uploads: Vec<_> = (0..10).map(|_| pending(&client)).collect();
    drive(&left, &mut uploads);
    left.shutdown_timeout(SECOND);
    runtime().block_on(async {
        for upload in uploads {
            let error = timeout(5 * SECOND, upload).await.unwrap().unwrap_err();
            assert_eq!((error.kind(), error.attempts()), (ErrorKind::Closed, 1));
            assert!(error.may_have_been_sent());
        }
    });
}
