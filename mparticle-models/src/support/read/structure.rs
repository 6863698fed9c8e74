//! The handling of values of other types in the readers of lists, maps and objects.
//!
//! These are macros, because the methods of serde's `Visitor` cannot be shared. Null and an empty string are treated as
//! absent. The default methods of serde would print the value.

/// The methods of a visitor whose value is an `Option`, for every scalar.
macro_rules! absent_or_mismatch {
    ($expected:expr) => {
        fn expecting(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
            f.write_str($expected)
        }

        fn visit_unit<E: ::serde::de::Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_none<E: ::serde::de::Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_str<E: ::serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
            if text.is_empty() {
                Ok(None)
            } else {
                Err($crate::support::read::mismatch($expected, "a string"))
            }
        }

        fn visit_bool<E: ::serde::de::Error>(self, _: bool) -> Result<Self::Value, E> {
            Err($crate::support::read::mismatch($expected, "a boolean"))
        }

        fn visit_i64<E: ::serde::de::Error>(self, _: i64) -> Result<Self::Value, E> {
            Err($crate::support::read::mismatch($expected, "a number"))
        }

        fn visit_u64<E: ::serde::de::Error>(self, _: u64) -> Result<Self::Value, E> {
            Err($crate::support::read::mismatch($expected, "a number"))
        }

        fn visit_f64<E: ::serde::de::Error>(self, _: f64) -> Result<Self::Value, E> {
            Err($crate::support::read::mismatch($expected, "a number"))
        }
    };
}

/// The method of a visitor that does not accept lists.
macro_rules! not_a_list {
    ($expected:expr) => {
        fn visit_seq<A: ::serde::de::SeqAccess<'de>>(self, _: A) -> Result<Self::Value, A::Error> {
            Err($crate::support::read::mismatch($expected, "a list"))
        }
    };
}

/// The method of a visitor that does not accept objects.
macro_rules! not_an_object {
    ($expected:expr) => {
        fn visit_map<A: ::serde::de::MapAccess<'de>>(
            self,
            mut map: A,
        ) -> Result<Self::Value, A::Error> {
            let found = $crate::support::read::kind_of_map(&mut map)?;
            Err($crate::support::read::mismatch($expected, found))
        }
    };
}

pub(super) use {absent_or_mismatch, not_a_list, not_an_object};
