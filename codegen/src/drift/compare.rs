//! Walks two schemas in parallel and records their differences.

use std::collections::{BTreeMap, BTreeSet};

use super::accepts::{Accepts, Constraint, Constraints, Kind, Texts};
use super::document::Document;
use super::explanations::{self, Published};
use super::{Change, Difference};
use crate::diagnostic::{Code, Diagnostic, Origin};
use crate::node::{Node, inner, place};

/// The state of a comparison.
pub(super) struct Comparison<'d> {
    pub(super) theirs: &'d Document,
    pub(super) ours: &'d Document,
    /// The pairs of objects that were compared, by their places.
    pub(super) seen: BTreeSet<(&'d str, &'d str)>,
    found: BTreeSet<Difference>,
}

impl<'d> Comparison<'d> {
    pub(super) fn new(theirs: &'d Document, ours: &'d Document) -> Self {
        Self { theirs, ours, seen: BTreeSet::new(), found: BTreeSet::new() }
    }

    /// Compares a published schema: its root, and the definitions that have a counterpart of ours.
    ///
    /// # Errors
    /// Returns a diagnostic for each counterpart that does not exist.
    pub(super) fn published(&mut self, published: &Published) -> Result<(), Vec<Diagnostic>> {
        let theirs = self.theirs;
        let root = theirs.definitions.get(&theirs.root);
        // A list of batches, as in the schema of bulk requests.
        let batch = root.and_then(|root| inner(root, "items")).or(root);
        let mut pairs = vec![("the root", batch, &published.root)];
        for (name, ours) in &published.definitions {
            let key = theirs.definitions.keys().find(|key| last_segment(key) == name);
            pairs.push((name, key.and_then(|key| theirs.definitions.get(key)), ours));
        }
        let mut missing = Vec::new();
        for (name, theirs, key) in pairs {
            match (theirs, self.ours.definitions.get(key)) {
                (Some(theirs), Some(ours)) => self.nodes(theirs, ours),
                (None, _) => missing.push(format!("the published schema does not define {name}")),
                (_, None) => missing.push(format!("schema/ does not define `{key}`")),
            }
        }
        self.unreferenced(published);
        let help = "correct `[published]` in differences.toml";
        let report = |message| {
            let origin = Origin::parse(explanations::FILE);
            Diagnostic::new(Code::StaleExplanation, origin, message).with_help(help)
        };
        if missing.is_empty() { Ok(()) } else { Err(missing.into_iter().map(report).collect()) }
    }

    /// Records the definitions of a published schema that are not referred to and have no counterpart of ours.
    fn unreferenced(&mut self, published: &Published) {
        for key in self.theirs.definitions.keys() {
            let name = last_segment(key);
            let known = key.ends_with('#') || published.definitions.contains_key(name);
            if !known && !self.theirs.referenced.contains(key) {
                self.note(Change::Adds, &format!("definition {name}"), &published.root, key);
            }
        }
    }

    /// Compares each type of another version with our type at the same location.
    pub(super) fn versions(&mut self) {
        let (theirs, ours) = (self.theirs, self.ours);
        for (key, node) in &theirs.definitions {
            match ours.definitions.get(key) {
                Some(ours) => self.nodes(node, ours),
                None => self.note(Change::Adds, "type", key, key),
            }
        }
        for key in ours.definitions.keys().filter(|key| !theirs.definitions.contains_key(*key)) {
            self.note(Change::Removes, "type", key, key);
        }
    }

    /// The differences found, in the order of our schema.
    pub(super) fn differences(self) -> Vec<Difference> {
        self.found.into_iter().collect()
    }

    pub(super) fn note(&mut self, change: Change, what: &str, ours: &str, theirs: &str) {
        let (ours, theirs) = (ours.to_owned(), theirs.to_owned());
        self.found.insert(Difference { ours, change, what: what.to_owned(), theirs });
    }

    /// Compares two schemas in the same position.
    pub(super) fn nodes(&mut self, theirs: &'d Node, ours: &'d Node) {
        self.nodes_at(theirs, ours, (place(ours), place(theirs)));
    }

    fn nodes_at(&mut self, theirs: &'d Node, ours: &'d Node, at: (&'d str, &'d str)) {
        let theirs = Accepts::of(self.theirs, theirs, at.1);
        let ours = Accepts::of(self.ours, ours, at.0);
        for keyword in theirs.unreadable.iter().chain(&ours.unreadable) {
            let what = format!("{keyword}, in a combination that cannot be compared");
            self.note(Change::Changes, &what, at.0, at.1);
        }
        self.kinds(&theirs.kinds, &ours.kinds, at);
        for (kind, theirs) in &theirs.constraints {
            if let Some(ours) = ours.constraints.get(kind) {
                self.constraints(theirs, ours, at);
            }
        }
        if theirs.kinds.contains(&Kind::Text) && ours.kinds.contains(&Kind::Text) {
            self.texts(&theirs.texts, &ours.texts, at.1);
        }
        if let (Some(theirs), Some(ours)) = (theirs.lists.first(), ours.lists.first()) {
            self.inner(theirs.node, ours.node, "items");
        }
        self.objects(&theirs.objects, &ours.objects);
    }

