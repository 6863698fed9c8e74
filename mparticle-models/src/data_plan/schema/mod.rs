//! The schemas of a plan, compiled: which values they accept, and what they say about others.
//!
//! `compile` reads a definition once. What is wrong in it is reported as a fault with its place, and left out. `check`
//! compares a value with a schema, and `scalar` does the same for a single scalar.

mod check;
mod compile;
mod format;
mod keywords;
mod pattern;
mod scalar;

use std::collections::BTreeMap;
use std::sync::Arc;

use regex::Regex;

use super::instance::Instance;

pub(super) use check::{Check, Failure, INHERITED};
pub(super) use compile::{Compiler, Fault};
use format::Format;
pub(super) use scalar::ScalarRef;

/// A compiled definition: a schema, and the schemas that it refers to.
#[derive(Debug, Default)]
pub(super) struct Definition {
    pub(super) root: Schema,
    references: Vec<Schema>,
}

/// What a schema says about a value. Without any rule it accepts everything.
#[derive(Debug, Default)]
pub(super) struct Schema {
    /// The schema `false`.
    never: bool,
    pub(super) types: Option<Types>,
    pub(super) number: Option<Box<NumberRules>>,
    pub(super) text: Option<Box<TextRules>>,
    pub(super) list: Option<Box<ListRules>>,
    pub(super) object: Option<Box<ObjectRules>>,
    pub(super) constant: Option<Instance>,
    pub(super) values: Option<Vec<Instance>>,
    pub(super) combined: Option<Box<Combined>>,
}

/// The types that a value may have.
#[derive(Debug)]
pub(super) struct Types {
    pub(super) names: Vec<Type>,
    /// The types in the order of the plan.
    text: String,
}

/// A type of JSON Schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Null,
    Boolean,
    Integer,
    Number,
    String,
    Array,
    Object,
}

/// Rules for numbers.
#[derive(Debug, Default)]
pub(super) struct NumberRules {
    pub(super) limits: Vec<Limit>,
    pub(super) multiple_of: Option<f64>,
}

/// A bound of a number.
#[derive(Debug)]
pub(super) struct Limit {
    pub(super) keyword: &'static str,
    pub(super) bound: f64,
}

/// Rules for texts.
#[derive(Debug, Default)]
pub(super) struct TextRules {
    pub(super) longest: Option<f64>,
    pub(super) shortest: Option<f64>,
    pub(super) pattern: Option<Pattern>,
    pub(super) format: Option<(Format, String)>,
}

/// A pattern, as it is written and compiled.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    text: String,
    regex: Arc<Regex>,
}

/// Rules for lists.
#[derive(Debug, Default)]
pub(super) struct ListRules {
    longest: Option<f64>,
    shortest: Option<f64>,
    unique: Option<Unique>,
    contains: Option<Schema>,
    items: Items,
}

/// How repeated items are found. The library compares scalars by their text.
#[derive(Debug)]
enum Unique {
    All,
    Scalars(Vec<Type>),
}

#[derive(Debug, Default)]
enum Items {
    #[default]
    Any,
    All(Schema),
    /// The first items, one by one, and the others.
    Each(Vec<Schema>, Additional),
}

/// What applies to members or items that no other rule names.
#[derive(Debug, Default)]
pub(super) enum Additional {
    #[default]
    Allowed,
    Forbidden,
    Checked(Box<Schema>),
}

/// Rules for objects.
#[derive(Debug, Default)]
pub(super) struct ObjectRules {
    pub(super) most: Option<f64>,
    pub(super) least: Option<f64>,
    pub(super) required: Vec<String>,
    pub(super) dependencies: Vec<(String, Dependency)>,
    pub(super) names: Option<Schema>,
    pub(super) properties: BTreeMap<String, Schema>,
    /// A pattern that cannot be checked is `None`: it might match any name.
    pub(super) patterns: Vec<(Option<Pattern>, Schema)>,
    pub(super) additional: Additional,
}

impl ObjectRules {
    /// The rules of a schema that has none for objects.
    pub(super) const NONE: Self = Self {
        most: None,
        least: None,
        required: Vec::new(),
        dependencies: Vec::new(),
        names: None,
        properties: BTreeMap::new(),
        patterns: Vec::new(),
        additional: Additional::Allowed,
    };
}

#[derive(Debug)]
pub(super) enum Dependency {
    Names(Vec<String>),
    Schema(Schema),
}

/// Rules that are made of other schemas.
#[derive(Debug, Default)]
pub(super) struct Combined {
    /// The position in [`Definition::references`].
    reference: Option<usize>,
    not: Option<Schema>,
    any_of: Vec<Schema>,
    one_of: Vec<Schema>,
    all_of: Vec<Schema>,
    condition: Option<Condition>,
}

#[derive(Debug)]
struct Condition {
    test: Schema,
    then: Option<Schema>,
    otherwise: Option<Schema>,
}

impl Schema {
    /// Returns whether the schema accepts nothing.
    pub(super) fn is_never(&self) -> bool {
        self.never
    }

    /// Returns whether the schema accepts everything.
    pub(super) fn is_empty(&self) -> bool {
        let Self { never, types, number, text, list, object, constant, values, combined } = self;
        !never
            && types.is_none()
            && number.is_none()
            && text.is_none()
            && list.is_none()
            && object.is_none()
            && constant.is_none()
            && values.is_none()
            && combined.is_none()
    }
}
