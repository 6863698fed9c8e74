//! Tests of a queue in different runtimes, and without a runtime.

use super::support::{LONG, batch, client};
use mparticle_client::ErrorKind;
use mparticle_client::queue::Queue;
use mparticle_client::testing::{Answer, Emulator};
use std::panic;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};

/// Starts an emulator on its own runtime, which ends with it.
fn emulator() -> (Runtime, Emulator) {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let emulator = runtime.block_on(Emulator::start()).unwrap();
    (runtime, emulator)
}

async fn use_it(queue: &Queue, event: &str) {
    let delivery = queue.send(batch("1", event)).await.unwrap();
    drop(queue.try_send(batch("2", event)).unwrap());
    let report = queue.flush(LONG).await;
    assert_eq!((report.delivered, report.pending), (2, 0));
    assert!(delivery.await.is_delivered());
}

#[test]
fn no_runtime_is_needed() {
    let (_runtime, emulator) = emulator();
    pollster::block_on(async {
        let queue = client(&emulator).queue().build().await.unwrap();
        use_it(&queue, "a").await;
        queue.resume().unwrap();
        queue.set_credentials(&emulator.credentials()).unwrap();
        use_it(&queue, "b").await;
        assert!(queue.shutdown(LONG).await.is_complete());
        assert_eq!(queue.try_send(batch("1", "c")).unwrap_err().kind(), ErrorKind::Closed);
    });
    assert_eq!(emulator.batches().len(), 4);
}

#[test]
fn a_queue_can_be_used_in_runtimes_of_every_kind_one_after_the_other() {
    let (_runtime, emulator) = emulator();
    let runtimes = [
        Builder::new_current_thread().build().unwrap(),
        Builder::new_current_thread().enable_all().start_paused(true).build().unwrap(),
        Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap(),
    ];
    let mut queue: Option<Queue> = None;
    for (index, runtime) in runtimes.into_iter().enumerate() {
        runtime.block_on(async {
            let builder = client(&emulator).queue();
            let queue = match &mut queue {
                Some(queue) => queue,
                none => none.insert(builder.build().await.unwrap()),
            };
            use_it(queue, &index.to_string()).await;
        });
        // The queue still works after the runtime was dropped.
        drop(runtime);
    }
    let queue = queue.unwrap();
    pollster::block_on(use_it(&queue, "last"));
    assert!(pollster::block_on(queue.shutdown(LONG)).is_complete());
    assert_eq!(emulator.batches().len(), 8);
}

#[test]
fn each_batch_has_an_outcome_if_a_runtime_is_dropped_with_the_worker() {
    let (_runtime, emulator) = emulator();
    emulator.always(Answer::hang());
    let inner = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (queue, worker) = inner.block_on(client(&emulator).queue().build_with_worker()).unwrap();
    inner.spawn(worker);
    let deliveries: Vec<_> =
        (0..5).map(|user| queue.try_send(batch(&user.to_string(), "a")).unwrap()).collect();
    drop(inner);
    for delivery in deliveries {
        assert_eq!(pollster::block_on(delivery).into_requests().len(), 1);
    }
    assert_eq!((queue.stats().dropped, queue.stats().pending), (5, 0));
    assert_eq!(queue.try_send(batch("1", "b")).unwrap_err().kind(), ErrorKind::Closed);
    assert!(pollster::block_on(queue.shutdown(LONG)).is_complete());
}

#[test]
fn dropping_the_last_handle_does_not_block_and_loses_no_batch() {
    let (runtime, emulator) = emulator();
    emulator.script([Answer::normal().delayed(Duration::from_millis(500))]);
    let queue = pollster::block_on(client(&emulator).queue().build()).unwrap();
    let deliveries: Vec<_> =
        (0..200).map(|user| queue.try_send(batch(&user.to_string(), "a")).unwrap()).collect();
    let start = Instant::now();
    drop(queue);
    assert!(start.elapsed() < Duration::from_millis(400), "{:?}", start.elapsed());
    for delivery in deliveries {
        assert!(pollster::block_on(delivery).is_delivered());
    }
    drop(runtime);
    assert_eq!(emulator.batches().len(), 200);
}

#[test]
fn a_panic_hook_may_send_a_batch_while_the_worker_is_busy() {
    let (_runtime, emulator) = emulator();
    let queue = pollster::block_on(client(&emulator).queue().flush_every(Duration::ZERO).build());
    let queue = queue.unwrap();
    let given = Arc::new(Mutex::new(Vec::new()));
    let (list, reporter) = (Arc::clone(&given), queue.clone());
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if thread::current().name() == Some("panics") {
            list.lock().unwrap().push(reporter.try_send(batch("panic", "a")).unwrap());
        } else {
            usual(info);
        }
    }));
    let (stop, stopped) = mpsc::channel::<()>();
    let busy = queue.clone();
    let sender = thread::spawn(move || {
        let mut count = 0;
        while stopped.try_recv() == Err(mpsc::TryRecvError::Empty) {
            pollster::block_on(busy.send(batch("busy", "a"))).unwrap();
            count += 1;
        }
        count
    });
    for _ in 0..50 {
        let panics = thread::Builder::new().name("panics".to_owned());
        assert!(panics.spawn(|| panic!("as a service may")).unwrap().join().is_err());
    }
    drop(stop);
    let count: u64 = sender.join().unwrap();
    drop(panic::take_hook());
    let report = pollster::block_on(queue.shutdown(LONG));
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(queue.stats().delivered, count + 50);
    let given = std::mem::take(&mut *given.lock().unwrap());
    assert_eq!(given.len(), 50);
    for delivery in given {
        assert!(pollster::block_on(delivery).is_delivered());
    }
}
