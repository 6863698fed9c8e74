//! Tests of the end of a queue, and of its use in different runtimes.

use super::support::{LONG, batch, client, poisoned, queue};
use mparticle_client::ErrorKind;
use mparticle_client::queue::{BatchResult, Outcome, Queue};
use mparticle_client::testing::{Answer, Emulator};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{Instant, sleep};

#[tokio::test(start_paused = true)]
async fn a_shutdown_ends_at_its_deadline_even_if_a_hundred_requests_are_stalled() {
    let emulator = Emulator::in_memory();
    emulator.always(Answer::hang());
    let told = Arc::new(AtomicUsize::new(0));
    let hears = Arc::clone(&told);
    let hook = move |_: &BatchResult| _ = hears.fetch_add(1, Ordering::Relaxed);
    let client = emulator.client_builder().max_in_flight(100).build().unwrap();
    let builder = client.queue().concurrency(100).on_outcome(hook);
    let builder = builder.flush_every(Duration::ZERO);
    let (queue, worker) = builder.build_with_worker().await.unwrap();
    let worker = tokio::spawn(worker);
    let mut deliveries = Vec::new();
    for user in 0..100 {
        deliveries.push(queue.send(batch(&user.to_string(), "a")).await.unwrap());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(emulator.requests().len(), 100);
    let start = Instant::now();
    let report = queue.shutdown(Duration::from_secs(3)).await;
    assert_eq!(start.elapsed(), Duration::from_secs(3));
    assert_eq!((report.dropped, report.delivered), (100, 0));
    for delivery in deliveries {
        let settled = delivery.await;
        assert!(matches!(settled.outcome(), Outcome::Dropped));
        assert_eq!(settled.into_requests().len(), 1);
    }
    assert_eq!(told.load(Ordering::Relaxed), 100);
    worker.await.unwrap();

    let refused = queue.send(batch("1", "a")).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Closed);
    assert!(queue.resume().is_err());
    assert_eq!(queue.flush(LONG).await.pending, 0);
    assert_eq!(queue.shutdown(Duration::ZERO).await.dropped, 0);
}

