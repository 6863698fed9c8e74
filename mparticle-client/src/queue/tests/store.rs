//! Tests of a queue with a store that is slow or fails.

use crate::models::{Batch, Environment};
use crate::queue::store::{Accepted, BatchStore, Done, Durability};
use crate::queue::{Outcome, Queue};
use crate::testing::{Answer, Emulator};
use crate::{Error, ErrorKind};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

/// A store whose writes complete when a test says so.
#[derive(Default)]
struct FakeStore {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    next_number: u64,
    accepts: Vec<(u64, Durability, Accepted)>,
    seals: Vec<(Vec<u64>, Done)>,
    deleted: Vec<u64>,
    write_error: Option<Error>,
    /// Whether writes complete at once.
    is_fast: bool,
    closing: Vec<Done>,
}

fn write_error() -> Error {
    Error::new(ErrorKind::Storage, "the disk does not answer")
}

impl FakeStore {
    fn fast() -> Arc<Self> {
        let store = Self::default();
        store.state.lock().unwrap().is_fast = true;
        Arc::new(store)
    }

    fn set_fast(&self, is_fast: bool) {
        self.state.lock().unwrap().is_fast = is_fast;
    }

    /// Completes all writes of batches.
    fn answer_accepts(&self, result: &Result<(), Error>) {
        let accepts = std::mem::take(&mut self.state.lock().unwrap().accepts);
        for (number, _, done) in accepts {
            done(result.clone().map(|()| number));
        }
    }

    fn answer_seals(&self, result: &Result<(), Error>) {
        let seals = std::mem::take(&mut self.state.lock().unwrap().seals);
        for (_, done) in seals {
            done(result.clone());
        }
    }

    fn deleted(&self) -> Vec<u64> {
        let mut deleted = self.state.lock().unwrap().deleted.clone();
        deleted.sort_unstable();
        deleted
    }
}

impl BatchStore for FakeStore {
    fn accept(&self, _: Vec<u8>, durability: Durability, done: Accepted) {
        let mut state = self.state.lock().unwrap();
        state.next_number += 1;
        let number = state.next_number;
        if state.is_fast {
            drop(state);
            done(Ok(number));
        } else {
            state.accepts.push((number, durability, done));
        }
    }

    fn seal(&self, _: String, members: Vec<u64>, _: &[u8], done: Done) -> u64 {
        let mut state = self.state.lock().unwrap();
        state.next_number += 1;
        let number = state.next_number;
        state.seals.push((members, done));
        number
    }

    fn delete(&self, numbers: Vec<u64>) {
        self.state.lock().unwrap().deleted.extend(numbers);
    }

    fn check(&self) -> Result<(), Error> {
        self.state.lock().unwrap().write_error.clone().map_or(Ok(()), Err)
    }

    fn close(&self, done: Done) {
        self.state.lock().unwrap().closing.push(done);
    }
}

async fn queue(emulator: &Emulator, store: &Arc<FakeStore>) -> (Queue, JoinHandle<()>) {
    let client = emulator.client_builder().build().unwrap();
    let store: Arc<dyn BatchStore> = store.clone();
    let builder = client.queue().store(store).flush_every(SECOND);
    let (queue, worker) = builder.build_with_worker().await.unwrap();
    (queue, tokio::spawn(worker))
}

fn batch(user: i64) -> Batch {
    Batch::new(Environment::Development).with_mpid(user)
}

#[tokio::test(start_paused = true)]
async fn send_returns_when_the_batch_is_written_and_not_before() {
    let (emulator, store) = (Emulator::in_memory(), Arc::new(FakeStore::default()));
    let (queue, _worker) = queue(&emulator, &store).await;
    let sender = queue.clone();
    let sending = tokio::spawn(async move { sender.send(batch(1)).await.unwrap().await });
    sleep(60 * SECOND).await;
    assert!(!sending.is_finished());
    assert_eq!((queue.stats().accepted, emulator.requests().len()), (0, 0));
    store.answer_accepts(&Ok(()));
    assert!(sending.await.unwrap().is_delivered());
    sleep(SECOND).await;
    assert_eq!(store.deleted(), [1]);
}

