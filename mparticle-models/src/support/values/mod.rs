//! The types of fields that are written by hand.

mod attribute_error;
mod attribute_value;
mod boolean_or_text;
pub(crate) mod breadcrumb;
mod clocks;
mod duration_millis;
mod extra;
mod millis;
mod number;
mod scalar;
mod text_value;

pub use attribute_error::{AttributeError, try_attributes};
pub use attribute_value::AttributeValue;
pub use boolean_or_text::BooleanOrText;
pub(crate) use boolean_or_text::boolean;
pub use breadcrumb::{Breadcrumb, Enveloped};
pub use duration_millis::DurationMillis;
pub use extra::Extra;
pub use millis::{OutOfRange, UnixMillis};
pub use number::Number;
pub(crate) use number::not_finite;
pub use scalar::{NotAScalar, Scalar};
pub use text_value::TextValue;

#[cfg(test)]
mod tests;
