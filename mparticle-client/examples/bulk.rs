//! Uploads batches of 250 customers in a few requests.
//!
//! ```console
//! cargo run --example bulk
//! ```
//!
//! `bulk_upload_events` sends up to 100 batches in one request. `upload_all` sends any number of batches in as many
//! requests as necessary. Both accept batches of one or several users.

mod support;

use mparticle_client::models::{
    Batch, CustomEvent, CustomEventType, Environment, UnixMillis, UserIdentities,
};
use support::{Destination, Failure};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    support::init_logging();
    let destination = Destination::from_env().await?;
    let client = destination.client_builder().build()?;

    // One request, which mParticle accepts or refuses as a whole.
    let batches: Vec<Batch> = (0..50).map(newsletter_opened).collect();
    let receipt = client.bulk_upload_events(&batches).await?;
    println!("One request with {} batches, attempts: {}.", batches.len(), receipt.attempts());

    // Several requests. The iterator is consumed during the upload, and memory use does not depend on its length.
    let report = client.upload_all((50..250).map(newsletter_opened)).concurrency(4).await;
    println!("{} of {} batches delivered by upload_all.", report.delivered(), report.given());

    // The report contains each failed batch and its error. The batches keep their ids; mParticle therefore does not
    // count them twice if they are uploaded again.
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
