//! The way from the root of a document to a value, built on the stack while walking.

use std::fmt;

/// A place in a document: a step from the place above it.
///
/// Walking costs no allocation; only a place that is reported becomes a JSON pointer, by its `Display`.
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
    /// The whole document.
    #[must_use]
    pub const fn root() -> Self {
        Self { above: None, step: Step::Index(0) }
    }

    /// A field of the object here.
    #[must_use]
    #[inline]
    pub const fn field(&'a self, name: &'a str) -> Self {
        Self { above: Some(self), step: Step::Name(name) }
    }

    /// An entry of the map here.
    #[must_use]
    #[inline]
    pub const fn key(&'a self, key: &'a str) -> Self {
        self.field(key)
    }

    /// An item of the list here.
    #[must_use]
    #[inline]
    pub const fn index(&'a self, index: usize) -> Self {
        Self { above: Some(self), step: Step::Index(index) }
    }
}

/// A JSON pointer (RFC 6901): empty for the whole document.
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
