//! Uploads the consent of a user under the GDPR and the CCPA.
//!
//! ```console
//! cargo run --example consent
//! ```
//!
//! A GDPR purpose must be created in mParticle before it can be used. The only purpose of the CCPA, `data_sale_opt_out`,
//! always exists.

mod support;

use mparticle_client::models::{
    Batch, ConsentState, Environment, GdprConsentState, UnixMillis, UserIdentities,
};
use support::{Destination, Failure};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    support::init_logging();
    let destination = Destination::from_env().await?;
    let client = destination.client_builder().build()?;

    // Under the GDPR, `true` means that the user has given consent.
    let agreed = GdprConsentState::new(true, UnixMillis::now())
        .with_document("privacy policy, version 3")
        .with_location("https://example.com/settings");
    let state = ConsentState::new().with_gdpr_consent("newsletter", agreed).with_gdpr_decision(
        "advertising",
        false,
        UnixMillis::now(),
    );
    let receipt = client.upload_events(&consent_update(state)).await?;
    println!("Consent to the newsletter only, attempts: {}.", receipt.attempts());

    // Later, only the changed consent has to be sent.
    let state = ConsentState::new().with_gdpr_decision("newsletter", false, UnixMillis::now());
    let receipt = client.upload_events(&consent_update(state)).await?;
    println!("Consent to the newsletter withdrawn, attempts: {}.", receipt.attempts());

    // Under the CCPA, `true` means the opposite: the user has opted out of the sale of data.
    let state = ConsentState::new().with_data_sale_opt_out(true, UnixMillis::now());
    let receipt = client.upload_events(&consent_update(state)).await?;
    println!("Opted out of the sale of data, attempts: {}.", receipt.attempts());

    destination.print_received();
    Ok(())
}

/// Returns a batch without events, which updates the profile of the user.
fn consent_update(state: ConsentState) -> Batch {
    Batch::new(Environment::Development)
        .with_user_identities(UserIdentities::new().with_customer_id("42"))
        .with_consent_state(state)
}
