//! The cost of a durable batch, compared with appending the same bytes to a file.
//!
//! The floor has the same producers. Each encodes a batch, passes the bytes to a thread, and waits. The thread appends
//! the bytes that have arrived and syncs them. It delivers nothing and deletes nothing. A second floor is a loop
//! without producers that appends encoded bytes.

use crate::{client, sample};
use mparticle_client::models::Batch;
use mparticle_client::queue::Queue;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

const PRODUCERS: usize = 64;
/// The number of batches that each producer sends in a round, one after the other.
const EACH: usize = 1_000;
const ROUNDS: usize = 5;
const AIM: f64 = 0.6;

/// The users of the batches.
#[derive(Clone, Copy)]
enum Users {
    /// Every batch has its own user. No batches are joined.
    Many,
    /// Every producer sends batches of one user. They are joined, and the seals are written before the batches are
    /// sent.
    Few,
}

pub(crate) fn run() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("queue-benchmark");
    for (users, name) in
        [(Users::Many, "users of their own"), (Users::Few, "64 users, batches joined")]
    {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let queue = client().queue().spool(folder.join("spool"));
        // Full requests are sent at once. The interval applies to the last request of a round.
        let queue = queue.flush_every(Duration::from_millis(100));
        let queue = runtime.block_on(queue.build()).unwrap();
        measure(&runtime, &queue, users, name, &folder);
        let report = runtime.block_on(queue.shutdown(Duration::from_secs(10)));
        assert!(report.is_complete(), "{report:?}");
        fs::remove_dir_all(&folder).unwrap();
    }
}

fn measure(runtime: &Runtime, queue: &Queue, users: Users, name: &str, folder: &Path) {
    let (mut ratios, mut bare_ratios) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let bare = append(users, folder);
        let floor = runtime.block_on(append_for_producers(users, folder));
        let spool = runtime.block_on(send(queue, users));
        // The first round is a warm-up.
        if round > 0 {
            ratios.push(floor.as_secs_f64() / spool.as_secs_f64());
            bare_ratios.push(bare.as_secs_f64() / spool.as_secs_f64());
            println!(
                "  {name}: {:.0} batches/s, append and sync {:.0} batches/s, without producers {:.0} batches/s",
                rate(spool),
                rate(floor),
                rate(bare)
            );
        }
    }
    ratios.sort_unstable_by(f64::total_cmp);
    bare_ratios.sort_unstable_by(f64::total_cmp);
    let bare = bare_ratios.get(ROUNDS / 2).unwrap();
    let (least, median) = (ratios.first().unwrap(), ratios.get(ROUNDS / 2).unwrap());
    println!(
        "spool, {name}, {PRODUCERS} producers: {median:.2} of append and sync (least {least:.2}), aim at least {AIM}; {bare:.2} of the same without producers"
    );
}

fn batch(users: Users, producer: usize, number: usize) -> Batch {
    match users {
        Users::Many => sample::batch(number * PRODUCERS + producer),
        Users::Few => sample::batch(producer),
    }
}

/// Batches that are accepted by the spool, sealed, delivered and deleted.
async fn send(queue: &Queue, users: Users) -> Duration {
    let producers = (0..PRODUCERS).map(|producer| {
        let batches: Vec<_> = (0..EACH).map(|number| batch(users, producer, number)).collect();
        let queue = queue.clone();
        async move {
            for batch in batches {
                drop(queue.send(batch).await.unwrap());
            }
        }
    });
    let producers: Vec<_> = producers.collect();
    let start = Instant::now();
    let producers: Vec<_> = producers.into_iter().map(tokio::spawn).collect();
    for producer in producers {
        producer.await.unwrap();
    }
    let report = queue.flush(Duration::from_secs(60)).await;
    assert!(report.is_complete(), "{report:?}");
    start.elapsed()
}

/// The floor: the same producers, and a thread that appends the bytes that have arrived and syncs them.
async fn append_for_producers(users: Users, folder: &Path) -> Duration {
    let (jobs, received) = mpsc::channel::<(Vec<u8>, oneshot::Sender<()>)>();
    let mut file = File::create(folder.join("floor")).unwrap();
    let writer = thread::spawn(move || {
        while let Ok(first) = received.recv() {
            let group: Vec<_> = std::iter::once(first).chain(received.try_iter()).collect();
            let bytes: Vec<u8> = group.iter().flat_map(|(bytes, _)| bytes).copied().collect();
            file.write_all(&bytes).unwrap();
            file.sync_data().unwrap();
            for (_, done) in group {
                done.send(()).unwrap();
            }
        }
    });
    let producers = (0..PRODUCERS).map(|producer| {
        let batches: Vec<_> = (0..EACH).map(|number| batch(users, producer, number)).collect();
        let jobs = jobs.clone();
        async move {
            for batch in batches {
                let (done, written) = oneshot::channel();
                jobs.send((batch.to_vec().unwrap(), done)).unwrap();
                written.await.unwrap();
            }
        }
    });
    let producers: Vec<_> = producers.collect();
    drop(jobs);
    let start = Instant::now();
    let producers: Vec<_> = producers.into_iter().map(tokio::spawn).collect();
    for producer in producers {
        producer.await.unwrap();
    }
    let elapsed = start.elapsed();
    writer.join().unwrap();
    elapsed
}

/// The second floor: encoded bytes of a batch of each producer that are appended to a file and synced.
fn append(users: Users, folder: &Path) -> Duration {
    let group = |number| {
        let batches =
            (0..PRODUCERS).map(|producer| batch(users, producer, number).to_vec().unwrap());
        batches.collect::<Vec<_>>().concat()
    };
    let groups: Vec<Vec<u8>> = (0..EACH).map(group).collect();
    let mut file = File::create(folder.join("floor")).unwrap();
    let start = Instant::now();
    for group in &groups {
        file.write_all(group).unwrap();
        file.sync_data().unwrap();
    }
    start.elapsed()
}

fn rate(time: Duration) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "some thousands")]
    let batches = (PRODUCERS * EACH) as f64;
    batches / time.as_secs_f64()
}
