//! Reading whole documents, with errors that name the place.
//!
//! `serde_json` reports the line and the column of an error, but not its JSON pointer. Tracking the pointer would slow
//! down the reading of every document. A document is therefore first read without a pointer. Only if that fails, the
//! document is compared with the [`Shape`] of its type to find the place.

mod error;
mod shape;
mod walk;

use serde::Deserialize;

use super::place::Place;
use super::read::{Buffer, Read, required};

pub use error::{ReadError, ReadErrorKind};
pub use shape::{Field, KeyedShape, Shape, Shaped, TaggedShape};

/// Reads a document: a batch, a list of batches (`Vec<Batch>`), an event, or any other type of this crate.
///
/// A key may occur twice in an object if at most one of its values is not null.
///
/// # Errors
/// The error contains the place in the document. Its kind is one of:
///
/// - [`Syntax`](ReadErrorKind::Syntax): the bytes are not JSON, or the JSON is nested too deeply.
/// - [`Missing`](ReadErrorKind::Missing): a required field is missing.
/// - [`WrongType`](ReadErrorKind::WrongType): a value has the wrong type.
/// - [`Repeated`](ReadErrorKind::Repeated): a key occurs twice in an object.
/// - [`Other`](ReadErrorKind::Other): any other error.
pub fn from_slice<T: Read + Shaped>(bytes: &[u8]) -> Result<T, ReadError> {
    read(bytes).or_else(|error| again(bytes, error))
}

/// Reads a document from text. See [`from_slice`].
///
/// # Errors
/// Returns the same errors as [`from_slice`].
pub fn from_str<T: Read + Shaped>(text: &str) -> Result<T, ReadError> {
    // With `serde_json::from_str`, every type would be compiled twice to save one check for UTF-8.
    from_slice(text.as_bytes())
}

fn read<T: Read>(bytes: &[u8]) -> serde_json::Result<T> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = required(&mut deserializer);
    if value.is_ok() {
        deserializer.end()?;
    }
    value
}

/// Reads a document again without repeated nulls, or finds the place of the error.
#[cold]
fn again<T: Read + Shaped>(bytes: &[u8], error: serde_json::Error) -> Result<T, ReadError> {
    let mut buffer = match buffered(bytes) {
        Ok(buffer) => buffer,
        Err(syntax) => return Err(ReadError::syntax(syntax)),
    };
    if buffer.drop_null_repeats() {
        // The buffer is written as JSON again. To read from the buffer itself, every type would be compiled once more.
        let forgiven = serde_json::to_vec(&buffer).ok().and_then(|bytes| read(&bytes).ok());
        if let Some(value) = forgiven {
            return Ok(value);
        }
    }
    Err(match walk::required(&buffer, &T::SHAPE, &Place::root()) {
        Err(mistake) => ReadError::at(mistake, error),
        Ok(()) => ReadError::somewhere(error),
    })
}

// Like all readers, this is inline and therefore compiled only where documents are read.
#[inline]
fn buffered(bytes: &[u8]) -> serde_json::Result<Buffer<'_>> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let buffer = Buffer::deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(buffer)
}

#[cfg(test)]
mod tests {
    use serde::Deserializer;
    use serde::de::Error;

    use super::{Read, ReadErrorKind, Shape, Shaped, from_str};

    /// A type whose reader refuses values that its shape allows.
    #[derive(Debug)]
    struct Never;

    impl Read for Never {
        fn read<'de, D: Deserializer<'de>>(_: D) -> Result<Option<Self>, D::Error> {
            Err(D::Error::custom("never"))
        }
    }

    impl Shaped for Never {
        const SHAPE: Shape = Shape::Any;
    }

    #[test]
    fn an_error_that_the_shape_does_not_explain_is_passed_on() {
        let error = from_str::<Never>("{}").unwrap_err();
        assert_eq!(error.kind(), ReadErrorKind::Other);
        assert_eq!((error.pointer(), error.message()), ("", "never"));
        assert_eq!(error.to_string(), "never");
    }
}
