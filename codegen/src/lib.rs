//! Turns the mParticle JSON Schema into the Rust types of `mparticle-models`.

pub mod diagnostic;
pub mod model;
pub mod output;
