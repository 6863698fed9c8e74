//! The destination of uploads: mParticle if the environment contains a key, otherwise an emulator in this process.

use super::Failure;
use mparticle_client::testing::{Emulator, RateLimit, ReceivedBatch};
use mparticle_client::{Client, ClientBuilder};
use std::collections::BTreeMap;
use std::env;

/// The destination of the uploads of an example.
pub(crate) struct Destination {
    builder: ClientBuilder,
    emulator: Option<Emulator>,
}

impl Destination {
    /// Reads the destination with [`ClientBuilder::from_env`] if `MPARTICLE_API_KEY` is set. Otherwise starts an emulator.
    pub(crate) async fn from_env() -> Result<Self, Failure> {
        if env::var_os("MPARTICLE_API_KEY").is_some_and(|key| !key.is_empty()) {
            let builder = ClientBuilder::from_env()?;
            println!("MPARTICLE_API_KEY is set: sending to {}.\n", server_name());
            return Ok(Self { builder, emulator: None });
        }
        // With a rate limit, the responses contain the percentage of the limit that is used.
        let limit = RateLimit::per_second(10_000);
        let emulator = Emulator::builder().rate_limit(limit).start().await?;
        let url = emulator.base_url();
        println!("MPARTICLE_API_KEY is not set: sending to an emulator of mParticle at {url}.\n");
        let builder = Client::builder(emulator.credentials()).base_url(url);
        Ok(Self { builder, emulator: Some(emulator) })
    }

    /// Returns a builder for a client that uploads to this destination.
    pub(crate) fn client_builder(&self) -> ClientBuilder {
        self.builder.clone()
    }

    /// Prints a summary of what the emulator received. Does nothing if the destination is mParticle.
    pub(crate) fn print_received(&self) {
        let Some(emulator) = &self.emulator else { return };
        let batches = emulator.batches();
        let mut counts = BTreeMap::<&str, usize>::new();
        for event_type in batches.iter().flat_map(event_types) {
            *counts.entry(event_type).or_default() += 1;
        }
        let events: usize = counts.values().sum();
        println!("\nThe emulator checked and took {} batches with {events} events.", batches.len());
        for (event_type, count) in counts {
            println!("{count:>8} {event_type}");
        }
    }
}

fn server_name() -> String {
    let set = |name| env::var(name).ok().filter(|value| !value.is_empty());
    match (set("MPARTICLE_BASE_URL"), set("MPARTICLE_POD")) {
        (Some(_), _) => "MPARTICLE_BASE_URL".to_owned(),
        (None, Some(pod)) => format!("mParticle, pod {pod}"),
        (None, None) => "mParticle, pod us1".to_owned(),
    }
}

fn event_types(batch: &ReceivedBatch) -> impl Iterator<Item = &str> {
    let events = batch.json.get("events").and_then(|events| events.as_array());
    events.into_iter().flatten().filter_map(|event| event.get("event_type")?.as_str())
}
