//! The worker: a future that takes what has come, fills requests, sends them, and settles batches.
//!
//! It owns every batch from its arrival to its outcome. The futures of its requests own nothing but bytes, so all of
//! them can be dropped at any moment, and so can the worker itself: what it has not settled is settled then.

use super::filling::{Filling, Group};
use super::flight::{Flight, Place, Stretch, Verdict, verdict};
use super::parcel::Parcel;
use super::shared::{Arrivals, Command, Held, Shared};
use super::spool::{Closed, Spool};
use super::{Outcome, Report, Stats};
use crate::delivery::Courier;
#[cfg(feature = "spool")]
use crate::encoding::MAX_BATCHES;
use crate::order::Order;
use crate::{Error, Receipt, Unsent};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// How long to wait where the client's own patience has ended, which takes a `Retry-After` beyond all measure.
const LAST_RESORT: Duration = Duration::from_secs(60);

/// How long the spool may take to close when the worker ends. Longer only if the disk hangs.
const CLOSING: Duration = Duration::from_secs(5);

/// How long a failed request waits at most to be made again while a flush or a shutdown waits for it, unless the server
/// asked for more.
const IMPATIENCE: Duration = Duration::from_secs(1);

/// What a queue was told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    pub(super) flush_every: Duration,
    pub(super) concurrency: usize,
}

pub(super) struct Engine {
    shared: Arc<Shared>,
    courier: Arc<Courier>,
    /// Which credentials are in use, counted.
    credentials: u64,
    pace: Pace,
    spool: Option<Arc<Spool>>,
    filling: Filling,
    waiting: Order<Work>,
    parcels: HashMap<u64, Parcel>,
    next_parcel: u64,
    /// What is under way, by the number of its turn.
    flights: HashMap<usize, Flight>,
    /// Flights that go on when the queue does.
    parked: Vec<usize>,
    running: FuturesUnordered<Running>,
    is_paused: bool,
    flushes: Vec<Flush>,
    /// Before when nobody is hurried again.
    patient_until: Option<Instant>,
    closing: Option<Closing>,
}

/// What a flight waits for, by the number of its turn.
type Running = Pin<Box<dyn Future<Output = (usize, Step)> + Send>>;

/// What waits for its turn.
enum Work {
    New(Vec<Group>),
    #[cfg(feature = "spool")]
    Recovered(Vec<u64>),
}

struct Flush {
    wave: u64,
    before: Stats,
    deadline: Instant,
    reply: oneshot::Sender<Report>,
}

struct Closing {
    deadline: Instant,
    replies: Vec<(Stats, oneshot::Sender<Report>)>,
}

/// What a flight has waited for.
enum Step {
    /// The spool knows the parcels now, or does not.
    Sealed {
        parcels: Vec<u64>,
        result: Result<(), Error>,
    },
    /// The spool knows the batches of a parcel one by one now, or does not.
    Divided {
        stretch: Stretch,
        parcel: u64,
        result: Result<(), Error>,
    },
    Answered {
        stretch: Stretch,
        credentials: u64,
        result: Result<Receipt, Error>,
    },
    /// A batch of the request became too old.
    Expired {
        stretch: Stretch,
    },
    Waited,
}

impl Engine {
    pub(super) fn new(
        shared: Arc<Shared>,
        courier: Arc<Courier>,
        pace: Pace,
        spool: Option<Arc<Spool>>,
    ) -> Self {
        Self {
            shared,
            courier,
            credentials: 0,
            pace,
            spool,
            filling: Filling::default(),
            waiting: Order::default(),
            parcels: HashMap::new(),
            next_parcel: 0,
            flights: HashMap::new(),
            parked: Vec::new(),
            running: FuturesUnordered::new(),
            is_paused: false,
            flushes: Vec::new(),
            patient_until: None,
            closing: None,
        }
    }

    /// Takes parcels of an earlier queue, which may have been sent: they are neither joined nor divided anew.
    #[cfg(feature = "spool")]
    pub(super) fn with_recovered(mut self, parcels: Vec<Parcel>) -> Self {
        let mut parcels = parcels.into_iter().peekable();
        while parcels.peek().is_some() {
            let (mut users, mut numbers) = (Vec::new(), Vec::new());
            for parcel in parcels.by_ref().take(MAX_BATCHES) {
                users.extend_from_slice(&parcel.users);
                numbers.push(self.add(parcel));
            }
            self.waiting.admit(users, Work::Recovered(numbers));
        }
        self
    }

