//! What generated code looks like, written by hand once: the example that the generator's back-end follows.
//!
//! It holds one of everything: an object with a flattened base (`PageView`), a base (`CommonData`), an object of which
//! one field is required to write and optional to read (`Upload`), an open enum (`Stage`), a tagged union (`Event`),
//! and an object that may be spelled as a list of records (`Identities`).

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

use super::{
    AttributeLimits, AttributeValue, Beyond, Enveloped, Extra, Field, KeyedShape, OpenEnum, Place,
    Read, ReadError, ReadErrorKind, Report, Rule, Scalar, Severity, Shape, Shaped, Tagged,
    TaggedShape, UnixMillis, Validate, Violation, locate, open_enum, read, validate, write,
};

// ---- An open enum.

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
enum Stage {
    Production,
    Development,
    UnknownValue(String),
}

impl OpenEnum for Stage {
    const KNOWN: &'static [(&'static str, Self)] = &[
        ("production", Self::Production),
        ("development", Self::Development),
        ("dev", Self::Development),
    ];

    fn as_str(&self) -> &str {
        match self {
            Self::Production => "production",
            Self::Development => "development",
            Self::UnknownValue(text) => text,
        }
    }

    fn unknown(text: String) -> Self {
        Self::UnknownValue(text)
    }
}

open_enum!(Stage);

// Only where the schema closes the set.
impl Validate for Stage {
    fn check(&self, place: &Place<'_>, report: &mut Report) {
        report.known(place, !matches!(self, Self::UnknownValue(_)));
    }
}

// ---- A base: flattened into other objects, so it has no `extra` of its own, which would take their fields.

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
struct CommonData {
    #[serde(default, deserialize_with = "read::optional", skip_serializing_if = "Option::is_none")]
    timestamp_unixtime_ms: Option<UnixMillis>,

    #[serde(
        default,
        deserialize_with = "read::identifier",
        skip_serializing_if = "Option::is_none"
    )]
    source_message_id: Option<String>,

    #[serde(
        default,
        deserialize_with = "read::collection",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    custom_attributes: BTreeMap<String, Scalar>,
}

impl Shaped for CommonData {
    const SHAPE: Shape = Shape::Object(|| {
        const {
            &[
                Field::optional::<UnixMillis>(&["timestamp_unixtime_ms"]),
                Field::optional::<String>(&["source_message_id"]),
                Field::optional::<BTreeMap<String, Scalar>>(&["custom_attributes"]),
            ]
        }
    });
}

impl Validate for CommonData {
    fn check(&self, place: &Place<'_>, report: &mut Report) {
        self.timestamp_unixtime_ms.check(&place.field("timestamp_unixtime_ms"), report);
        if let Some(text) = &self.source_message_id {
            report.uuid(&place.field("source_message_id"), text);
        }
        let here = place.field("custom_attributes");
        report.max_properties(&here, self.custom_attributes.len(), 100, Beyond::Refused);
        report.name_length(&here, self.custom_attributes.keys(), 256, Beyond::Cut);
        for (key, value) in &self.custom_attributes {
            let here = here.key(key);
            report.scalar_length(&here, value, 4096, Beyond::Undocumented);
            value.check(&here, report);
        }
    }
}

// ---- An object with a base: the data of an event.

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
struct PageView {
    #[serde(deserialize_with = "read::required")]
    url: String,

    #[serde(
        default,
        deserialize_with = "read::optional",
        serialize_with = "write::number",
        skip_serializing_if = "Option::is_none"
    )]
    duration: Option<f64>,

    // Required, but null is a value.
    #[serde(default, deserialize_with = "read::optional")]
    old: Option<Scalar>,

    #[serde(
        default,
        alias = "links",
        deserialize_with = "read::collection",
        skip_serializing_if = "Vec::is_empty"
    )]
    children: Vec<PageView>,

    #[serde(flatten)]
    common: CommonData,

    #[serde(flatten)]
    extra: Extra,

    // Only in data of events: the fields beside `event_type` and `data`.
    #[serde(skip)]
    envelope: Extra,
}

impl PageView {
    fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            duration: None,
            old: None,
            children: Vec::new(),
            common: CommonData::default(),
            extra: Extra::new(),
            envelope: Extra::new(),
        }
    }
}

impl Read for PageView {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        read::object(deserializer)
    }
}

