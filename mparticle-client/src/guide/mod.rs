//! Guides to the client.
//!
//! | page | content |
//! |---|---|
//! | [`first_event`] | creating a client, building a batch and uploading it |
//! | [`many_batches`] | bulk requests, any number of batches, historical events |
//! | [`sending_from_a_service`] | the background queue, in memory or on disk: capacity, shutdown, guarantees |
//! | [`fleet`] | a durable queue for many processes, on NATS JetStream |
//! | [`errors`] | the kinds of error and how to handle them |
//! | [`delivery`] | ids, retries, timeouts, rate limits, and what is guaranteed |
//! | [`testing`] | testing a program with the emulator |
//! | [`connections`] | data centers, TLS, proxies, custom transports |
//! | [`observing`] | logs, spans and counters |
//! | [`data_plans`] | types for your own events, and checks against a data plan |
//! | [`what_mparticle_sends_you`] | reading quarantined batches, exports and webhooks, and sending them again |
//! | [`command`] | the command `mparticle`, which uploads and checks files |
//! | [`emulator_for_any_language`] | testing a program that uses another SDK, with `mparticle emulator` |
//! | [`comparison`] | what the official SDKs for other languages do |
//!
//! # The path of a batch
//!
#![doc = include_str!("path_of_a_batch.svg")]

#[doc = include_str!("first_event.md")]
pub mod first_event {}

#[doc = include_str!("many_batches.md")]
pub mod many_batches {}

// Links to items of a feature lead to docs.rs if the feature is not enabled.
#[doc = include_str!("sending_from_a_service.md")]
#[doc = ""]
#[cfg_attr(feature = "queue", doc = include_str!("links/queue.md"))]
#[cfg_attr(not(feature = "queue"), doc = include_str!("links/no_queue.md"))]
#[cfg_attr(feature = "spool", doc = include_str!("links/spool.md"))]
#[cfg_attr(not(feature = "spool"), doc = include_str!("links/no_spool.md"))]
pub mod sending_from_a_service {}

#[doc = include_str!("fleet.md")]
#[doc = ""]
#[cfg_attr(feature = "jetstream", doc = include_str!("links/jetstream.md"))]
#[cfg_attr(not(feature = "jetstream"), doc = include_str!("links/no_jetstream.md"))]
pub mod fleet {}

#[doc = include_str!("errors.md")]
pub mod errors {}

#[doc = include_str!("delivery.md")]
#[doc = ""]
#[doc = include_str!("upload_at_a_limit.svg")]
pub mod delivery {}

#[doc = include_str!("testing.md")]
#[doc = ""]
#[cfg_attr(feature = "testing", doc = include_str!("links/testing.md"))]
#[cfg_attr(not(feature = "testing"), doc = include_str!("links/no_testing.md"))]
pub mod testing {}

#[doc = include_str!("connections.md")]
pub mod connections {}

#[doc = include_str!("observing.md")]
#[doc = ""]
#[cfg_attr(feature = "queue", doc = include_str!("links/queue.md"))]
#[cfg_attr(not(feature = "queue"), doc = include_str!("links/no_queue.md"))]
pub mod observing {}

#[doc = include_str!("data_plans.md")]
#[doc = ""]
#[cfg_attr(feature = "data-plan", doc = include_str!("links/data_plan.md"))]
#[cfg_attr(not(feature = "data-plan"), doc = include_str!("links/no_data_plan.md"))]
pub mod data_plans {}

#[doc = include_str!("what_mparticle_sends_you.md")]
pub mod what_mparticle_sends_you {}

#[doc = include_str!("command.md")]
pub mod command {}

#[doc = include_str!("emulator_for_any_language.md")]
#[doc = ""]
#[cfg_attr(feature = "testing", doc = include_str!("links/testing.md"))]
#[cfg_attr(not(feature = "testing"), doc = include_str!("links/no_testing.md"))]
pub mod emulator_for_any_language {}

#[doc = include_str!("comparison.md")]
pub mod comparison {}