    pub(super) async fn run(mut self) {
        loop {
            let Arrivals { batches, commands, crowded, .. } = self.shared.take();
            let has_come = !batches.is_empty();
            for batch in batches {
                for groups in self.filling.push(batch) {
                    self.line_up(groups);
                }
            }
            for command in commands {
                self.obey(command);
            }
            let now = Instant::now();
            let hurries = self.hurries();
            if hurries {
                self.hurry(now);
            }
            if hurries || self.due(now).is_some_and(|due| due <= now) {
                self.line_up_all();
            }
            self.start();
            // What is under way makes room, and then there is company.
            if self.running.is_empty() && (crowded || self.shared.room.is_crowded()) {
                self.line_up_all();
                self.start();
            }
            self.answer_flushes(now);
            if self.is_done(now) {
                break;
            }
            let look = match self.due(now) {
                Some(due) => Some(due),
                None if has_come => Some(now + self.pace.flush_every),
                None if self.shared.sleep() => None,
                None => continue,
            };
            let (batches, bytes) = self.filling.size();
            let is_busy = !self.running.is_empty();
            if self.shared.hold(Held { batches, bytes, is_busy }) {
                self.wait(look).await;
            }
        }
        self.end().await;
    }

    /// When the request that is being filled has to go.
    fn due(&self, now: Instant) -> Option<Instant> {
        // The caller's clock may be another one, which a test has stopped.
        self.filling.since().map(|since| since.min(now) + self.pace.flush_every)
    }

    /// Whether someone waits for everything to be sent.
    fn hurries(&self) -> bool {
        self.closing.is_some() || !self.flushes.is_empty()
    }

    /// Has failed requests made again, from time to time.
    fn hurry(&mut self, now: Instant) {
        if self.patient_until.is_none_or(|until| until <= now) {
            self.courier.hurry();
            self.patient_until = Some(now + IMPATIENCE);
        }
    }

    /// Waits until there is something to do.
    async fn wait(&mut self, look: Option<Instant>) {
        let deadlines = self.flushes.iter().map(|flush| flush.deadline);
        let deadlines = deadlines.chain(self.closing.as_ref().map(|closing| closing.deadline));
        let deadlines = deadlines.chain(self.patient_until.filter(|_| self.hurries()));
        let wake = deadlines.chain(look).min();
        tokio::select! {
            biased;
            Some((number, step)) = self.running.next() => self.go_on(number, step),
            () = self.shared.called() => {}
            () = until(wake) => {}
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Flush { wave, before, deadline, timeout, reply } => {
                let deadline = earlier(deadline, timeout);
                self.flushes.push(Flush { wave, before, deadline, reply });
            }
            Command::Shutdown { before, deadline, timeout, reply } => {
                let deadline = earlier(deadline, timeout);
                let closing =
                    self.closing.get_or_insert_with(|| Closing { deadline, replies: Vec::new() });
                closing.deadline = closing.deadline.min(deadline);
                closing.replies.push((before, reply));
            }
            Command::Resume(courier) => {
                if let Some(courier) = courier {
                    self.courier.hurry();
                    self.courier = courier;
                    self.credentials += 1;
                }
                self.set_paused(false);
            }
        }
    }

    fn set_paused(&mut self, paused: bool) {
        self.is_paused = paused;
        self.shared.set_paused(paused);
    }

    fn line_up_all(&mut self) {
        if let Some(groups) = self.filling.take() {
            self.line_up(groups);
        }
    }

    fn line_up(&mut self, groups: Vec<Group>) {
        let users = groups.iter().flat_map(|group| group.users.iter().copied()).collect();
        self.waiting.admit(users, Work::New(groups));
    }

    /// Begins as many requests as may be under way.
    fn start(&mut self) {
        while !self.is_paused && self.running.len() < self.pace.concurrency {
            if let Some(number) = self.parked.pop() {
                self.send_next(number);
            } else if let Some((turn, work)) = self.waiting.next_ready() {
                let parcels = self.parcels_of_work(work);
                let number = turn.number();
                self.flights.insert(number, Flight::new(turn));
                self.seal_and_send(number, parcels);
            } else {
                break;
            }
        }
    }

