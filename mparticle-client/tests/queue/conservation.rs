//! No batch is lost or counted twice, for any use of a queue and any behavior of its server.

use super::support::{LONG, assert_law, client, events, large, poisoned};
use mparticle_client::Credentials;
use mparticle_client::models::Batch;
use mparticle_client::queue::{BatchResult, DeliveryHandle, Outcome, Queue};
use mparticle_client::testing::{Answer, Emulator};
use proptest::collection::vec;
use proptest::prelude::*;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::{JoinHandle, LocalSet, spawn_local};

#[derive(Clone, Debug)]
enum Step {
    Give { user: u8, head: bool, own_id: bool, bytes: usize, kind: Kind, waits: bool },
    Flush { seconds: u64, is_awaited: bool },
    Pass { millis: u64 },
    Fail(Vec<Fault>),
    Credentials { are_good: bool },
    Resume,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Good,
    Poisoned,
    WithoutUser,
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    Status(u16),
    Throttled(u64),
    Reset,
    ResetAtHead,
    Hang,
    Late(u64),
    /// The request is accepted, and the response is lost.
    Lost,
    /// The request is accepted, and the response says otherwise.
    Denied(u16),
}

#[derive(Clone, Copy, Debug)]
enum End {
    Shutdown { seconds: u64 },
    TwoShutdowns { seconds: u64 },
    DropWorker,
    DropHandles,
    Recover,
}

/// A batch that was accepted.
struct Given {
    id: String,
    event: String,
    user: u8,
    kind: Kind,
    events: usize,
    is_divided: bool,
    delivery: Option<DeliveryHandle>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Delivered,
    Rejected,
    Expired,
    Dropped,
}

fn fate(settled: &BatchResult) -> Fate {
    match settled.outcome() {
        Outcome::Delivered(_) => Fate::Delivered,
        Outcome::Rejected(_) => Fate::Rejected,
        Outcome::Expired => Fate::Expired,
        Outcome::Dropped => Fate::Dropped,
        other => panic!("without a spool: {other:?}"),
    }
}

fn answer(fault: Fault) -> Answer {
    match fault {
        Fault::Status(status) => Answer::status(status),
        Fault::Throttled(seconds) => Answer::status(429).retry_after(seconds),
        Fault::Reset => Answer::reset(),
        Fault::ResetAtHead => Answer::reset_at_head(),
        Fault::Hang => Answer::hang(),
        Fault::Late(seconds) => Answer::normal().delayed(Duration::from_secs(seconds)),
        Fault::Lost => Answer::reset().after_processing(),
        Fault::Denied(status) => Answer::status(status).after_processing(),
    }
}

/// A server that accepts batches without a response does not refuse the same batches later. All faults of a case are
/// therefore of one kind or the other.
fn fault(loses_replies: bool) -> BoxedStrategy<Fault> {
    let common = prop_oneof![
        prop::sample::select(vec![401, 403, 408, 500, 503]).prop_map(Fault::Status),
        (0..100_u64).prop_map(Fault::Throttled),
        Just(Fault::Reset),
        Just(Fault::ResetAtHead),
        Just(Fault::Hang),
        (0..10_u64).prop_map(Fault::Late),
    ];
    let special = if loses_replies {
        prop_oneof![
            (10..30_u64).prop_map(Fault::Late),
            Just(Fault::Lost),
            prop::sample::select(vec![408, 429, 500, 503]).prop_map(Fault::Denied),
        ]
        .boxed()
    } else {
        prop::sample::select(vec![400, 400, 413, 404, 501]).prop_map(Fault::Status).boxed()
    };
    prop_oneof![1 => common, 1 => special].boxed()
}

