//! The path from the root of a document to a value. It is built on the stack.

use std::fmt;

/// A place in a document.
///
/// A place refers to the place above it, and therefore needs no allocation. `Display` writes it as a JSON pointer.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    above: Option<&'a Place<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Name(&'a str),
    Index(usize),
}

impl<'a> Place<'a> {
    /// Returns the place of the whole document.
    #[must_use]
    pub const fn root() -> Self {
        Self { above: None, step: Step::Index(0) }
    }

    /// Returns the place of a field of this object.
    #[must_use]
    #[inline]
    pub const fn field(&'a self, name: &'a str) -> Self {
        Self { above: Some(self), step: Step::Name(name) }
    }

    /// Returns the place of an entry of this map.
    #[must_use]
    #[inline]
    pub const fn key(&'a self, key: &'a str) -> Self {
        self.field(key)
    }

    /// Returns the place of an item of this list.
    #[must_use]
    #[inline]
    pub const fn index(&'a self, index: usize) -> Self {
        Self { above: Some(self), step: Step::Index(index) }
    }
}

/// Writes a JSON pointer (RFC 6901). It is empty for the whole document.
impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(above) = self.above else { return Ok(()) };
        above.fmt(f)?;
        match self.step {
            Step::Index(index) => write!(f, "/{index}"),
            Step::Name(name) => write!(f, "/{}", name.replace('~', "~0").replace('/', "~1")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn a_place_is_written_as_a_json_pointer() {
        let root = Place::root();
        assert_eq!(root.to_string(), "");
        let list = root.field("events");
        let item = list.index(12);
        for (key, pointer) in [
            ("name", "/events/12/name"),
            ("", "/events/12/"),
            ("a/b", "/events/12/a~1b"),
            ("a~b", "/events/12/a~0b"),
            ("~1", "/events/12/~01"),
            ("//", "/events/12/~1~1"),
            ("ä \"x\"", "/events/12/ä \"x\""),
        ] {
            assert_eq!(item.key(key).to_string(), pointer, "{key}");
        }
    }
}