    fn parcels_of_work(&mut self, work: Work) -> Vec<u64> {
        match work {
            Work::New(groups) => self.parcels_of(groups),
            #[cfg(feature = "spool")]
            Work::Recovered(parcels) => parcels,
        }
    }

    fn parcels_of(&mut self, groups: Vec<Group>) -> Vec<u64> {
        let shared = Arc::clone(&self.shared);
        let parcel = |group| Parcel::from_group(group, || shared.ids.next());
        groups.into_iter().filter_map(|group| Some(self.add(parcel(group).ok()?))).collect()
    }

    fn add(&mut self, parcel: Parcel) -> u64 {
        let number = self.next_parcel;
        self.next_parcel += 1;
        self.parcels.insert(number, parcel);
        number
    }

    /// Tells the spool what was joined, if it has to know, then sends.
    fn seal_and_send(&mut self, number: usize, parcels: Vec<u64>) {
        let unsealed = parcels.iter().filter_map(|parcel| self.parcels.get(parcel));
        let unsealed: Vec<&Parcel> = unsealed.filter(|parcel| parcel.needs_a_record()).collect();
        match &self.spool {
            Some(spool) if !unsealed.is_empty() => {
                let sealing = spool.seal(&unsealed);
                let step = async move {
                    let result = sealing.await;
                    (number, Step::Sealed { parcels, result })
                };
                self.running.push(Box::pin(step));
            }
            _ => {
                self.load(number, &parcels);
                self.send_next(number);
            }
        }
    }

    fn load(&mut self, number: usize, parcels: &[u64]) {
        let documents = parcels.iter().filter_map(|number| {
            let parcel = self.parcels.get(number)?;
            let places = (0..).map(|document| Place { parcel: *number, document });
            Some(places.zip(parcel.documents.iter().cloned()))
        });
        if let Some(flight) = self.flights.get_mut(&number) {
            flight.load(documents.flatten());
        }
    }

    /// Makes the next request of a flight, or ends it.
    fn send_next(&mut self, number: usize) {
        if self.is_paused {
            self.parked.push(number);
            return;
        }
        let Some(flight) = self.flights.get_mut(&number) else { return };
        let Some((stretch, unsent)) = flight.next() else {
            if let Some(flight) = self.flights.remove(&number) {
                self.waiting.ended(&flight.turn);
            }
            return;
        };
        let now = self.shared.now();
        let places = flight.places(&stretch);
        let parcels = places.iter().filter_map(|place| self.parcels.get(&place.parcel));
        let time_left = parcels.map(|parcel| parcel.time_left(now)).min().unwrap_or_default();
        let sending = send(Arc::clone(&self.courier), unsent, time_left);
        let credentials = self.credentials;
        let step = async move {
            let step = match sending.await {
                Some(result) => Step::Answered { stretch, credentials, result },
                None => Step::Expired { stretch },
            };
            (number, step)
        };
        self.running.push(Box::pin(step));
    }

    fn go_on(&mut self, number: usize, step: Step) {
        match step {
            Step::Sealed { parcels, result } => {
                let parcels = self.sealed(parcels, result);
                self.load(number, &parcels);
            }
            Step::Answered { stretch, result: Ok(receipt), .. } => {
                let outcome = Outcome::Delivered(Arc::new(receipt));
                self.settle(number, &stretch, &outcome);
            }
            Step::Answered { stretch, credentials, result: Err(error) } => {
                match self.failed(number, stretch, credentials, error) {
                    Next::Send => {}
                    Next::Wait => return self.send_later(number),
                    Next::Divide(stretch, parcel) => return self.divide(number, stretch, parcel),
                }
            }
            Step::Divided { stretch, parcel, result } => {
                if let Next::Wait = self.divided(number, stretch, parcel, result) {
                    return self.send_later(number);
                }
            }
            Step::Expired { stretch } => self.expire(number, &stretch),
            Step::Waited => {}
        }
        self.send_next(number);
    }

    fn send_later(&mut self, number: usize) {
        let step = async move {
            sleep(LAST_RESORT).await;
            (number, Step::Waited)
        };
        self.running.push(Box::pin(step));
    }

