#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
// Where the links of other crates lead if the documentation of this crate was not built before theirs.
#![doc(html_root_url = "https://docs.rs/mparticle-models/latest")]

// The documentation of a type shows its methods in the order of these modules. These constructors come before `new`,
// because they are the most useful ones. The others come after the generated methods.
mod named_constructors;

mod generated;

mod constructors;
#[cfg(feature = "data-plan")]
pub mod data_plan;
#[allow(
    unreachable_pub,
    reason = "the folder is copied into other crates along with generated code"
)]
mod support;

pub use generated::*;
pub use support::locate::{from_slice, from_str};
pub use support::{
    AttributeError, AttributeValue, BooleanOrText, Breadcrumb, DurationMillis, Extra, NotAScalar,
    Number, OutOfRange, ReadError, ReadErrorKind, Rule, Scalar, Severity, TextValue, TimeUnit,
    UnixMillis, Violation,
};
