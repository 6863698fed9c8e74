// Sends made-up batches with mParticle's Node SDK; README.md says how to run it.
//
// Prints a description of the SDK, and then the name of each request before it is sent.

'use strict';

const mParticle = require('mparticle');

const TIME = 1700000000000;
const SESSION = '4f1c2f0a-8f0e-4c7e-9f65-0d6c1a2b3c4d';

const client = new mParticle.ApiClient();
client.basePath = process.env.EMULATOR_URL;
const api = new mParticle.EventsApi(
  new mParticle.Configuration(process.env.EMULATOR_KEY, process.env.EMULATOR_SECRET), client);

// The promise must not be resolved with the request: it has a method `then` that sends it again.
function send(name, method, body) {
  console.log(name);
  return new Promise((resolve) => {
    api[method](body, (error) => {
      if (error) {
        console.error(`${name}: ${error.message} ${error.response && error.response.text}`);
      }
      resolve();
    });
  });
}

function batch(requestId, ...events) {
  const batch = new mParticle.Batch(mParticle.Batch.Environment.development);
  batch.source_request_id = `node-${requestId}`;
  events.forEach((event) => batch.addEvent(event));
  return batch;
}

function appEvent(name = 'Opened settings', type = mParticle.AppEvent.CustomEventType.navigation) {
  const event = new mParticle.AppEvent(type, name);
  event.timestamp_unixtime_ms = TIME;
  return event;
}

function withEventFields(event) {
  event.event_id = 1234567890123;
  event.source_message_id = '7c9e6679-7425-40de-944b-e07fc1f90ae7';
  event.session_id = 1234567890123;
  event.session_uuid = SESSION;
  event.location = new mParticle.GeoLocation(52.52, 13.405);
  event.location.accuracy = 12.5;
  event.device_current_state = Object.assign(new mParticle.DeviceCurrentState(), {
    time_since_start_ms: 5000,
    battery_level: 0.75,
    data_connection_type: 'wifi',
    data_connection_type_detail: '802.11ac',
    gps_state: true,
    total_system_memory_usage_bytes: 2147483648,
    disk_space_free_bytes: 64000000000,
    cpu: '1.5',
    system_memory_available_bytes: 1073741824,
    system_memory_low: false,
    system_memory_threshold_bytes: 134217728,
    application_memory_available_bytes: 268435456,
    application_memory_max_bytes: 536870912,
    application_memory_total_bytes: 402653184,
    device_orientation: mParticle.DeviceCurrentState.DeviceOrientation.FaceUp,
    status_bar_orientation: mParticle.DeviceCurrentState.StatusBarOrientation.landscape,
  });
  return event;
}

function device() {
  return Object.assign(new mParticle.DeviceInformation(), {
    brand: 'example',
    product: 'phone',
    device: 'example-phone',
    device_manufacturer: 'Example Inc.',
    platform: mParticle.DeviceInformation.Platform.iOS,
    os_version: '17.1',
    device_model: 'Phone 7',
    screen_height: 2556,
    screen_width: 1179,
    screen_dpi: 460,
    device_country: 'FR',
    locale_language: 'fr',
    locale_country: 'FR',
    network_country: 'FR',
    network_carrier: 'Example Mobile',
    network_code: '01',
    network_mobile_country_code: '208',
    timezone_offset: 1,
    build_identifier: '21B91',
    http_header_user_agent: 'ExampleApp/1.0 (iOS 17.1)',
    ios_advertising_id: '6ba7b810-9dad-11d1-80b4-00c04fd430c8',
    ios_idfv: '6ba7b811-9dad-11d1-80b4-00c04fd430c8',
    att_timestamp_unixtime_ms: TIME,
    att_authorization_status: mParticle.DeviceInformation.ATTAuthorizationStatus.denied,
    push_token: 'made-up-push-token',
    cpu_architecture: 'arm64',
    is_tablet: false,
    push_notification_sound_enabled: true,
    push_notification_vibrate_enabled: false,
    radio_access_technology: 'LTE',
    supports_telephony: true,
    has_nfc: true,
    bluetooth_enabled: false,
    bluetooth_version: '5.3',
  });
}

