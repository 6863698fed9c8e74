//! A batch that uses most fields: a customer of a shop and the events of one visit.

use std::time::Duration;

use mparticle_client::models::{
    ApplicationInformation, ApplicationStateTransitionEvent, AttAuthorizationStatus, Batch,
    CommerceEvent, ConsentState, CustomEvent, CustomEventType, DeviceInformation, Environment,
    Event, Product, ProductAction, ProductActionKind, SessionEndEvent, SessionStartEvent,
    UnixMillis, UserIdentities, events,
};

/// The id of the session to which all events of the visit belong.
const SESSION_ID: &str = "7b0c5f0e-9d5a-4f0e-8f55-0d9a6f3c2b11";

/// The time between two consecutive events of the visit.
const STEP: Duration = Duration::from_secs(5);

/// The duration of the visit, which has nine events.
const VISIT: Duration = STEP.saturating_mul(8);

/// Returns a batch with the data of the customer and a visit that ended at a given time.
pub(crate) fn batch(visit_end: UnixMillis) -> Batch {
    Batch::new(Environment::Development)
        .with_user_identities(
            UserIdentities::new().with_customer_id("42").with_email("a@example.com"),
        )
        .with_user_attribute("$firstname", "Ada")
        .with_user_attribute("plan", "gold")
        .with_user_attribute("age", 36)
        .with_user_attribute("interests", ["shoes", "chess"])
        .with_device_info(device())
        .with_application_info(
            ApplicationInformation::new()
                .with_application_name("Shop")
                .with_application_version("2.1.0"),
        )
        .with_consent_state(
            ConsentState::new()
                .with_gdpr_decision("marketing", true, visit_end)
                .with_data_sale_opt_out(true, visit_end),
        )
        .with_ip("203.0.113.7")
        .with_events(visit(visit_end))
}

/// Returns a device with the advertising ids of both platforms. A real device has one of them.
fn device() -> DeviceInformation {
    DeviceInformation::new()
        .with_ios_advertising_id("613f8504-4f4b-4c4f-a8b7-2b1d1f7a9c01")
        .with_att_authorization_status(AttAuthorizationStatus::Authorized)
        .with_android_advertising_id("1d8b2a34-66e1-4f0a-9d1c-5a0e7a3c9b02")
}

/// Returns the events of the visit in chronological order, from the installation to the exit.
fn visit(end: UnixMillis) -> Vec<Event> {
    let viewed = CustomEvent::new("Viewed size guide", CustomEventType::Navigation)
        .with_custom_attribute("source", "product page")
        .with_custom_attribute("seconds", 12.5);
    let mut events = events![
        SessionStartEvent::new(),
        ApplicationStateTransitionEvent::install(),
        ApplicationStateTransitionEvent::upgrade(),
        ApplicationStateTransitionEvent::foreground(),
        viewed,
        purchase(),
        ApplicationStateTransitionEvent::background(),
        ApplicationStateTransitionEvent::exit(),
        SessionEndEvent::new(VISIT),
    ];
    let mut time = end - VISIT;
    for common in events.iter_mut().filter_map(Event::common_mut) {
        common.session_uuid = Some(SESSION_ID.to_owned());
        common.timestamp_unixtime_ms = Some(time);
        time += STEP;
    }
    events
}

fn purchase() -> CommerceEvent {
    let shoe = Product::new()
        .with_id("sku-1")
        .with_name("Running shoe")
        .with_price(49.95)
        .with_quantity(2)
        .with_total_product_amount(99.9);
    CommerceEvent::product(
        ProductAction::new(ProductActionKind::Purchase)
            .with_transaction_id("order-1")
            .with_total_amount(103.9)
            .with_shipping_amount(4)
            .with_product(shoe),
    )
    .with_currency_code("EUR")
}