impl Shaped for PageView {
    const SHAPE: Shape = Shape::Object(|| {
        const {
            &[
                Field::required::<String>(&["url"]),
                Field::optional::<f64>(&["duration"]),
                Field::optional::<Scalar>(&["old"]),
                Field::optional::<Vec<PageView>>(&["children", "links"]),
                Field::flattened::<CommonData>(),
            ]
        }
    });
}

impl Validate for PageView {
    fn check(&self, place: &Place<'_>, report: &mut Report) {
        report.max_length(&place.field("url"), &self.url, 20, Beyond::Cut);
        self.duration.check(&place.field("duration"), report);
        self.old.check(&place.field("old"), report);
        let here = place.field("children");
        report.max_items(&here, self.children.len(), 2, Beyond::Refused);
        self.children.check(&here, report);
        report.exactly_one_of(
            place,
            &[("duration", self.duration.is_some()), ("old", self.old.is_some())],
        );
        self.common.check(place, report);
    }
}

impl Enveloped for PageView {
    fn envelope(&self) -> &Extra {
        &self.envelope
    }

    fn envelope_mut(&mut self) -> &mut Extra {
        &mut self.envelope
    }
}

// ---- Another one, all of whose fields are optional.

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
struct OptOut {
    #[serde(default, deserialize_with = "read::optional", skip_serializing_if = "Option::is_none")]
    is_opted_out: Option<bool>,

    #[serde(flatten)]
    common: CommonData,

    #[serde(flatten)]
    extra: Extra,

    #[serde(skip)]
    envelope: Extra,
}

impl Read for OptOut {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        read::object(deserializer)
    }
}

impl Shaped for OptOut {
    const SHAPE: Shape = Shape::Object(|| {
        const { &[Field::optional::<bool>(&["is_opted_out"]), Field::flattened::<CommonData>()] }
    });
}

impl Validate for OptOut {
    fn check(&self, place: &Place<'_>, report: &mut Report) {
        self.common.check(place, report);
    }
}

impl Enveloped for OptOut {
    fn envelope(&self) -> &Extra {
        &self.envelope
    }

    fn envelope_mut(&mut self) -> &mut Extra {
        &mut self.envelope
    }
}

// ---- A tagged union.

#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
enum Event {
    PageView(Box<PageView>),
    OptOut(OptOut),
    Unknown { event_type: String, data: Value, envelope: Extra },
}

impl From<PageView> for Event {
    fn from(data: PageView) -> Self {
        Self::PageView(Box::new(data))
    }
}

impl From<OptOut> for Event {
    fn from(data: OptOut) -> Self {
        Self::OptOut(data)
    }
}

impl Event {
    /// Every spelling of a tag and the number of its variant: first the canonical ones, then those only read.
    const TAGS: &'static [(&'static str, usize)] =
        &[("page_view", 0), ("opt_out", 1), ("optout", 1)];

    fn event_type(&self) -> &str {
        match self {
            Self::PageView(_) => "page_view",
            Self::OptOut(_) => "opt_out",
            Self::Unknown { event_type, .. } => event_type,
        }
    }
}

impl Tagged for Event {
    const TAG: &'static str = "event_type";
    const CONTENT: &'static str = "data";

    fn known(tag: &str) -> Option<usize> {
        read::position(Self::TAGS, tag)
    }

    fn read_content<'de, D: Deserializer<'de>>(
        variant: usize,
        content: D,
    ) -> Result<Self, D::Error> {
        match variant {
            0 => PageView::deserialize(content).map(Self::from),
            1 => OptOut::deserialize(content).map(Self::from),
            _ => Err(read::no_variant(variant)),
        }
    }

    fn unknown(tag: String, content: Value, envelope: Extra) -> Self {
        Self::Unknown { event_type: tag, data: content, envelope }
    }

    fn set_envelope(&mut self, extra: Extra) {
        match self {
            Self::PageView(data) => data.envelope = extra,
            Self::OptOut(data) => data.envelope = extra,
            Self::Unknown { envelope, .. } => *envelope = extra,
        }
    }
}

impl Read for Event {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        read::tagged(deserializer)
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read::required(deserializer)
    }
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let tag = (Self::TAG, self.event_type());
        match self {
            Self::PageView(data) => {
                write::tagged(serializer, tag, (Self::CONTENT, Some(data)), &data.envelope)
            }
            Self::OptOut(data) => {
                write::tagged(serializer, tag, (Self::CONTENT, Some(data)), &data.envelope)
            }
            Self::Unknown { data, envelope, .. } => {
                let data = Some(data).filter(|data| !data.is_null());
                write::tagged(serializer, tag, (Self::CONTENT, data), envelope)
            }
        }
    }
}

