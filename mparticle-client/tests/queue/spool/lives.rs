//! No batch is lost or counted twice in several lives of a queue, for any behavior of its server and any end of a life.
//! The tests run in real time, because the spool writes on its own thread.

use crate::support::{LONG, accepted_events, assert_law, batch, large, poisoned};
use mparticle_client::queue::{BatchResult, Outcome, Queue};
use mparticle_client::testing::{Answer, Emulator};
use mparticle_client::{Client, Credentials, ErrorKind, RetryPolicy, Validation};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

#[derive(Clone, Debug)]
enum Step {
    Give { user: u8, has_id: bool, kind: Kind, waits: bool },
    Flush { millis: u64 },
    Pass { millis: u64 },
    Fail(Vec<Fault>),
    Credentials { are_good: bool },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Small,
    Large,
    Poisoned,
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    Unavailable,
    BadGateway,
    Reset,
    Late(u64),
    /// The request is accepted, and the response is lost.
    Lost,
}

/// The end of a life.
#[derive(Clone, Copy, Debug)]
enum End {
    Shutdown { millis: u64 },
    DropWorker,
    DropHandlesThenWorker { millis: u64 },
}

#[derive(Clone, Debug)]
struct Life {
    steps: Vec<Step>,
    end: End,
    flush_every: u64,
    most: usize,
}

fn answer(fault: Fault) -> Answer {
    match fault {
        Fault::Unavailable => Answer::status(503),
        Fault::BadGateway => Answer::status(502),
        Fault::Reset => Answer::reset(),
        Fault::Late(millis) => Answer::normal().delayed(Duration::from_millis(millis)),
        Fault::Lost => Answer::reset().after_processing(),
    }
}

fn step() -> impl Strategy<Value = Step> {
    let kind =
        prop_oneof![10 => Just(Kind::Small), 1 => Just(Kind::Large), 1 => Just(Kind::Poisoned)];
    let give = (0..3_u8, prop::bool::weighted(0.2), kind, prop::bool::weighted(0.7));
    let fault = prop_oneof![
        Just(Fault::Unavailable),
        Just(Fault::BadGateway),
        Just(Fault::Reset),
        (0..10_u64).prop_map(Fault::Late),
        Just(Fault::Lost),
    ];
    prop_oneof![
        20 => give.prop_map(|(user, has_id, kind, waits)| Step::Give { user, has_id, kind, waits }),
        1 => (0..20_u64).prop_map(|millis| Step::Flush { millis }),
        3 => (0..8_u64).prop_map(|millis| Step::Pass { millis }),
        4 => vec(fault, 1..8).prop_map(Step::Fail),
        1 => prop::bool::weighted(0.6).prop_map(|are_good| Step::Credentials { are_good }),
    ]
}

fn life() -> impl Strategy<Value = Life> {
    let end = prop_oneof![
        (0..20_u64).prop_map(|millis| End::Shutdown { millis }),
        Just(End::DropWorker),
        (0..5_u64).prop_map(|millis| End::DropHandlesThenWorker { millis }),
    ];
    let most = prop_oneof![1 => 1..20_usize, 2 => Just(10_000_usize)];
    (vec(step(), 1..40), end, 0..10_u64, most).prop_map(|(steps, end, flush_every, most)| Life {
        steps,
        end,
        flush_every,
        most,
    })
}

/// The outcomes, with the number of the life in which each was reported.
type Told = Arc<Mutex<Vec<(usize, String, Fate)>>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Delivered,
    Rejected,
    Dropped,
    Left,
}

fn fate(settled: &BatchResult) -> Fate {
    match settled.outcome() {
        Outcome::Delivered(_) => Fate::Delivered,
        Outcome::Rejected(_) => Fate::Rejected,
        Outcome::Dropped => Fate::Dropped,
        Outcome::LeftInSpool => Fate::Left,
        other => panic!("{other:?}"),
    }
}

/// A batch that was accepted.
struct Given {
    id: String,
    event: String,
    user: u8,
    kind: Kind,
    /// Whether it was on disk when it was accepted.
    is_durable: bool,
}

struct World {
    emulator: Emulator,
    client: Client,
    folder: tempfile::TempDir,
    told: Told,
    given: Vec<Given>,
    /// The events of batches that may or may not have been accepted.
    unknown: Vec<String>,
    count: u32,
}

