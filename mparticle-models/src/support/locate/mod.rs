//! Reading whole documents, with errors that name the place.
//!
//! `serde_json` knows the line and column of an error but not its JSON pointer, and tracking the pointer would slow
//! down every document for the sake of the few that are wrong. So a document is read at full speed, and only when that
//! fails is it walked again along the [`Shape`] of its type.

mod error;
mod shape;
mod walk;

use serde::Deserialize;

use super::place::Place;
use super::read::{Buffer, Read, required};

pub use error::{ReadError, ReadErrorKind};
pub use shape::{Field, KeyedShape, Leaf, Shape, Shaped, TaggedShape};

/// Reads a document.
///
/// A key that repeats is forgiven when at most one of its values is not null, for then nothing is ambiguous.
///
/// # Errors
/// When the bytes are not JSON, or not JSON from which a `T` can be read.
pub fn from_slice<T: Read + Shaped>(bytes: &[u8]) -> Result<T, ReadError> {
    read(bytes).or_else(|error| again(bytes, error))
}

/// Reads a document from text; see [`from_slice`].
///
/// # Errors
/// When the text is not JSON, or not JSON from which a `T` can be read.
pub fn from_str<T: Read + Shaped>(text: &str) -> Result<T, ReadError> {
    // Not `serde_json::from_str`: every type would be compiled twice to save one check for UTF-8.
    from_slice(text.as_bytes())
}

fn read<T: Read>(bytes: &[u8]) -> serde_json::Result<T> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = required(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

/// Reads a document once more without null repeats, or finds out where it is wrong.
#[cold]
fn again<T: Read + Shaped>(bytes: &[u8], error: serde_json::Error) -> Result<T, ReadError> {
    let mut buffer = match buffered(bytes) {
        Ok(buffer) => buffer,
        Err(syntax) => return Err(ReadError::syntax(syntax)),
    };
    if buffer.drop_null_repeats() {
        // Written out again because every type would be compiled once more to be read from the buffer itself.
        let forgiven = serde_json::to_vec(&buffer).ok().and_then(|bytes| read(&bytes).ok());
        if let Some(value) = forgiven {
            return Ok(value);
        }
    }
    Err(match walk::required(&buffer, &T::SHAPE, &Place::root()) {
        Err(trouble) => ReadError::at(trouble, error),
        Ok(()) => ReadError::somewhere(error),
    })
}

fn buffered(bytes: &[u8]) -> serde_json::Result<Buffer<'_>> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let buffer = Buffer::deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(buffer)
}
