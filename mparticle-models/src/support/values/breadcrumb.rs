//! The breadcrumbs of a crash report, which have three forms.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::Extra;
use crate::support::write;

/// A type that is the content of an object with a tag, and keeps the other fields of that object.
///
/// Every generated type of event data implements it.
pub trait Enveloped {
    /// Returns the fields beside tag and content.
    fn envelope(&self) -> &Extra;

    /// Returns a mutable reference to the fields beside tag and content.
    fn envelope_mut(&mut self) -> &mut Extra;
}

/// The key of an event's type.
pub(crate) const TAG: &str = "event_type";
/// The key of an event's data.
pub(crate) const CONTENT: &str = "data";
/// The required field of a breadcrumb's data.
pub(crate) const LABEL: &str = "label";
/// The type of a breadcrumb event.
pub(crate) const BREADCRUMB: &str = "breadcrumb";

/// A breadcrumb of a crash report. It is written in the form in which it was read.
///
/// `From` creates an [`Event`](Self::Event), which is the form in mParticle's documentation.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Breadcrumb<T> {
    /// An event: `{"event_type": "breadcrumb", "data": {..}}`.
    Event(T),
    /// A text.
    Text(String),
    /// The data of an event without `event_type`.
    Data(T),
    /// An empty object. `validate()` reports it.
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