function application() {
  return Object.assign(new mParticle.ApplicationInformation(), {
    application_name: 'Example',
    application_version: '1.0.3',
    install_referrer: 'https://example.com/?utm_source=letter',
    package: 'com.example.app',
  });
}

function product() {
  return Object.assign(new mParticle.Product('sku-1', 'Mug', 19.99, 39.98), {
    brand: 'Example',
    category: 'Kitchen/Mugs',
    variant: 'blue',
    position: 1,
    quantity: 2,
    coupon_code: 'SPRING',
    added_to_cart_time_ms: TIME,
    custom_attributes: { glazed: 'yes' },
  });
}

function commerceEvent(action) {
  const event = new mParticle.CommerceEvent();
  event.product_action = Object.assign(
    new mParticle.ProductAction(action, 'order-1', 45.5, [product()]), {
      checkout_step: 3,
      checkout_options: 'express',
      product_action_list: 'checkout',
      product_list_source: 'newsletter',
      affiliation: 'Example Shop',
      tax_amount: 7.26,
      shipping_amount: 5,
      coupon_code: 'SPRING',
    });
  event.shopping_cart = new mParticle.ShoppingCart([product()]);
  event.currency_code = 'EUR';
  event.screen_name = 'Checkout';
  event.is_non_interactive = false;
  event.custom_attributes = { gift: true, note: 'Grüße 🎁' };
  event.custom_flags = { channel: 'web', answer: 42, list: ['a', 'b'] };
  return event;
}

function promotionEvent() {
  const promotion = new mParticle.Promotion('promo-1', 'Spring', 'banner-3', 'top');
  const event = new mParticle.CommerceEvent();
  event.promotion_action =
    new mParticle.PromotionAction(mParticle.PromotionAction.Action.click, [promotion]);
  return event;
}

function impressionEvent() {
  const event = new mParticle.CommerceEvent();
  event.product_impressions = [new mParticle.ProductImpression('Search results', [product()])];
  return event;
}

function crashReport() {
  const event = new mParticle.CrashReportEvent('Error', 'made-up crash', 'main.js:1', false);
  event.severity = 'fatal';
  event.breadcrumbs = [new mParticle.BreadcrumbEvent(3, 'opened cart')];
  event.session_number = 3;
  return event;
}

function pushMessage() {
  const event = new mParticle.PushMessageEvent(
    'made-up-push-token', mParticle.PushMessageEvent.PushMessageType.received, '{}',
    mParticle.PushMessageEvent.ApplicationState.background);
  return Object.assign(event, { message: 'hi', network: 'fcm', action_identifier: 'open' });
}

function mediaEvent() {
  const event = appEvent('Played episode', mParticle.AppEvent.CustomEventType.other);
  event.media_info = Object.assign(new mParticle.MediaInfo(), {
    action: mParticle.MediaInfo.Action.play,
    channel: 'episodes',
    metadata: 'episode 1',
    timed_metadata: 'chapter 2',
    playback_position: 12.5,
    format: mParticle.MediaInfo.Format.video,
    quality: mParticle.MediaInfo.Quality.ultra_hd,
    playback_rate: 1.25,
  });
  return event;
}

function sessionStart() {
  return Object.assign(new mParticle.SessionStartEvent(), { session_uuid: SESSION });
}

