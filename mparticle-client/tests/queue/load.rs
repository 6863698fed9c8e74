//! The counts of a queue add up at all times, even while threads send batches and the server fails.

use super::support::{LONG, accepted_events, assert_law, batch};
use mparticle_client::RetryPolicy;
use mparticle_client::queue::{BatchResult, QueueBuilder};
use mparticle_client::testing::{Answer, Emulator};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

const PRODUCERS: usize = 4;
const BATCHES: usize = 1_500;

fn faults() -> Vec<Answer> {
    let late = Answer::normal().delayed(Duration::from_millis(20));
    vec![
        Answer::normal(),
        Answer::status(503),
        Answer::reset().after_processing(),
        late,
        Answer::status(502),
        Answer::normal(),
        Answer::reset_at_head(),
        Answer::status(500).after_processing(),
        Answer::close(),
        Answer::status(408),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_counts_add_up_while_threads_send_batches_and_the_server_fails() {
    under_load(|queue| queue).await;
}

#[cfg(feature = "spool")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_counts_add_up_with_a_spool_which_is_empty_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    under_load(|queue| queue.spool(folder.path())).await;
    let client = super::support::client(&Emulator::in_memory());
    let queue = client.queue().spool(folder.path()).build().await.unwrap();
    assert!(queue.recovery().is_clean());
    assert_eq!(queue.recovery().recovered, 0);
}

async fn under_load(with_spool: impl FnOnce(QueueBuilder) -> QueueBuilder) {
    let emulator = Emulator::start().await.unwrap();
    for _ in 0..100 {
        emulator.script(faults());
    }
    let policy = RetryPolicy::default()
        .with_base_delay(Duration::from_millis(1))
        .with_max_delay(Duration::from_millis(5));
    let client = emulator.client_builder().retry(policy).build().unwrap();
    let told = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&told);
    let hook = move |settled: &BatchResult| {
        assert!(settled.is_delivered());
        counter.fetch_add(1, Ordering::Relaxed);
    };
    let builder = client.queue().max_pending(300, 1_000_000).on_outcome(hook);
    let builder = with_spool(builder.flush_every(Duration::from_millis(5)));
    let queue = builder.build().await.unwrap();

    let ended = Arc::new(AtomicBool::new(false));
    let (other, has_ended) = (queue.clone(), Arc::clone(&ended));
    let watcher = thread::spawn(move || {
        let mut looks = 0_u64;
        let mut most = 0;
        while !has_ended.load(Ordering::Relaxed) {
            let stats = other.stats();
            assert_law(&stats);
            most = most.max(stats.pending);
            looks += 1;
            thread::yield_now();
        }
        (looks, most)
    });
    let producers: Vec<_> = (0..PRODUCERS)
        .map(|producer| {
            let queue = queue.clone();
            thread::spawn(move || {
                let mut deliveries = Vec::new();
                for number in 0..BATCHES {
                    let given = batch(
                        &format!("{producer}-{}", number % 7),
                        &format!("{producer}-{number:05}"),
                    );
                    let delivery = match number % 3 {
                        0 => queue
                            .try_send(given)
                            .or_else(|error| pollster::block_on(queue.send(error.into_batch()))),
                        _ => pollster::block_on(queue.send(given)),
                    };
                    deliveries.push(delivery.unwrap());
                    if number % 500 == 0 {
                        _ = pollster::block_on(queue.flush(Duration::from_millis(1)));
                    }
                }
                deliveries
            })
        })
        .collect();
    let deliveries = tokio::task::spawn_blocking(|| {
        producers.into_iter().flat_map(|producer| producer.join().unwrap()).collect::<Vec<_>>()
    });
    let deliveries = deliveries.await.unwrap();
    let report = queue.shutdown(LONG).await;
    ended.store(true, Ordering::Relaxed);
    let (looks, most) = watcher.join().unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert!(looks > 100, "{looks} looks");
    assert!(most <= 300, "{most} pending");
    let total = PRODUCERS * BATCHES;
    assert_eq!(told.load(Ordering::Relaxed), u64::try_from(total).unwrap());
    for delivery in deliveries {
        assert!(delivery.await.is_delivered());
    }
    let events = accepted_events(&emulator);
    assert_eq!(events.len(), total);
    assert_eq!(events.iter().collect::<HashSet<_>>().len(), total);
    assert!(!emulator.duplicates().is_empty(), "some replies were lost");
    for producer in 0..PRODUCERS {
        for user in 0..7 {
            let prefix = format!("{producer}-");
            let of_user = events
                .iter()
                .filter_map(|event| event.strip_prefix(&prefix))
                .filter(|number| number.parse::<usize>().unwrap() % 7 == user);
            assert!(of_user.is_sorted());
        }
    }
}
