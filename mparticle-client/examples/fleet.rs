//! Appends 1,000 batches to a feed in NATS JetStream, and delivers them with a relay.
//!
//! ```console
//! nats-server -js &
//! cargo run --example fleet --features jetstream
//! ```
//!
//! `NATS_URL` names another server than `nats://127.0.0.1:4222`. In a fleet, producers and relays are separate processes.

mod support;

use mparticle_client::jetstream::{Feed, JetStream, Producer};
use mparticle_client::models::{Batch, CustomEvent, CustomEventType, Environment, UserIdentities};
use std::env;
use std::time::Duration;
use support::{Destination, Failure};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    support::init_logging();
    let destination = Destination::from_env().await?;
    let client = destination.client_builder().build()?;
    let url = env::var("NATS_URL").unwrap_or_else(|_| "nats://127.0.0.1:4222".to_owned());
    let jetstream = JetStream::connect([url]).await?;
    let feed = jetstream.feed("example").max_bytes(64 << 20).ensure().await?;

    let relay = client
        .relay(feed.clone())
        .on_outcome(|result| {
            if let Some(error) = result.error() {
                println!("batch {}: {error}", result.source_request_id());
            }
        })
        .start()
        .await?;
    append(&feed).await?;
    while feed.stats().await?.pending > 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let stats = relay.shutdown(Duration::from_secs(10)).await;
    println!("{} batches delivered, {} rejected.", stats.delivered, stats.rejected);
    destination.print_received();
    Ok(())
}

/// Appends 1,000 batches of 40 customers. `send` returns when the stream has acknowledged the batch.
async fn append(feed: &Feed) -> Result<(), Failure> {
    let producer = Producer::builder(feed.clone()).build();
    for round in 0..25 {
        let batches = (0..40).map(|customer| page_viewed(customer, round));
        for sent in futures_util::future::join_all(batches.map(|batch| producer.send(batch))).await
        {
            sent?;
        }
    }
    println!("1000 batches are in the feed {}.", feed.name());
    Ok(())
}

fn page_viewed(customer: u32, round: u32) -> Batch {
    let event = CustomEvent::new("Page viewed", CustomEventType::Navigation);
    Batch::new(Environment::Development)
        .with_user_identities(UserIdentities::new().with_customer_id(customer.to_string()))
        .with_event(event.with_custom_attribute("round", round))
}
