//! A queue in the background: 400 batches of 20 customers, given without waiting.
//!
//! ```console
//! cargo run --example queue
//! ```
//!
//! Batches of one customer that differ in nothing but events are sent as one, and many customers share a request. The
//! hook learns what became of each batch; so does whoever awaits what `send` returned.

mod support;

use mparticle_client::models::{
    Batch, CustomEvent, CustomEventType, Environment, UnixMillis, UserIdentities,
};
use mparticle_client::queue::Outcome;
use std::time::Duration;
use support::{Destination, Failure};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    support::start_log();
    let destination = Destination::from_env().await?;
    let client = destination.client_builder().build()?;
    let queue = client
        .queue()
        .max_pending(10_000, 16 * 1024 * 1024)
        .flush_every(Duration::from_secs(1))
        .on_outcome(|settled| match settled.outcome() {
            Outcome::Delivered(_) => {}
            other => println!("batch {}: {other:?}", settled.source_request_id()),
        })
        .build()
        .await?;

    // In a handler `try_send` is enough. It does not wait, and gives the batch back if there is no room.
    for number in 0..399 {
        queue.try_send(page_viewed(number % 20))?;
    }
    // `send` waits for room. What it returns can be awaited for the outcome of this very batch.
    let delivery = queue.send(page_viewed(20)).await?;
    println!("{} batches are pending.", queue.stats().pending);

    let report = queue.flush(Duration::from_secs(30)).await;
    println!("{} batches delivered, {} still pending.", report.delivered, report.pending);
    if let Outcome::Delivered(receipt) = delivery.await.into_outcome() {
        let (batches, status) = (receipt.source_request_ids().len(), receipt.status());
        println!("The last request had {batches} batches and was answered {status}.");
    }

    // At the end of the program. What is not delivered by then is dropped, and the hook learns of it.
    let report = queue.shutdown(Duration::from_secs(10)).await;
    println!("Shut down; {} batches dropped.", report.dropped);
    destination.print_received();
    Ok(())
}

fn page_viewed(customer: u32) -> Batch {
    Batch::new(Environment::Development)
        .with_user_identities(UserIdentities::new().with_customer_id(customer.to_string()))
        .with_event(
            CustomEvent::new("Page viewed", CustomEventType::Navigation)
                .with_timestamp_unixtime_ms(UnixMillis::now()),
        )
}
