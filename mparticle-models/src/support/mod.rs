//! What the generated code calls: everything about the wire format that is behaviour rather than data.

pub mod locate;
pub mod open_enum;
pub mod place;
pub mod read;
pub mod validate;
pub mod values;
pub mod write;

pub use locate::{Field, KeyedShape, ReadError, ReadErrorKind, Shape, Shaped, TaggedShape};
pub use open_enum::OpenEnum;
#[allow(unused_imports, reason = "a crate may have no enums")]
pub(crate) use open_enum::open_enum;
pub use place::Place;
pub use read::{Read, Tagged};
pub use validate::{AttributeLimits, Beyond, Report, Rule, Severity, Validate, Violation};
pub use values::{
    AttributeValue, BooleanOrText, Breadcrumb, Enveloped, Extra, NotAScalar, Number, OutOfRange,
    Scalar, UnixMillis,
};

#[cfg(test)]
mod example_tests;
