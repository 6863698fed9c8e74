//! A typical batch of four events.

use mparticle_client::models::{
    AttAuthorizationStatus, Batch, CommerceEvent, CustomEvent, CustomEventType, DeviceInformation,
    Environment, Event, Platform, Product, ProductAction, ProductActionKind, ScreenViewEvent,
    SessionStartEvent, UnixMillis, UserIdentities,
};

/// Returns the batch of user `number`, with a device, attributes and four events.
pub(crate) fn batch(number: usize) -> Batch {
    let session = "7a6ac9b2-90d3-4d6e-9f6f-1c8e1a1b2c3d";
    let at = |seconds: i64| UnixMillis::from_millis(1_700_000_000_000 + seconds * 1000);
    let user =
        UserIdentities::new().with_customer_id(number.to_string()).with_email("user@example.com");
    let device = DeviceInformation::new()
        .with_platform(Platform::Ios)
        .with_ios_advertising_id("07d2ebaa-e956-407e-a1e6-f05f871bf4e2")
        .with_att_authorization_status(AttAuthorizationStatus::Authorized);
    let product = Product::new().with_id("sample-sku").with_name("Example").with_price(19.99);
    let purchase = ProductAction::new(ProductActionKind::Purchase)
        .with_transaction_id("t-1")
        .with_total_amount(41.48)
        .with_product(product);
    let custom = CustomEvent::new("Example", CustomEventType::Navigation)
        .with_custom_attribute("from", "home")
        .with_custom_attribute("reason", "the user tapped a banner");
    let events: [Event; 4] = [
        SessionStartEvent::new()
            .with_timestamp_unixtime_ms(at(0))
            .with_session_uuid(session)
            .into(),
        ScreenViewEvent::new("Home")
            .with_timestamp_unixtime_ms(at(1))
            .with_session_uuid(session)
            .into(),
        custom.with_timestamp_unixtime_ms(at(2)).with_session_uuid(session).into(),
        CommerceEvent::product(purchase)
            .with_timestamp_unixtime_ms(at(3))
            .with_session_uuid(session)
            .into(),
    ];
    Batch::new(Environment::Production)
        .with_user_identities(user)
        .with_user_attribute("Account type", "trial")
        .with_user_attribute("$city", "Springfield")
        .with_device_info(device)
        .with_events(events)
}
