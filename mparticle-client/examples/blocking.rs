//! Uploads batches with the blocking client, without `async`.
//!
//! ```console
//! cargo run --example blocking --features blocking
//! ```

mod support;

use mparticle_client::models::{
    Batch, CustomEvent, CustomEventType, Environment, UnixMillis, UserIdentities,
};
use support::{Destination, Failure};

fn main() -> Result<(), Failure> {
    support::init_logging();
    // The emulator needs a Tokio runtime. The blocking client does not.
    let emulator_runtime = tokio::runtime::Runtime::new()?;
    let destination = emulator_runtime.block_on(Destination::from_env())?;
    let client = destination.client_builder().build_blocking()?;

    let receipt = client.upload_events(&export_finished("42"))?;
    println!("One batch, attempts: {}.", receipt.attempts());

    let batches = ["43", "44", "45"].map(export_finished);
    let receipt = client.bulk_upload_events(&batches)?;
    println!("One request with {} batches, attempts: {}.", batches.len(), receipt.attempts());

    let batches = (100..350).map(|customer| export_finished(&customer.to_string()));
    let report = client.upload_all(batches).concurrency(2).run()?;
    println!("{} of {} batches delivered by upload_all.", report.delivered(), report.given());

    destination.print_received();
    Ok(())
}

fn export_finished(customer_id: &str) -> Batch {
    Batch::new(Environment::Development)
        .with_user_identities(UserIdentities::new().with_customer_id(customer_id))
        .with_event(
            CustomEvent::new("Export finished", CustomEventType::Other)
                .with_timestamp_unixtime_ms(UnixMillis::now()),
        )
}
