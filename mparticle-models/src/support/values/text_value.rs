//! What the setters of attributes take that mParticle accepts as text only.

use std::borrow::Cow;

use serde_json::Value;

use super::{NotAScalar, Number, Scalar};

/// The value of an attribute that is text, such as an attribute of a product.
///
/// Numbers and booleans become text. `None` becomes null.
///
/// ```
/// # use mparticle_models::{Product, TextValue};
/// let product = Product::new()
///     .with_custom_attribute("colour", "green")
///     .with_custom_attribute("size", 44)
///     .with_custom_attribute("in_stock", true)
///     .with_custom_attribute("coupon", None::<String>);
/// assert_eq!(product.custom_attributes["size"].as_deref(), Some("44"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextValue(Option<String>);

macro_rules! text_value_from {
    ($($from:ty),+ => $text:expr) => {$(
        impl From<$from> for TextValue {
            fn from(value: $from) -> Self {
                Self(Some($text(value)))
            }
        }
    )+};
}

text_value_from!(&str, String, &String, char, Cow<'_, str>, Box<str> => Into::into);
text_value_from!(bool => |value: bool| value.to_string());
text_value_from!(i8, i16, i32, i64, isize, u8, u16, u32, u64, usize, f32, f64
    => |number| Number::from(number).to_string());
text_value_from!(Number => |number: Number| number.to_string());

impl<T: Into<TextValue>> From<Option<T>> for TextValue {
    fn from(value: Option<T>) -> Self {
        value.map_or_else(Self::default, Into::into)
    }
}

/// Writes a scalar as text, except for null.
impl From<Scalar> for TextValue {
    fn from(scalar: Scalar) -> Self {
        match scalar {
            Scalar::Null => Self(None),
            Scalar::Boolean(value) => value.into(),
            Scalar::Number(number) => number.into(),
            Scalar::String(text) => text.into(),
        }
    }
}

impl TryFrom<Value> for TextValue {
    type Error = NotAScalar;

    fn try_from(value: Value) -> Result<Self, NotAScalar> {
        Scalar::try_from(value).map(Self::from)
    }
}

impl From<TextValue> for Option<String> {
    fn from(value: TextValue) -> Self {
        value.0
    }
}
