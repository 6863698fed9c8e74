//! The shape of a type, which is used to find the place of an error.
//!
//! Generated code describes its types in constants:
//!
//! ```text
//! impl Shaped for Product {
//!     const SHAPE: Shape = Shape::Object(|| const {
//!         &[
//!             Field::required::<String>(&["id"]),
//!             Field::optional::<f64>(&["price", "amount"]),
//!         ]
//!     });
//! }
//! ```
//!
//! With the closure and its `const` block, types can refer to each other, and to themselves.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::read::{Buffer, Read};
use crate::support::values::{
    AttributeValue, BooleanOrText, Breadcrumb, DurationMillis, Number, Scalar, UnixMillis,
};

/// A type with a [`Shape`].
pub trait Shaped {
    /// The shape.
    const SHAPE: Shape;
}

/// The structure of the JSON of a type.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Shape {
    /// Any JSON.
    Any,
    /// A value that is read as a whole.
    Leaf(Leaf),
    /// A value of this shape, or null.
    Nullable(&'static Shape),
    /// A list of values.
    List(&'static Shape),
    /// An object with any keys.
    Map(&'static Shape),
    /// An object with known fields.
    Object(fn() -> &'static [Field]),
    /// An object whose tag determines the shape of its content.
    Tagged(fn() -> &'static TaggedShape),
    /// An object, or a list of records that is read as an object.
    Keyed(fn() -> &'static KeyedShape),
    /// A breadcrumb with data of this shape.
    Breadcrumb(&'static Shape),
}

impl Shape {
    /// Returns the shape of a type that is read as a whole.
    #[must_use]
    pub const fn leaf<T: Read>() -> Self {
        Self::Leaf(Leaf { expected: T::EXPECTED, read: try_to_read::<T> })
    }

    /// Returns whether an object of this shape reads a field from this key.
    pub(crate) fn has_field(&self, key: &str) -> bool {
        let fields = match self {
            Self::Object(fields) => fields(),
            Self::Keyed(keyed) => keyed().fields,
            _ => &[],
        };
        field_named(fields, key).is_some()
    }

    /// Returns the expected kind of value for error messages.
    pub(super) fn expected(&self) -> &'static str {
        match self {
            Self::Any => "any JSON",
            Self::Leaf(leaf) => leaf.expected,
            Self::Nullable(shape) => shape.expected(),
            Self::List(_) => "a list",
            Self::Map(_) | Self::Object(_) | Self::Tagged(_) => "an object",
            Self::Keyed(_) => "an object or a list of records",
            Self::Breadcrumb(_) => "a breadcrumb event or a string",
        }
    }
}

/// The reader of a type.
#[derive(Clone, Copy, Debug)]
pub struct Leaf {
    pub(super) expected: &'static str,
    /// Returns whether there is a value, or the reason why it cannot be read.
    pub(super) read: fn(&Buffer<'_>) -> Result<bool, String>,
}

fn try_to_read<T: Read>(buffer: &Buffer<'_>) -> Result<bool, String> {
    let deserializer = buffer.borrowed().into_deserializer::<serde_json::Error>();
    T::read(deserializer).map(|value| value.is_some()).map_err(|error| error.to_string())
}

/// A field of an object.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    pub(super) names: &'static [&'static str],
    pub(super) presence: Presence,
    pub(super) shape: &'static Shape,
}

/// Whether a field is required.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    Required,
    Optional,
    /// Its fields are read from the same object.
    Flattened,
}

impl Field {
    /// Creates a required field. The names are its name, followed by its aliases.
    #[must_use]
    pub const fn required<T: Shaped>(names: &'static [&'static str]) -> Self {
        Self { names, presence: Presence::Required, shape: const { &T::SHAPE } }
    }

    /// Creates an optional field. The names are its name, followed by its aliases.
    #[must_use]
    pub const fn optional<T: Shaped>(names: &'static [&'static str]) -> Self {
        Self { names, presence: Presence::Optional, shape: const { &T::SHAPE } }
    }

    /// Creates an object whose fields are read from the same object.
    #[must_use]
    pub const fn flattened<T: Shaped>() -> Self {
        Self { names: &[], presence: Presence::Flattened, shape: const { &T::SHAPE } }
    }

    /// Returns the fields of a flattened object.
    pub(super) fn fields(&self) -> &'static [Field] {
        match (self.presence, self.shape) {
            (Presence::Flattened, Shape::Object(fields)) => fields(),
            _ => &[],
        }
    }
}

/// Returns the field that a key belongs to, and its canonical name.
pub(super) fn field_named(
    fields: &'static [Field],
    key: &str,
) -> Option<(&'static str, &'static Field)> {
    fields.iter().find_map(|field| {
        let name = field.names.first().filter(|_| field.names.contains(&key));
        name.map(|name| (*name, field)).or_else(|| field_named(field.fields(), key))
    })
}

/// The shape of a union.
#[derive(Clone, Copy, Debug)]
pub struct TaggedShape {
    /// The key of the tag.
    pub tag: &'static str,
    /// The key of the content.
    pub content: &'static str,
    /// The number of the variant with this tag: `<T as Tagged>::known`.
    pub known: fn(&str) -> Option<usize>,
    /// The shapes of the variants' contents.
    pub variants: &'static [&'static Shape],
}

/// The shape of an object that can be read from a list of records. See [`keyed`](crate::support::read::keyed).
#[derive(Clone, Copy, Debug)]
pub struct KeyedShape {
    /// The object's fields.
    pub fields: &'static [Field],
    /// The shape of one record.
    pub record: &'static Shape,
    /// The field of a record that contains the name of a field.
    pub key: &'static str,
    /// The field of a record that contains the value.
    pub value: &'static str,
}

macro_rules! leaves {
    ($($type:ty),+ $(,)?) => {$(
        impl Shaped for $type {
            const SHAPE: Shape = Shape::leaf::<Self>();
        }
    )+};
}

leaves!(String, bool, i64, u64, f64, UnixMillis, DurationMillis);
leaves!(Number, Scalar, AttributeValue, BooleanOrText);

impl Shaped for Value {
    const SHAPE: Shape = Shape::Any;
}

impl<T: Shaped> Shaped for Vec<T> {
    const SHAPE: Shape = Shape::List(&T::SHAPE);
}

impl<T: Shaped> Shaped for BTreeMap<String, T> {
    const SHAPE: Shape = Shape::Map(&T::SHAPE);
}

impl<T: Shaped> Shaped for Box<T> {
    const SHAPE: Shape = T::SHAPE;
}

impl<T: Shaped> Shaped for Option<T> {
    const SHAPE: Shape = Shape::Nullable(&T::SHAPE);
}

impl<T: Shaped> Shaped for Breadcrumb<T> {
    const SHAPE: Shape = Shape::Breadcrumb(&T::SHAPE);
}
