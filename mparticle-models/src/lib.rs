//! Typed batches, events and users for mParticle's Events API.

pub mod support;
