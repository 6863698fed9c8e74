//! What an upload reports: results go to the state, outages to the user.

use super::progress::Display;
use super::reader::lock;
use super::state::{Route, State};
use super::stop::{Reason, Stop};
use mparticle_client::{Error, FailedBatch, Outcome, UploadObserver};
use std::sync::{Arc, Mutex};

pub(super) struct Observer {
    pub(super) route: Route,
    pub(super) state: Arc<Mutex<State>>,
    pub(super) display: Display,
    pub(super) stop: Stop,
}

impl UploadObserver for Observer {
    fn delivered(&mut self, position: usize, outcome: &Outcome) {
        lock(&self.state).delivered(self.route, position, outcome);
    }

    fn failed(&mut self, batch: FailedBatch) {
        lock(&self.state).not_delivered(self.route, batch);
    }

    fn checkpoint(&mut self, requests: usize) {
        let mut state = lock(&self.state);
        state.set_requests(self.route, requests);
        state.save();
        if state.error.is_some() {
            self.stop.stop(Reason::CannotWrite);
        }
    }

    fn outage(&mut self, cause: Option<&Error>) {
        let mut state = lock(&self.state);
        state.outage = cause.map(ToString::to_string);
        if let Some(error) = cause {
            self.display.note(&format!("paused, because nothing is accepted: {error:#}"));
        } else {
            self.display.note("mParticle accepts requests again");
        }
    }
}