impl Shaped for Event {
    const SHAPE: Shape = Shape::Tagged(|| {
        const {
            &TaggedShape {
                tag: Self::TAG,
                content: Self::CONTENT,
                known: <Self as Tagged>::known,
                variants: &[&PageView::SHAPE, &OptOut::SHAPE],
            }
        }
    });
}

impl Validate for Event {
    fn check(&self, place: &Place<'_>, report: &mut Report) {
        let here = place.field(Self::CONTENT);
        match self {
            Self::PageView(data) => data.check(&here, report),
            Self::OptOut(data) => data.check(&here, report),
            Self::Unknown { data, .. } => report.object(&here, data),
        }
    }
}

// ---- An object that exports spell as a list of records.

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
struct Identity {
    #[serde(default, deserialize_with = "read::optional", skip_serializing_if = "Option::is_none")]
    identity_type: Option<String>,

    #[serde(default, deserialize_with = "read::optional", skip_serializing_if = "Option::is_none")]
    timestamp: Option<i64>,

    #[serde(flatten)]
    extra: Extra,
}

impl Read for Identity {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        read::object(deserializer)
    }
}

impl Shaped for Identity {
    const SHAPE: Shape = Shape::Object(|| {
        const { &[Field::optional::<String>(&["identity_type"]), Field::optional::<i64>(&["timestamp"])] }
    });
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
struct Identities {
    #[serde(
        default,
        alias = "customerid",
        deserialize_with = "read::optional",
        skip_serializing_if = "Option::is_none"
    )]
    customer_id: Option<String>,

    #[serde(flatten)]
    extra: Extra,

    #[serde(skip)]
    records: Vec<Identity>,
}

impl Read for Identities {
    const EXPECTED: &'static str = "an object or a list of records";

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        let keyed = read::keyed::<D, Self, Identity>(deserializer, "identity_type", "identity")?;
        Ok(keyed.map(|(value, records)| Self { records, ..value }))
    }
}

impl Shaped for Identities {
    const SHAPE: Shape = Shape::Keyed(|| {
        const {
            &KeyedShape {
                fields: &[Field::optional::<String>(&["customer_id", "customerid"])],
                record: &Identity::SHAPE,
                key: "identity_type",
                value: "identity",
            }
        }
    });
}

// ---- A document.

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
struct Upload {
    // Required to write, optional to read.
    #[serde(default, deserialize_with = "read::optional", skip_serializing_if = "Option::is_none")]
    environment: Option<Stage>,

    #[serde(default, deserialize_with = "read::collection", skip_serializing_if = "Vec::is_empty")]
    events: Vec<Event>,

    #[serde(
        default,
        deserialize_with = "read::collection",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    user_attributes: BTreeMap<String, AttributeValue>,

    #[serde(default, deserialize_with = "read::optional", skip_serializing_if = "Option::is_none")]
    user_identities: Option<Identities>,

    #[serde(default, deserialize_with = "read::optional", skip_serializing_if = "Option::is_none")]
    mpid: Option<i64>,

    #[serde(flatten)]
    extra: Extra,
}

impl Upload {
    fn from_str(text: &str) -> Result<Self, ReadError> {
        locate::from_str(text)
    }
}

impl Read for Upload {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        read::object(deserializer)
    }
}

impl Shaped for Upload {
    const SHAPE: Shape = Shape::Object(|| {
        const {
            &[
                Field::optional::<Stage>(&["environment"]),
                Field::optional::<Vec<Event>>(&["events"]),
                Field::optional::<BTreeMap<String, AttributeValue>>(&["user_attributes"]),
                Field::optional::<Identities>(&["user_identities"]),
                Field::optional::<i64>(&["mpid"]),
            ]
        }
    });
}

impl Validate for Upload {
    fn check(&self, place: &Place<'_>, report: &mut Report) {
        match &self.environment {
            Some(environment) => environment.check(&place.field("environment"), report),
            None => report.missing(place, "environment"),
        }
        self.events.check(&place.field("events"), report);
        let here = place.field("user_attributes");
        let limits = AttributeLimits {
            scalar: Some((4096, Beyond::Undocumented)),
            items: Some((1000, Beyond::Undocumented)),
            item: Some((512, Beyond::Undocumented)),
        };
        for (key, value) in &self.user_attributes {
            let here = here.key(key);
            report.attribute_value(&here, value, limits);
            value.check(&here, report);
        }
    }
}

// ---- Tests of the example, which are tests of the whole support.
