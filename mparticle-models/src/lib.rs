//! Typed batches, events and users for mParticle's Events API.

mod constructors;
mod generated;
pub mod support;

pub use generated::*;
pub use support::locate::{from_slice, from_str};
pub use support::{
    AttributeValue, BooleanOrText, Breadcrumb, Extra, Number, ReadError, ReadErrorKind, Rule, Scalar, Severity,
    UnixMillis, Violation,
};
