//! Encodes 1,000 batches of 40 customers, appends them to a log in memory, and delivers them with a relay.
//!
//! ```console
//! cargo run --example relay
//! ```
//!
//! The log stands for a partition of Kafka or a table, which many producers write. A relay reads it in another process.

mod memory_log;
#[path = "../support/mod.rs"]
mod support;

use memory_log::MemoryLog;
use mparticle_client::models::{Batch, CustomEvent, CustomEventType, Environment, UserIdentities};
use std::time::Duration;
use support::{Destination, Failure};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    support::init_logging();
    let destination = Destination::from_env().await?;
    let client = destination.client_builder().build()?;
    let log = MemoryLog::default();

    // The producers. For a log with several partitions, `ordering_key` selects the partition.
    for number in 0..1_000 {
        for encoded in client.encode(&page_viewed(number % 40))? {
            log.append(encoded.to_bytes());
        }
    }
    println!("{} batches are in the log.", log.pending());

    // The relay.
    let relay = client
        .relay(log.clone())
        .on_outcome(|result| {
            if let Some(error) = result.error() {
                println!("batch {}: {error}", result.source_request_id());
            }
        })
        .start()
        .await?;
    while log.pending() > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let stats = relay.shutdown(Duration::from_secs(10)).await;
    let undelivered = log.undelivered().len();
    println!("{} batches delivered, {undelivered} not delivered.", stats.delivered);
    destination.print_received();
    Ok(())
}

fn page_viewed(customer: u32) -> Batch {
    Batch::new(Environment::Development)
        .with_user_identities(UserIdentities::new().with_customer_id(customer.to_string()))
        .with_event(CustomEvent::new("Page viewed", CustomEventType::Navigation))
}
