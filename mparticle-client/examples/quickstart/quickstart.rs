//! Uploads a batch that uses most features of the API, and then three batches in one request.
//!
//! ```console
//! cargo run --example quickstart
//! ```
//!
//! By default the example uploads to an emulator of mParticle in this process. If `MPARTICLE_API_KEY` and
//! `MPARTICLE_API_SECRET` are set, it uploads to mParticle: to the pod in `MPARTICLE_POD` (default `us1`), or to the URL in
//! `MPARTICLE_BASE_URL`. Set `RUST_LOG=debug` to see the log of the client.

mod customer;
#[path = "../support/mod.rs"]
mod support;

use mparticle_client::Receipt;
use mparticle_client::models::{
    Batch, CustomEvent, CustomEventType, Environment, UnixMillis, UserIdentities,
};
use support::{Destination, Failure};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    support::init_logging();
    let destination = Destination::from_env().await?;
    let client = destination.client_builder().build()?;

    let batch = customer::batch(UnixMillis::now());
    println!("One batch with {} events:", batch.events.len());
    for violation in batch.validate() {
        println!("  mParticle would object: {violation}");
    }
    print_receipt(&client.upload_events(&batch).await?);

    let batches: Vec<Batch> = ["43", "44", "45"].map(sign_up).into();
    println!("\n{} batches of different users in one request:", batches.len());
    print_receipt(&client.bulk_upload_events(&batches).await?);

    destination.print_received();
    Ok(())
}

/// A minimal batch: one user and one event.
fn sign_up(customer_id: &str) -> Batch {
    Batch::new(Environment::Development)
        .with_user_identities(UserIdentities::new().with_customer_id(customer_id))
        .with_event(
            CustomEvent::new("Signed up", CustomEventType::Navigation)
                .with_timestamp_unixtime_ms(UnixMillis::now()),
        )
}

fn print_receipt(receipt: &Receipt) {
    let attempts = receipt.attempts();
    let Some(status) = receipt.status() else { return println!("  discarded") };
    println!("  accepted: {status}, attempts: {attempts}, after {:.1?}", receipt.elapsed());
    for id in receipt.source_request_ids() {
        println!("  source_request_id {id}");
    }
    match receipt.rate_limit_percentage_used() {
        Some(percentage) => println!("  {percentage} % of the rate limit used"),
        None => println!(
            "  the response does not contain the percentage of the rate limit that is used"
        ),
    }
}
