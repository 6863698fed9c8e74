//! The values that a schema accepts, by kind of JSON value and independent of the notation.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use super::document::{Document, MAX_DEPTH, UNTYPED};
use crate::node::{Node, branches, flag, place, text};

/// A kind of JSON value. An integer is a number without a fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Null,
    Boolean,
    Integer,
    Fraction,
    Text,
    List,
    Object,
}

const ALL: [Kind; 7] = [
    Kind::Null,
    Kind::Boolean,
    Kind::Integer,
    Kind::Fraction,
    Kind::Text,
    Kind::List,
    Kind::Object,
];

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Fraction => "fraction",
            Self::Text => "text",
            Self::List => "list",
            Self::Object => "object",
        })
    }
}

/// A keyword that restricts values, with the location of the schema that holds it.
#[derive(Clone, Debug)]
pub(super) struct Constraint {
    pub(super) value: Value,
    pub(super) at: String,
}

/// Restricting keywords by name.
pub(super) type Constraints = BTreeMap<String, Constraint>;

/// A schema that accepts lists or objects.
#[derive(Clone, Debug)]
pub(super) struct Part<'d> {
    /// The schema after following references.
    pub(super) node: &'d Node,
    /// The location of the schema.
    pub(super) at: &'d str,
}

/// The texts that a schema accepts.
#[derive(Debug, Default)]
pub(super) struct Texts<'d> {
    /// The known values and their locations.
    pub(super) values: Vec<(&'d str, &'d str)>,
    /// Whether other texts are accepted.
    pub(super) open: bool,
    /// The location of the set of values, or of the position.
    pub(super) at: &'d str,
}

/// The values that a schema accepts.
#[derive(Debug, Default)]
pub(super) struct Accepts<'d> {
    pub(super) kinds: BTreeSet<Kind>,
    pub(super) texts: Texts<'d>,
    pub(super) lists: Vec<Part<'d>>,
    pub(super) objects: Vec<Part<'d>>,
    /// The restrictions on each kind.
    pub(super) constraints: BTreeMap<Kind, Constraints>,
    /// A keyword in a combination that no pass reads.
    pub(super) unreadable: Option<&'static str>,
}

/// The keywords that restrict values, except those that the generator does not support.
const RESTRICTING: &[&str] = &[
    "format",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minimum",
    "nameMaxLength",
    "propertyNames",
];

/// Keywords that cannot be compared if no pass has rewritten them.
const UNREADABLE: &[&str] = &["allOf", "if", "then"];

impl<'d> Accepts<'d> {
    /// Reads a schema in a position.
    pub(super) fn of(document: &'d Document, node: &'d Node, at: &'d str) -> Self {
        let mut accepts = Self::default();
        accepts.texts.at = at;
        accepts.read(document, node, at, &Constraints::new(), 0);
        accepts
    }

    fn read(
        &mut self,
        document: &'d Document,
        node: &'d Node,
        at: &'d str,
        outer: &Constraints,
        depth: usize,
    ) {
        if let Some(keyword) = UNREADABLE.iter().find(|keyword| node.contains_key(**keyword)) {
            self.unreadable = Some(keyword);
        }
        if flag(node, "nullable") {
            self.kinds.insert(Kind::Null);
        }
        let mut constraints = outer.clone();
        constraints.extend(own_constraints(document, node));
        let target = text(node, "$ref").and_then(|key| document.definitions.get(key));
        if let (Some(target), true) = (target, depth < MAX_DEPTH) {
            return self.read(document, target, at, &constraints, depth + 1);
        }
        let choices = ["anyOf", "oneOf"].map(|keyword| branches(node, keyword)).concat();
        for branch in &choices {
            self.read(document, branch, place(branch), &constraints, depth + 1);
        }
        if choices.is_empty() || node.contains_key("type") {
            self.types(node, at, &constraints);
        }
    }

    /// Reads the `type` of a schema. A schema without a type accepts all types.
    fn types(&mut self, node: &'d Node, at: &'d str, constraints: &Constraints) {
        let names: Vec<&str> = match node.get("type") {
            Some(Value::String(name)) => vec![name],
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => vec!["any"],
        };
        let names = if flag(node, UNTYPED) { vec!["any"] } else { names };
        for kind in names.into_iter().flat_map(kinds) {
            self.kinds.insert(*kind);
            match kind {
                Kind::Text => self.text(node),
                Kind::List => self.lists.push(Part { node, at }),
                Kind::Object => self.objects.push(Part { node, at }),
                _ => {}
            }
            let own = constraints.iter().map(|(keyword, c)| (keyword.clone(), c.clone()));
            let own = own.filter(|(keyword, _)| keyword != "format" || *kind == Kind::Text);
            match self.constraints.get_mut(kind) {
                // A value has to match one alternative only. A restriction therefore applies only if both alternatives
                // have it.
                Some(known) => *known = shared(known, &own.collect()),
                None => drop(self.constraints.insert(*kind, own.collect())),
            }
        }
    }

    fn text(&mut self, node: &'d Node) {
        let values = branches(node, "values").into_iter();
        let values: Vec<_> = values.filter_map(|v| Some((text(v, "const")?, place(v)))).collect();
        let is_set = text(node, "type") == Some("enum");
        self.texts.open |= !is_set || !flag(node, "closed");
        if is_set {
            self.texts.at = place(node);
        }
        self.texts.values.extend(values);
    }
}

fn kinds(name: &str) -> &'static [Kind] {
    match name {
        "null" => &[Kind::Null],
        "boolean" => &[Kind::Boolean],
        "integer" => &[Kind::Integer],
        "number" => &[Kind::Integer, Kind::Fraction],
        "string" | "enum" => &[Kind::Text],
        "array" => &[Kind::List],
        "object" | "union" => &[Kind::Object],
        _ => &ALL,
    }
}

fn own_constraints(document: &Document, node: &Node) -> Constraints {
    let known = node.iter().filter(|(keyword, _)| RESTRICTING.contains(&keyword.as_str()));
    let mut constraints = Constraints::new();
    for (keyword, value) in known {
        // The pass `limits` stores the effect of exceeding a limit beside its value.
        let value = value.get("value").unwrap_or(value).clone();
        let (keyword, holder) = match keyword.as_str() {
            "nameMaxLength" => ("maxLength of names", "propertyNames"),
            keyword => (keyword, keyword),
        };
        let at = document.home(node, holder).to_owned();
        constraints.insert(keyword.to_owned(), Constraint { value, at });
    }
    for (keyword, value) in document.unread(node) {
        let at = document.home(node, keyword).to_owned();
        constraints.insert(keyword.clone(), Constraint { value: value.clone(), at });
    }
    constraints
}

/// Returns the restrictions that two alternatives have in common, with both values if they differ.
fn shared(a: &Constraints, b: &Constraints) -> Constraints {
    let both = a.iter().filter_map(|(keyword, a)| Some((keyword, a, b.get(keyword)?)));
    let merged = both.map(|(keyword, a, b)| {
        let value = if a.value == b.value {
            a.value.clone()
        } else {
            Value::Array(vec![a.value.clone(), b.value.clone()])
        };
        (keyword.clone(), Constraint { value, at: a.at.clone() })
    });
    merged.collect()
}
