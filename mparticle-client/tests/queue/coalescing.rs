//! Tests of joining batches, and of their order.

use super::support::{
    LONG, accepted_events, batch, client, events, large, of, queue, settle, sizes,
};
use mparticle_client::models::{Batch, Environment};
use mparticle_client::testing::{Answer, Emulator};
use std::time::Duration;

fn nobody(event: &str) -> Batch {
    let mut batch = batch("", event);
    batch.user_identities = None;
    batch
}

/// Sends batches, and returns the events of each batch that arrives.
async fn arrive_as(batches: impl IntoIterator<Item = Batch>) -> Vec<String> {
    let emulator = Emulator::in_memory();
    let (queue, worker) = queue(&emulator, |builder| builder).await;
    for batch in batches {
        drop(queue.send(batch).await.unwrap());
    }
    assert!(queue.shutdown(LONG).await.is_complete());
    worker.await.unwrap();
    emulator.batches().iter().map(|batch| events(batch).join("+")).collect()
}

#[tokio::test(start_paused = true)]
async fn batches_that_differ_only_in_events_are_joined() {
    let both = batch("1", "b").with_event(batch("1", "c").events.remove(0));
    assert_eq!(arrive_as([batch("1", "a"), both, batch("1", "d")]).await, ["a+b+c+d"]);
}

#[tokio::test(start_paused = true)]
async fn batches_are_joined_even_if_other_users_have_batches_in_between() {
    let given = [batch("1", "a"), batch("2", "b"), batch("1", "c"), batch("2", "d")];
    assert_eq!(arrive_as(given).await, ["a+c", "b+d"]);
}

#[tokio::test(start_paused = true)]
async fn batches_with_different_attributes_are_not_joined_and_stay_in_order() {
    let other = batch("1", "b").with_user_attribute("plan", "gold");
    assert_eq!(arrive_as([batch("1", "a"), other, batch("1", "c")]).await, ["a", "b", "c"]);
}