#[tokio::test(start_paused = true)]
async fn dropped_batches_can_be_sent_again_without_counting_twice() {
    let emulator = Emulator::in_memory();
    emulator.script([Answer::hang().after_processing()]);
    let client = client(&emulator);
    let (queue, worker) = client.queue().build_with_worker().await.unwrap();
    tokio::spawn(worker);
    let deliveries =
        [queue.send(batch("1", "a")).await.unwrap(), queue.send(batch("1", "b")).await.unwrap()];
    _ = queue.shutdown(Duration::from_secs(1)).await;
    for delivery in deliveries {
        for unsent in delivery.await.into_requests() {
            client.resend(unsent).await.unwrap();
        }
    }
    assert_eq!(emulator.batches().len(), 1);
    assert_eq!(super::support::accepted_events(&emulator), ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_pause_the_queue_until_there_are_others() {
    let emulator = Emulator::in_memory();
    let wrong = mparticle_client::Credentials::new("wrong", "pair");
    let client = client(&emulator).with_credentials(&wrong).unwrap();
    let (queue, worker) = client.queue().build_with_worker().await.unwrap();
    tokio::spawn(worker);
    let delivery = queue.send(batch("1", "a")).await.unwrap();
    let report = queue.flush(LONG).await;
    assert_eq!((report.pending, report.rejected), (1, 0));
    assert!(queue.stats().paused.is_some());
    tokio::time::sleep(Duration::from_secs(60 * 60)).await;
    assert_eq!(emulator.requests().len(), 1);
    queue.set_credentials(&emulator.credentials()).unwrap();
    assert!(delivery.await.is_delivered());
    assert!(queue.stats().paused.is_none());
    drop(queue.send(batch("1", "b")).await.unwrap());
    assert!(queue.shutdown(LONG).await.is_complete());
}

#[tokio::test]
async fn a_hook_may_panic_or_use_the_queue() {
    let emulator = Emulator::start().await.unwrap();
    let own = Arc::new(Mutex::new(None::<mparticle_client::queue::Queue>));
    let used = Arc::clone(&own);
    let hook = move |settled: &BatchResult| {
        let queue = used.lock().unwrap().clone().unwrap();
        assert!(queue.stats().accepted > 0);
        if settled.source_request_id() == "first" {
            drop(queue.try_send(batch("2", "from the hook").with_source_request_id("second")));
            panic!("on purpose");
        }
    };
    let queue = client(&emulator).queue().on_outcome(hook).build().await.unwrap();
    *own.lock().unwrap() = Some(queue.clone());
    let first = queue.send(batch("1", "a").with_source_request_id("first")).await.unwrap();
    drop(queue.send(poisoned("1", "b")).await.unwrap());
    _ = queue.flush(LONG).await;
    assert!(first.await.is_delivered());
    let report = queue.shutdown(LONG).await;
    assert!(report.is_complete(), "{report:?}");
    assert_eq!((queue.stats().delivered, queue.stats().rejected), (2, 1));
    own.lock().unwrap().take();
}

#[test]
fn a_queue_needs_no_runtime_and_outlives_the_runtime_in_which_it_was_built() {
    let server = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let emulator = server.block_on(Emulator::start()).unwrap();
    let client = client(&emulator);
    let short_lived = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let queue = short_lived.block_on(client.queue().build()).unwrap();
    short_lived.block_on(queue.send(batch("1", "a"))).unwrap();
    assert_eq!(short_lived.block_on(queue.flush(LONG)).delivered, 1);
    drop(short_lived);
    let delivery = pollster::block_on(queue.send(batch("1", "b"))).unwrap();
    drop(queue.try_send(batch("1", "c")).unwrap());
    assert!(pollster::block_on(queue.shutdown(LONG)).is_complete());
    assert!(pollster::block_on(delivery).is_delivered());
    let queue = pollster::block_on(client.queue().build()).unwrap();
    let delivery = queue.try_send(batch("1", "d")).unwrap();
    // The last handle is dropped at once, and the batch is delivered.
    drop(queue);
    assert!(pollster::block_on(delivery).is_delivered());
    assert_eq!(super::support::accepted_events(&emulator), ["a", "b", "c", "d"]);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_is_dropped_reports_an_outcome_for_each_pending_batch() {
    let emulator = Emulator::in_memory();
    let (queue, worker) = client(&emulator).queue().build_with_worker().await.unwrap();
    let delivery = queue.try_send(batch("1", "a")).unwrap();
    drop(worker);
    assert!(matches!(delivery.await.into_outcome(), Outcome::Dropped));
    assert_eq!((queue.stats().dropped, queue.stats().pending), (1, 0));
    assert_eq!(queue.try_send(batch("1", "b")).unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(queue.flush(LONG).await.pending, 0);
    assert_eq!(queue.shutdown(LONG).await.dropped, 0);
}

/// Returns a queue with one batch in a long outage, in which a request is repeated about twice a minute.
async fn in_a_long_outage(emulator: &Emulator) -> Queue {
    emulator.always(Answer::status(503));
    let (queue, _worker) = queue(emulator, |builder| builder).await;
    drop(queue.send(batch("1", "a")).await.unwrap());
    sleep(Duration::from_secs(3600)).await;
    queue
}

#[tokio::test(start_paused = true)]
async fn failed_requests_are_retried_soon_during_a_flush_or_a_shutdown() {
    for is_shutdown in [false, true] {
        for _ in 0..10 {
            let emulator = Emulator::in_memory();
            let queue = in_a_long_outage(&emulator).await;
            let before = emulator.requests().len();
            let start = Instant::now();
            let ending = if is_shutdown {
                futures_util::future::Either::Left(queue.shutdown(LONG))
            } else {
                futures_util::future::Either::Right(queue.flush(LONG))
            };
            let ending = tokio::spawn(ending);
            sleep(Duration::from_millis(4_500)).await;
            let tried = emulator.requests().len() - before;
            assert!((5..=7).contains(&tried), "{tried} requests in 4.5 s");
            emulator.always(Answer::normal());
            assert_eq!(ending.await.unwrap().delivered, 1);
            assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_does_not_shorten_a_retry_after() {
    let emulator = Emulator::in_memory();
    let queue = in_a_long_outage(&emulator).await;
    emulator.always(Answer::status(503).retry_after(600));
    sleep(Duration::from_secs(60)).await;
    let before = emulator.requests().len();
    let report = queue.shutdown(Duration::from_secs(20)).await;
    assert_eq!((report.dropped, emulator.requests().len()), (1, before));
}

#[tokio::test(start_paused = true)]
async fn consecutive_flushes_make_no_more_requests_than_one_flush() {
    let emulator = Emulator::in_memory();
    let queue = in_a_long_outage(&emulator).await;
    let before = emulator.requests().len();
    for _ in 0..100 {
        assert_eq!(queue.flush(Duration::from_millis(10)).await.pending, 1);
    }
    let tried = emulator.requests().len() - before;
    assert!((1..=3).contains(&tried), "{tried} requests in a second");
}
