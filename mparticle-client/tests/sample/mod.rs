//! The batch that the tests send, and a client whose backoff is the same in every run.

use mparticle_client::models::{
    Batch, CustomEvent, CustomEventType, Environment, UnixMillis, UserIdentities,
};
use mparticle_client::testing::Emulator;
use mparticle_client::{ClientBuilder, RetryPolicy};

/// Returns a batch without an id. Its values are unique, so that a search for one finds only this batch.
pub(crate) fn batch() -> Batch {
    let event = CustomEvent::new("Opened vault", CustomEventType::Navigation)
        .with_timestamp_unixtime_ms(UnixMillis::from_millis(1_500_000_000_000))
        .with_custom_attribute("room", "attr-in-event-4711");
    Batch::new(Environment::Production)
        .with_user_identities(
            UserIdentities::new()
                .with_customer_id("customer-4711")
                .with_email("jane.4711@example.com"),
        )
        .with_user_attribute("shoe size", "attr-of-user-4711")
        .with_event(event)
}

/// Returns a builder for clients with the jitter seed 7.
pub(crate) fn builder(emulator: &Emulator) -> ClientBuilder {
    emulator.client_builder().retry(RetryPolicy::default().with_jitter_seed(7))
}
