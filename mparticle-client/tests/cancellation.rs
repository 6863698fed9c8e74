//! An upload that is dropped, in whichever state, leaves nothing behind.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod sample;

use mparticle_client::testing::{Answer, Emulator};
use mparticle_client::{Client, Error, Receipt};
use sample::{batch, builder};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(1);

fn upload(client: &Client) -> JoinHandle<Result<Receipt, Error>> {
    let client = client.clone();
    tokio::spawn(async move { client.upload_events(&batch()).await })
}

/// Starts an upload, and drops it after a time.
async fn cancelled_after(client: &Client, time: Duration) {
    let batch = batch();
    assert!(timeout(time, client.upload_events(&batch)).await.is_err(), "it ended before");
}

/// How many repetitions the budget has left, found by using them up.
async fn repetitions_left(client: &Client, emulator: &Emulator) -> usize {
    emulator.always(Answer::status(503));
    let before = emulator.requests().len();
    let uploads: Vec<_> = (0..200).map(|_| upload(client)).collect();
    for upload in uploads {
        upload.await.unwrap().unwrap_err();
    }
    emulator.requests().len() - before - 200
}

#[tokio::test(start_paused = true)]
async fn while_it_waits_for_the_gate() {
    let emulator = Emulator::in_memory();
    let client = builder(&emulator).build().unwrap();
    emulator.script([Answer::status(429).retry_after(10)]);
    let start = Instant::now();
    let refused = upload(&client);
    sleep(TICK).await;
    for _ in 0..30 {
        cancelled_after(&client, SECOND / 10).await;
    }
    assert_eq!(emulator.requests().len(), 1);
    let next = upload(&client);
    next.await.unwrap().unwrap();
    assert!((10_000..10_010).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    refused.await.unwrap().unwrap();
    assert_eq!(emulator.requests().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn at_the_head_of_the_line_or_within_it_the_next_one_goes() {
    let emulator = Emulator::in_memory();
    let client = builder(&emulator).build().unwrap();
    emulator.script([Answer::status(429).retry_after(5)]);
    let start = Instant::now();
    let refused = upload(&client);
    sleep(TICK).await;
    let mut line = Vec::new();
    for _ in 0..5 {
        line.push(upload(&client));
        sleep(TICK).await;
    }
    for place in [0, 2] {
        line[place].abort();
    }
    let results = futures_util::future::join_all(line).await;
    let accepted = results.iter().filter(|result| matches!(result, Ok(Ok(_)))).count();
    assert_eq!(accepted, 3);
    assert!(start.elapsed() < 6 * SECOND);
    refused.await.unwrap().unwrap();
    assert_eq!(emulator.batches().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn as_the_probe_that_others_wait_for() {
    let emulator = Emulator::in_memory();
    let client = builder(&emulator).build().unwrap();
    emulator.script([Answer::status(429).retry_after(5), Answer::hang()]);
    let refused = upload(&client);
    sleep(TICK).await;
    let probe = upload(&client);
    sleep(TICK).await;
    let others: Vec<_> = (0..3).map(|_| upload(&client)).collect();
    emulator.wait_for_requests(2).await;
    sleep(SECOND).await;
    assert_eq!(emulator.requests().len(), 2, "all wait for the answer to the probe");
    let start = Instant::now();
    probe.abort();
    for other in others {
        other.await.unwrap().unwrap();
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
    refused.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn while_it_is_being_sent() {
    for emulator in [Emulator::start().await.unwrap(), Emulator::in_memory()] {
        let client = builder(&emulator).build().unwrap();
        let gate = format!("{:?}", client.rate_limiter());
        emulator.script(vec![Answer::hang(); 10]);
        for _ in 0..10 {
            cancelled_after(&client, 3 * SECOND).await;
        }
        assert_eq!(format!("{:?}", client.rate_limiter()), gate);
        let receipt = client.upload_events(&batch()).await.unwrap();
        assert_eq!((receipt.attempts(), receipt.elapsed()), (1, Duration::ZERO));
        assert_eq!(repetitions_left(&client, &emulator).await, 100);
    }
}

#[tokio::test(start_paused = true)]
async fn while_its_answer_is_being_read() {
    for status in [202, 400, 503] {
        for emulator in [Emulator::start().await.unwrap(), Emulator::in_memory()] {
            let client = builder(&emulator).build().unwrap();
            let answer = Answer::status(status).body("abcdefgh").dripping(2 * SECOND);
            emulator.script(vec![answer; 5]);
            for _ in 0..5 {
                cancelled_after(&client, SECOND / 2).await;
            }
            assert_eq!(emulator.requests().len(), 5);
            assert_eq!(client.upload_events(&batch()).await.unwrap().attempts(), 1);
            let left = repetitions_left(&client, &emulator).await;
            // A repetition comes back with each second, and the bucket was full before.
            assert!((100..=103).contains(&left), "{status}: {left}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn while_it_waits_to_be_repeated() {
    let emulator = Emulator::in_memory();
    let client = builder(&emulator).build().unwrap();
    // A hundred that wait hold the whole budget; what is dropped gives it back.
    emulator.always(Answer::status(503).retry_after(50));
    let waiting: Vec<_> = (0..100).map(|_| upload(&client)).collect();
    sleep(TICK).await;
    assert_eq!(emulator.requests().len(), 100);
    let error = client.upload_events(&batch()).await.unwrap_err();
    assert_eq!((error.attempts(), error.elapsed()), (1, Duration::ZERO), "the budget is used up");
    waiting.iter().for_each(JoinHandle::abort);
    sleep(TICK).await;
    let left = repetitions_left(&client, &emulator).await;
    assert!((100..=103).contains(&left), "{left}");
}

#[tokio::test(start_paused = true)]
async fn after_its_first_attempt_was_repeated_only_the_repetition_that_was_sent_is_spent() {
    let emulator = Emulator::in_memory();
    let client = builder(&emulator).build().unwrap();
    emulator.script(vec![Answer::status(503); 50]);
    emulator.script(vec![Answer::status(503).retry_after(50); 50]);
    let uploads: Vec<_> = (0..50).map(|_| upload(&client)).collect();
    sleep(SECOND / 2).await;
    assert_eq!(emulator.requests().len(), 100);
    uploads.iter().for_each(JoinHandle::abort);
    sleep(TICK).await;
    // Fifty were sent and are spent, fifty more were about to be sent.
    let left = repetitions_left(&client, &emulator).await;
    assert!((50..=53).contains(&left), "{left}");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_was_dropped_on_its_way_may_have_arrived_once() {
    let emulator = Emulator::start().await.unwrap();
    let client = builder(&emulator).build().unwrap();
    emulator.script([Answer::hang().after_processing()]);
    let mine = batch().with_source_request_id("mine");
    assert!(timeout(SECOND, client.upload_events(&mine)).await.is_err());
    client.upload_events(&mine).await.unwrap();
    assert_eq!((emulator.batches().len(), emulator.duplicates().len()), (1, 1));
    emulator.assert_exactly_once(["mine"]);
}