    /// What is to be sent of parcels that the spool was told of.
    fn sealed(&mut self, parcels: Vec<u64>, result: Result<(), Error>) -> Vec<u64> {
        if let Err(error) = result {
            tracing::warn!(target: "mparticle_client", "batches are sent unjoined: {error:#}");
            return self.take_apart(parcels);
        }
        for parcel in &parcels {
            let parcel = self.parcels.get_mut(parcel).filter(|parcel| parcel.needs_a_record());
            if let Some(parcel) = parcel {
                parcel.is_recorded();
            }
        }
        parcels
    }

    /// The same parcels, with a parcel of its own for each batch of those that the spool does not know.
    fn take_apart(&mut self, parcels: Vec<u64>) -> Vec<u64> {
        let mut apart = Vec::new();
        for number in parcels {
            match self.parcels.remove(&number) {
                Some(parcel) if parcel.needs_a_record() => {
                    let members = parcel.take_apart().unwrap_or_default();
                    apart.extend(members.into_iter().map(|member| self.add(member)));
                }
                Some(parcel) => {
                    self.parcels.insert(number, parcel);
                    apart.push(number);
                }
                None => {}
            }
        }
        apart
    }

    fn failed(&mut self, number: usize, stretch: Stretch, credentials: u64, error: Error) -> Next {
        let Some(flight) = self.flights.get_mut(&number) else { return Next::Send };
        match verdict(&error, credentials == self.credentials) {
            Verdict::Blame if flight.halve(&stretch) => {}
            Verdict::Blame => match flight.places(&stretch).as_slice() {
                [place] if self.parcels.get(&place.parcel).is_some_and(Parcel::is_joined) => {
                    return Next::Divide(stretch, place.parcel);
                }
                _ => self.settle(number, &stretch, &Outcome::Rejected(error)),
            },
            Verdict::Refuse => self.settle(number, &stretch, &Outcome::Rejected(error)),
            Verdict::Pause => {
                tracing::error!(target: "mparticle_client", "the queue pauses: {error}");
                flight.again(stretch);
                self.set_paused(true);
            }
            Verdict::Again => {
                flight.again(stretch);
                if credentials == self.credentials {
                    return Next::Wait;
                }
            }
        }
        Next::Send
    }

    /// Sends the batches of a parcel that mParticle refused one by one, once the spool knows.
    fn divide(&mut self, number: usize, stretch: Stretch, parcel: u64) {
        let recorded = self.parcels.get(&parcel).filter(|parcel| parcel.record.is_some());
        if let (Some(spool), Some(recorded)) = (&self.spool, recorded) {
            let dividing = spool.divide(recorded);
            let step = async move {
                let result = dividing.await;
                (number, Step::Divided { stretch, parcel, result })
            };
            self.running.push(Box::pin(step));
        } else {
            self.load_apart(number, parcel);
            self.send_next(number);
        }
    }

    fn divided(
        &mut self,
        number: usize,
        stretch: Stretch,
        parcel: u64,
        result: Result<(), Error>,
    ) -> Next {
        if let Err(error) = result {
            tracing::warn!(target: "mparticle_client", "a refused batch is not divided yet: {error:#}");
            if let Some(flight) = self.flights.get_mut(&number) {
                flight.again(stretch);
            }
            return Next::Wait;
        }
        self.load_apart(number, parcel);
        Next::Send
    }

    fn load_apart(&mut self, number: usize, parcel: u64) {
        let Some(parcel) = self.parcels.remove(&parcel) else { return };
        let members = parcel.take_apart().unwrap_or_default();
        let parcels: Vec<u64> = members.into_iter().map(|member| self.add(member)).collect();
        self.load(number, &parcels);
    }

    /// Gives the batches of a request their outcome.
    fn settle(&mut self, number: usize, stretch: &Stretch, outcome: &Outcome) {
        let Some(flight) = self.flights.get(&number) else { return };
        for place in flight.places(stretch) {
            let Some(parcel) = self.parcels.get_mut(&place.parcel) else { continue };
            parcel.outstanding = parcel.outstanding.saturating_sub(1);
            if !matches!(outcome, Outcome::Delivered(_)) {
                parcel.failure.get_or_insert_with(|| outcome.clone());
            }
            if parcel.outstanding == 0 {
                self.finish(place.parcel, outcome);
            }
        }
    }