fn step(loses_replies: bool) -> impl Strategy<Value = Step> {
    let kind = prop_oneof![
        10 => Just(Kind::Good),
        1 => Just(Kind::Poisoned),
        1 => Just(Kind::WithoutUser),
    ];
    let bytes = prop_oneof![
        20 => 0..300_usize,
        3 => 300..60_000_usize,
        1 => 60_000..100_000_usize,
    ];
    let give =
        (0..4_u8, prop::bool::weighted(0.8), prop::bool::weighted(0.1), bytes, kind, any::<bool>())
            .prop_map(|(user, head, own_id, bytes, kind, waits)| Step::Give {
                user,
                head,
                own_id,
                bytes,
                kind,
                waits,
            });
    prop_oneof![
        20 => give,
        2 => (0..100_u64, any::<bool>())
            .prop_map(|(seconds, is_awaited)| Step::Flush { seconds, is_awaited }),
        5 => (0..20_000_u64).prop_map(|millis| Step::Pass { millis }),
        4 => vec(fault(loses_replies), 1..5).prop_map(Step::Fail),
        1 => prop::bool::weighted(0.6).prop_map(|are_good| Step::Credentials { are_good }),
        1 => Just(Step::Resume),
    ]
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![
        (0..200_u64).prop_map(|seconds| End::Shutdown { seconds }),
        (0..200_u64).prop_map(|seconds| End::TwoShutdowns { seconds }),
        Just(End::DropWorker),
        Just(End::DropHandles),
        Just(End::Recover),
        Just(End::Recover),
    ]
}

#[derive(Clone, Debug)]
struct Case {
    loses_replies: bool,
    steps: Vec<Step>,
    end: End,
    concurrency: usize,
    flush_every: u64,
    max_batches: usize,
    max_bytes: usize,
}

fn case() -> impl Strategy<Value = Case> {
    any::<bool>().prop_flat_map(|loses_replies| {
        let sizes = (1..40_usize, prop_oneof![Just(200_usize), Just(100_000), Just(1_000_000)]);
        (vec(step(loses_replies), 1..80), end(), 1..5_usize, 0..10_000_u64, sizes).prop_map(
            move |(steps, end, concurrency, flush_every, (max_batches, max_bytes))| Case {
                loses_replies,
                steps,
                end,
                concurrency,
                flush_every,
                max_batches,
                max_bytes,
            },
        )
    })
}

/// The state of a queue during a case.
struct World {
    emulator: Emulator,
    queue: Queue,
    worker: JoinHandle<()>,
    told: Arc<Mutex<Vec<(String, Fate)>>>,
    given: Rc<RefCell<Vec<Given>>>,
    /// The batches that were sent. The names of their events contain their numbers.
    count: u32,
    senders: Vec<JoinHandle<()>>,
    flushes: Vec<JoinHandle<()>>,
}

