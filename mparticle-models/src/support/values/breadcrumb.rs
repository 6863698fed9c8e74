//! The breadcrumbs of a crash report, which sources write in three shapes.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::Extra;
use crate::support::write;

/// A type that stands in an envelope of tag and content, and keeps the fields found beside those two.
///
/// Implemented by every generated event data type.
pub trait Enveloped {
    /// The fields beside tag and content.
    fn envelope(&self) -> &Extra;

    /// The same, to be changed.
    fn envelope_mut(&mut self) -> &mut Extra;
}

/// The key of an event's type.
pub(crate) const TAG: &str = "event_type";
/// The key of an event's data.
pub(crate) const CONTENT: &str = "data";
/// The field of a breadcrumb's data that must be there.
pub(crate) const LABEL: &str = "label";
/// The type of a breadcrumb event.
pub(crate) const BREADCRUMB: &str = "breadcrumb";

/// One breadcrumb of a crash report, written back in the shape in which it was read.
///
/// An envelope is what mParticle's published schema and its reference show, so that is what `From` makes.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Breadcrumb<T> {
    /// An event: `{"event_type": "breadcrumb", "data": {..}}`.
    Event(T),
    /// Text alone.
    Text(String),
    /// An event's data without the envelope.
    Data(T),
    /// An empty object, the placeholder of mParticle's reference; `validate()` reports it.
    Empty,
}

impl<T> From<T> for Breadcrumb<T> {
    fn from(data: T) -> Self {
        Self::Event(data)
    }
}

impl<T: Serialize + Enveloped> Serialize for Breadcrumb<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Event(data) => {
                write::tagged(serializer, (TAG, BREADCRUMB), (CONTENT, Some(data)), data.envelope())
            }
            Self::Text(text) => serializer.serialize_str(text),
            Self::Data(data) => data.serialize(serializer),
            Self::Empty => serializer.serialize_map(Some(0))?.end(),
        }
    }
}