    /// Compares the values of a keyword in two schemas. An absent value accepts anything.
    pub(super) fn inner(&mut self, theirs: &'d Node, ours: &'d Node, keyword: &str) {
        let (their_inner, our_inner) = (inner(theirs, keyword), inner(ours, keyword));
        if their_inner.is_some() || our_inner.is_some() {
            let at = (place(our_inner.unwrap_or(ours)), place(their_inner.unwrap_or(theirs)));
            let theirs = their_inner.unwrap_or(&self.theirs.any);
            self.nodes_at(theirs, our_inner.unwrap_or(&self.ours.any), at);
        }
    }

    /// Compares the kinds of JSON values. Null is a separate difference.
    fn kinds(&mut self, theirs: &BTreeSet<Kind>, ours: &BTreeSet<Kind>, at: (&str, &str)) {
        let more: Vec<_> = theirs.difference(ours).copied().collect();
        let less: Vec<_> = ours.difference(theirs).copied().collect();
        for (change, kinds) in [(Change::Widens, more), (Change::Narrows, less)] {
            let (null, others): (Vec<_>, Vec<_>) =
                kinds.into_iter().partition(|kind| *kind == Kind::Null);
            for kinds in [null, others].iter().filter(|kinds| !kinds.is_empty()) {
                self.note(change, &in_words(kinds), at.0, at.1);
            }
        }
    }

    /// Compares the restrictions of one kind of value.
    fn constraints(&mut self, theirs: &Constraints, ours: &Constraints, at: (&str, &str)) {
        for (keyword, constraint) in theirs {
            match ours.get(keyword) {
                None => {
                    self.note(Change::Narrows, &shown(keyword, constraint), at.0, &constraint.at);
                }
                Some(ours) if ours.value == constraint.value => {}
                Some(ours) => {
                    let change = direction(keyword, constraint, ours);
                    self.note(change, &shown(keyword, constraint), &ours.at, &constraint.at);
                }
            }
        }
        for (keyword, constraint) in
            ours.iter().filter(|(keyword, _)| !theirs.contains_key(*keyword))
        {
            self.note(Change::Widens, &format!("no {keyword}"), &constraint.at, at.1);
        }
    }

    fn texts(&mut self, theirs: &Texts<'d>, ours: &Texts<'d>, their_place: &str) {
        let their_values: BTreeMap<_, _> = theirs.values.iter().copied().collect();
        let our_values: BTreeMap<_, _> = ours.values.iter().copied().collect();
        for (value, at) in their_values.iter().filter(|(v, _)| !our_values.contains_key(*v)) {
            self.note(Change::Adds, &format!("value {value}"), ours.at, at);
        }
        for value in our_values.keys().filter(|value| !their_values.contains_key(*value)) {
            self.note(Change::Removes, &format!("value {value}"), ours.at, theirs.at);
        }
        match (theirs.open, ours.open) {
            (true, false) => self.note(Change::Widens, "other texts", ours.at, their_place),
            (false, true) => self.note(Change::Narrows, "other texts", ours.at, their_place),
            _ => {}
        }
    }
}

fn last_segment(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or_default()
}

fn in_words(kinds: &[Kind]) -> String {
    let is_number = [Kind::Integer, Kind::Fraction].iter().all(|kind| kinds.contains(kind));
    let words = kinds.iter().filter(|kind| !is_number || **kind != Kind::Fraction);
    let word = |kind: &Kind| match kind {
        Kind::Integer if is_number => "number".to_owned(),
        kind => kind.to_string(),
    };
    words.map(word).collect::<Vec<_>>().join(", ")
}

/// Returns a keyword, with its value if the value is a number.
fn shown(keyword: &str, constraint: &Constraint) -> String {
    if constraint.value.is_number() {
        format!("{keyword} {}", constraint.value)
    } else {
        keyword.to_owned()
    }
}

/// Whether a limit with another value is wider or narrower than ours.
fn direction(keyword: &str, theirs: &Constraint, ours: &Constraint) -> Change {
    let (Some(theirs), Some(ours)) = (theirs.value.as_f64(), ours.value.as_f64()) else {
        return Change::Changes;
    };
    match (keyword.get(..3).unwrap_or_default(), theirs < ours) {
        ("max", true) | ("min", false) => Change::Narrows,
        ("max", false) | ("min", true) => Change::Widens,
        _ => Change::Changes,
    }
}
