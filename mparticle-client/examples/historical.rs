//! Uploads orders of 40 days ago to the endpoint for historical data.
//!
//! ```console
//! cargo run --example historical
//! ```
//!
//! mParticle updates user profiles with historical events and does not forward them. It silently ignores events that are
//! less than 72 hours old. The client therefore refuses to send such events.

mod support;

use mparticle_client::ErrorKind;
use mparticle_client::models::{
    Batch, CommerceEvent, Environment, Product, UnixMillis, UserIdentities,
};
use std::time::{Duration, SystemTime};
use support::{Destination, Failure};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[tokio::main]
async fn main() -> Result<(), Failure> {
    support::init_logging();
    let destination = Destination::from_env().await?;
    let client = destination.client_builder().build()?;
    let now = SystemTime::now();

    let orders = ["42", "43", "44"].map(|customer_id| order(customer_id, now - 40 * DAY));
    let receipt = client.bulk_upload_historical_events(&orders).await?;
    println!("{} orders of 40 days ago, attempts: {}.", orders.len(), receipt.attempts());

    let recent = order("45", now - 2 * DAY);
    match client.bulk_upload_historical_events(&[recent]).await {
        Err(error) if error.kind() == ErrorKind::Invalid => {
            println!("An order of 2 days ago is not sent: {error}.");
        }
        Err(error) => return Err(error.into()),
        Ok(_) => println!("An order of 2 days ago was accepted unexpectedly."),
    }

    // `upload_all` can send any number of historical batches.
    let orders = (100..350).map(|customer| order(&customer.to_string(), now - 40 * DAY));
    let report = client.upload_all(orders).historical().await;
    println!("{} of {} more orders delivered.", report.delivered(), report.given());

    destination.print_received();
    Ok(())
}

fn order(customer_id: &str, placed: SystemTime) -> Batch {
    let shoe = Product::new().with_id("sku-1").with_price(49.95).with_quantity(1);
    Batch::new(Environment::Development)
        .with_user_identities(UserIdentities::new().with_customer_id(customer_id))
        .with_event(
            CommerceEvent::purchase(format!("order-of-{customer_id}"), [shoe])
                .with_timestamp_unixtime_ms(UnixMillis::from(placed)),
        )
}
