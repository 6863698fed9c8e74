//! Compares events: objects whose tag determines the other fields.

use std::collections::{BTreeMap, BTreeSet};

use super::Change;
use super::accepts::{Accepts, Kind, Part};
use super::compare::Comparison;
use super::document::Document;
use super::fields::{Field, fields};
use crate::node::{Node, branches, flag, inner, place, text};

/// A set of objects in which one field, the tag, determines the other fields.
pub(super) struct Variants<'d> {
    pub(super) tag: &'d str,
    at: &'d str,
    /// Whether an object with another tag is accepted.
    open: bool,
    members: BTreeMap<&'d str, Member<'d>>,
    /// The location of objects without the tag.
    untagged: Vec<&'d str>,
}

/// The objects with one value of the tag.
struct Member<'d> {
    at: &'d str,
    tag_required: bool,
    /// The fields other than the tag.
    fields: Vec<Field<'d>>,
    closed: bool,
}

impl<'d> Comparison<'d> {
    pub(super) fn variants(&mut self, theirs: &Variants<'d>, ours: &Variants<'d>) {
        if !self.seen.insert((theirs.at, ours.at)) {
            return;
        }
        if theirs.tag != ours.tag {
            return self.note(Change::Changes, &format!("tag {}", theirs.tag), ours.at, theirs.at);
        }
        let other = format!("other {}", ours.tag);
        match (theirs.open, ours.open) {
            (true, false) => self.note(Change::Widens, &other, ours.at, theirs.at),
            (false, true) => self.note(Change::Narrows, &other, ours.at, theirs.at),
            _ => {}
        }
        for at in &theirs.untagged {
            self.note(Change::Adds, "alternative", ours.at, at);
        }
        for (value, member) in &theirs.members {
            let what = format!("{} {value}", ours.tag);
            match ours.members.get(value) {
                Some(our_member) => self.members(member, our_member, ours.tag),
                None => self.note(Change::Adds, &what, ours.at, member.at),
            }
        }
        for value in ours.members.keys().filter(|value| !theirs.members.contains_key(*value)) {
            self.note(Change::Removes, &format!("{} {value}", ours.tag), ours.at, theirs.at);
        }
    }

    /// Compares the objects with one value of the tag by their fields other than the tag.
    fn members(&mut self, theirs: &Member<'d>, ours: &Member<'d>, tag: &str) {
        let tag = format!("{}/properties/{tag}", ours.at);
        match (theirs.tag_required, ours.tag_required) {
            (true, false) => self.note(Change::Narrows, "required", &tag, theirs.at),
            (false, true) => self.note(Change::Widens, "optional", &tag, theirs.at),
            _ => {}
        }
        self.closedness((theirs.closed, ours.closed), (ours.at, theirs.at));
        for field in &theirs.fields {
            match ours.fields.iter().find(|ours| ours.name == field.name) {
                Some(our_field) => self.field(field, our_field, ours.at),
                None => self.added(field, ours.at),
            }
        }
        for field in &ours.fields {
            if !theirs.fields.iter().any(|theirs| theirs.name == field.name) {
                self.note(Change::Removes, "field", place(field.node), theirs.at);
            }
        }
    }
}

/// Reads objects as variants: a union, or objects most of which have a tag with few values.
///
/// A single object is read as a variant only if the other schema has the tag.
pub(super) fn variants<'d>(
    document: &'d Document,
    parts: &[Part<'d>],
    tag: Option<&'d str>,
) -> Option<Variants<'d>> {
    if let ([only], None) = (parts, tag) {
        return (text(only.node, "type") == Some("union")).then(|| union(only.node))?;
    }
    let tag = tag.or_else(|| common_tag(document, parts))?;
    let at = parts.first()?.at;
    let mut variants =
        Variants { tag, at, open: false, members: BTreeMap::new(), untagged: Vec::new() };
    for part in parts {
        let (tags, fields): (Vec<_>, Vec<_>) =
            fields(document, part.node).into_iter().partition(|field| field.name == tag);
        let Some(tag) = tags.first().filter(|tag| is_tag(document, tag)) else {
            variants.untagged.push(part.at);
            continue;
        };
        let closed = document.is_closed(part.node);
        for (value, _) in Accepts::of(document, tag.node, place(tag.node)).texts.values {
            let (at, fields) = (place(part.node), fields.clone());
            let member = Member { at, tag_required: tag.required, fields, closed };
            variants.members.insert(value, member);
        }
    }
    (!variants.members.is_empty()).then_some(variants)
}

/// Returns the name of the tag that most of the objects have.
fn common_tag<'d>(document: &'d Document, parts: &[Part<'d>]) -> Option<&'d str> {
    let mut counts: BTreeMap<&'d str, usize> = BTreeMap::new();
    for part in parts {
        for field in fields(document, part.node).iter().filter(|field| is_tag(document, field)) {
            *counts.entry(field.name).or_default() += 1;
        }
    }
    let (tag, count) = counts.into_iter().max_by_key(|(_, count)| *count)?;
    (count * 2 > parts.len()).then_some(tag)
}

/// Whether a field accepts only a few texts.
fn is_tag<'d>(document: &'d Document, field: &Field<'d>) -> bool {
    let accepts = Accepts::of(document, field.node, place(field.node));
    accepts.kinds == BTreeSet::from([Kind::Text]) && !accepts.texts.open
}

fn union(node: &Node) -> Option<Variants<'_>> {
    let (tag, content, at) = (text(node, "tag")?, text(node, "content")?, place(node));
    let member = |variant| {
        let node = inner(variant, "content")?;
        let (required, required_here, inherited) = (true, true, false);
        let fields = vec![Field { name: content, node, required, required_here, inherited }];
        Some((text(variant, "const")?, Member { at, tag_required: true, fields, closed: false }))
    };
    let members = branches(node, "variants").into_iter().filter_map(member).collect();
    Some(Variants { tag, at, open: !flag(node, "closed"), members, untagged: Vec::new() })
}
