//! Tests of the outcome hook, and of handles that are awaited for outcomes.

use super::support::{LONG, batch, client, queue, settle};
use mparticle_client::ErrorKind;
use mparticle_client::queue::{Outcome, Queue};
use mparticle_client::testing::{Answer, Emulator};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn a_hook_that_panics_has_no_other_effect() {
    let emulator = Emulator::in_memory();
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&calls);
    let (queue, worker) = queue(&emulator, |builder| {
        builder.on_outcome(move |_| {
            counter.fetch_add(1, Ordering::Relaxed);
            panic!("as a hook may");
        })
    })
    .await;
    for round in 1..4 {
        let mut deliveries = Vec::new();
        for user in ["1", "1", "2"] {
            deliveries.push(queue.try_send(batch(user, "a")).unwrap());
        }
        assert_eq!(queue.flush(LONG).await.delivered, 3);
        assert_eq!(calls.load(Ordering::Relaxed), 3 * round);
        for delivery in deliveries {
            assert!(delivery.await.is_delivered());
        }
    }
    drop(queue.try_send(batch("1", "a")).unwrap());
    assert_eq!(queue.shutdown(Duration::ZERO).await.dropped, 1);
    worker.await.unwrap();
    assert_eq!(calls.load(Ordering::Relaxed), 10);
}

#[tokio::test(start_paused = true)]
async fn a_hook_may_use_the_queue() {
    let emulator = Emulator::in_memory();
    let place: Arc<OnceLock<Queue>> = Arc::default();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (own, looks) = (Arc::clone(&place), Arc::clone(&seen));
    let (queue, worker) = queue(&emulator, |builder| {
        builder.on_outcome(move |settled| {
            let queue = own.get().unwrap();
            looks.lock().unwrap().push(queue.stats());
            // A batch that was lost is sent once more.
            if !settled.is_delivered() {
                _ = queue.try_send(batch("1", "again"));
                drop(queue.flush(LONG));
                _ = queue.resume();
            }
        })
    })
    .await;
    assert!(place.set(queue.clone()).is_ok());
    emulator.script([Answer::status(400)]);
    drop(queue.try_send(batch("1", "a")).unwrap());
    _ = queue.flush(LONG).await;
    assert!(queue.flush(LONG).await.is_complete());
    let stats = queue.stats();
    assert_eq!((stats.accepted, stats.delivered, stats.rejected), (2, 1, 1));
    // The outcome is counted before the hook is called.
    let seen = seen.lock().unwrap().clone();
    assert_eq!((seen[0].rejected, seen[0].pending), (1, 0));
    assert_eq!(seen[1].delivered, 1);
    emulator.always(Answer::hang());
    drop(queue.try_send(batch("1", "b")).unwrap());
    assert_eq!(queue.shutdown(Duration::from_secs(1)).await.dropped, 1);
    worker.await.unwrap();
    assert_eq!(queue.stats().accepted, 3, "a queue that ends takes nothing from its hook");
}

#[tokio::test(start_paused = true)]
async fn the_hook_is_called_even_if_the_handle_is_dropped() {
    let emulator = Emulator::in_memory();
    let told = Arc::new(Mutex::new(Vec::new()));
    let tells = Arc::clone(&told);
    let (queue, _worker) = queue(&emulator, |builder| {
        builder.on_outcome(move |settled| {
            let Outcome::Delivered(receipt) = settled.outcome() else { panic!("{settled:?}") };
            let is_in_receipt =
                receipt.source_request_ids().iter().any(|id| id == settled.sent_as());
            tells.lock().unwrap().push((settled.source_request_id().to_owned(), is_in_receipt));
        })
    })
    .await;
    let ids: Vec<_> = ["1", "1", "2"]
        .map(|user| queue.try_send(batch(user, "a")).unwrap().source_request_id().to_owned())
        .into();
    assert_eq!(queue.flush(LONG).await.delivered, 3);
    let expected: Vec<_> = ids.into_iter().map(|id| (id, true)).collect();
    assert_eq!(*told.lock().unwrap(), expected);
}

#[tokio::test]
async fn a_handle_can_be_awaited_in_another_runtime_or_without_one() {
    let emulator = Emulator::start().await.unwrap();
    let queue = client(&emulator).queue().flush_every(Duration::ZERO).build().await.unwrap();
    let bare = queue.try_send(batch("1", "a")).unwrap();
    let elsewhere = queue.try_send(batch("2", "b")).unwrap();
    let (done, results) = mpsc::channel();
    let also = done.clone();
    thread::spawn(move || done.send(pollster::block_on(bare).is_delivered()));
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        also.send(runtime.block_on(elsewhere).is_delivered())
    });
    let results = tokio::task::spawn_blocking(move || {
        [results.recv_timeout(LONG).unwrap(), results.recv_timeout(LONG).unwrap()]
    });
    assert_eq!(results.await.unwrap(), [true, true]);
    assert!(queue.shutdown(LONG).await.is_complete());
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_delivered_whether_its_handle_is_dropped_or_not() {
    let emulator = Emulator::in_memory();
    let (queue, _worker) = queue(&emulator, |builder| builder).await;
    let kept = queue.send(batch("1", "a")).await.unwrap();
    drop(queue.send(batch("1", "b")).await.unwrap());
    settle().await;
    assert_eq!(queue.flush(LONG).await.delivered, 2);
    drop(queue);
    assert!(kept.await.is_delivered(), "it outlives the queue");
}

/// Longer than a busy machine delays a thread.
const TOLERANCE: Duration = Duration::from_millis(800);

#[tokio::test]
async fn a_hook_that_never_returns_delays_neither_delivery_nor_flush_nor_shutdown() {
    let emulator = Emulator::start().await.unwrap();
    let (_never, blocks) = mpsc::channel::<()>();
    let blocks = Mutex::new(blocks);
    let builder = client(&emulator).queue().flush_every(Duration::ZERO);
    let builder = builder.on_outcome(move |_| _ = blocks.lock().unwrap().recv());
    let queue = builder.build().await.unwrap();
    for round in 0..3 {
        let delivery = queue.send(batch("1", "a")).await.unwrap();
        assert!(delivery.await.is_delivered());
        let start = std::time::Instant::now();
        let timeout = Duration::from_millis(300);
        let report = queue.flush(timeout).await;
        assert!(start.elapsed() >= timeout && start.elapsed() < timeout + TOLERANCE, "{round}");
        assert_eq!(report.pending, 0);
    }
    let start = std::time::Instant::now();
    let timeout = Duration::from_millis(300);
    let report = queue.shutdown(timeout).await;
    assert!(start.elapsed() < timeout + TOLERANCE, "{:?}", start.elapsed());
    assert!(report.is_complete());
}

#[tokio::test]
async fn the_outcomes_that_wait_for_a_slow_hook_count_against_the_capacity() {
    let emulator = Emulator::start().await.unwrap();
    let (next, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let builder = client(&emulator).queue().flush_every(Duration::ZERO).max_pending(2, 1_000_000);
    let builder = builder.on_outcome(move |_| _ = wait.lock().unwrap().recv());
    let queue = builder.build().await.unwrap();
    for event in ["a", "b"] {
        assert!(queue.send(batch("1", event)).await.unwrap().await.is_delivered());
    }
    assert_eq!(queue.stats().pending, 0);
    assert_eq!(queue.try_send(batch("1", "c")).unwrap_err().kind(), ErrorKind::Full);
    next.send(()).unwrap();
    assert!(queue.send(batch("1", "c")).await.unwrap().await.is_delivered());
    drop(next);
    assert!(queue.shutdown(LONG).await.is_complete());
}
