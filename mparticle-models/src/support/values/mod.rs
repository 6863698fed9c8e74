//! Types of values that JSON Schema can describe but a generator cannot make pleasant.

mod attribute_value;
mod boolean_or_text;
pub(crate) mod breadcrumb;
mod clocks;
mod extra;
mod millis;
mod number;
mod scalar;

pub use attribute_value::AttributeValue;
pub use boolean_or_text::BooleanOrText;
pub(crate) use boolean_or_text::boolean;
pub use breadcrumb::{Breadcrumb, Enveloped};
pub use extra::Extra;
pub use millis::{OutOfRange, UnixMillis};
pub use number::Number;
pub(crate) use number::not_finite;
pub use scalar::{NotAScalar, Scalar};

#[cfg(test)]
mod tests;
