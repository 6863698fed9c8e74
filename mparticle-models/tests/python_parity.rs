//! The examples in the documentation of mParticle's Python SDK in as few lines, and the features that only this SDK
//! has.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use mparticle_models::{
    ApplicationStateTransitionEvent, AttAuthorizationStatus, Batch, CcpaConsent, CcpaConsentState,
    CommerceEvent, ConsentState, Context, CustomEvent, CustomEventType, DataPlanContext,
    DeviceInformation, Environment, Event, GdprConsentState, GeoLocation, Product, ProductAction,
    ProductActionKind, ProductImpression, Promotion, SessionEndEvent, SessionStartEvent,
    UnixMillis, UserIdentities,
};
use serde_json::{Value, json};

fn written(batch: &Batch) -> Value {
    assert_eq!(batch.validate(), []);
    serde_json::to_value(batch).unwrap()
}

/// The events of a development batch as they are written.
fn events<E: Into<Event>>(events: impl IntoIterator<Item = E>) -> Value {
    written(&Batch::new(Environment::Development).with_events(events))["events"].take()
}

#[test]
fn the_first_example_of_the_readme() {
    let batch = Batch::new(Environment::Development)
        .with_event(SessionStartEvent::new())
        .with_event(CustomEvent::new("Hello World", CustomEventType::Navigation))
        .with_event(SessionEndEvent::new(10_000));
    let expected = json!({
        "environment": "development",
        "events": [
            { "event_type": "session_start", "data": {} },
            { "event_type": "custom_event", "data": { "event_name": "Hello World", "custom_event_type": "navigation" } },
            { "event_type": "session_end", "data": { "session_duration_ms": 10_000 } },
        ],
    });
    assert_eq!(written(&batch), expected);
}

#[test]
fn batch_environment_and_what_belongs_to_the_user() {
    let batch = Batch::new(Environment::Development)
        .with_mpid(600_868_121_729_048_600)
        .with_mp_deviceid("59780f39-d7a0-4ebe-9950-280f937c29e2")
        .with_user_identities(
            UserIdentities::new().with_customer_id("123456").with_email("user@example.com"),
        )
        .with_user_attribute("Account type", "trial")
        .with_user_attribute("TrialEndDate", "2016-12-01")
        .with_user_attribute("sports", ["tennis", "chess"])
        .with_integration("123", [("someIntegrationAttribute", "value")]);
    let expected = json!({
        "environment": "development",
        "mpid": 600_868_121_729_048_600_i64,
        "mp_deviceid": "59780f39-d7a0-4ebe-9950-280f937c29e2",
        "user_identities": { "customer_id": "123456", "email": "user@example.com" },
        "user_attributes": {
            "Account type": "trial",
            "TrialEndDate": "2016-12-01",
            "sports": ["tennis", "chess"],
        },
        "integration_attributes": { "123": { "someIntegrationAttribute": "value" } },
    });
    assert_eq!(written(&batch), expected);
}

#[test]
fn device_information() {
    let device = DeviceInformation::new()
        .with_ios_advertising_id("07d2ebaa-e956-407e-a1e6-f05f871bf4e2")
        .with_att_authorization_status(AttAuthorizationStatus::Authorized)
        .with_att_timestamp_unixtime_ms(UnixMillis::from_millis(1_552_596_256_103))
        .with_android_advertising_id("a26f9736-c262-47ea-988b-0b0504cee874");
    let expected = json!({
        "ios_advertising_id": "07d2ebaa-e956-407e-a1e6-f05f871bf4e2",
        "att_authorization_status": "authorized",
        "att_timestamp_unixtime_ms": 1_552_596_256_103_i64,
        "android_advertising_id": "a26f9736-c262-47ea-988b-0b0504cee874",
    });
    let batch = Batch::new(Environment::Development).with_device_info(device);
    assert_eq!(written(&batch)["device_info"], expected);
}

#[test]
fn consent_under_ccpa_and_gdpr() {
    let at = UnixMillis::from_secs(1_795_446_141);
    let consent = ConsentState::new()
        .with_gdpr_consent(
            "document_agreement",
            GdprConsentState::new(true, at)
                .with_document("document_agreement.v2")
                .with_location("dtmgbank.com/signup")
                .with_hardware_id("IDFA:a5d934n0-232f-4afc-2e9a-3832d95zc702"),
        )
        .with_ccpa(CcpaConsent::new(
            CcpaConsentState::new(true, at).with_document("document_agreement.v3"),
        ));
    let expected = json!({
        "gdpr": { "document_agreement": {
            "consented": true,
            "timestamp_unixtime_ms": 1_795_446_141_000_i64,
            "document": "document_agreement.v2",
            "location": "dtmgbank.com/signup",
            "hardware_id": "IDFA:a5d934n0-232f-4afc-2e9a-3832d95zc702",
        } },
        "ccpa": { "data_sale_opt_out": {
            "consented": true,
            "timestamp_unixtime_ms": 1_795_446_141_000_i64,
            "document": "document_agreement.v3",
        } },
    });
    let batch = Batch::new(Environment::Development).with_consent_state(consent);
    assert_eq!(written(&batch)["consent_state"], expected);
    let short =
        ConsentState::new().with_gdpr_decision("p", true, at).with_data_sale_opt_out(true, at);
    let decision = json!({ "consented": true, "timestamp_unixtime_ms": 1_795_446_141_000_i64 });
    let expected = json!({ "gdpr": { "p": decision }, "ccpa": { "data_sale_opt_out": decision } });
    assert_eq!(serde_json::to_value(short).unwrap(), expected);
}

