//! Compares a document with the shape of its type, and returns the first mistake.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::error::{Mistake, ReadErrorKind};
use super::shape::{Field, KeyedShape, Presence, Shape, TaggedShape, field_named};
use crate::support::place::Place;
use crate::support::read::{Buffer, shortened};
use crate::support::values::breadcrumb::CONTENT;

type Found = Result<(), Mistake>;

/// Checks a required value.
pub(super) fn required(buffer: &Buffer<'_>, shape: &Shape, place: &Place<'_>) -> Found {
    let present = match (shape, buffer) {
        (Shape::Nullable(shape), _) => return optional(buffer, shape, place),
        (Shape::Leaf(leaf), _) => (leaf.read)(buffer).map_err(|message| wrong(place, message))?,
        (Shape::Any, _) => true,
        (_, Buffer::Null) => false,
        (Shape::Breadcrumb(_), _) => true,
        (_, Buffer::Text(text)) => !text.is_empty(),
        _ => true,
    };
    if !present {
        return Err(mismatch(place, shape, "null or an empty string"));
    }
    inside(buffer, shape, place)
}

/// Checks an optional value.
fn optional(buffer: &Buffer<'_>, shape: &Shape, place: &Place<'_>) -> Found {
    match (shape, buffer) {
        (Shape::Nullable(shape), _) => optional(buffer, shape, place),
        (Shape::Leaf(leaf), _) => {
            (leaf.read)(buffer).map(|_| ()).map_err(|message| wrong(place, message))
        }
        (_, Buffer::Null) => Ok(()),
        (Shape::Any, _) => anything(buffer, place),
        (_, Buffer::Text(text)) if text.is_empty() => Ok(()),
        _ => inside(buffer, shape, place),
    }
}

/// Checks a value that is present.
fn inside(buffer: &Buffer<'_>, shape: &Shape, place: &Place<'_>) -> Found {
    match (shape, buffer) {
        (Shape::Any, _) => anything(buffer, place),
        (Shape::Nullable(shape), _) => inside(buffer, shape, place),
        (Shape::List(shape), Buffer::List(items)) => list(items, shape, place),
        (Shape::Map(shape), Buffer::Object(entries)) => map(entries, shape, place),
        (Shape::Object(fields), Buffer::Object(entries)) => object(entries, fields(), place),
        (Shape::Tagged(union), Buffer::Object(entries)) => tagged(entries, union(), place),
        (Shape::Keyed(keyed), Buffer::Object(entries)) => object(entries, keyed().fields, place),
        (Shape::Keyed(keyed), Buffer::List(items)) => records(items, keyed(), place),
        (Shape::Breadcrumb(_), Buffer::Object(entries)) if entries.is_empty() => Ok(()),
        (Shape::Breadcrumb(shape), Buffer::Object(entries)) => {
            breadcrumb(buffer, entries, shape, place)
        }
        (Shape::Leaf(_), _)
        | (Shape::Breadcrumb(_), Buffer::Boolean(_) | Buffer::Number(_) | Buffer::Text(_)) => {
            Ok(())
        }
        _ => Err(mismatch(place, shape, buffer.kind())),
    }
}

type Entries<'b, 'de> = &'b [(Cow<'de, str>, Buffer<'de>)];