#[tokio::test(start_paused = true)]
async fn batches_with_different_environments_are_not_joined() {
    let mut other = batch("1", "b");
    other.environment = Some(Environment::Production);
    assert_eq!(arrive_as([batch("1", "a"), other]).await, ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_with_an_id_of_the_caller_is_not_joined_and_stays_in_order() {
    let own = batch("1", "b").with_source_request_id("own");
    assert_eq!(arrive_as([batch("1", "a"), own, batch("1", "c")]).await, ["a", "b", "c"]);
}

#[tokio::test(start_paused = true)]
async fn batches_without_a_user_are_not_joined() {
    assert_eq!(arrive_as([nobody("a"), nobody("b")]).await, ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn a_user_with_additional_identities_in_between_is_not_overtaken() {
    let known_by_both = batch("1", "b").with_mpid(7);
    let by_mpid = |event| nobody(event).with_mpid(7);
    let given = [batch("1", "a"), by_mpid("x"), known_by_both, batch("1", "c"), by_mpid("y")];
    assert_eq!(arrive_as(given).await, ["a", "x", "b", "c", "y"]);
}

#[tokio::test(start_paused = true)]
async fn no_joined_batch_is_larger_than_mparticle_accepts() {
    let emulator = Emulator::in_memory();
    let (queue, _worker) = queue(&emulator, |builder| builder).await;
    for number in 0..40 {
        drop(queue.try_send(large("1", &format!("{number:02}"), 30_000)).unwrap());
    }
    let report = queue.flush(LONG).await;
    assert_eq!((report.delivered, report.rejected), (40, 0));
    let batches = emulator.batches();
    assert!(batches.iter().all(|batch| batch.raw.len() <= 128_000));
    assert_eq!(batches.len(), 10, "four fit in one");
    assert!(emulator.requests().iter().all(|request| request.body.len() <= 256_000));
    assert!(accepted_events(&emulator).is_sorted());
}

#[tokio::test(start_paused = true)]
async fn a_joined_batch_can_have_the_maximum_size() {
    let join = async |bytes: usize| {
        let emulator = Emulator::in_memory();
        let (queue, _worker) = queue(&emulator, |builder| builder).await;
        drop(queue.try_send(large("1", "a", 100_000)).unwrap());
        drop(queue.try_send(large("1", "b", bytes)).unwrap());
        _ = queue.flush(LONG).await;
        emulator.batches().iter().map(|batch| batch.raw.len()).collect::<Vec<_>>()
    };
    let small = join(10).await;
    assert_eq!(small.len(), 1);
    // The size of the JSON around a list of events is added for each list. A few bytes may therefore remain.
    let reserve = 2 * r#","events":[]"#.len();
    let most = 10 + 128_000 - small[0];
    let lengths = join(most - reserve).await;
    assert_eq!(lengths.len(), 1);
    assert!(lengths[0] <= 128_000);
    assert_eq!(join(most + 1).await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn batches_without_events_are_joined_with_batches_with_events() {
    assert_eq!(arrive_as([of("1"), batch("1", "a"), of("1"), batch("1", "b")]).await, ["a+b"]);
    assert_eq!(arrive_as([of("1"), of("1")]).await, [""]);
}

#[tokio::test(start_paused = true)]
async fn a_hundred_users_share_a_request_and_the_next_one_gets_another() {
    let emulator = Emulator::in_memory();
    let (queue, _worker) = queue(&emulator, |builder| builder).await;
    for user in 0..201 {
        drop(queue.try_send(batch(&user.to_string(), "a")).unwrap());
    }
    assert_eq!(queue.flush(LONG).await.delivered, 201);
    let mut sizes = sizes(&emulator);
    sizes.sort_unstable();
    assert_eq!(sizes, [1, 100, 100]);
}

#[tokio::test(start_paused = true)]
async fn a_request_waits_only_for_earlier_requests_of_the_same_user() {
    let emulator = Emulator::in_memory();
    let (queue, _worker) =
        queue(&emulator, |builder| builder.flush_every(Duration::ZERO).concurrency(4)).await;
    emulator.script([Answer::normal().delayed(Duration::from_secs(10))]);
    let start = tokio::time::Instant::now();
    let first = queue.try_send(batch("1", "a")).unwrap();
    settle().await;
    let second = queue.try_send(batch("1", "b")).unwrap();
    settle().await;
    let other = queue.try_send(batch("2", "c")).unwrap();
    assert!(other.await.is_delivered());
    assert!(start.elapsed() < Duration::from_secs(1));
    assert_eq!(emulator.requests().len(), 2);
    assert!(first.await.is_delivered());
    assert!(second.await.is_delivered());
    assert!(start.elapsed() >= Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn no_more_requests_are_in_flight_than_allowed() {
    for (allowed, expected) in [(0, 1), (1, 1), (3, 3)] {
        let emulator = Emulator::in_memory();
        emulator.always(Answer::normal().delayed(Duration::from_secs(5)));
        let (queue, _worker) =
            queue(&emulator, |builder| builder.concurrency(allowed).flush_every(Duration::ZERO))
                .await;
        for user in 0..9 {
            drop(queue.try_send(batch(&user.to_string(), "a")).unwrap());
            settle().await;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(emulator.requests().len(), expected);
        assert_eq!(queue.flush(LONG).await.delivered, 9);
    }
}

#[tokio::test]
async fn one_client_can_have_several_independent_queues() {
    let emulator = Emulator::start().await.unwrap();
    let client = client(&emulator);
    let one = client.queue().build().await.unwrap();
    let two = client.queue().build().await.unwrap();
    let in_one = one.send(batch("1", "a")).await.unwrap();
    let in_two = two.send(batch("1", "b")).await.unwrap();
    assert_eq!((one.stats().accepted, two.stats().accepted), (1, 1));
    assert_eq!(one.shutdown(LONG).await.delivered, 1);
    assert_eq!(two.stats().pending, 1);
    assert_eq!(two.shutdown(LONG).await.delivered, 1);
    assert_ne!(in_one.await.sent_as(), in_two.await.sent_as());
}
