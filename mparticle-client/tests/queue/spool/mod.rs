//! Tests of a queue with a spool.
#![cfg(feature = "spool")]

mod damage;
mod folder;
mod full_disk;
mod lives;
mod refusals;

use super::basics::batch;
use mparticle_client::testing::{Answer, Emulator};
use mparticle_client::{ErrorKind, queue};
use std::collections::HashMap;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(20);

#[tokio::test]
async fn batches_left_by_an_outage_are_delivered_by_the_next_queue_with_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let emulator = Emulator::start().await.unwrap();
    emulator.always(Answer::status(503));
    let client = emulator.client_builder().build().unwrap();
    let queue = client.queue().spool(folder.path()).build().await.unwrap();
    assert!(queue.recovery().is_clean());
    let mut deliveries = Vec::new();
    for number in 0..20 {
        let batch = batch(&(number % 5).to_string(), &number.to_string());
        deliveries.push(queue.send(batch).await.unwrap());
    }
    let second = client.queue().spool(folder.path()).build().await.unwrap_err();
    assert_eq!(second.kind(), ErrorKind::Storage, "{second}");

    let report = queue.flush(Duration::from_millis(300)).await;
    assert_eq!(report.pending, 20);
    let report = queue.shutdown(Duration::from_millis(100)).await;
    assert_eq!((report.left_in_spool, report.dropped), (20, 0));
    for delivery in deliveries {
        assert!(matches!(delivery.await.into_outcome(), queue::Outcome::LeftInSpool));
    }

    let queue = client.queue().spool(folder.path()).build().await.unwrap();
    assert_eq!((queue.recovery().recovered, queue.stats().recovered), (20, 20));
    emulator.always(Answer::normal());
    queue.send(batch("0", "last")).await.unwrap();
    let report = queue.flush(LONG).await;
    assert_eq!((report.pending, queue.stats().delivered), (0, 21));
    assert!(queue.shutdown(LONG).await.is_complete());
    let answered = emulator
        .requests()
        .iter()
        .filter(|request| request.status.is_some_and(|status| status == 202))
        .count();
    assert!(answered <= 2, "{answered} requests");
    let names = |batch: &mparticle_client::testing::ReceivedBatch| {
        let events = batch.json["events"].as_array().unwrap().clone();
        events.into_iter().map(|event| event["data"]["event_name"].as_str().unwrap().to_owned())
    };
    let mut events: Vec<String> = emulator.batches().iter().flat_map(names).collect();
    assert_eq!(events.pop().unwrap(), "last");
    events.sort_by_key(|name| name.parse::<u32>().unwrap());
    assert_eq!(events, (0..20).map(|number| number.to_string()).collect::<Vec<_>>());
    let mut seen = HashMap::new();
    for request in emulator.requests() {
        for batch in serde_json::from_slice::<Vec<serde_json::Value>>(&request.body).unwrap() {
            let id = batch["source_request_id"].as_str().unwrap().to_owned();
            assert_eq!(*seen.entry(id).or_insert_with(|| batch.to_string()), batch.to_string());
        }
    }

    let queue = client.queue().spool(folder.path()).build().await.unwrap();
    assert_eq!(queue.stats().recovered, 0);
}

/// The members of a joined batch keep their numbers in the spool, in case it is taken apart.
#[tokio::test]
async fn a_recovered_joined_batch_deletes_nothing_that_was_accepted_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let emulator = Emulator::start().await.unwrap();
    emulator.always(Answer::status(503));
    let client = emulator.client_builder().build().unwrap();
    let builder = client.queue().spool(folder.path());

    // Three batches of one user are joined.
    let queue = builder.clone().flush_every(LONG).build().await.unwrap();
    for name in ["a", "b", "c"] {
        queue.send(batch("1", name)).await.unwrap();
    }
    assert_eq!(queue.shutdown(Duration::from_millis(300)).await.left_in_spool, 3);

    // The joined batch is delivered while other batches are accepted, and those are not delivered.
    emulator.script([Answer::normal().delayed(Duration::from_millis(500))]);
    let queue = builder.clone().flush_every(LONG).build().await.unwrap();
    assert_eq!(queue.recovery().recovered, 3);
    tokio::time::sleep(Duration::from_millis(100)).await;
    for name in ["d", "e"] {
        queue.send(batch(name, name)).await.unwrap();
    }
    let report = queue.shutdown(Duration::from_secs(2)).await;
    assert_eq!((report.delivered, report.left_in_spool), (3, 2), "{report:?}");

    emulator.always(Answer::normal());
    let queue = builder.build().await.unwrap();
    assert_eq!(queue.recovery().recovered, 2);
    assert!(queue.shutdown(LONG).await.is_complete());
}
