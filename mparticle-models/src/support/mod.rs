//! The code that generated types call: how fields are read, written, checked and located.
//!
//! Generated code contains fields, names and limits. This folder refers to no generated type. Therefore it can be copied
//! into another crate along with generated code. It needs `serde` (with `derive`) and `serde_json`, and must be the
//! module `crate::support`.
//!
//! - [`values`]: the types of fields that are not plain Rust types
//! - [`read`]: lenient reading of every form in which data occurs
//! - `open_enum`: enums that keep unknown values
//! - [`mod@write`]: canonical writing
//! - [`locate`]: reading whole documents, with errors that contain the place
//! - [`validate`]: the limits of the service
//!
//! `example_tests.rs` tests all of it together, with generated types of one of everything. Of the traits, a generated
//! object has `Serialize`, `Deserialize` (both derived), [`Read`], [`Shaped`] and [`Validate`], event data
//! [`Enveloped`] as well, a union [`Tagged`], an enum [`OpenEnum`].

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
pub use validate::{
    AttributeLimits, Beyond, Report, Rule, Severity, TimeUnit, Validate, Violation,
};
pub use values::{
    AttributeError, AttributeValue, BooleanOrText, Breadcrumb, DurationMillis, Enveloped, Extra,
    NotAScalar, Number, OutOfRange, Scalar, TextValue, UnixMillis, try_attributes,
};

#[cfg(test)]
mod example_tests;