    fn finish(&mut self, parcel: u64, outcome: &Outcome) {
        let Some(parcel) = self.parcels.remove(&parcel) else { return };
        let records = parcel.records();
        let failure = parcel.failure.clone();
        parcel.settle(failure.as_ref().unwrap_or(outcome));
        if let Some(spool) = &self.spool {
            spool.delete(records);
        }
    }

    /// Settles what became too old, and sends the rest of the request again.
    fn expire(&mut self, number: usize, stretch: &Stretch) {
        let Some(flight) = self.flights.get(&number) else { return };
        let now = self.shared.now();
        let mut rest = Vec::new();
        for place in flight.places(stretch) {
            match self.parcels.get(&place.parcel) {
                Some(parcel) if parcel.is_expired(now) => {
                    self.finish(place.parcel, &Outcome::Expired);
                }
                Some(parcel) => {
                    let document = parcel.documents.get(place.document).cloned();
                    rest.extend(document.map(|document| (place, document)));
                }
                None => {}
            }
        }
        if let Some(flight) = self.flights.get_mut(&number) {
            flight.load(rest);
        }
    }

    fn answer_flushes(&mut self, now: Instant) {
        if self.flushes.is_empty() {
            return;
        }
        let is_stuck = self.is_paused && self.running.is_empty();
        let stats = self.shared.stats();
        for flush in std::mem::take(&mut self.flushes) {
            let pending = self.shared.outstanding(flush.wave);
            if pending == 0 || is_stuck || flush.deadline <= now {
                let report = Report { pending, ..Report::between(&flush.before, &stats) };
                // Whoever does not wait any more does not want to know.
                _ = flush.reply.send(report);
            } else {
                self.flushes.push(flush);
            }
        }
    }

    fn is_done(&self, now: Instant) -> bool {
        let Some(closing) = &self.closing else { return false };
        let is_stuck = self.is_paused && self.running.is_empty();
        is_stuck || closing.deadline <= now || self.shared.stats().pending == 0
    }

    /// Gives up what is left, and says so.
    async fn end(mut self) {
        let flushes = std::mem::take(&mut self.flushes);
        let closing = self.closing.take();
        if let Some(closed) = self.abandon() {
            _ = timeout(CLOSING, closed).await;
        }
        let stats = self.shared.stats();
        for Flush { before, reply, .. } in flushes {
            _ = reply.send(Report::at_the_end(&before, &stats));
        }
        for (before, reply) in closing.into_iter().flat_map(|closing| closing.replies) {
            _ = reply.send(Report::at_the_end(&before, &stats));
        }
    }

    /// Settles everything that is left, and begins to close the spool.
    fn abandon(&mut self) -> Option<Closed> {
        let arrivals = self.shared.end();
        self.running.clear();
        self.flights.clear();
        self.line_up_all();
        let waiting: Vec<Work> = self.waiting.take_all().map(|(_, work)| work).collect();
        for work in waiting {
            self.parcels_of_work(work);
        }
        for arrival in arrivals.batches {
            self.parcels_of(vec![Group::of(arrival.entry, Vec::new())]);
        }
        for (_, parcel) in self.parcels.drain() {
            parcel.abandon();
        }
        self.spool.take().map(|spool| spool.close())
    }
}

/// Whether a flight goes on at once.
enum Next {
    Send,
    Wait,
    /// When the batches of the parcel have become parcels of their own.
    Divide(Stretch, u64),
}

impl Drop for Engine {
    fn drop(&mut self) {
        _ = self.abandon();
    }
}

/// Sends a request for as long as its batches may be sent.
async fn send(
    courier: Arc<Courier>,
    unsent: Unsent,
    time_left: Duration,
) -> Option<Result<Receipt, Error>> {
    if time_left.is_zero() {
        return None;
    }
    timeout(time_left, courier.deliver(unsent)).await.ok()
}

/// A deadline by the caller's clock, which may be one that a test has stopped; then what the worker's says.
fn earlier(deadline: Instant, timeout: Duration) -> Instant {
    Instant::now().checked_add(timeout).map_or(deadline, |own| own.min(deadline))
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
