#![doc = include_str!("../README.md")]

mod constructors;
mod generated;
#[doc(hidden)] // What generated code calls. Public for the sake of its traits, and no part of the stable API.
pub mod support;

pub use generated::*;
pub use support::locate::{from_slice, from_str};
pub use support::{
    AttributeValue, BooleanOrText, Breadcrumb, Extra, NotAScalar, Number, OutOfRange, ReadError,
    ReadErrorKind, Rule, Scalar, Severity, UnixMillis, Violation,
};
