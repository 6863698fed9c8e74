//! A transport that counts the batches of each second.

use bytes::Bytes;
use http::Request;
use mparticle_client::testing::InMemory;
use mparticle_client::transport::{SendFuture, Transport};
use serde::de::IgnoredAny;
use std::sync::{Arc, Mutex};
use tokio::time::Instant;

/// The batches that were answered in one second.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Second {
    pub(crate) accepted: usize,
    pub(crate) refused: usize,
}

/// Passes requests to an emulator and counts their batches.
#[derive(Clone, Debug)]
pub(crate) struct Recorder {
    emulator: InMemory,
    start: Instant,
    seconds: Arc<Mutex<Vec<Second>>>,
}

impl Recorder {
    pub(crate) fn new(emulator: InMemory) -> Self {
        Self { emulator, start: Instant::now(), seconds: Arc::default() }
    }

    /// The seconds since the start.
    pub(crate) fn seconds(&self) -> Vec<Second> {
        self.seconds.lock().unwrap().clone()
    }

    fn count(&self, batches: usize, is_accepted: bool) {
        let now = usize::try_from(self.start.elapsed().as_secs()).unwrap();
        let mut seconds = self.seconds.lock().unwrap();
        let length = seconds.len().max(now + 1);
        seconds.resize(length, Second::default());
        let second = seconds.get_mut(now).unwrap();
        if is_accepted {
            second.accepted += batches;
        } else {
            second.refused += batches;
        }
    }
}

impl Transport for Recorder {
    fn send(&self, request: Request<Bytes>) -> SendFuture<'_> {
        Box::pin(async move {
            let batches: Vec<IgnoredAny> = serde_json::from_slice(request.body()).unwrap();
            let response = self.emulator.send(request).await?;
            self.count(batches.len(), response.status().is_success());
            Ok(response)
        })
    }
}