#[test]
fn a_custom_event_with_attributes_and_flags() {
    let event = CustomEvent::new("Example", CustomEventType::Navigation)
        .with_timestamp_unixtime_ms(UnixMillis::from_millis(1_552_596_256_103))
        .with_custom_attribute("foo", "bar")
        .with_custom_attribute("count", 3)
        .with_custom_flag("answer", 42)
        .with_custom_flag("dolphins", vec!["So long", "Thanks for all the fish"]);
    let expected = json!([{ "event_type": "custom_event", "data": {
        "event_name": "Example",
        "custom_event_type": "navigation",
        "timestamp_unixtime_ms": 1_552_596_256_103_i64,
        "custom_attributes": { "foo": "bar", "count": 3 },
        "custom_flags": { "answer": 42, "dolphins": ["So long", "Thanks for all the fish"] },
    } }]);
    assert_eq!(events([event]), expected);
}

#[test]
fn a_purchase_with_attributes_of_its_product() {
    let product = Product::new()
        .with_id("sample-sku")
        .with_name("Example Product")
        .with_price(19.99)
        .with_custom_attribute("foo", "bar");
    let action = ProductAction::new(ProductActionKind::Purchase)
        .with_total_amount(21.49)
        .with_tax_amount(1.50)
        .with_product(product);
    let expected = json!([{ "event_type": "commerce_event", "data": { "product_action": {
        "action": "purchase",
        "total_amount": 21.49,
        "tax_amount": 1.5,
        "products": [{
            "id": "sample-sku",
            "name": "Example Product",
            "price": 19.99,
            "custom_attributes": { "foo": "bar" },
        }],
    } } }]);
    assert_eq!(events([CommerceEvent::product(action)]), expected);
}

#[test]
fn the_start_and_the_end_of_a_session() {
    let start = SessionStartEvent::new()
        .with_session_id(12_345_678)
        .with_timestamp_unixtime_ms(UnixMillis::from_millis(1_552_596_256_103));
    let end = SessionEndEvent::new(10_000).with_session_id(12_345_678);
    let expected = json!([
        { "event_type": "session_start", "data": { "session_id": 12_345_678, "timestamp_unixtime_ms": 1_552_596_256_103_i64 } },
        { "event_type": "session_end", "data": { "session_duration_ms": 10_000, "session_id": 12_345_678 } },
    ]);
    assert_eq!(events([Event::from(start), end.into()]), expected);
}

#[test]
fn the_four_states_of_an_application() {
    let states = [
        ApplicationStateTransitionEvent::install(),
        ApplicationStateTransitionEvent::upgrade(),
        ApplicationStateTransitionEvent::foreground(),
        ApplicationStateTransitionEvent::background(),
    ];
    let written = events(states);
    let data: Vec<_> = written.as_array().unwrap().iter().map(|event| &event["data"]).collect();
    let started = |install: bool| {
        json!({
            "application_transition_type": "application_initialized",
            "is_first_run": install,
            "is_upgrade": !install,
        })
    };
    let moved = |to: &str| json!({ "application_transition_type": to });
    assert_eq!(
        data,
        [
            &started(true),
            &started(false),
            &moved("application_foreground"),
            &moved("application_background")
        ]
    );
}

#[test]
fn attribution() {
    let event = CustomEvent::attribution("publisher", "campaign");
    let expected = json!([{ "event_type": "custom_event", "data": {
        "event_name": "attribution",
        "custom_event_type": "attribution",
        "custom_attributes": { "publisher": "publisher", "campaign": "campaign" },
    } }]);
    assert_eq!(events([event]), expected);
}

#[test]
fn promotions_and_impressions() {
    let shown =
        CommerceEvent::promotion_view([Promotion::new().with_id("p-1").with_creative("banner")]);
    let listed =
        ProductImpression::new("search results").with_product(Product::new().with_id("sku"));
    let expected = json!([
        { "event_type": "commerce_event", "data": { "promotion_action": {
            "action": "view",
            "promotions": [{ "id": "p-1", "creative": "banner" }],
        } } },
        { "event_type": "commerce_event", "data": { "product_impressions": [{
            "product_impression_list": "search results",
            "products": [{ "id": "sku" }],
        }] } },
    ]);
    assert_eq!(events([shown, CommerceEvent::impression([listed])]), expected);
}

#[test]
fn partner_identities_data_plan_and_location_of_a_batch() {
    let context = Context::new()
        .with_data_plan(DataPlanContext::new("mobile_data_plan").with_plan_version(2))
        .with_location(GeoLocation::new(40.7142, -74.0064).with_country_code("US"));
    let batch = Batch::new(Environment::Production)
        .with_context(context)
        .with_partner_identities([("Partner_VisitorId", "v-1")]);
    let expected = json!({
        "environment": "production",
        "partner_identities": { "Partner_VisitorId": "v-1" },
        "context": {
            "data_plan": { "plan_id": "mobile_data_plan", "plan_version": 2 },
            "location": { "latitude": 40.7142, "longitude": -74.0064, "country_code": "US" },
        },
    });
    assert_eq!(written(&batch), expected);
}
