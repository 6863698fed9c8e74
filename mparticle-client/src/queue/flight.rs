//! Parcels on their way: packed into requests, one after the other, which are halved if mParticle finds fault with one.

use crate::encoding::EncodedBatch;
use crate::queue::chunk::{Chunk, Packer};
use crate::queue::order::Turn;
use crate::{EncodedRequest, Endpoint, Error, ErrorKind};
use std::collections::VecDeque;
use std::mem;
use std::ops::Range;

/// Which document of which parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) parcel: u64,
    pub(super) document: usize,
}

/// Requests that are made in order, one at a time.
pub(super) struct Flight {
    pub(super) turn: Turn,
    loads: Vec<Load>,
    waiting: VecDeque<Stretch>,
}

/// The documents of one request, or of one that was halved.
struct Load {
    chunk: Chunk,
    places: Vec<Place>,
}

/// A request: some documents of a load.
#[derive(Clone, Debug)]
pub(super) struct Stretch {
    load: usize,
    range: Range<usize>,
}

/// What an error of a request means for its batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// One of them may be at fault.
    Blame,
    /// None of them is at fault, and the credentials are.
    Pause,
    /// Later.
    Again,
    /// All of them are refused.
    Refuse,
}

impl Flight {
    pub(super) fn new(turn: Turn) -> Self {
        Self { turn, loads: Vec::new(), waiting: VecDeque::new() }
    }

    /// Packs documents into requests, which go before those that wait.
    pub(super) fn load(&mut self, documents: impl IntoIterator<Item = (Place, EncodedBatch)>) {
        let mut packer = Packer::default();
        let mut places = Vec::new();
        let first = self.loads.len();
        for (place, document) in documents {
            if !packer.has_room_for(&document) {
                self.seal(&mut packer, &mut places);
            }
            packer.push(document);
            places.push(place);
        }
        self.seal(&mut packer, &mut places);
        for (index, load) in self.loads.iter().enumerate().skip(first).rev() {
            self.waiting.push_front(Stretch { load: index, range: 0..load.places.len() });
        }
    }

    fn seal(&mut self, packer: &mut Packer, places: &mut Vec<Place>) {
        if let Some(chunk) = packer.seal() {
            self.loads.push(Load { chunk, places: mem::take(places) });
        }
    }

    /// The next request.
    pub(super) fn next(&mut self) -> Option<(Stretch, EncodedRequest)> {
        let stretch = self.waiting.pop_front()?;
        let load = self.loads.get(stretch.load)?;
        let (body, ids) = load.chunk.part(stretch.range.clone())?;
        Some((stretch, EncodedRequest::new(Endpoint::BulkEvents, body, ids)))
    }

    /// Makes a request again, before all others.
    pub(super) fn again(&mut self, stretch: Stretch) {
        self.waiting.push_front(stretch);
    }

    /// Makes two requests of one; `false` if it has but one document.
    pub(super) fn halve(&mut self, stretch: &Stretch) -> bool {
        let Stretch { load, range } = stretch;
        if range.len() < 2 {
            return false;
        }
        let middle = range.start + range.len() / 2;
        self.waiting.push_front(Stretch { load: *load, range: middle..range.end });
        self.waiting.push_front(Stretch { load: *load, range: range.start..middle });
        true
    }

    /// What a request holds.
    pub(super) fn places(&self, stretch: &Stretch) -> Vec<Place> {
        let load = self.loads.get(stretch.load);
        load.and_then(|load| load.places.get(stretch.range.clone())).unwrap_or_default().to_vec()
    }
}

/// What follows from an error. 401 and 403 say nothing if the credentials are others by now.
pub(super) fn verdict(error: &Error, credentials_are_current: bool) -> Verdict {
    match error.kind() {
        _ if error.blames_the_data() => Verdict::Blame,
        ErrorKind::Unauthorized if credentials_are_current => Verdict::Pause,
        ErrorKind::Unauthorized => Verdict::Again,
        _ if error.is_retryable() => Verdict::Again,
        _ => Verdict::Refuse,
    }
}
