//! Tests of a queue whose credentials are refused: it keeps its batches, and continues with other credentials.

use super::support::{LONG, accepted_events, assert_law, batch, queue, settle};
use mparticle_client::testing::{Answer, Emulator};
use mparticle_client::{Credentials, ErrorKind};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const TICK: Duration = Duration::from_millis(2);

fn wrong() -> Credentials {
    Credentials::new("another", "pair")
}

#[tokio::test(start_paused = true)]
async fn a_401_or_403_pauses_the_queue_which_still_accepts_batches() {
    for status in [401, 403] {
        let emulator = Emulator::in_memory();
        emulator.always(Answer::status(status));
        let (queue, _worker) = queue(&emulator, |builder| builder.concurrency(1)).await;
        assert!(queue.stats().paused.is_none());
        drop(queue.try_send(batch("1", "a")).unwrap());
        sleep(LONG).await;
        assert!(queue.stats().paused.is_some());
        drop(queue.try_send(batch("1", "b")).unwrap());
        drop(queue.send(batch("2", "c")).await.unwrap());
        sleep(Duration::from_secs(24 * 60 * 60)).await;
        assert_eq!(emulator.requests().len(), 1);
        let stats = queue.stats();
        assert_eq!((stats.pending, stats.paused.is_some()), (3, true));

        emulator.always(Answer::normal());
        queue.resume().unwrap();
        sleep(LONG).await;
        let stats = queue.stats();
        assert_eq!((stats.delivered, stats.pending, stats.paused.is_some()), (3, 0, false));
        assert_eq!(accepted_events(&emulator), ["a", "b", "c"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_resumes_too_early_pauses_again_and_loses_nothing() {
    let emulator = Emulator::in_memory();
    emulator.always(Answer::status(403));
    let (queue, _worker) = queue(&emulator, |builder| builder).await;
    let delivery = queue.try_send(batch("1", "a")).unwrap();
    for attempt in 1..5 {
        sleep(LONG).await;
        assert!(queue.stats().paused.is_some());
        assert_eq!(emulator.requests().len(), attempt);
        queue.resume().unwrap();
    }
    emulator.always(Answer::normal());
    sleep(TICK).await;
    queue.resume().unwrap();
    assert!(delivery.await.is_delivered());
    let bodies: Vec<_> = emulator.requests().into_iter().map(|request| request.body).collect();
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test(start_paused = true)]
async fn other_credentials_are_used_from_the_next_request_on() {
    let emulator = Emulator::in_memory();
    let (queue, _worker) = queue(&emulator, |builder| builder).await;
    queue.set_credentials(&wrong()).unwrap();
    let first = queue.try_send(batch("1", "a")).unwrap();
    sleep(LONG).await;
    assert!(queue.stats().paused.is_some());
    queue.set_credentials(&emulator.credentials()).unwrap();
    assert!(first.await.is_delivered());
    assert!(queue.stats().paused.is_none());
    let sent: Vec<_> = emulator
        .requests()
        .iter()
        .map(|request| request.headers["authorization"].clone())
        .collect();
    assert_eq!(sent.len(), 2);
    assert_ne!(sent[0], sent[1]);
}

#[tokio::test(start_paused = true)]
async fn invalid_credentials_are_refused_and_change_nothing() {
    let emulator = Emulator::in_memory();
    let (queue, _worker) = queue(&emulator, |builder| builder).await;
    for (key, secret) in [("", "secret"), ("key", ""), ("k:e:y", "secret"), ("key", "a\nb")] {
        let error = queue.set_credentials(&Credentials::new(key, secret)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
    }
    assert!(queue.send(batch("1", "a")).await.unwrap().await.is_delivered());
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_refused_because_of_old_credentials_is_sent_again_at_once() {
    let emulator = Emulator::in_memory();
    let (queue, _worker) = queue(&emulator, |builder| builder).await;
    emulator.script([Answer::status(403).delayed(Duration::from_secs(8))]);
    let delivery = queue.try_send(batch("1", "a")).unwrap();
    let flush = queue.flush(LONG);
    settle().await;
    assert_eq!(emulator.requests().len(), 1);
    queue.set_credentials(&emulator.credentials()).unwrap();
    let start = Instant::now();
    assert!(delivery.await.is_delivered());
    assert!(start.elapsed() <= Duration::from_secs(8) + TICK);
    assert!(flush.await.is_complete());
    assert!(queue.stats().paused.is_none());
}

#[tokio::test(start_paused = true)]
async fn several_requests_that_are_refused_together_are_all_sent_again() {
    let emulator = Emulator::in_memory();
    emulator.always(Answer::status(401).delayed(Duration::from_secs(1)));
    let (queue, _worker) =
        queue(&emulator, |builder| builder.concurrency(4).flush_every(Duration::ZERO)).await;
    for number in 0..12 {
        drop(queue.try_send(batch(&(number % 6).to_string(), &format!("{number:02}"))).unwrap());
        settle().await;
    }
    sleep(LONG).await;
    assert_eq!(emulator.requests().len(), 4);
    assert_law(&queue.stats());
    emulator.always(Answer::normal());
    queue.resume().unwrap();
    let report = queue.flush(LONG).await;
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(queue.stats().delivered, 12);
    for user in 0..6_usize {
        let events = accepted_events(&emulator);
        let of_user = events.iter().filter(|event| event.parse::<usize>().unwrap() % 6 == user);
        assert!(of_user.is_sorted());
    }
}

#[tokio::test(start_paused = true)]
async fn a_flush_and_a_shutdown_of_a_paused_queue_return_at_once() {
    let emulator = Emulator::in_memory();
    emulator.always(Answer::status(401));
    let (queue, worker) = queue(&emulator, |builder| builder).await;
    let delivery = queue.try_send(batch("1", "a")).unwrap();
    let start = Instant::now();
    let report = queue.flush(LONG).await;
    assert_eq!((report.pending, report.is_complete()), (1, false));
    drop(queue.try_send(batch("1", "b")).unwrap());
    let report = queue.flush(LONG).await;
    assert_eq!(report.pending, 2);
    let report = queue.shutdown(LONG).await;
    assert_eq!(report.dropped, 2);
    assert!(start.elapsed() <= TICK, "{:?}", start.elapsed());
    worker.await.unwrap();
    assert_eq!(delivery.await.into_requests().len(), 1);
    assert_eq!(emulator.requests().len(), 1);
    for closed in [queue.resume(), queue.set_credentials(&wrong())] {
        assert_eq!(closed.unwrap_err().kind(), ErrorKind::Closed);
    }
}