async function main() {
  const version = (name) => require(`${name}/package.json`).version;
  console.log(`mparticle ${version('mparticle')}, superagent ${version('superagent')}, ` +
    `Node ${process.versions.node}`);

  const event = withEventFields(appEvent());
  event.custom_attributes = { text: 'a', number: 1, decimal: 0.5, flag: true, none: null };
  event.custom_flags = { flag: 'value' };
  await send('app event', 'uploadEvents', batch('app-event', event));

  await send('event types', 'uploadEvents', batch(
    'event-types',
    new mParticle.FirstRunEvent(),
    sessionStart(),
    new mParticle.ScreenViewEvent('Home'),
    new mParticle.BreadcrumbEvent(3, 'opened cart'),
    new mParticle.OptOutEvent(true),
    new mParticle.ProfileEvent('a', 'b', mParticle.ProfileEvent.ProfileEventType.login),
    new mParticle.PushRegistrationEvent(true, 'made-up-push-token'),
    pushMessage(),
    new mParticle.NetworkPerformanceEvent('GET', 'https://example.com/api', 120, 2048, 512, 200),
    new mParticle.ApplicationStateTransitionEvent(
      mParticle.ApplicationStateTransitionEvent.ApplicationTransitionType.application_background),
    crashReport(),
    new mParticle.SessionEndEvent(61000)));

  let single = batch('user');
  single.mpid = 1234567890123;
  single.user_identities = new mParticle.UserIdentities();
  Object.keys(mParticle.UserIdentities.prototype).forEach((name) => {
    single.user_identities[name] = `made-up-${name}`;
  });
  single.user_attributes = {
    plan: 'pro', age: 30, score: 0.5, subscribed: true, tag: null, colors: ['red', 'blue'],
  };
  single.deleted_user_attributes = ['nickname'];
  await send('user without events', 'uploadEvents', single);

  single = batch('batch-fields', appEvent());
  single.environment = mParticle.Batch.Environment.production;
  single.mpid = 1234567890123;
  single.mp_deviceid = '59780f39-d7a0-4ebe-9950-280f937c29e2';
  single.ip = '192.0.2.17';
  single.schema_version = 2;
  single.device_info = device();
  single.application_info = application();
  single.context = new mParticle.BatchContext();
  single.context.data_plan = Object.assign(
    new mParticle.DataPlanContext(), { plan_id: 'example_plan', plan_version: 2 });
  await send('batch fields', 'uploadEvents', single);

  single = batch('consent', appEvent());
  single.consent_state = new mParticle.ConsentState();
  single.consent_state.gdpr = {
    marketing: new mParticle.GDPRConsentState(
      'terms-2', true, TIME, 'sign-up page', 'made-up-hardware'),
  };
  single.consent_state.ccpa = {
    data_sale_opt_out: new mParticle.CCPAConsentState(
      'terms-2', false, TIME, 'sign-up page', 'made-up-hardware'),
  };
  await send('consent', 'uploadEvents', single);

  single = batch('empty-consent', appEvent());
  single.consent_state = new mParticle.ConsentState();
  await send('empty consent', 'uploadEvents', single);

  const actions = mParticle.ProductAction.Action;
  await send('commerce', 'uploadEvents', batch(
    'commerce', commerceEvent(actions.purchase), commerceEvent(actions.remove_from_wish_list),
    promotionEvent(), impressionEvent()));
  await send('media', 'uploadEvents', batch('media', mediaEvent()));
  await send('bulk', 'bulkUploadEvents', [0, 1, 2].map((n) => batch(`bulk-${n}`, appEvent())));
  await send('text beyond ASCII', 'bulkUploadEvents',
    [batch('unicode', appEvent('Überweisung 🚀'))]);

  // The SDK reads the data of each event without the fields of its type.
  const parsed = mParticle.Batch.constructFromObject({
    environment: 'development',
    source_request_id: 'node-object',
    user_identities: { customerid: 'made-up-customer' },
    events: [{ event_type: 'custom_event',
      data: { event_name: 'Opened settings', custom_event_type: 'navigation' } }],
  });
  await send('constructed from an object', 'uploadEvents', parsed);

  // The SDK keeps null, and JSON.stringify turns NaN into null and a Date into text.
  single = batch('null', appEvent());
  Object.assign(single, {
    mpid: null, ip: '192.0.2.17', device_info: null, application_info: null,
    user_attributes: null, user_identities: null, deleted_user_attributes: null,
    consent_state: null, context: null,
  });
  await send('null fields', 'uploadEvents', single);

  // The SDK does not check the following requests.
  single = appEvent();
  single.timestamp_unixtime_ms = new Date(TIME);
  await send('date as timestamp', 'uploadEvents', batch('date', single));
  await send('custom event type without a constant', 'uploadEvents',
    batch('media-type', appEvent('Played episode', 'media')));
  await send('unknown custom event type', 'uploadEvents',
    batch('unknown-type', appEvent('Played episode', 'watching')));
  await send('profile event without a type', 'uploadEvents',
    batch('profile', new mParticle.ProfileEvent('a', 'b')));
  await send('empty bulk', 'bulkUploadEvents', []);
  await send('no environment', 'uploadEvents', new mParticle.Batch());
  await send('batch for the bulk endpoint', 'bulkUploadEvents', batch('not-a-list', appEvent()));
}

main();
