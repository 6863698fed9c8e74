//! A batch that uses every field of every object, every event type and every kind of value.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::schema::{BATCH, Kind, Place};

/// The batch. Each value differs from all others if its type allows it.
pub(crate) static FULL: LazyLock<Value> =
    LazyLock::new(|| Builder { count: 0 }.value(&BATCH, "batch"));

/// The sample in small parts: the batch without its events, and a batch for each event.
pub(crate) fn parts() -> impl Iterator<Item = Value> {
    let mut batch = FULL.clone();
    let events = batch["events"].take();
    batch["events"] = json!([]);
    let events = events.as_array().unwrap().clone().into_iter();
    [batch].into_iter().chain(events.map(|event| json!({ "events": [event] })))
}

/// Returns the places that the schema describes in a part of the sample, with only the first element of each list and
/// map.
pub(crate) fn places(part: &Value) -> Vec<(String, Place)> {
    let mut places = Vec::new();
    BATCH.visit(part, "", &mut |pointer, place, _| {
        let is_later =
            pointer.split('/').any(|key| key == "1" || key.contains('"') && !key.contains("\"0\""));
        if !is_later {
            places.push((pointer.to_owned(), place.clone()));
        }
    });
    places
}

/// Returns the part with another value at one place.
pub(crate) fn with(part: &Value, pointer: &str, value: Value) -> Value {
    let mut part = part.clone();
    *part.pointer_mut(pointer).unwrap() = value;
    part
}

struct Builder {
    /// The number of leaves so far.
    count: u32,
}

impl Builder {
    fn value(&mut self, place: &Place, name: &str) -> Value {
        match &place.kind {
            Kind::List(item) => match &item.kind {
                Kind::Event(types) => self.events(types),
                Kind::Breadcrumb(data) => self.breadcrumbs(data),
                _ => [0; 2].iter().map(|_| self.value(item, name)).collect(),
            },
            Kind::Map(item) => self.entries(item),
            Kind::Object(fields) => fields
                .iter()
                .map(|field| (field.name.clone(), self.value(&field.place, &field.name)))
                .collect(),
            Kind::Event(_) | Kind::Breadcrumb(_) => panic!("events and breadcrumbs stand in lists"),
            leaf => {
                self.count += 1;
                self.leaf(leaf, name)
            }
        }
    }

    fn leaf(&self, kind: &Kind, name: &str) -> Value {
        let count = self.count;
        match kind {
            Kind::Boolean | Kind::BooleanOrText => json!(count % 2 == 0),
            Kind::Integer => json!(i64::MIN + i64::from(count)),
            Kind::Unsigned => json!(u64::MAX - u64::from(count)),
            Kind::Millis => json!(1_700_000_000_000 + i64::from(count)),
            Kind::Number => json!(f64::from(count) + 0.25),
            Kind::Text => json!(format!("{name} {count}: \"ü\" 漢 😀 \\ \n")),
            Kind::Uuid => json!(format!("00000000-1111-2222-3333-{count:012x}")),
            Kind::Ip => json!("2001:db8::7"),
            Kind::Enum { values, .. } => json!(values[count as usize % values.len()].0),
            Kind::Any | Kind::Scalar | Kind::AttributeValue => json!(count),
            other => panic!("{other:?} is no leaf"),
        }
    }

    /// Returns an entry per type of value, with names that have to be escaped in a pointer.
    fn entries(&mut self, item: &Place) -> Value {
        let mut entries = Map::new();
        let scalars = [
            json!("text"),
            json!(""),
            json!(-7),
            json!(u64::MAX),
            json!(0.5),
            json!(true),
            Value::Null,
        ];
        let any = [json!(["a", 1, null]), json!({ "deep": { "er": [{}] } })];
        let values = match &item.kind {
            Kind::Scalar => scalars.to_vec(),
            Kind::AttributeValue => [&scalars[..], &[json!(scalars), json!([])]].concat(),
            Kind::Any => [&scalars[..], &any].concat(),
            _ => (0..2).map(|_| self.value(item, "entry")).collect(),
        };
        for (index, value) in values.into_iter().enumerate() {
            entries.insert(format!("~a/b \"{index}\" ü"), value);
        }
        entries.into()
    }

    fn events(&mut self, types: &[(String, Place)]) -> Value {
        let unknown = json!({ "event_type": "one of tomorrow", "data": { "deep": [null, { "x": 1 }] }, "beside": 7 });
        let known = types
            .iter()
            .map(|(name, data)| json!({ "event_type": name, "data": self.value(data, name) }));
        known.chain([unknown]).collect()
    }

    /// The three shapes.
    fn breadcrumbs(&mut self, data: &Place) -> Value {
        let (event, flat) = (self.value(data, "breadcrumb"), self.value(data, "breadcrumb"));
        json!([{ "event_type": "breadcrumb", "data": event }, "a text", flat])
    }
}
