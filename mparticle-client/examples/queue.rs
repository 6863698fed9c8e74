//! Sends 400 batches of 21 customers through a background queue.
//!
//! ```console
//! cargo run --example queue
//! ```
//!
//! The queue joins batches of one customer that differ only in their events, and sends the batches of many customers in
//! one request. The outcome of each batch is passed to the hook, and is the output of the handle that `send` returns.

mod support;

use mparticle_client::models::{
    Batch, CustomEvent, CustomEventType, Environment, UnixMillis, UserIdentities,
};
use mparticle_client::queue::Outcome;
use std::time::Duration;
use support::{Destination, Failure};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    support::init_logging();
    let destination = Destination::from_env().await?;
    let client = destination.client_builder().build()?;
    let queue = client
        .queue()
        .max_pending(10_000, 16 * 1024 * 1024)
        .flush_every(Duration::from_secs(1))
        .on_outcome(|result| match result.outcome() {
            Outcome::Delivered(_) => {}
            other => println!("batch {}: {other:?}", result.source_request_id()),
        })
        .build()
        .await?;

    // `try_send` never waits and is suitable for request handlers. It returns the batch if the queue is full.
    for number in 0..399 {
        queue.try_send(page_viewed(number % 20))?;
    }
    // `send` waits for capacity. It returns a handle that can be awaited for the outcome of this batch.
    let delivery = queue.send(page_viewed(20)).await?;
    println!("{} batches are pending.", queue.stats().pending);

    let report = queue.flush(Duration::from_secs(30)).await;
    println!("{} batches delivered, {} still pending.", report.delivered, report.pending);
    if let Outcome::Delivered(receipt) = delivery.await.into_outcome() {
        let (batches, attempts) = (receipt.source_request_ids().len(), receipt.attempts());
        println!("The last request had {batches} batches and took {attempts} attempt(s).");
    }

    // Shut the queue down before the program ends. Batches that are not delivered in time are dropped, and are passed to
    // the hook.
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
