//! Writing in the canonical form, where serde's derived code is not enough.

use std::collections::BTreeMap;

use serde::ser::{Error, Serialize, SerializeMap, Serializer};

use super::locate::Shaped;
use super::read::Tagged;
use super::values::{Enveloped, Extra, not_finite};

/// Writes a JSON document.
///
/// # Errors
/// Returns an error if a value cannot be written as JSON.
// This is inline. Types are therefore compiled only where they are written.
#[inline]
pub fn to_vec<T: Serialize>(value: &T) -> Result<Vec<u8>, serde_json::Error> {
    // The capacity is sufficient for a typical batch.
    const CAPACITY: usize = 2048;
    let mut json = Vec::with_capacity(CAPACITY);
    serde_json::to_writer(&mut json, value)?;
    Ok(json)
}

/// A type that contains floating-point numbers, which [`number`] writes.
pub trait Numbers {
    /// Writes the numbers.
    ///
    /// # Errors
    /// Returns an error if a number is not finite, or the serializer fails.
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;
}

/// Writes floating-point numbers: `#[serde(serialize_with = "write::number")]`.
///
/// Whole numbers are written without a fraction, as in mParticle's samples: `100`, not `100.0`.
///
/// # Errors
/// Returns an error if a number is not finite. serde would write null, and the amount would be lost.
pub fn number<T: Numbers, S: Serializer>(numbers: &T, serializer: S) -> Result<S::Ok, S::Error> {
    numbers.write(serializer)
}

impl Numbers for f64 {
    #[inline]
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match whole(*self) {
            Some(whole) => serializer.serialize_i64(whole),
            None if self.is_finite() => serializer.serialize_f64(*self),
            None => Err(not_finite(*self)),
        }
    }
}

/// Returns the integer with the same value, for numbers below 2^53.
///
/// It casts the number, because `trunc` calls the C library on a plain x86-64.
#[inline]
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::float_cmp,
    reason = "the bound is checked, and the comparison asks for nothing less"
)]
fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let whole = number as i64;
    (whole as f64 == number && number.abs() < EXACT).then_some(whole)
}

impl<T: Numbers> Numbers for Option<T> {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Some(numbers) => numbers.write(serializer),
            None => serializer.serialize_none(),
        }
    }
}

impl<T: Numbers> Numbers for Vec<T> {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Written))
    }
}

impl<T: Numbers> Numbers for BTreeMap<String, T> {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(key, numbers)| (key, Written(numbers))))
    }
}

/// Numbers that serde can serialize.
struct Written<'a, T>(&'a T);

impl<T: Numbers> Serialize for Written<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(serializer)
    }
}

/// Writes the unknown fields of a `T`: `#[serde(flatten, serialize_with = "write::extra::<T, _>")]`.
///
/// # Errors
/// Returns an error if one of them has the name of a field of `T`. Its key would be written twice, and the document
/// could not be read.
#[inline]
pub fn extra<T: Shaped, S: Serializer>(extra: &Extra, serializer: S) -> Result<S::Ok, S::Error> {
    if let Some(key) = extra.keys().find(|key| T::SHAPE.has_field(key)) {
        return Err(known_in_extra(key));
    }
    extra.serialize(serializer)
}

#[cold]
fn known_in_extra<E: Error>(key: &str) -> E {
    E::custom(format_args!("`{key}` in the unknown fields is the name of a known field"))
}

/// Writes the content of a known variant with its tag. See [`tagged`].
///
/// # Errors
/// See [`tagged`].
pub fn enveloped<U: Tagged, T: Serialize + Enveloped, S: Serializer>(
    serializer: S,
    tag: &str,
    content: &T,
) -> Result<S::Ok, S::Error> {
    tagged(serializer, (U::TAG, tag), (U::CONTENT, Some(content)), content.envelope())
}

/// Writes an object with a tag, its content and other fields.
///
/// The tag comes first. A reader therefore does not have to buffer the content.
///
/// # Errors
/// Returns an error if the other fields contain the key of the tag or of the content, or the serializer fails.
pub fn tagged<S: Serializer, T: Serialize + ?Sized>(
    serializer: S,
    (tag_key, tag): (&'static str, &str),
    (content_key, content): (&'static str, Option<&T>),
    envelope: &Extra,
) -> Result<S::Ok, S::Error> {
    for key in [tag_key, content_key] {
        if envelope.contains_key(key) {
            return Err(known_in_extra(key));
        }
    }
    let len = 1 + usize::from(content.is_some()) + envelope.len();
    let mut map = serializer.serialize_map(Some(len))?;
    map.serialize_entry(tag_key, tag)?;
    if let Some(content) = content {
        map.serialize_entry(content_key, content)?;
    }
    for (key, value) in envelope {
        map.serialize_entry(key, value)?;
    }
    map.end()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Numbers, Written};

    fn written(numbers: &impl Numbers) -> Result<String, String> {
        serde_json::to_string(&Written(numbers)).map_err(|error| error.to_string())
    }

    #[test]
    fn whole_numbers_are_written_without_a_fraction() {
        for (number, json) in [
            (0.0, "0"),
            (-0.0, "0"),
            (100.0, "100"),
            (-7.0, "-7"),
            (19.99, "19.99"),
            (9_007_199_254_740_991.0, "9007199254740991"),
            (9_007_199_254_740_992.0, "9007199254740992.0"),
            (-1e300, "-1e+300"),
            (f64::MIN_POSITIVE, "2.2250738585072014e-308"),
        ] {
            assert_eq!(written(&number).as_deref(), Ok(json));
        }
    }

    #[test]
    fn numbers_are_written_wherever_they_are_held() {
        assert_eq!(written(&Some(1.0)).as_deref(), Ok("1"));
        assert_eq!(written(&None::<f64>).as_deref(), Ok("null"));
        assert_eq!(written(&vec![Some(1.0), None, Some(0.5)]).as_deref(), Ok("[1,null,0.5]"));
        let map = BTreeMap::from([("b".to_owned(), vec![2.0]), ("a".to_owned(), vec![])]);
        assert_eq!(written(&map).as_deref(), Ok(r#"{"a":[],"b":[2]}"#));
    }

    #[test]
    fn a_number_that_is_not_finite_is_an_error_wherever_it_is_held() {
        assert_eq!(written(&f64::NAN), Err("JSON cannot represent the number NaN".into()));
        assert_eq!(
            written(&Some(f64::INFINITY)),
            Err("JSON cannot represent the number inf".into())
        );
        assert!(written(&vec![1.0, f64::NEG_INFINITY]).is_err());
        assert!(written(&BTreeMap::from([("a".to_owned(), f64::NAN)])).is_err());
    }
}
