"""Sends made-up batches with mParticle's Python SDK; README.md says how to run it.

Prints a description of the SDK, and then the name of each request before it is sent.
"""

import decimal
import importlib.metadata
import os
import platform
import sys

import mparticle
from mparticle import rest

TIME = 1700000000000
SESSION = "4f1c2f0a-8f0e-4c7e-9f65-0d6c1a2b3c4d"

configuration = mparticle.Configuration()
configuration.host = os.environ["EMULATOR_URL"]
configuration.api_key = os.environ["EMULATOR_KEY"]
configuration.api_secret = os.environ["EMULATOR_SECRET"]
api = mparticle.EventsApi(configuration)


def send(name, upload, body, **options):
    print(name, flush=True)
    try:
        result = upload(body, **options)
        if options:
            result.join()
    except rest.ApiException as error:
        print(f"{name}: {error.status} {error.body}", file=sys.stderr)


def batch(request_id, *events, environment="development"):
    batch = mparticle.Batch()
    batch.environment = environment
    batch.source_request_id = f"python-{request_id}"
    if events:
        batch.events = list(events)
    return batch


def app_event(name="Opened settings", kind="navigation"):
    return mparticle.AppEvent(name, kind, timestamp_unixtime_ms=TIME)


def with_event_fields(event):
    event.timestamp_unixtime_ms = TIME
    event.event_id = 4611686018427387904
    event.source_message_id = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
    event.session_id = 1234567890123
    event.session_uuid = SESSION
    event.location = mparticle.GeoLocation(latitude=52.52, longitude=13.405, accuracy=12.5)
    state = mparticle.DeviceCurrentState()
    state.time_since_start_ms = 5000
    state.battery_level = 0.75
    state.data_connection_type = "wifi"
    state.data_connection_type_detail = "802.11ac"
    state.gps_state = True
    state.total_system_memory_usage_bytes = 2147483648
    state.disk_space_free_bytes = 64000000000
    state.cpu = "1.5"
    state.system_memory_available_bytes = 1073741824.0
    state.system_memory_low = False
    state.system_memory_threshold_bytes = 134217728
    state.application_memory_available_bytes = 268435456
    state.application_memory_max_bytes = 536870912
    state.application_memory_total_bytes = 402653184
    state.device_orientation = "LandscapeLeft"
    state.status_bar_orientation = "portrait_upside_down"
    event.device_current_state = state
    return event


def device():
    device = mparticle.DeviceInformation()
    device.brand = "example"
    device.product = "phone"
    device.device = "example-phone"
    device.android_uuid = "2b6f0cc904d137be"
    device.device_manufacturer = "Example Inc."
    device.platform = "Android"
    device.os_version = "14"
    device.device_model = "Phone 7"
    device.screen_height = 2400
    device.screen_width = 1080
    device.screen_dpi = 420
    device.device_country = "DE"
    device.locale_language = "de"
    device.locale_country = "DE"
    device.network_country = "DE"
    device.network_carrier = "Example Mobile"
    device.network_code = "01"
    device.network_mobile_country_code = "262"
    device.timezone_offset = 1
    device.build_identifier = "EX1A.231005.007"
    device.http_header_user_agent = "ExampleApp/1.0 (Android 14)"
    device.push_token = "made-up-push-token"
    device.cpu_architecture = "arm64-v8a"
    device.is_tablet = False
    device.push_notification_sound_enabled = True
    device.push_notification_vibrate_enabled = False
    device.radio_access_technology = "LTE"
    device.supports_telephony = True
    device.has_nfc = True
    device.bluetooth_enabled = False
    device.bluetooth_version = "5.3"
    device.android_advertising_id = "0f8fad5b-d9cb-469f-a165-70867728950e"
    device.amp_id = "amp-made-up-id"
    return device


def connected_tv():
    device = mparticle.DeviceInformation()
    device.platform = "roku"
    device.roku_advertising_id = "1b4e28ba-2fa1-11d2-883f-0016d3cca427"
    device.roku_publisher_id = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
    device.fire_advertising_id = "6fa459ea-ee8a-3ca4-894e-db77e160355e"
    device.microsoft_advertising_id = "886313e1-3b8a-5372-9b90-0c9aee199e5d"
    device.microsoft_publisher_id = "16fd2706-8baf-433b-82eb-8c7fada847da"
    device.ios_advertising_id = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
    device.ios_idfv = "6ba7b811-9dad-11d1-80b4-00c04fd430c8"
    device.att_timestamp_unixtime_ms = TIME
    device.att_authorization_status = "not_determined"
    return device