#[tokio::test(start_paused = true)]
async fn a_write_that_fails_returns_the_batch() {
    let (emulator, store) = (Emulator::in_memory(), Arc::new(FakeStore::default()));
    let (queue, _worker) = queue(&emulator, &store).await;
    let sender = queue.clone();
    let sending = tokio::spawn(async move { sender.send(batch(1)).await.map(drop) });
    sleep(SECOND).await;
    store.answer_accepts(&Err(write_error()));
    let error = sending.await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.may_be_delivered_as()), (ErrorKind::Storage, None));
    assert!(error.into_batch() == batch(1));
    assert_eq!((queue.stats().accepted, queue.stats().pending), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_is_written_too_late_is_delivered_with_the_id_in_the_error() {
    let (emulator, store) = (Emulator::in_memory(), Arc::new(FakeStore::default()));
    let (queue, _worker) = queue(&emulator, &store).await;
    let start = Instant::now();
    let error = queue.send_timeout(batch(1), 2 * SECOND).await.unwrap_err();
    assert!(start.elapsed() >= 2 * SECOND && start.elapsed() < 3 * SECOND);
    assert_eq!(error.kind(), ErrorKind::Storage);
    let id = error.may_be_delivered_as().unwrap().to_owned();
    store.answer_accepts(&Ok(()));
    assert!(queue.flush(SECOND).await.is_complete());
    assert_eq!(emulator.batches()[0].id.as_deref(), Some(id.as_str()));
}

#[tokio::test(start_paused = true)]
async fn try_send_does_not_wait_and_is_refused_while_the_store_has_trouble() {
    let (emulator, store) = (Emulator::in_memory(), Arc::new(FakeStore::default()));
    let (queue, _worker) = queue(&emulator, &store).await;
    let handle = queue.try_send(batch(1)).unwrap();
    assert_eq!((queue.stats().accepted, queue.stats().pending), (1, 1));
    store.state.lock().unwrap().write_error = Some(write_error());
    assert_eq!(queue.try_send(batch(2)).unwrap_err().kind(), ErrorKind::Storage);
    let durability = store.state.lock().unwrap().accepts[0].1;
    assert_eq!(durability, Durability::Promised);
    // The batch was accepted. If it cannot be written, it is sent from memory.
    store.answer_accepts(&Err(write_error()));
    assert!(handle.await.is_delivered());
    assert_eq!(queue.stats().delivered, 1);
}

#[tokio::test(start_paused = true)]
async fn joined_batches_are_sent_when_their_seal_is_written() {
    let (emulator, store) = (Emulator::in_memory(), FakeStore::fast());
    let (queue, _worker) = queue(&emulator, &store).await;
    let handles = [queue.send(batch(1)).await.unwrap(), queue.send(batch(1)).await.unwrap()];
    assert_eq!(queue.flush(60 * SECOND).await.pending, 2);
    assert_eq!(emulator.requests().len(), 0);
    assert_eq!(store.state.lock().unwrap().seals[0].0, [1, 2]);
    store.answer_seals(&Ok(()));
    for handle in handles {
        assert!(handle.await.is_delivered());
    }
    assert_eq!(emulator.batches().len(), 1);
    sleep(SECOND).await;
    assert_eq!(store.deleted(), [1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn later_batches_do_not_overtake_those_that_wait_for_a_seal() {
    let (emulator, store) = (Emulator::in_memory(), FakeStore::fast());
    let (queue, _worker) = queue(&emulator, &store).await;
    drop((queue.send(batch(1)).await.unwrap(), queue.send(batch(1)).await.unwrap()));
    sleep(2 * SECOND).await;
    let later = queue.send(batch(1).with_source_request_id("later")).await.unwrap();
    sleep(10 * SECOND).await;
    assert_eq!(emulator.requests().len(), 0);
    store.answer_seals(&Ok(()));
    assert!(later.await.is_delivered());
    assert_eq!(emulator.batches().last().unwrap().id.as_deref(), Some("later"));
}

#[tokio::test(start_paused = true)]
async fn batches_whose_seal_cannot_be_written_are_sent_with_their_own_ids() {
    let (emulator, store) = (Emulator::in_memory(), FakeStore::fast());
    let (queue, _worker) = queue(&emulator, &store).await;
    let handles = [queue.send(batch(1)).await.unwrap(), queue.send(batch(1)).await.unwrap()];
    sleep(2 * SECOND).await;
    store.answer_seals(&Err(write_error()));
    for handle in handles {
        let result = handle.await;
        assert!(result.is_delivered());
        assert_eq!(result.sent_as(), result.source_request_id());
    }
    assert_eq!(emulator.batches().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_joined_batch_that_is_refused_is_taken_apart_on_disk_as_well() {
    let (emulator, store) = (Emulator::in_memory(), FakeStore::fast());
    let (queue, _worker) = queue(&emulator, &store).await;
    emulator.script([Answer::status(400), Answer::normal()]);
    let handles = [queue.send(batch(1)).await.unwrap(), queue.send(batch(1)).await.unwrap()];
    sleep(2 * SECOND).await;
    store.answer_seals(&Ok(()));
    for handle in handles {
        assert!(handle.await.is_delivered());
    }
    sleep(SECOND).await;
    assert_eq!(store.deleted(), [1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn a_send_that_is_dropped_while_the_disk_is_busy_is_accepted_or_not() {
    for result in [Ok(()), Err(write_error())] {
        let (emulator, store) = (Emulator::in_memory(), Arc::new(FakeStore::default()));
        let (queue, _worker) = queue(&emulator, &store).await;
        assert!(timeout(SECOND, queue.send(batch(1))).await.is_err());
        assert_eq!(queue.stats().accepted, 0);
        store.answer_accepts(&result);
        assert!(queue.flush(10 * SECOND).await.is_complete());
        assert_eq!(queue.stats().delivered, u64::from(result.is_ok()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_does_not_wait_for_a_disk_that_does_not_respond() {
    let (emulator, store) = (Emulator::in_memory(), FakeStore::fast());
    let (queue, worker) = queue(&emulator, &store).await;
    emulator.always(Answer::status(503));
    let written = queue.send(batch(1)).await.unwrap();
    store.set_fast(false);
    let promised = queue.try_send(batch(2)).unwrap();
    let start = Instant::now();
    let report = queue.shutdown(3 * SECOND).await;
    assert!(start.elapsed() <= 3 * SECOND + SECOND / 10, "{:?}", start.elapsed());
    assert_eq!((report.dropped, report.left_in_spool), (0, 2));
    worker.await.unwrap();
    assert!(matches!(written.await.outcome(), Outcome::LeftInSpool));
    // The disk responds later.
    store.answer_accepts(&Err(write_error()));
    assert!(matches!(promised.await.outcome(), Outcome::Dropped));
    let stats = queue.stats();
    assert_eq!((stats.accepted, stats.pending, stats.dropped), (2, 1, 1));
}
