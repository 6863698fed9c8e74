//! Sends events to mParticle.