def application():
    return mparticle.ApplicationInformation(
        application_name="Example",
        application_version="1.0.3",
        install_referrer="https://example.com/?utm_source=letter",
        package="com.example.app",
    )


def product(price=19.99):
    product = mparticle.Product()
    product.id = "sku-1"
    product.name = "Mug"
    product.brand = "Example"
    product.category = "Kitchen/Mugs"
    product.variant = "blue"
    product.position = 1
    product.price = price
    product.quantity = 2
    product.coupon_code = "SPRING"
    product.added_to_cart_time_ms = TIME
    product.total_product_amount = 39.98
    product.custom_attributes = {"glazed": "yes"}
    return product


def commerce_event(action="purchase", **parts):
    action = mparticle.ProductAction(action)
    action.checkout_step = 3
    action.checkout_options = "express"
    action.product_action_list = "checkout"
    action.product_list_source = "newsletter"
    action.transaction_id = "order-1"
    action.affiliation = "Example Shop"
    action.total_amount = 45.5
    action.tax_amount = 7.26
    action.shipping_amount = 5
    action.coupon_code = "SPRING"
    action.products = [product(**parts)]
    event = mparticle.CommerceEvent(action)
    event.shopping_cart = mparticle.ShoppingCart([product()])
    event.currency_code = "EUR"
    event.screen_name = "Checkout"
    event.is_non_interactive = False
    event.custom_attributes = {"gift": True, "note": "Grüße 🎁"}
    event.custom_flags = {"channel": "web"}
    return event


def promotion_event():
    promotion = mparticle.Promotion(id="promo-1", name="Spring", creative="banner-3", position="top")
    return mparticle.CommerceEvent(promotion_action=mparticle.PromotionAction("view", [promotion]))


def impression_event():
    impression = mparticle.ProductImpression("Search results", [product()])
    return mparticle.CommerceEvent(product_impressions=[impression])


def network_performance():
    return mparticle.NetworkPerformanceEvent(
        http_verb="GET", url="https://example.com/api", time_elapsed=120, bytes_in=2048,
        bytes_out=512, response_code=200, data="made up")


def crash():
    return mparticle.CrashReportEvent(
        breadcrumbs=[mparticle.BreadcrumbEvent(session_number=3, label="opened cart")],
        class_name="ValueError", severity="fatal", message="made-up crash",
        stack_trace="main.py:1", exception_handled=False, session_number=3)


def media_event():
    event = app_event("Played episode", "other")
    media = mparticle.MediaInfo()
    media.action = "play"
    media.channel = "episodes"
    media.metadata = "episode 1"
    media.timed_metadata = "chapter 2"
    media.playback_position = 12.5
    media.format = "video"
    media.quality = "ultra_hd"
    media.playback_rate = 1.25
    event.media_info = media
    event.custom_flags = {"answer": 42, "list": ["a", "b"]}
    return event


versions = [f"{name} {importlib.metadata.version(name)}" for name in ("mparticle", "urllib3")]
print(", ".join([*versions, f"Python {platform.python_version()}"]), flush=True)

event = with_event_fields(app_event())
event.custom_attributes = {"text": "a", "number": 1, "decimal": 0.5, "flag": True, "none": None}
event.custom_flags = {"flag": "value"}
send("app event", api.upload_events, batch("app-event", event))

send("event types", api.upload_events, batch(
    "event-types",
    mparticle.FirstRunEvent(timestamp_unixtime_ms=TIME),
    mparticle.SessionStartEvent(session_uuid=SESSION),
    mparticle.ScreenViewEvent(screen_name="Home", activity_type="activity"),
    mparticle.BreadcrumbEvent(session_number=3, label="opened cart"),
    mparticle.OptOutEvent(is_opted_out=True),
    mparticle.ProfileEvent(profile_name="a", previous_profile_name="b", profile_event_type="login"),
    mparticle.PushRegistrationEvent(register=True, registration_token="made-up-push-token"),
    mparticle.PushMessageEvent(
        push_message_token="made-up-push-token", push_message_type="received", message="hi",
        network="fcm", push_notification_payload="{}", application_state="background",
        action_identifier="open"),
    network_performance(),
    mparticle.models.user_attribute_change_event.UserAttributeChangeEvent(
        user_attribute_name="plan", new="pro", old="free", deleted=False, is_new_attribute=False),
    mparticle.SessionEndEvent(session_uuid=SESSION, session_duration_ms=61000),
))

