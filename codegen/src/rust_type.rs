//! The Rust type of a field.

/// A Rust type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RustType {
    /// `Option<T>`.
    Option(Box<RustType>),
    /// `Vec<T>`.
    Vec(Box<RustType>),
    /// `BTreeMap<String, T>`.
    Map(Box<RustType>),
    /// `Box<T>`.
    Box(Box<RustType>),
    /// A type that needs no import.
    Primitive(Primitive),
    /// `serde_json::Value`.
    Json,
    /// A type of the model.
    Named(String),
    /// `Scalar` of `crate::support`.
    Scalar,
    /// `AttributeValue` of `crate::support`, a scalar or a list of them.
    AttributeValue,
    /// Another type of `crate::support` with its type arguments.
    Support(String, Vec<RustType>),
}

/// A type that needs no import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Primitive {
    /// `bool`.
    Bool,
    /// `i64`.
    I64,
    /// `u64`.
    U64,
    /// `f64`.
    F64,
    /// `String`.
    String,
}

impl Primitive {
    /// Returns the name of the type in Rust.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::I64 => "i64",
            Self::U64 => "u64",
            Self::F64 => "f64",
            Self::String => "String",
        }
    }
}

impl RustType {
    /// Whether the type is an `Option`.
    pub(crate) const fn is_option(&self) -> bool {
        matches!(self, Self::Option(_))
    }

    /// Returns the type in an `Option`, or the type itself if it is not an `Option`.
    pub(crate) fn without_option(&self) -> &Self {
        match self {
            Self::Option(inner) => inner,
            _ => self,
        }
    }

    /// Returns the name of the type of the model that a value of this type contains without indirection.
    pub(crate) fn contained(&self) -> Option<&str> {
        match self {
            Self::Option(inner) => inner.contained(),
            Self::Named(name) => Some(name),
            _ => None,
        }
    }

    /// Returns the names of all types of the model in this type.
    pub(crate) fn names(&self) -> Vec<&str> {
        match self {
            Self::Option(inner) | Self::Vec(inner) | Self::Map(inner) | Self::Box(inner) => {
                inner.names()
            }
            Self::Named(name) => vec![name],
            Self::Support(_, arguments) => arguments.iter().flat_map(Self::names).collect(),
            Self::Primitive(_) | Self::Json | Self::Scalar | Self::AttributeValue => Vec::new(),
        }
    }

    /// Returns the same type with the contained type in a `Box`.
    pub(crate) fn boxed(self) -> Self {
        match self {
            Self::Option(inner) => Self::Option(Box::new(inner.boxed())),
            other => Self::Box(Box::new(other)),
        }
    }
}
