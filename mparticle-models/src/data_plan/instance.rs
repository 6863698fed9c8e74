//! JSON values as JavaScript holds them: the order of keys counts, and the last of repeated keys wins.

use std::cmp::Ordering;
use std::fmt::Write;

use serde::Deserialize;
use serde_json::Value;

use crate::support::Number;
use crate::support::read::Buffer;

/// A JSON value that is checked against a schema.
#[derive(Clone, Debug)]
pub(super) enum Instance {
    Null,
    Boolean(bool),
    Number(Number),
    Text(String),
    List(Vec<Instance>),
    Object(Object),
    /// A method that every object of JavaScript inherits, such as `toString`. No JSON text contains it.
    Method,
}

/// The members of an object, sorted by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Object(Vec<Member>);

/// A member of an object.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) name: String,
    /// The position in the text.
    position: usize,
    pub(super) value: Instance,
}

impl Instance {
    /// Reads a JSON text.
    pub(super) fn from_slice(bytes: &[u8]) -> serde_json::Result<Self> {
        let mut deserializer = serde_json::Deserializer::from_slice(bytes);
        let buffer = Buffer::deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(buffer.into())
    }

    /// Returns a member of an object.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(object) => object.get(name),
            _ => None,
        }
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns whether JavaScript takes the value for true in a condition.
    pub(super) fn is_truthy(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Boolean(value) => *value,
            Self::Number(number) => number.as_f64() != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::List(_) | Self::Object(_) | Self::Method => true,
        }
    }

    /// Returns whether two values are equal. The order of keys does not count.
    pub(super) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Boolean(a), Self::Boolean(b)) => a == b,
            (Self::Number(a), Self::Number(b)) => equal(*a, *b),
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::List(a), Self::List(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b))
            }
            (Self::Object(Object(a)), Self::Object(Object(b))) => {
                let alike = |(a, b): (&Member, &Member)| a.name == b.name && a.value.same(&b.value);
                a.len() == b.len() && a.iter().zip(b).all(alike)
            }
            _ => false,
        }
    }

    /// Returns a copy without the nulls in objects. Lists are copied unchanged.
    pub(super) fn without_nulls(&self) -> Self {
        let Self::Object(Object(members)) = self else { return self.clone() };
        let kept = members.iter().filter(|member| !matches!(member.value, Self::Null));
        let copy = |member: &Member| Member {
            name: member.name.clone(),
            position: member.position,
            value: member.value.without_nulls(),
        };
        Self::Object(Object(kept.map(copy).collect()))
    }

    /// Returns the text that `JSON.stringify` gives. A method has none.
    pub(super) fn to_json(&self) -> Option<String> {
        if matches!(self, Self::Method) {
            return None;
        }
        let mut json = String::new();
        self.write_json(&mut json, Object::in_order);
        Some(json)
    }

    /// Returns a text that is the same for equal values, and only for these.
    pub(super) fn to_canonical_json(&self) -> String {
        let mut json = String::new();
        self.write_json(&mut json, |object| object.0.iter().collect());
        json
    }

    fn write_json(&self, out: &mut String, order: fn(&Object) -> Vec<&Member>) {
        match self {
            Self::Null | Self::Method => out.push_str("null"),
            Self::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Number(number) => out.push_str(&number_text(number.as_f64())),
            Self::Text(text) => write_text(text, out),
            Self::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    item.write_json(out, order);
                }
                out.push(']');
            }
            Self::Object(object) => {
                out.push('{');
                for (index, member) in order(object).into_iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write_text(&member.name, out);
                    out.push(':');
                    member.value.write_json(out, order);
                }
                out.push('}');
            }
        }
    }

    /// Returns the value, with numbers as JavaScript writes them.
    pub(super) fn to_value(&self) -> Value {
        match self {
            Self::Null | Self::Method => Value::Null,
            Self::Boolean(value) => (*value).into(),
            Self::Number(number) => {
                serde_json::from_str(&number_text(number.as_f64())).unwrap_or_default()
            }
            Self::Text(text) => text.as_str().into(),
            Self::List(items) => items.iter().map(Self::to_value).collect(),
            Self::Object(object) => {
                let members = object.0.iter();
                members.map(|member| (member.name.clone(), member.value.to_value())).collect()
            }
        }
    }

    /// Returns the text that the value has in `[value].join()`: empty for null.
    pub(super) fn joined(&self) -> String {
        match self {
            Self::Null | Self::Method => String::new(),
            Self::Boolean(value) => value.to_string(),
            Self::Number(number) => number_text(number.as_f64()),
            Self::Text(text) => text.clone(),
            Self::List(items) => items.iter().map(Self::joined).collect::<Vec<_>>().join(","),
            Self::Object(_) => "[object Object]".to_owned(),
        }
    }
}