fn list(items: &[Buffer<'_>], shape: &Shape, place: &Place<'_>) -> Found {
    items
        .iter()
        .enumerate()
        .try_for_each(|(index, item)| required(item, shape, &place.index(index)))
}

fn map(entries: Entries<'_, '_>, shape: &Shape, place: &Place<'_>) -> Found {
    distinct(entries, place)?;
    entries.iter().try_for_each(|(key, value)| optional(value, shape, &place.key(key)))
}

/// Checks JSON of any kind, in which only a repeated key is a mistake.
fn anything(buffer: &Buffer<'_>, place: &Place<'_>) -> Found {
    match buffer {
        Buffer::List(items) => list(items, &Shape::Any, place),
        Buffer::Object(entries) => map(entries, &Shape::Any, place),
        _ => Ok(()),
    }
}

fn object(entries: Entries<'_, '_>, fields: &'static [Field], place: &Place<'_>) -> Found {
    let mut seen: Vec<&'static str> = Vec::new();
    distinct(entries, place)?;
    for (key, value) in entries {
        let place = place.field(key);
        let Some((name, field)) = field_named(fields, key) else {
            anything(value, &place)?;
            continue;
        };
        if seen.contains(&name) {
            return Err(repeated(&place, name));
        }
        seen.push(name);
        match field.presence {
            Presence::Required => required(value, field.shape, &place)?,
            Presence::Optional | Presence::Flattened => optional(value, field.shape, &place)?,
        }
    }
    nothing_missing(fields, &seen, place)
}

fn nothing_missing(fields: &'static [Field], seen: &[&str], place: &Place<'_>) -> Found {
    for field in fields {
        nothing_missing(field.fields(), seen, place)?;
        let Some(name) = field.names.first() else { continue };
        if field.presence == Presence::Required && !seen.contains(name) {
            return Err(missing(place, name));
        }
    }
    Ok(())
}

fn tagged(entries: Entries<'_, '_>, union: &'static TaggedShape, place: &Place<'_>) -> Found {
    distinct(entries, place)?;
    let value_of = |name| entries.iter().find(|(key, _)| key == name).map(|(_, value)| value);
    let Some(tag) = value_of(union.tag) else { return Err(missing(place, union.tag)) };
    let tag_place = place.field(union.tag);
    let Some(text) = tag.text() else {
        return Err(wrong(&tag_place, format!("expected a string, found {}", tag.kind())));
    };
    let shape = (union.known)(&text).and_then(|variant| union.variants.get(variant));
    for (key, value) in entries {
        let place = place.field(key);
        match shape {
            Some(shape) if key == union.content => content(value, shape, &place)?,
            _ => anything(value, &place)?,
        }
    }
    match shape {
        Some(shape) if value_of(union.content).is_none() => {
            content(&Buffer::Null, shape, &place.field(union.content))
        }
        _ => Ok(()),
    }
}

/// Checks the content of a known tag. Absent content is treated as an empty object.
fn content(buffer: &Buffer<'_>, shape: &Shape, place: &Place<'_>) -> Found {
    let absent = match buffer {
        Buffer::Null => true,
        Buffer::Text(text) => text.is_empty(),
        _ => false,
    };
    if absent {
        inside(&Buffer::Object(Vec::new()), shape, place)
    } else {
        inside(buffer, shape, place)
    }
}

fn records(items: &[Buffer<'_>], keyed: &'static KeyedShape, place: &Place<'_>) -> Found {
    list(items, keyed.record, place)?;
    let mut seen = BTreeSet::new();
    for (index, item) in items.iter().enumerate() {
        let (Some(name), Some(value)) =
            (item.get(keyed.key).and_then(Buffer::text), item.get(keyed.value))
        else {
            continue;
        };
        let place = place.index(index);
        if let Some((_, field)) = field_named(keyed.fields, &name) {
            optional(value, field.shape, &place.field(keyed.value))?;
        }
        if !seen.insert(name.to_string()) {
            return Err(repeated(&place.field(keyed.key), &name));
        }
    }
    Ok(())
}

fn breadcrumb(
    buffer: &Buffer<'_>,
    entries: Entries<'_, '_>,
    shape: &Shape,
    place: &Place<'_>,
) -> Found {
    match buffer.get(CONTENT) {
        Some(data @ Buffer::Object(_)) => {
            distinct(entries, place)?;
            inside(data, shape, &place.field(CONTENT))
        }
        _ => inside(buffer, shape, place),
    }
}

/// Checks that no key occurs twice.
fn distinct(entries: Entries<'_, '_>, place: &Place<'_>) -> Found {
    let mut seen = BTreeSet::new();
    match entries.iter().find(|(key, _)| !seen.insert(key.to_string())) {
        Some((key, _)) => Err(repeated(&place.key(key), key)),
        None => Ok(()),
    }
}

fn repeated(place: &Place<'_>, name: &str) -> Mistake {
    let message = format!("repeated key `{}`", shortened(name));
    Mistake { kind: ReadErrorKind::Repeated, pointer: place.to_string(), message }
}

fn missing(place: &Place<'_>, name: &str) -> Mistake {
    let message = format!("missing field `{name}`");
    Mistake { kind: ReadErrorKind::Missing, pointer: place.field(name).to_string(), message }
}

fn mismatch(place: &Place<'_>, shape: &Shape, found: &str) -> Mistake {
    wrong(place, format!("expected {}, found {found}", shape.expected()))
}

fn wrong(place: &Place<'_>, message: String) -> Mistake {
    Mistake { kind: ReadErrorKind::WrongType, pointer: place.to_string(), message }
}
