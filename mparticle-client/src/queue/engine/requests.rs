//! The requests of the worker: made, answered, made again, and the batches in them settled.

use super::Engine;
use crate::queue::Outcome;
use crate::queue::flight::{Place, Stretch, Verdict, verdict};
use crate::queue::parcel::Parcel;
use crate::send::RequestSender;
use crate::{EncodedRequest, Error, Receipt};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How long to wait where the client's own patience has ended, which takes a `Retry-After` beyond all measure.
const LAST_RESORT: Duration = Duration::from_secs(60);

/// What a flight has waited for.
pub(super) enum Step {
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

/// Whether a flight goes on at once.
enum Next {
    Send,
    Wait,
    /// When the batches of the parcel have become parcels of their own.
    Divide(Stretch, u64),
}

impl Engine {
    /// Tells the spool what was joined, if it has to know, then sends.
    pub(super) fn seal_and_send(&mut self, number: usize, parcels: Vec<u64>) {
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
    pub(super) fn send_next(&mut self, number: usize) {
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
        let sending = send(Arc::clone(&self.sender), unsent, time_left);
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

    pub(super) fn go_on(&mut self, number: usize, step: Step) {
        match step {
            Step::Sealed { parcels, result } => {
                let parcels = self.sealed(parcels, result);
                self.load(number, &parcels);
            }
            Step::Answered { stretch, result: Ok(receipt), .. } => {
                let outcome = Outcome::of(&Arc::new(receipt));
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
            tracing::warn!("batches are sent unjoined: {error:#}");
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
                tracing::error!("the queue pauses: {error}");
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
            tracing::warn!("a refused batch is not divided yet: {error:#}");
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
            if !matches!(outcome, Outcome::Delivered(_) | Outcome::Discarded) {
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
}

/// Sends a request for as long as its batches may be sent.
async fn send(
    sender: Arc<RequestSender>,
    unsent: EncodedRequest,
    time_left: Duration,
) -> Option<Result<Receipt, Error>> {
    if time_left.is_zero() {
        return None;
    }
    timeout(time_left, sender.send(unsent)).await.ok()
}
