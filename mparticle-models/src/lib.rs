#![doc = include_str!("../README.md")]

mod constructors;
mod generated;
// What generated code calls: public for the sake of its traits, and no part of the stable API.
#[doc(hidden)]
pub mod support;

pub use generated::*;
pub use support::locate::{from_slice, from_str};
pub use support::{
    AttributeError, AttributeValue, BooleanOrText, Breadcrumb, DurationMillis, Extra, NotAScalar,
    Number, OutOfRange, ReadError, ReadErrorKind, Rule, Scalar, Severity, TextValue, TimeUnit,
    UnixMillis, Violation,
};
