//! Constructors for what mParticle gives a name of its own: values that several fields make up together.
//!
//! They are written by hand because no schema says them: which fields turn a state transition into an install,
//! a custom event into an attribution, or a commerce event into one of its three variants.

mod application;
mod attribution;
mod commerce;
mod consent;
mod event;
