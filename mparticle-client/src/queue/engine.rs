//! The worker: a future that takes what has come, fills requests, sends them, and settles batches.
//!
//! It owns every batch from its arrival to its outcome. The futures of its requests own nothing but bytes, so all of
//! them can be dropped at any moment, and so can the worker itself: what it has not settled is settled then.
//!
//! Here is the loop; [`requests`] has what follows from an answer, [`ending`] what flushes and shutdowns want.

mod ending;
mod requests;

use super::filling::{Filling, Group};
use super::flight::Flight;
use super::parcel::Parcel;
use super::shared::{Arrivals, Command, Held, Shared};
use super::spool::Spool;
#[cfg(feature = "spool")]
use crate::encoding::MAX_BATCHES;
use crate::queue::order::Order;
use crate::send::RequestSender;
use crate::timing::{after, sleep_until_some};
use ending::{Closing, Flush, earlier};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use requests::Step;
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// What a queue was told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    pub(super) flush_every: Duration,
    pub(super) concurrency: usize,
}

pub(super) struct Engine {
    shared: Arc<Shared>,
    sender: Arc<RequestSender>,
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

impl Engine {
    pub(super) fn new(
        shared: Arc<Shared>,
        sender: Arc<RequestSender>,
        pace: Pace,
        spool: Option<Arc<Spool>>,
    ) -> Self {
        Self {
            shared,
            sender,
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
                None if has_come => Some(after(now, self.pace.flush_every)),
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
        self.filling.since().map(|since| after(since.min(now), self.pace.flush_every))
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
            () = sleep_until_some(wake) => {}
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
            Command::Resume(sender) => {
                if let Some(sender) = sender {
                    self.sender.retry_now();
                    self.sender = sender;
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
}