impl Object {
    pub(super) fn get(&self, name: &str) -> Option<&Instance> {
        let found = self.0.binary_search_by(|member| member.name.as_str().cmp(name)).ok()?;
        self.0.get(found).map(|member| &member.value)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the members, sorted by name.
    pub(super) fn members(&self) -> &[Member] {
        &self.0
    }

    /// Returns the members in JavaScript's order: array indices first, then the order of the text.
    fn in_order(&self) -> Vec<&Member> {
        let mut members: Vec<_> = self.0.iter().collect();
        members.sort_by(|a, b| match (array_index(&a.name), array_index(&b.name)) {
            (Some(a), Some(b)) => a.cmp(&b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => a.position.cmp(&b.position),
        });
        members
    }
}

impl FromIterator<(String, Instance)> for Object {
    fn from_iter<I: IntoIterator<Item = (String, Instance)>>(members: I) -> Self {
        let members = members.into_iter().enumerate();
        let mut members: Vec<Member> =
            members.map(|(position, (name, value))| Member { name, position, value }).collect();
        members.sort_by(|a, b| a.name.cmp(&b.name));
        // The first of repeated keys determines the position, and the last one the value.
        members.dedup_by(|later, first| {
            let repeated = later.name == first.name;
            if repeated {
                std::mem::swap(&mut later.value, &mut first.value);
            }
            repeated
        });
        Self(members)
    }
}

impl From<Buffer<'_>> for Instance {
    fn from(buffer: Buffer<'_>) -> Self {
        match buffer {
            Buffer::Null => Self::Null,
            Buffer::Boolean(value) => Self::Boolean(value),
            Buffer::Number(number) => Self::Number(number),
            Buffer::Text(text) => Self::Text(text.into_owned()),
            Buffer::List(items) => Self::List(items.into_iter().map(Into::into).collect()),
            Buffer::Object(entries) => {
                let members =
                    entries.into_iter().map(|(key, value)| (key.into_owned(), value.into()));
                Self::Object(members.collect())
            }
        }
    }
}

impl From<&Value> for Instance {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Boolean(*value),
            Value::Number(number) => Self::Number(number.clone().into()),
            Value::String(text) => Self::Text(text.clone()),
            Value::Array(items) => Self::List(items.iter().map(Into::into).collect()),
            Value::Object(entries) => {
                let members = entries.iter().map(|(key, value)| (key.clone(), value.into()));
                Self::Object(members.collect())
            }
        }
    }
}

/// Returns the number that a canonical array index stands for.
fn array_index(name: &str) -> Option<u32> {
    let index: u32 = name.parse().ok()?;
    (index != u32::MAX && index.to_string() == name).then_some(index)
}

fn write_text(text: &str, out: &mut String) {
    // `serde_json` escapes the same characters as JavaScript, and writing a text cannot fail.
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
}

/// Writes a number as JavaScript does.
pub(super) fn number_text(number: f64) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    let shortest = format!("{number:e}");
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let digits: String = mantissa.chars().filter(|digit| *digit != '.').collect();
    // The position of the decimal point, counted from the first digit.
    let point = exponent.parse::<i32>().unwrap_or_default().saturating_add(1);
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or_default());
    let mut text = sign.to_owned();
    if count <= point && point <= 21 {
        text.push_str(&digits);
        text.push_str(&zeros(point - count));
    } else if 0 < point && point <= 21 {
        let (whole, fraction) = digits.split_at(usize::try_from(point).unwrap_or_default());
        text.push_str(whole);
        text.push('.');
        text.push_str(fraction);
    } else if -6 < point && point <= 0 {
        text.push_str("0.");
        text.push_str(&zeros(-point));
        text.push_str(&digits);
    } else {
        let (first, rest) = digits.split_at(1);
        let dot = if rest.is_empty() { "" } else { "." };
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{first}{dot}{rest}e{:+}", point - 1);
    }
    text
}

/// Returns whether two numbers are equal in JavaScript.
fn equal(a: Number, b: Number) -> bool {
    a.as_f64().partial_cmp(&b.as_f64()) == Some(Ordering::Equal)
}
