//! The code that generated types call: how fields are read, written, checked and located.
//!
//! Generated code contains fields, names and limits. This folder refers to no generated type, and can therefore be
//! copied into another crate along with generated code. It requires `serde` (with `derive`) and `serde_json`, and must
//! be the module `crate::support`.
//!
//! - [`values`]: the types of fields that are not plain Rust types
//! - [`read`]: lenient reading of all forms in which data occurs
//! - `open_enum`: enums that keep unknown values
//! - [`mod@write`]: canonical writing
//! - [`locate`]: reading whole documents, with errors that contain the place
//! - [`validate`]: the limits of the service
//!
//! `example_tests.rs` tests all of it together, with one generated type of each kind. A generated object implements
//! `Serialize` and `Deserialize` (both derived), [`Read`], [`Shaped`] and [`Validate`]. Event data also implement
//! [`Enveloped`], a union implements [`Tagged`], and an enum implements [`OpenEnum`].

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
