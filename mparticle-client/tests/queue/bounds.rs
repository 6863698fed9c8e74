//! Tests of the capacity of a queue, and of batches that it does not accept.

use super::support::{LONG, assert_law, batch, big_event, client, large, of, queue, settle};
use mparticle_client::testing::{Answer, Emulator};
use mparticle_client::{ErrorKind, Validation};
use std::time::Duration;

/// The memory of a batch in addition to its JSON, as the documentation of `max_pending` says.
const OVERHEAD: usize = 640;

const NEVER: Duration = Duration::from_secs(24 * 60 * 60);

#[tokio::test(start_paused = true)]
async fn a_queue_without_capacity_cannot_be_built() {
    let client = client(&Emulator::in_memory());
    for (batches, bytes, told) in
        [(0, 1, &["batches"][..]), (1, 0, &["bytes"]), (0, 0, &["batches", "bytes"])]
    {
        let error = client.queue().max_pending(batches, bytes).build().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        let message = error.to_string();
        assert!(told.iter().all(|word| message.contains(word)), "{message}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_returns_the_batch_unchanged() {
    let emulator = Emulator::in_memory();
    emulator.always(Answer::hang());
    let (queue, _worker) = queue(&emulator, |builder| builder.max_pending(3, 1_000_000)).await;
    for number in 0..3 {
        drop(queue.try_send(batch(&number.to_string(), "a")).unwrap());
    }
    for given in [
        batch("4", "b"),
        batch("4", "b").with_source_request_id("own"),
        of("5"),
        large("6", "c", 200_000).with_event(big_event("d", 50_000)),
    ] {
        let before = given.clone();
        let error = queue.try_send(given).unwrap_err();
        let expected = if before.events.len() == 2 { ErrorKind::TooLarge } else { ErrorKind::Full };
        assert_eq!(error.kind(), expected, "{error}");
        assert!(error.into_batch() == before);
    }
    assert_eq!((queue.stats().accepted, queue.stats().pending), (3, 3));
}

#[tokio::test(start_paused = true)]
async fn pending_bytes_are_the_json_and_an_overhead_per_batch() {
    let emulator = Emulator::in_memory();
    let (queue, _worker) = queue(&emulator, |builder| builder.flush_every(NEVER)).await;
    for user in 0..5 {
        drop(queue.try_send(large(&user.to_string(), "a", 100 * user)).unwrap());
    }
    let pending = queue.stats().pending_bytes;
    assert_eq!(queue.flush(LONG).await.delivered, 5);
    let sent: usize = emulator.batches().iter().map(|batch| batch.raw.len()).sum();
    assert_eq!(pending, u64::try_from(sent + 5 * OVERHEAD).unwrap());
    assert_eq!(queue.stats().pending_bytes, 0);
}

#[tokio::test(start_paused = true)]
async fn the_limit_of_bytes_is_exact() {
    let emulator = Emulator::in_memory();
    emulator.always(Answer::hang());
    let one = {
        let (probe, _worker) = queue(&emulator, |builder| builder).await;
        drop(probe.try_send(batch("1", "a")).unwrap());
        usize::try_from(probe.stats().pending_bytes).unwrap()
    };
    let (exact, _worker) = queue(&emulator, |builder| builder.max_pending(100, 3 * one)).await;
    for _ in 0..3 {
        drop(exact.try_send(batch("1", "a")).unwrap());
    }
    assert_eq!(exact.try_send(batch("1", "a")).unwrap_err().kind(), ErrorKind::Full);
    let (scarce, _worker) = queue(&emulator, |builder| builder.max_pending(100, 3 * one - 1)).await;
    for _ in 0..2 {
        drop(scarce.try_send(batch("1", "a")).unwrap());
    }
    assert_eq!(scarce.try_send(batch("1", "a")).unwrap_err().kind(), ErrorKind::Full);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_exceeds_the_capacity_is_refused_at_once() {
    let emulator = Emulator::in_memory();
    let (queue, _worker) = queue(&emulator, |builder| builder.max_pending(1, 1)).await;
    let error = queue.try_send(batch("1", "a")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.to_string().contains("may hold 1 in total"), "{error}");
    let error = queue.send(batch("1", "a")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.into_batch() == batch("1", "a"));
    assert_eq!(queue.stats(), mparticle_client::queue::Stats::default());
}

#[tokio::test(start_paused = true)]
async fn a_queue_for_one_batch_delivers_any_number_in_order() {
    let emulator = Emulator::in_memory();
    let (queue, _worker) = queue(&emulator, |builder| builder.max_pending(1, 1000)).await;
    for number in 0..20 {
        let name = format!("{number:02}");
        queue.send(batch("1", &name)).await.unwrap();
        assert_eq!(queue.stats().pending, 1);
    }
    assert!(queue.shutdown(LONG).await.is_complete());
    let events = super::support::accepted_events(&emulator);
    assert_eq!(events.len(), 20);
    assert!(events.is_sorted());
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_is_too_large_for_mparticle_is_split_and_counts_as_one() {
    let emulator = Emulator::in_memory();
    let (queue, _worker) = queue(&emulator, |builder| builder).await;
    let mut given = of("1");
    for number in 0..12 {
        given = given.with_event(big_event(&format!("{number:02}"), 50_000));
    }
    let delivery = queue.send(given).await.unwrap();
    let stats = queue.stats();
    assert_eq!((stats.accepted, stats.pending), (1, 1));
    assert!(stats.pending_bytes >= 600_000);
    let report = queue.flush(LONG).await;
    assert_eq!(report.delivered, 1);
    assert!(delivery.await.is_delivered());
    assert_eq!(emulator.batches().len(), 6);
    let events = super::support::accepted_events(&emulator);
    assert_eq!(events.len(), 12);
    assert!(events.is_sorted());
    assert_law(&queue.stats());
}

#[tokio::test(start_paused = true)]
async fn a_split_batch_is_rejected_with_all_parts_if_one_part_is_refused() {
    let emulator = Emulator::in_memory();
    let (queue, _worker) = queue(&emulator, |builder| builder).await;
    let given = of("1").with_event(big_event("a", 100_000)).with_event(big_event("b", 100_000));
    emulator.script([Answer::status(400), Answer::status(400)]);
    let delivery = queue.send(given).await.unwrap();
    let report = queue.flush(LONG).await;
    assert_eq!((report.delivered, report.rejected), (0, 1));
    let settled = delivery.await;
    assert_eq!(settled.error().unwrap().status().unwrap(), 400);
    assert_eq!(settled.into_requests().len(), 2);
    assert_eq!(super::support::accepted_events(&emulator), ["b"]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_cannot_be_sent_is_returned_and_not_counted() {
    let emulator = Emulator::in_memory();
    let strict = emulator.client_builder().validation(Validation::Strict).build().unwrap();
    let (queue, worker) =
        strict.queue().max_pending(1, 1_000_000).build_with_worker().await.unwrap();
    let _worker = tokio::spawn(worker);
    // Each attribute has the maximum length. All attributes together are too large for an event.
    let mut too_large = batch("1", "a");
    let mut event = big_event("b", 10);
    for number in 0..40 {
        event = event.with_custom_attribute(number.to_string(), "x".repeat(4_000));
    }
    too_large = too_large.with_event(event);
    let mut invalid = batch("1", "a");
    invalid.environment = None;
    let no_number = batch("1", "a").with_user_attribute("weight", f64::INFINITY);
    let refused = [
        (too_large, ErrorKind::TooLarge),
        (invalid, ErrorKind::Invalid),
        (no_number, ErrorKind::Invalid),
    ];
    for (given, kind) in refused {
        let error = queue.try_send(given.clone()).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.into_batch() == given);
        let error = queue.send(given.clone()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.into_batch() == given);
    }
    assert_eq!(queue.stats(), mparticle_client::queue::Stats::default());
    drop(queue.try_send(batch("1", "a")).unwrap());
}

#[tokio::test(start_paused = true)]
async fn send_waits_until_capacity_is_free() {
    let emulator = Emulator::in_memory();
    emulator.script([Answer::normal().delayed(Duration::from_secs(9))]);
    let (queue, _worker) = queue(&emulator, |builder| builder.max_pending(1, 1_000_000)).await;
    let first = queue.send(batch("1", "a")).await.unwrap();
    let start = tokio::time::Instant::now();
    let second = queue.send(batch("1", "b")).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(9));
    assert!(first.await.is_delivered());
    assert!(second.await.is_delivered());
}

#[tokio::test(start_paused = true)]
async fn a_send_that_is_cancelled_while_it_waits_takes_no_capacity() {
    let emulator = Emulator::in_memory();
    emulator.always(Answer::status(503));
    let (queue, _worker) =
        queue(&emulator, |builder| builder.max_pending(2, 1_000 + 2 * OVERHEAD)).await;
    drop(queue.send(large("1", "a", 300)).await.unwrap());
    for _ in 0..50 {
        // One call waits for bytes and holds the last place. The other call waits for a place.
        let bytes = queue.send(large("2", "b", 400));
        let place = queue.send(batch("3", "c"));
        let both = async { tokio::join!(bytes, place) };
        assert!(tokio::time::timeout(Duration::from_millis(10), both).await.is_err());
    }
    settle().await;
    assert_eq!(queue.stats().accepted, 1);
    drop(queue.try_send(batch("3", "c")).unwrap());
    assert_eq!(queue.stats().pending, 2);
    assert_eq!(queue.try_send(batch("3", "c")).unwrap_err().kind(), ErrorKind::Full);
}
