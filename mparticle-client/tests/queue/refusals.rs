//! Tests of batches that mParticle refuses: they are found and reported, and other batches are delivered.

use super::support::{LONG, accepted_events, batch, poisoned, queue, sizes};
use mparticle_client::ErrorKind;
use mparticle_client::testing::{Answer, Emulator};
use std::time::Duration;
use tokio::time::{Instant, sleep};

#[tokio::test(start_paused = true)]
async fn a_status_that_no_batch_causes_pauses_the_queue_which_loses_nothing() {
    for status in [301, 307, 402, 404, 405, 407, 410, 421, 425, 451, 501, 505] {
        let emulator = Emulator::in_memory();
        let (queue, _worker) = queue(&emulator, |builder| builder).await;
        emulator.script([Answer::status(status)]);
        let mut deliveries = Vec::new();
        for (user, event) in [("1", "a"), ("1", "b"), ("2", "c")] {
            deliveries.push(queue.try_send(batch(user, event)).unwrap());
        }
        let report = queue.flush(LONG).await;
        assert_eq!((report.rejected, report.pending), (0, 3), "{status}");
        let pause = queue.stats().paused.unwrap();
        assert_eq!(pause.status.unwrap(), status);
        assert_eq!(emulator.requests().len(), 1);
        queue.resume().unwrap();
        for delivery in deliveries {
            assert!(delivery.await.is_delivered(), "{status}");
        }
        assert_eq!(queue.stats().paused, None);
        assert_eq!(accepted_events(&emulator), ["a", "b", "c"]);
        let requests = emulator.requests();
        assert_eq!(requests[0].body, requests[1].body);
    }
}

#[tokio::test(start_paused = true)]
async fn a_paused_queue_tries_again_every_five_minutes() {
    let emulator = Emulator::in_memory();
    let (queue, _worker) = queue(&emulator, |builder| builder.flush_every(Duration::ZERO)).await;
    emulator.script([Answer::status(404), Answer::status(404), Answer::status(404)]);
    let start = Instant::now();
    let delivery = queue.try_send(batch("1", "a")).unwrap();
    sleep(LONG).await;
    assert!(queue.stats().paused.is_some());
    assert!(delivery.await.is_delivered());
    let minutes = start.elapsed().as_secs() / 60;
    assert_eq!((minutes, emulator.requests().len()), (15, 4));
    assert_eq!(queue.stats().paused, None);
}

#[tokio::test(start_paused = true)]
async fn a_hundred_batches_refused_in_a_row_pause_the_queue() {
    let emulator = Emulator::in_memory();
    emulator.always(Answer::status(400));
    let (queue, _worker) = queue(&emulator, |builder| builder.concurrency(1)).await;
    for user in 0..300 {
        drop(queue.try_send(batch(&user.to_string(), "a")).unwrap());
    }
    let report = queue.flush(LONG).await;
    assert_eq!((report.rejected, report.pending), (100, 200));
    assert_eq!(queue.stats().paused.unwrap().status.unwrap(), 400);
    emulator.always(Answer::normal());
    queue.resume().unwrap();
    assert_eq!(queue.flush(LONG).await.delivered, 200);
}

#[tokio::test(start_paused = true)]
async fn joined_batches_are_sent_separately_if_the_joined_one_is_refused() {
    let emulator = Emulator::in_memory();
    let (queue, _worker) = queue(&emulator, |builder| builder).await;
    let mut deliveries = Vec::new();
    for event in ["a", "b", "c"] {
        deliveries.push(queue.try_send(batch("1", event)).unwrap());
    }
    emulator.script([
        Answer::status(400).body(r#"{"errors":[{"code":"BAD_REQUEST","message":"one is bad"}]}"#),
        Answer::status(400),
        Answer::status(202),
        Answer::status(400),
        Answer::status(400).body(r#"{"errors":[{"code":"BAD","message":"this one"}]}"#),
        Answer::status(202),
    ]);
    let report = queue.flush(LONG).await;
    assert_eq!((report.delivered, report.rejected), (2, 1), "{:?}", sizes(&emulator));
    assert_eq!(sizes(&emulator), [1, 3, 1, 2, 1, 1]);
    let bad = deliveries.remove(1).await;
    assert_eq!(bad.error().unwrap().api_errors()[0].message.as_deref(), Some("this one"));
    assert_eq!(bad.source_request_id(), bad.sent_as());
    assert_eq!(accepted_events(&emulator), ["a", "c"]);
}

#[tokio::test(start_paused = true)]
async fn the_bad_one_of_joined_batches_is_reported_with_its_own_id_and_the_others_are_delivered() {
    let emulator = Emulator::in_memory();
    let (queue, _worker) = queue(&emulator, |builder| builder).await;
    // None of the joined batches has an environment. Each of them is therefore malformed, and rejected by itself.
    let bad =
        [queue.try_send(poisoned("1", "a")).unwrap(), queue.try_send(poisoned("1", "b")).unwrap()];
    let good = [queue.try_send(batch("1", "c")).unwrap(), queue.try_send(batch("1", "d")).unwrap()];
    let ids: Vec<_> = bad.iter().map(|delivery| delivery.source_request_id().to_owned()).collect();
    let report = queue.flush(LONG).await;
    assert_eq!((report.delivered, report.rejected), (2, 2));
    for (delivery, id) in bad.into_iter().zip(ids) {
        let settled = delivery.await;
        assert_eq!((settled.source_request_id(), settled.sent_as()), (id.as_str(), id.as_str()));
        let error = settled.error().unwrap();
        assert_eq!(error.kind(), ErrorKind::Rejected);
        assert!(!error.api_errors().is_empty());
        let requests = settled.into_requests();
        assert_eq!(requests[0].source_request_ids(), [id]);
    }
    for delivery in good {
        let settled = delivery.await;
        assert!(settled.is_delivered());
        assert!(settled.into_requests().is_empty());
    }
    assert_eq!(accepted_events(&emulator), ["c", "d"]);
}

#[tokio::test(start_paused = true)]
async fn one_bad_batch_of_a_hundred_takes_few_requests_to_find() {
    let emulator = Emulator::in_memory();
    let (queue, _worker) = queue(&emulator, |builder| builder).await;
    for user in 0..100 {
        let name = user.to_string();
        let given = if user == 63 { poisoned(&name, "x") } else { batch(&name, "a") };
        drop(queue.try_send(given).unwrap());
    }
    let report = queue.flush(LONG).await;
    assert_eq!((report.delivered, report.rejected), (99, 1));
    // Halving takes seven steps, and each step leaves another half.
    assert!(emulator.requests().len() <= 15, "{:?}", sizes(&emulator));
}

#[tokio::test(start_paused = true)]
async fn a_redirect_is_not_followed() {
    let emulator = Emulator::in_memory();
    let (queue, _worker) = queue(&emulator, |builder| builder).await;
    emulator.script([Answer::redirect("https://example.com/")]);
    let delivery = queue.try_send(batch("1", "a")).unwrap();
    assert_eq!(queue.flush(LONG).await.pending, 1);
    assert_eq!(queue.stats().paused.unwrap().status.unwrap(), 307);
    assert_eq!(emulator.requests().len(), 1);
    queue.resume().unwrap();
    assert!(delivery.await.is_delivered());
}
