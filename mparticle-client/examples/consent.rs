//! Consent: what a user agreed to under the GDPR, and objected to under the CCPA.
//!
//! ```console
//! cargo run --example consent
//! ```
//!
//! A GDPR purpose has to be set up in mParticle before it can be used. The one purpose of the CCPA is there from the
//! start.

mod support;

use mparticle_client::models::{
    Batch, ConsentState, Environment, GdprConsentState, UnixMillis, UserIdentities,
};
use support::{Destination, Failure};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    support::start_log();
    let destination = Destination::from_env().await?;
    let client = destination.client_builder().build()?;

    // Under the GDPR, true means that the user agreed.
    let agreed = GdprConsentState::new(true, UnixMillis::now())
        .with_document("privacy policy, version 3")
        .with_location("https://example.com/settings");
    let state = ConsentState::new().with_gdpr_consent("newsletter", agreed).with_gdpr_decision(
        "advertising",
        false,
        UnixMillis::now(),
    );
    let receipt = client.upload_events(&decision(state)).await?;
    println!("Agreed to the newsletter and to no advertising: {}.", receipt.status());

    // Later. Only what changed has to be sent.
    let state = ConsentState::new().with_gdpr_decision("newsletter", false, UnixMillis::now());
    let receipt = client.upload_events(&decision(state)).await?;
    println!("No newsletter either: {}.", receipt.status());

    // Under the CCPA it is the other way round: true means that the user opted out of the sale of data.
    let state = ConsentState::new().with_data_sale_opt_out(true, UnixMillis::now());
    let receipt = client.upload_events(&decision(state)).await?;
    println!("Opted out of the sale of data: {}.", receipt.status());

    destination.print_received();
    Ok(())
}

/// A batch without events updates the profile.
fn decision(state: ConsentState) -> Batch {
    Batch::new(Environment::Development)
        .with_user_identities(UserIdentities::new().with_customer_id("42"))
        .with_consent_state(state)
}