impl World {
    fn new() -> Self {
        let emulator = Emulator::in_memory();
        let policy = RetryPolicy::default()
            .with_base_delay(Duration::from_millis(1))
            .with_max_delay(Duration::from_millis(4));
        let client =
            emulator.client_builder().validation(Validation::Off).retry(policy).build().unwrap();
        Self {
            emulator,
            client,
            folder: tempfile::tempdir().unwrap(),
            told: Told::default(),
            given: Vec::new(),
            unknown: Vec::new(),
            count: 0,
        }
    }

    /// Opens the folder as soon as the previous queue has closed it.
    async fn open(&self, number: usize, life: &Life) -> (Queue, JoinHandle<()>) {
        let told = Arc::clone(&self.told);
        let hook = move |settled: &BatchResult| {
            let id = settled.source_request_id().to_owned();
            told.lock().unwrap().push((number, id, fate(settled)));
        };
        let builder = self.client.queue().spool(self.folder.path()).on_outcome(hook);
        let builder = builder.max_pending(life.most, 10_000_000);
        let builder = builder.flush_every(Duration::from_millis(life.flush_every));
        for _ in 0..1_000 {
            match builder.clone().build_with_worker().await {
                Ok((queue, worker)) => {
                    assert!(queue.recovery().is_clean(), "{:?}", queue.recovery());
                    return (queue, tokio::spawn(worker));
                }
                Err(error) => assert_eq!(error.kind(), ErrorKind::Storage, "{error}"),
            }
            sleep(Duration::from_millis(10)).await;
        }
        panic!("the folder is never released");
    }

    async fn live(&mut self, number: usize, life: &Life) {
        let (queue, worker) = self.open(number, life).await;
        self.check_recovered(number, &queue);
        for step in &life.steps {
            self.take(step, &queue).await;
            assert_law(&queue.stats());
        }
        match life.end {
            End::Shutdown { millis } => {
                let report = queue.shutdown(Duration::from_millis(millis)).await;
                worker.await.unwrap();
                let stats = queue.stats();
                assert_law(&stats);
                assert_eq!(report.left_in_spool, stats.pending);
            }
            End::DropWorker => {
                worker.abort();
                _ = worker.await;
                assert_law(&queue.stats());
                assert_eq!(
                    queue.try_send(batch("1", "late")).unwrap_err().kind(),
                    ErrorKind::Closed
                );
            }
            End::DropHandlesThenWorker { millis } => {
                drop(queue);
                sleep(Duration::from_millis(millis)).await;
                worker.abort();
                _ = worker.await;
            }
        }
    }

