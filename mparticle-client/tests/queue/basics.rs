//! Tests of sending, flushing and shutting down.

use mparticle_client::models::{Batch, CustomEvent, CustomEventType, Environment, UserIdentities};
use mparticle_client::testing::{Answer, Emulator};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(20);

pub(crate) fn batch(user: &str, event: &str) -> Batch {
    Batch::new(Environment::Development)
        .with_user_identities(UserIdentities::new().with_customer_id(user))
        .with_event(CustomEvent::new(event, CustomEventType::Other))
}

#[tokio::test]
async fn batches_of_one_user_are_joined_and_each_has_its_outcome() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client_builder().build().unwrap();
    let queue = client.queue().build().await.unwrap();
    let first = queue.send(batch("1", "a")).await.unwrap();
    let second = queue.try_send(batch("1", "b")).unwrap();
    let other = queue.try_send(batch("2", "c")).unwrap();
    let own = queue.try_send(batch("1", "d").with_source_request_id("own")).unwrap();
    assert_eq!(queue.stats().pending, 4);

    let report = queue.flush(LONG).await;
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(report.delivered, 4);
    let requests = emulator.requests();
    assert_eq!(requests.len(), 1);
    let batches = emulator.batches();
    assert_eq!(batches.len(), 3);

    let first = first.await;
    let second = second.await;
    assert!(first.is_delivered() && second.is_delivered());
    assert_ne!(first.sent_as(), first.source_request_id());
    assert_eq!(first.sent_as(), second.sent_as());
    let other = other.await;
    assert_eq!(other.sent_as(), other.source_request_id());
    assert_eq!(own.await.sent_as(), "own");
    let stats = queue.stats();
    assert_eq!((stats.accepted, stats.delivered, stats.pending), (4, 4, 0));
    assert_eq!(stats.pending_bytes, 0);
    let report = queue.shutdown(LONG).await;
    assert!(report.is_complete());
    assert!(queue.try_send(batch("1", "a")).is_err());
}

#[tokio::test]
async fn a_malformed_batch_is_found_and_the_others_are_delivered() {
    let emulator = Emulator::start().await.unwrap();
    let client =
        emulator.client_builder().validation(mparticle_client::Validation::Off).build().unwrap();
    let queue = client.queue().build().await.unwrap();
    let mut good = Vec::new();
    let mut bad = Vec::new();
    for number in 0..50 {
        let user = (number % 10).to_string();
        if number % 20 == 7 {
            let poisoned = Batch::from_str("{}")
                .unwrap()
                .with_user_identities(UserIdentities::new().with_customer_id(user))
                .with_event(CustomEvent::new("x", CustomEventType::Other));
            bad.push(queue.try_send(poisoned).unwrap());
        } else {
            good.push(queue.try_send(batch(&user, "a")).unwrap());
        }
    }
    let report = queue.flush(LONG).await;
    assert_eq!((report.delivered, report.rejected), (47, 3), "{report:?} {:?}", queue.stats());
    for delivery in good {
        assert!(delivery.await.is_delivered());
    }
    for delivery in bad {
        let settled = delivery.await;
        assert!(settled.error().unwrap().status().unwrap() == 400);
        assert_eq!(settled.into_requests().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn batches_are_delivered_in_order_after_an_outage() {
    let emulator = Emulator::in_memory();
    emulator.always(Answer::status(503));
    let client = emulator.client_builder().build().unwrap();
    let (queue, worker) = client.queue().build_with_worker().await.unwrap();
    let worker = tokio::spawn(worker);
    for number in 0..10 {
        queue.send(batch("1", &number.to_string())).await.unwrap();
    }
    let report = queue.flush(Duration::from_secs(3600)).await;
    assert_eq!((report.delivered, report.pending), (0, 10));
    assert!(emulator.requests().len() > 60);
    emulator.always(Answer::normal());
    let report = queue.shutdown(Duration::from_secs(3600)).await;
    assert_eq!(report.delivered, 10);
    worker.await.unwrap();
    let bodies = emulator.requests();
    assert!(bodies.windows(2).all(|pair| pair[0].body == pair[1].body));
}