impl World {
    async fn new(case: &Case) -> Self {
        let emulator = Emulator::in_memory();
        let told = Arc::new(Mutex::new(Vec::new()));
        let hears = Arc::clone(&told);
        let hook = move |settled: &BatchResult| {
            hears.lock().unwrap().push((settled.source_request_id().to_owned(), fate(settled)));
        };
        let builder = client(&emulator).queue();
        let builder =
            builder.max_pending(case.max_batches, case.max_bytes).concurrency(case.concurrency);
        let builder = builder.flush_every(Duration::from_millis(case.flush_every)).on_outcome(hook);
        let (queue, worker) = builder.build_with_worker().await.unwrap();
        Self {
            emulator,
            queue,
            worker: tokio::spawn(worker),
            told,
            given: Rc::default(),
            count: 0,
            senders: Vec::new(),
            flushes: Vec::new(),
        }
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::Give { user, head, own_id, bytes, kind, waits } => {
                self.count += 1;
                let event = format!("{:05}", self.count);
                let id = own_id.then(|| format!("own-{event}"));
                self.give(make(user, head, id, bytes, kind, &event), event, user, kind, waits);
            }
            Step::Flush { seconds, is_awaited } => {
                let flush = self.queue.flush(Duration::from_secs(seconds));
                if is_awaited {
                    let pending = self.queue.stats().pending;
                    let report = flush.await;
                    assert!(report.pending <= pending, "{report:?}, and {pending} before");
                } else {
                    self.flushes.push(spawn_local(async move {
                        _ = flush.await;
                    }));
                }
            }
            Step::Pass { millis } => tokio::time::sleep(Duration::from_millis(millis)).await,
            Step::Fail(faults) => self.emulator.script(faults.into_iter().map(answer)),
            Step::Credentials { are_good } => self.credentials(are_good),
            Step::Resume => self.queue.resume().unwrap(),
        }
        assert_law(&self.queue.stats());
    }

    fn credentials(&self, are_good: bool) {
        let bad = Credentials::new("another", "pair");
        let credentials = if are_good { self.emulator.credentials() } else { bad };
        self.queue.set_credentials(&credentials).unwrap();
    }

    fn give(&mut self, batch: Batch, event: String, user: u8, kind: Kind, waits: bool) {
        let given = Rc::clone(&self.given);
        let events = batch.events.len();
        let is_divided = serde_json::to_vec(&batch).unwrap().len() > 127_000;
        let note = move |delivery: DeliveryHandle| {
            let id = delivery.source_request_id().to_owned();
            let delivery = Some(delivery).filter(|_| !event.ends_with('7'));
            given.borrow_mut().push(Given { id, event, user, kind, events, is_divided, delivery });
        };
        let untouched = batch.clone();
        if waits {
            let queue = self.queue.clone();
            self.senders.push(spawn_local(async move {
                // No other task runs between the acceptance and this record of it.
                match queue.send(batch).await {
                    Ok(delivery) => note(delivery),
                    Err(error) => assert!(error.into_batch() == untouched),
                }
            }));
        } else {
            match self.queue.try_send(batch) {
                Ok(delivery) => note(delivery),
                Err(error) => assert!(error.into_batch() == untouched),
            }
        }
    }

    /// Ends the queue. All of its batches then have an outcome.
    async fn end(mut self, end: End) -> Ended {
        match end {
            End::Shutdown { seconds } => {
                let report = self.queue.shutdown(Duration::from_secs(seconds)).await;
                assert_eq!(report.left_in_spool, 0);
            }
            End::TwoShutdowns { seconds } => {
                let other = self.queue.clone();
                let (one, two) = tokio::join!(
                    self.queue.shutdown(Duration::from_secs(seconds)),
                    other.shutdown(Duration::from_secs(seconds / 2)),
                );
                assert_eq!((one.left_in_spool, two.left_in_spool), (0, 0));
            }
            End::DropWorker => self.worker.abort(),
            End::DropHandles => {}
            End::Recover => {
                self.emulator.always(Answer::normal());
                // Waiting calls acquire capacity. The remaining refusals of the script are followed by acceptances.
                while self.queue.stats().pending > 0
                    || self.senders.iter().any(|sender| !sender.is_finished())
                {
                    self.credentials(true);
                    _ = self.queue.flush(Duration::from_secs(3600)).await;
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                let report = self.queue.shutdown(LONG).await;
                assert!(report.is_complete(), "{report:?}");
            }
        }
        if matches!(end, End::DropHandles) {
            for sender in self.senders.drain(..) {
                // The task owns a handle, too.
                sender.abort();
                _ = sender.await;
            }
            drop(self.queue);
            self.worker.await.unwrap();
        } else {
            for sender in self.senders {
                sender.await.unwrap();
            }
            _ = self.worker.await;
            let stats = self.queue.stats();
            assert_law(&stats);
            assert_eq!((stats.pending, stats.pending_bytes), (0, 0));
            // A worker that was dropped does not wait for the hook.
            let settled = stats.delivered + stats.rejected + stats.expired + stats.dropped;
            let told = hook_calls(&self.told, settled);
            let count =
                |fate| u64::try_from(told.iter().filter(|told| told.1 == fate).count()).unwrap();
            let counts = (stats.delivered, stats.rejected, stats.expired, stats.dropped);
            let told = (
                count(Fate::Delivered),
                count(Fate::Rejected),
                count(Fate::Expired),
                count(Fate::Dropped),
            );
            assert_eq!(told, counts);
        }
        for flush in self.flushes {
            flush.await.unwrap();
        }
        let given = Rc::try_unwrap(self.given).ok().unwrap().into_inner();
        let given_count = given.len() as u64;
        let told = hook_calls(&self.told, given_count);
        Ended { emulator: self.emulator, given, told }
    }
}

/// Waits until the outcome hook was called a number of times, and returns the outcomes.
fn hook_calls(told: &Mutex<Vec<(String, Fate)>>, count: u64) -> Vec<(String, Fate)> {
    let start = std::time::Instant::now();
    while (told.lock().unwrap().len() as u64) < count && start.elapsed() < LONG {
        std::thread::sleep(Duration::from_micros(100));
    }
    told.lock().unwrap().clone()
}

fn make(user: u8, head: bool, id: Option<String>, bytes: usize, kind: Kind, event: &str) -> Batch {
    let name = user.to_string();
    let mut batch = match kind {
        Kind::Good => large(&name, event, bytes),
        Kind::Poisoned => poisoned(&name, event),
        Kind::WithoutUser => {
            let mut batch = large(&name, event, bytes);
            batch.user_identities = None;
            batch
        }
    };
    if bytes > 60_000 && kind == Kind::Good {
        // Two such events exceed the size of a batch.
        let mut second = large(&name, &format!("{event}-2"), bytes).events;
        batch.events.append(&mut second);
    }
    if !head {
        batch = batch.with_user_attribute("head", "another");
    }
    batch.source_request_id = id;
    batch
}

