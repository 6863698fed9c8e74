//! What the generator reports: a code, a place, a message and a way out.

/// A place in a schema: a file and a JSON pointer into it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// The file's name relative to the schema's folder.
    pub file: String,
    /// An RFC 6901 pointer; empty for the whole document.
    pub pointer: String,
}
