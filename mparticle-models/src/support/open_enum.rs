//! Enums that keep values that this version does not know.
//!
//! mParticle adds values over time, and its newest SDK writes them in upper case. Reading therefore tries the exact
//! spelling first, then ignores letter case, and finally keeps the text as an unknown value.

/// An enum of known texts, with one variant for any other text.
pub trait OpenEnum: Sized + Clone + 'static {
    /// The known spellings: first the canonical ones, then the ones that are only read.
    const KNOWN: &'static [(&'static str, Self)];

    /// Returns the canonical spelling of a known value, or the text of an unknown value.
    fn as_str(&self) -> &str;

    /// Creates the variant for an unknown text.
    fn unknown(text: String) -> Self;

    /// Returns the known value with this spelling, or with this spelling in another letter case.
    #[must_use]
    fn known(text: &str) -> Option<Self> {
        // These are plain loops, because every enum has its own copy, and iterators take three times as long to
        // compile.
        for (spelling, value) in Self::KNOWN {
            if *spelling == text {
                return Some(value.clone());
            }
        }
        for (spelling, value) in Self::KNOWN {
            if spelling.eq_ignore_ascii_case(text) {
                return Some(value.clone());
            }
        }
        None
    }

    /// Returns the value with this spelling.
    #[must_use]
    fn from_text(text: &str) -> Self {
        Self::known(text).unwrap_or_else(|| Self::unknown(text.to_owned()))
    }
}

/// Implements the traits of an [`OpenEnum`] that depend only on its texts.
#[allow(unused_macros, reason = "a crate may have no enums")]
macro_rules! open_enum {
    ($type:ty) => {
        impl ::std::fmt::Display for $type {
            #[inline]
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str($crate::support::OpenEnum::as_str(self))
            }
        }

        impl ::std::convert::AsRef<str> for $type {
            #[inline]
            fn as_ref(&self) -> &str {
                $crate::support::OpenEnum::as_str(self)
            }
        }

        impl ::std::cmp::PartialEq<str> for $type {
            #[inline]
            fn eq(&self, text: &str) -> bool {
                $crate::support::OpenEnum::as_str(self) == text
            }
        }

        impl ::std::cmp::PartialEq<&str> for $type {
            #[inline]
            fn eq(&self, text: &&str) -> bool {
                self == *text
            }
        }

        impl ::std::cmp::PartialEq<$type> for str {
            #[inline]
            fn eq(&self, value: &$type) -> bool {
                value == self
            }
        }

        impl ::std::cmp::PartialEq<$type> for &str {
            #[inline]
            fn eq(&self, value: &$type) -> bool {
                value == *self
            }
        }

        impl ::std::str::FromStr for $type {
            type Err = ::std::convert::Infallible;

            #[inline]
            fn from_str(text: &str) -> ::std::result::Result<Self, Self::Err> {
                ::std::result::Result::Ok(text.into())
            }
        }

        impl ::std::convert::From<&str> for $type {
            #[inline]
            fn from(text: &str) -> Self {
                $crate::support::OpenEnum::from_text(text)
            }
        }

        impl ::std::convert::From<::std::string::String> for $type {
            #[inline]
            fn from(text: ::std::string::String) -> Self {
                $crate::support::OpenEnum::known(&text)
                    .unwrap_or_else(|| $crate::support::OpenEnum::unknown(text))
            }
        }

        impl ::std::convert::From<$type> for ::std::string::String {
            #[inline]
            fn from(value: $type) -> Self {
                $crate::support::OpenEnum::as_str(&value).to_owned()
            }
        }

        impl ::serde::Serialize for $type {
            fn serialize<S: ::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                serializer.serialize_str($crate::support::OpenEnum::as_str(self))
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $type {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                $crate::support::read::required(deserializer)
            }
        }

        impl $crate::support::Read for $type {
            const EXPECTED: &'static str = "a string";

            fn read<'de, D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<::std::option::Option<Self>, D::Error> {
                $crate::support::read::open_enum(deserializer)
            }
        }

        impl $crate::support::Shaped for $type {
            const SHAPE: $crate::support::Shape = $crate::support::Shape::leaf::<Self>();
        }
    };
}

#[allow(unused_imports, reason = "a crate may have no enums")]
pub(crate) use open_enum;