/// The result of a case.
struct Ended {
    emulator: Emulator,
    given: Vec<Given>,
    told: Vec<(String, Fate)>,
}

impl Ended {
    async fn check(mut self, case: &Case) {
        let fates: HashMap<&String, Fate> =
            self.told.iter().map(|(id, fate)| (id, *fate)).collect();
        assert_eq!(fates.len(), self.told.len(), "an outcome was told twice");
        assert_eq!(fates.len(), self.given.len(), "an outcome was not told");
        for given in &mut self.given {
            let Some(delivery) = given.delivery.take() else { continue };
            let settled = tokio::time::timeout(LONG, delivery).await.unwrap();
            assert_eq!(fate(&settled), fates[&given.id]);
            let id = settled.sent_as().to_owned();
            if settled.is_delivered() && !given.is_divided {
                let as_sent = |batch: &&_| batch_id(batch) == id;
                assert_eq!(self.emulator.batches().iter().filter(as_sent).count(), 1, "{id}");
            }
        }
        let mut arrived: HashMap<String, usize> = HashMap::new();
        for event in super::support::accepted_events(&self.emulator) {
            *arrived.entry(event).or_default() += 1;
        }
        for given in &self.given {
            let counts = [given.event.clone(), format!("{}-2", given.event)]
                .map(|event| arrived.get(&event).copied().unwrap_or_default());
            let expected = [1, given.events - 1];
            let (id, fate) = (&given.id, fates[&given.id]);
            match fate {
                Fate::Delivered => assert_eq!(counts, expected, "{id}"),
                // A part of the batch may have been accepted before another part was refused.
                Fate::Rejected if given.is_divided => {
                    assert!(counts.iter().all(|count| *count <= 1));
                }
                Fate::Rejected => assert_eq!(counts, [0, 0], "{id}"),
                Fate::Expired | Fate::Dropped => assert!(counts.iter().all(|count| *count <= 1)),
            }
            assert!(given.kind != Kind::Poisoned || fate != Fate::Delivered);
            if case.loses_replies && given.kind != Kind::Poisoned {
                assert_ne!(fate, Fate::Rejected, "{id} was refused for another's sake");
            }
        }
        self.check_order(&fates);
        self.check_bytes();
    }

    fn check_order(&self, fates: &HashMap<&String, Fate>) {
        let places: HashMap<String, usize> =
            super::support::accepted_events(&self.emulator).into_iter().zip(0..).collect();
        for user in 0..4 {
            let delivered = self.given.iter().filter(|given| {
                given.user == user
                    && given.kind != Kind::WithoutUser
                    && fates[&given.id] == Fate::Delivered
            });
            let places: Vec<usize> = delivered.map(|given| places[&given.event]).collect();
            assert!(places.is_sorted(), "user {user}: {places:?}");
        }
    }

    fn check_bytes(&self) {
        let mut bodies: BTreeMap<String, String> = BTreeMap::new();
        for request in self.emulator.requests() {
            if request.body.is_empty() {
                continue;
            }
            let batches: Vec<Box<serde_json::value::RawValue>> =
                serde_json::from_slice(&request.body).unwrap();
            for batch in batches {
                let json: serde_json::Value = serde_json::from_str(batch.get()).unwrap();
                let id = json["source_request_id"].as_str().unwrap().to_owned();
                let first = bodies.entry(id.clone()).or_insert_with(|| batch.get().to_owned());
                assert_eq!(first, batch.get(), "{id}");
            }
        }
    }
}

fn batch_id(batch: &mparticle_client::testing::ReceivedBatch) -> &str {
    assert!(!events(batch).is_empty());
    batch.id.as_deref().unwrap()
}

async fn run(case: Case) {
    let mut world = World::new(&case).await;
    for step in &case.steps {
        world.take(step.clone()).await;
    }
    let ended = world.end(case.end).await;
    ended.check(&case).await;
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_batch_ends_once_and_as_it_is_told(case in case()) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().start_paused(true).build().unwrap();
        LocalSet::new().block_on(&runtime, run(case));
    }
}
