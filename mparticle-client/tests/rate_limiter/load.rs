//! Load on an emulator that only limits the rate, and the results, with paused time.

use mparticle_client::models::{Batch, Environment};
use mparticle_client::testing::{Counts, Emulator, RateLimit};
use mparticle_client::{Client, ClientBuilder, RateLimiter, Timeouts, Validation};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// mParticle's default limit, in batches per second.
pub(crate) const DEFAULT_LIMIT: u32 = 270;

/// Whether responses to accepted requests contain `X-mp-rate-limit-percentage-used`.
pub(crate) const HEADER: [bool; 2] = [true, false];

pub(crate) fn limit(per_second: u32, header: bool) -> RateLimit {
    let limit = RateLimit::per_second(per_second);
    if header { limit } else { limit.without_percentage_header() }
}

/// An emulator with a rate limit, a round trip of 20 ms away.
pub(crate) fn emulator(limit: RateLimit) -> Emulator {
    emulator_away(Duration::from_millis(20), limit)
}

/// Returns an emulator with a rate limit.
///
/// The random numbers of the clients in this thread have the same seed each time. Together with the paused time, a
/// load then has the same figures in every run.
pub(crate) fn emulator_away(round_trip: Duration, limit: RateLimit) -> Emulator {
    fastrand::seed(1);
    Emulator::builder().bare().rate_limit(limit).latency(round_trip).in_memory()
}

pub(crate) fn builder(emulator: &Emulator) -> ClientBuilder {
    emulator.client_builder().validation(Validation::Off).rate_limiter(RateLimiter::default())
}

pub(crate) fn client(emulator: &Emulator) -> Client {
    builder(emulator).build().unwrap()
}

/// Returns a client whose uploads may take this long.
pub(crate) fn client_with_deadline(emulator: &Emulator, deadline: Duration) -> Client {
    builder(emulator).timeouts(Timeouts::default().with_overall(deadline)).build().unwrap()
}

pub(crate) fn batch() -> Batch {
    Batch::new(Environment::Development)
}

/// The result of a load.
pub(crate) struct Run {
    emulator: Emulator,
    start: Instant,
    /// The counts after the first second.
    early: Counts,
    failed: Arc<AtomicU64>,
}

/// A load for a certain time. The goodput is in batches per second.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) goodput: f64,
    /// The share of requests with status 429 after the first second.
    pub(crate) refused: f64,
    pub(crate) failed: u64,
}

impl Run {
    /// Starts counting after a second. Uploads that are sent in this second run in tasks.
    pub(crate) async fn begin(emulator: &Emulator) -> Self {
        let (start, emulator) = (Instant::now(), emulator.clone());
        sleep(SECOND).await;
        let early = emulator.counts();
        Self { emulator, start, early, failed: Arc::default() }
    }

    /// Returns the current figures.
    #[expect(clippy::cast_precision_loss, reason = "the numbers are small")]
    pub(crate) fn figures(&self) -> Figures {
        let counts = self.emulator.counts();
        let sent = counts.requests - self.early.requests;
        let refused = counts.rate_limited_requests - self.early.rate_limited_requests;
        Figures {
            goodput: counts.accepted_batches as f64 / self.start.elapsed().as_secs_f64(),
            refused: refused as f64 / sent.max(1) as f64,
            failed: self.failed.load(Ordering::SeqCst),
        }
    }
}

/// Runs workers on each client, each of which uploads one batch after the other, for a time.
pub(crate) async fn workers(
    emulator: &Emulator,
    clients: &[Client],
    workers: usize,
    time: Duration,
) -> Figures {
    let failed = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    for client in clients {
        for _ in 0..workers {
            let (client, failed) = (client.clone(), Arc::clone(&failed));
            tasks.spawn(async move {
                loop {
                    if client.upload_events(&batch()).await.is_err() {
                        failed.fetch_add(1, Ordering::SeqCst);
                        sleep(Duration::from_millis(50)).await;
                    }
                }
            });
        }
    }
    let run = Run { failed, ..Run::begin(emulator).await };
    sleep_until(run.start + time).await;
    run.figures()
}

/// Uploads a number of batches per second for a certain time, each in a task, then waits for all of them. A caller
/// drops its upload after `abandon_after`. The goodput is measured during the time in which uploads are offered.
pub(crate) async fn offer(
    emulator: &Emulator,
    client: &Client,
    per_second: u32,
    time: Duration,
    abandon_after: Option<Duration>,
) -> Figures {
    let start = Instant::now();
    let failed = Arc::new(AtomicU64::new(0));
    let generator = {
        let (client, failed) = (client.clone(), Arc::clone(&failed));
        tokio::spawn(async move {
            let mut tasks = JoinSet::new();
            let number = u32::try_from(time.as_secs()).unwrap() * per_second;
            for upload in 0..number {
                sleep_until(start + upload * SECOND / per_second).await;
                let (client, failed) = (client.clone(), Arc::clone(&failed));
                tasks.spawn(async move {
                    let abandon_after = abandon_after.unwrap_or(Duration::MAX);
                    let accepted = timeout(abandon_after, client.upload_events(&batch())).await;
                    if !accepted.is_ok_and(|result| result.is_ok()) {
                        failed.fetch_add(1, Ordering::SeqCst);
                    }
                });
                while tasks.try_join_next().is_some() {}
            }
            tasks.join_all().await;
        })
    };
    let run = Run { failed, ..Run::begin(emulator).await };
    sleep_until(run.start + time).await;
    let goodput = run.figures().goodput;
    generator.await.unwrap();
    Figures { goodput, ..run.figures() }
}

/// Prints the figures of a row, and compares them with the required ones.
pub(crate) fn row(name: &str, header: bool, figures: &Figures, goodput: f64, refused: f64) {
    let with = if header { "header" } else { "no header" };
    println!(
        "{name:45} {with:9}  goodput {:7.1}/s  429s {:5.2} %  failed {}",
        figures.goodput,
        100.0 * figures.refused,
        figures.failed
    );
    assert!(figures.goodput >= goodput, "{name}, {with}: {figures:?}, {goodput:.1} wanted");
    assert!(figures.refused <= refused, "{name}, {with}: {figures:?}, {refused} wanted");
}
