//! The first upload: one batch with a bit of everything, then three batches in one request.
//!
//! ```console
//! cargo run --example quickstart
//! ```
//!
//! sends to an emulator of mParticle inside this process. With `MPARTICLE_API_KEY` and `MPARTICLE_API_SECRET` set it
//! sends to mParticle, in the pod that `MPARTICLE_POD` names (`us1` unless set), or to `MPARTICLE_BASE_URL`.
//! `RUST_LOG=debug` shows what the client does.

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
    support::start_log();
    let destination = Destination::from_env().await?;
    let client = destination.client_builder().build()?;

    let batch = customer::batch(UnixMillis::now());
    println!("One batch with {} events:", batch.events.len());
    for violation in batch.validate() {
        println!("  mParticle would object: {violation}");
    }
    print_receipt(&client.upload_events(&batch).await?);

    let batches: Vec<Batch> = ["43", "44", "45"].map(newcomer).into();
    println!("\n{} batches of different users in one request:", batches.len());
    print_receipt(&client.bulk_upload_events(&batches).await?);

    destination.print_received();
    Ok(())
}

/// The shortest batch that makes sense: somebody did something.
fn newcomer(customer_id: &str) -> Batch {
    Batch::new(Environment::Development)
        .with_user_identities(UserIdentities::new().with_customer_id(customer_id))
        .with_event(
            CustomEvent::new("Signed up", CustomEventType::Navigation)
                .with_timestamp_unixtime_ms(UnixMillis::now()),
        )
}

fn print_receipt(receipt: &Receipt) {
    let (status, attempts) = (receipt.status(), receipt.attempts());
    println!("  accepted: {status}, attempts: {attempts}, after {:.1?}", receipt.elapsed());
    for id in receipt.source_request_ids() {
        println!("  source_request_id {id}");
    }
    match receipt.rate_limit_percentage_used() {
        Some(percentage) => println!("  {percentage} % of the rate limit used"),
        None => println!("  the answer does not tell how much of the rate limit is used"),
    }
}
