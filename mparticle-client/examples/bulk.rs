//! Many batches: 250 customers, in as few requests as they take.
//!
//! ```console
//! cargo run --example bulk
//! ```
//!
//! `bulk_upload_events` sends up to 100 batches in one request, and `upload_all` any number in several. Both take
//! batches of one user or of many.

mod support;

use mparticle_client::models::{
    Batch, CustomEvent, CustomEventType, Environment, UnixMillis, UserIdentities,
};
use support::{Destination, Failure};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    support::start_log();
    let destination = Destination::from_env().await?;
    let client = destination.client_builder().build()?;

    // One request. It is accepted or refused as a whole.
    let batches: Vec<Batch> = (0..50).map(newsletter_opened).collect();
    let receipt = client.bulk_upload_events(&batches).await?;
    println!("One request with {} batches: {}.", batches.len(), receipt.status());

    // As many requests as it takes. The batches are made while the upload goes on, so millions need no more memory.
    let report = client.upload_all((50..250).map(newsletter_opened)).concurrency(4).await;
    println!("{} of {} batches delivered by upload_all.", report.delivered(), report.given());

    // What failed is handed back with the reason, and keeps its ids: uploading it again counts nothing twice.
    for failed in report.into_failed() {
        println!("{}: {}", failed.source_request_id(), failed.error());
    }

    destination.print_received();
    Ok(())
}

fn newsletter_opened(customer: u32) -> Batch {
    Batch::new(Environment::Development)
        .with_user_identities(UserIdentities::new().with_customer_id(customer.to_string()))
        .with_event(
            CustomEvent::new("Newsletter opened", CustomEventType::UserContent)
                .with_timestamp_unixtime_ms(UnixMillis::now())
                .with_custom_attribute("issue", 7),
        )
}
