//! Guides to the client.
//!
//! | page | content |
//! |---|---|
//! | [`first_event`] | creating a client, building a batch and uploading it |
//! | [`many_batches`] | bulk requests, any number of batches, historical events |
//! | [`sending_from_a_service`] | the background queue, in memory or on disk: capacity, shutdown, guarantees |
//! | [`errors`] | the kinds of error and how to handle them |
//! | [`delivery`] | ids, retries, timeouts, rate limits, and what is guaranteed |
//! | [`testing`] | testing the instrumentation of a program with the emulator |
//! | [`connections`] | pods, TLS, proxies, custom transports |
//! | [`observing`] | logs, spans and counters |
//! | [`what_mparticle_sends_you`] | reading quarantined batches, exports and webhooks, and sending them again |
//! | [`command`] | the command `mparticle`, which uploads and checks files |

#[doc = include_str!("first_event.md")]
pub mod first_event {}

#[doc = include_str!("many_batches.md")]
pub mod many_batches {}

#[doc = include_str!("sending_from_a_service.md")]
pub mod sending_from_a_service {}

#[doc = include_str!("errors.md")]
pub mod errors {}

#[doc = include_str!("delivery.md")]
pub mod delivery {}

#[doc = include_str!("testing.md")]
#[cfg_attr(not(feature = "testing"), allow(rustdoc::broken_intra_doc_links))]
pub mod testing {}

#[doc = include_str!("connections.md")]
pub mod connections {}

#[doc = include_str!("observing.md")]
pub mod observing {}

#[doc = include_str!("what_mparticle_sends_you.md")]
pub mod what_mparticle_sends_you {}

#[doc = include_str!("command.md")]
pub mod command {}