    /// Checks that this life has recovered all batches that the previous one has left.
    fn check_recovered(&self, number: usize, queue: &Queue) {
        let left = || {
            let told = self.told.lock().unwrap();
            let left =
                told.iter().filter(|(life, _, fate)| life + 1 == number && *fate == Fate::Left);
            left.count() as u64
        };
        // The hook runs on its own thread. A worker that is dropped does not wait for it.
        let recovered = queue.recovery().recovered;
        let start = std::time::Instant::now();
        while left() < recovered && start.elapsed() < LONG {
            std::thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(recovered, left());
        assert_eq!(queue.stats().recovered, queue.recovery().recovered);
    }

    async fn take(&mut self, step: &Step, queue: &Queue) {
        match step {
            Step::Give { user, has_id, kind, waits } => {
                self.give(*user, *has_id, *kind, *waits, queue).await;
            }
            Step::Flush { millis } => _ = queue.flush(Duration::from_millis(*millis)).await,
            Step::Pass { millis } => sleep(Duration::from_millis(*millis)).await,
            Step::Fail(faults) => self.emulator.script(faults.iter().copied().map(answer)),
            Step::Credentials { are_good } => {
                let bad = Credentials::new("another", "pair");
                let credentials = if *are_good { self.emulator.credentials() } else { bad };
                queue.set_credentials(&credentials).unwrap();
            }
        }
    }

    async fn give(&mut self, user: u8, has_id: bool, kind: Kind, waits: bool, queue: &Queue) {
        self.count += 1;
        let event = format!("{:05}", self.count);
        let name = user.to_string();
        let mut batch = match kind {
            Kind::Small => batch(&name, &event),
            Kind::Large => large(&name, &event, 30_000),
            Kind::Poisoned => poisoned(&name, &event),
        };
        batch.source_request_id = has_id.then(|| format!("own-{event}"));
        let accepted = if waits {
            match timeout(Duration::from_millis(50), queue.send(batch)).await {
                Ok(accepted) => accepted,
                Err(_) => return self.unknown.push(event),
            }
        } else {
            queue.try_send(batch)
        };
        match accepted {
            Ok(delivery) => {
                let id = delivery.source_request_id().to_owned();
                self.given.push(Given { id, event, user, kind, is_durable: waits });
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::Full, "{error}"),
        }
    }

    /// Runs a last life with a server without faults.
    async fn finish(&mut self, number: usize) {
        self.emulator.always(Answer::normal());
        let life = Life { steps: Vec::new(), end: End::DropWorker, flush_every: 0, most: 10 };
        let (queue, worker) = self.open(number, &life).await;
        self.check_recovered(number, &queue);
        while queue.stats().pending > 0 {
            // The rest of the script may still refuse the credentials.
            _ = queue.resume();
            _ = queue.flush(LONG).await;
        }
        assert!(queue.shutdown(LONG).await.is_complete());
        worker.await.unwrap();
    }

    fn check(&self) {
        let mut fates: HashMap<&str, Fate> = HashMap::new();
        let told = self.told.lock().unwrap().clone();
        for (_, id, fate) in told.iter().filter(|(_, _, fate)| *fate != Fate::Left) {
            assert!(fates.insert(id, *fate).is_none(), "{id} has two outcomes");
        }
        let mut arrived: HashMap<String, usize> = HashMap::new();
        for event in accepted_events(&self.emulator) {
            *arrived.entry(event).or_default() += 1;
        }
        for Given { id, event, kind, is_durable, .. } in &self.given {
            let expected = match fates[id.as_str()] {
                Fate::Delivered => Some(1),
                Fate::Rejected => Some(0),
                Fate::Dropped | Fate::Left => None,
            };
            let count = arrived.remove(event).unwrap_or_default();
            assert!(count <= 1 && expected.is_none_or(|expected| expected == count), "{id}");
            let refused = *kind == Kind::Poisoned;
            let promised = if refused { Fate::Rejected } else { Fate::Delivered };
            let fate = fates[id.as_str()];
            assert!(!is_durable || fate == promised, "{id}: {fate:?}");
        }
        for (event, count) in arrived {
            assert!(count == 1 && self.unknown.contains(&event), "{event} counts {count} times");
        }
        assert!(fates.len() <= self.given.len() + self.unknown.len());
        self.check_order();
        self.check_bytes();
    }

    fn check_order(&self) {
        let events = accepted_events(&self.emulator);
        let places: HashMap<&String, usize> = events.iter().zip(0..).collect();
        for user in 0..3 {
            let of_user = self.given.iter().filter(|given| given.user == user);
            let places: Vec<_> = of_user.filter_map(|given| places.get(&given.event)).collect();
            assert!(places.is_sorted(), "user {user}: {places:?}");
        }
    }

    fn check_bytes(&self) {
        let mut bodies: HashMap<String, String> = HashMap::new();
        for request in self.emulator.requests() {
            let batches: Vec<Box<RawValue>> = serde_json::from_slice(&request.body).unwrap();
            for batch in batches {
                let json: serde_json::Value = serde_json::from_str(batch.get()).unwrap();
                let id = json["source_request_id"].as_str().unwrap().to_owned();
                let first = bodies.entry(id.clone()).or_insert_with(|| batch.get().to_owned());
                assert_eq!(first, batch.get(), "{id}");
            }
        }
    }
}

fn is_private(folder: &Path) -> bool {
    let held = std::fs::read_dir(folder).unwrap().map(|entry| std::fs::read(entry.unwrap().path()));
    let secret = b"another";
    held.flatten().all(|bytes| !bytes.windows(secret.len()).any(|window| window == secret))
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.div_ceil(6),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_batch_has_one_outcome_in_all_lives_together(lives in vec(life(), 1..5)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new();
            for (number, life) in lives.iter().enumerate() {
                world.live(number, life).await;
            }
            world.finish(lives.len()).await;
            world.check();
            assert!(is_private(world.folder.path()), "the spool holds credentials");
        });
    }
}
