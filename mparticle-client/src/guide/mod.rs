//! How to use the client, page by page.
//!
//! | page | what it tells |
//! |---|---|
//! | [`first_event`] | a client, a batch, an upload |
//! | [`many_batches`] | bulk requests, any number of batches, old events |
//! | [`sending_from_a_service`] | the queue in the background, in memory or on disk: bounds, shutdown, guarantees |
//! | [`errors`] | what each kind of error means and what to do |
//! | [`delivery`] | ids, retries, timeouts, rate limits: what is guaranteed and what is not |
//! | [`testing`] | testing the instrumentation of your program against the emulator |
//! | [`connections`] | pods, TLS, proxies, your own transport |
//! | [`observing`] | what is logged, and what never is |

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
pub mod testing {}

#[doc = include_str!("connections.md")]
pub mod connections {}

#[doc = include_str!("observing.md")]
pub mod observing {}
