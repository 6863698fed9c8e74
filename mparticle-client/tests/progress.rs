//! Uploads make progress whether or not their futures are polled, over real sockets.
#![allow(clippy::large_futures, clippy::unwrap_used, reason = "a test may panic")]

use futures_util::future::FutureExt;
use futures_util::{StreamExt, stream};
use mparticle_client::Client;
use mparticle_client::models::{Batch, Environment};
use mparticle_client::testing::{Answer, Emulator};
use std::pin::pin;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

const LONG: Duration = Duration::from_secs(20);

fn batch() -> Batch {
    Batch::new(Environment::Development)
}

/// Uploads eight batches at a time, and another one after each of them, while the eight are not polled.
async fn upload_in_a_loop_of_uploads(client: &Client, turns: usize) {
    let batch = batch();
    let uploads = (0..turns).map(|_| client.upload_events(&batch));
    let mut uploads = stream::iter(uploads).buffer_unordered(8);
    while let Some(result) = uploads.next().await {
        result.unwrap();
        client.upload_events(&batch).await.unwrap();
    }
}

#[tokio::test]
async fn the_percentage_header_alone_slows_nothing_down() {
    const TURNS: usize = 600;
    const ROUNDS: usize = 3;
    let answers =
        [Answer::normal(), Answer::normal().header("x-mp-rate-limit-percentage-used", "95")];
    let mut best = [Duration::MAX; 2];
    for _ in 0..ROUNDS {
        for (answer, best) in answers.iter().zip(&mut best) {
            let emulator = Emulator::start().await.unwrap();
            emulator.always(answer.clone());
            let client = emulator.client_builder().build().unwrap();
            let start = Instant::now();
            let result = timeout(LONG, upload_in_a_loop_of_uploads(&client, TURNS)).await;
            assert!(result.is_ok(), "{answer:?}");
            *best = start.elapsed().min(*best);
            assert_eq!(emulator.batches().len(), 2 * TURNS);
        }
    }
    let [without, with] = best;
    let ratio = with.as_secs_f64() / without.as_secs_f64();
    println!("{TURNS} turns: {without:?} without the header, {with:?} with it, ratio {ratio:.2}");
    assert!(ratio <= 2.0, "{without:?}, {with:?}");
}

#[tokio::test]
async fn a_loop_over_uploads_with_an_upload_in_its_body_does_not_deadlock() {
    for max_in_flight in [1, 2, 8] {
        let emulator = Emulator::start().await.unwrap();
        let client = emulator.client_builder().max_in_flight(max_in_flight).build().unwrap();
        let start = Instant::now();
        let result = timeout(LONG, upload_in_a_loop_of_uploads(&client, 50)).await;
        println!("max_in_flight({max_in_flight}): 50 turns took {:?}", start.elapsed());
        assert!(result.is_ok(), "max_in_flight({max_in_flight})");
        assert_eq!(emulator.batches().len(), 100);
    }
}

/// Starts the emulator on its own runtime. Waiting for requests then does not drive the runtime of the client.
fn emulator() -> (Runtime, Emulator) {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let emulator = runtime.block_on(Emulator::start()).unwrap();
    (runtime, emulator)
}

/// Polls an upload once, and then waits without polling it.
async fn upload_arrives_after_one_poll(emulator: &Emulator) {
    let client = emulator.client_builder().build().unwrap();
    // The first attempt fails. The retry is therefore also made without polling.
    emulator.script([Answer::status(503)]);
    let batch = batch();
    let mut upload = pin!(client.upload_events(&batch));
    assert!((&mut upload).now_or_never().is_none());
    let arrived = timeout(LONG, emulator.wait_for_batches(1)).await;
    assert!(arrived.is_ok(), "nothing was sent");
    let receipt = upload.await.unwrap();
    assert_eq!(receipt.attempts(), 2);
}

#[test]
fn an_upload_that_is_polled_once_arrives() {
    for mut builder in [Builder::new_current_thread(), Builder::new_multi_thread()] {
        let (_runtime, emulator) = emulator();
        let runtime = builder.enable_all().build().unwrap();
        runtime.block_on(upload_arrives_after_one_poll(&emulator));
    }
}