send("convenience constructors", api.upload_events, batch(
    "convenience",
    mparticle.ApplicationStateTransitionEvent.create_install_event(),
    mparticle.ApplicationStateTransitionEvent.create_upgrade_event(),
    mparticle.ApplicationStateTransitionEvent.create_foreground_event(),
    mparticle.ApplicationStateTransitionEvent.create_background_event(),
    mparticle.AppEvent.create_attribution_event("letter", "spring"),
    mparticle.AppEvent.create_attribution_delete_event(),
))

single = batch("user")
single.mpid = -4611686018427387904
single.user_identities = mparticle.UserIdentities(**{
    name: f"made-up-{name}" for name in mparticle.UserIdentities().swagger_types})
single.user_attributes = {
    "plan": "pro", "age": 30, "score": 0.5, "subscribed": True, "tag": None, "colors": ["red", "blue"]}
single.deleted_user_attributes = ["nickname"]
send("user without events", api.upload_events, single)

single = batch("batch-fields", app_event(), environment="production")
single.mpid = 4611686018427387904
single.mp_deviceid = "59780f39-d7a0-4ebe-9950-280f937c29e2"
single.ip = "192.0.2.17"
single.schema_version = 2
single.api_key = "made-up-key"
single.device_info = device()
single.application_info = application()
single.integration_attributes = {"68": {"visitor_id": "made-up"}}
single.context = mparticle.BatchContext()
single.context.data_plan = mparticle.DataPlanContext(plan_id="example_plan", plan_version=2)
send("batch fields", api.upload_events, single)

single = batch("connected-tv", app_event())
single.device_info = connected_tv()
send("connected tv", api.upload_events, single)

single = batch("consent", app_event())
single.consent_state = mparticle.ConsentState()
single.consent_state.gdpr = {"marketing": mparticle.GDPRConsentState(
    document="terms-2", consented=True, timestamp_unixtime_ms=TIME, location="sign-up page",
    hardware_id="made-up-hardware")}
single.consent_state.ccpa = {"data_sale_opt_out": mparticle.CCPAConsentState(
    document="terms-2", consented=False, timestamp_unixtime_ms=TIME, location="sign-up page",
    hardware_id="made-up-hardware")}
send("consent", api.upload_events, single)

send("commerce", api.upload_events, batch(
    "commerce", commerce_event(), commerce_event("remove_from_wish_list"), promotion_event(),
    impression_event()))
send("media", api.upload_events, batch("media", media_event()))
send("bulk", api.bulk_upload_events, [batch(f"bulk-{n}", app_event()) for n in range(3)])
send("bulk with callback", api.bulk_upload_events, [batch("callback", app_event("Überweisung 🚀"))],
     callback=lambda answer: None)

# The SDK mislabels, changes or does not check the following requests.
send("crash report", api.upload_events, batch("crash", crash()))
single = mparticle.Batch(events=[app_event()], environment="development",
                         source_request_id="python-constructor")
send("events of the constructor", api.upload_events, single)
send("decimal price", api.upload_events,
     batch("decimal", commerce_event(price=decimal.Decimal("19.99"))))
single = batch("mpid-text", app_event())
single.mpid = "4611686018427387904"
send("mpid as text", api.upload_events, single)
event = app_event()
event.timestamp_unixtime_ms = TIME + 0.25  # as computed by time.time() * 1000
send("fractional timestamp", api.upload_events, batch("fraction", event))
event = app_event()
event.custom_attributes = {"ratio": float("nan")}
send("not a number", api.upload_events, batch("nan", event))
send("empty bulk", api.bulk_upload_events, [])
single = batch("no-environment", app_event())
single._environment = None
send("no environment", api.upload_events, single)
