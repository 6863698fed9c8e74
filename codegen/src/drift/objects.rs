//! Compares objects: by their fields, as maps, or as events told apart by a tag.

use std::collections::{BTreeMap, BTreeSet};

use super::Change;
use super::accepts::{Accepts, Field, Kind, Part, base, fields, required};
use super::compare::Comparison;
use super::document::Document;
use crate::node::{Node, branches, flag, inner, is_record, place, text};

/// Objects of which one field, the tag, tells what the others are.
struct Variants<'d> {
    tag: &'d str,
    at: &'d str,
    /// Whether an object with another tag is accepted.
    open: bool,
    members: BTreeMap<&'d str, Member<'d>>,
    /// Where objects without the tag stand.
    untagged: Vec<&'d str>,
}

/// The objects with one value of the tag.
struct Member<'d> {
    at: &'d str,
    tag_required: bool,
    /// The fields beside the tag.
    fields: Vec<Field<'d>>,
    closed: bool,
}

impl<'d> Comparison<'d> {
    pub(super) fn objects(&mut self, theirs: &[Part<'d>], ours: &[Part<'d>]) {
        let (mut their_variants, mut our_variants) =
            (variants(self.theirs, theirs, None), variants(self.ours, ours, None));
        if let (None, Some(ours)) = (&their_variants, &our_variants) {
            their_variants = variants(self.theirs, theirs, Some(ours.tag));
        } else if let (Some(theirs), None) = (&their_variants, &our_variants) {
            our_variants = variants(self.ours, ours, Some(theirs.tag));
        }
        match (&their_variants, &our_variants) {
            (Some(theirs), Some(ours)) => self.variants(theirs, ours),
            (None, None) => self.alternatives(theirs, ours),
            _ => {
                if let (Some(theirs), Some(ours)) = (theirs.first(), ours.first()) {
                    let what = match their_variants {
                        Some(_) => "variants instead of fields",
                        None => "fields instead of variants",
                    };
                    self.note(Change::Changes, what, ours.at, theirs.at);
                }
            }
        }
    }

    /// Compares each object with the one of ours that has most fields in common with it.
    fn alternatives(&mut self, theirs: &[Part<'d>], ours: &[Part<'d>]) {
        let mut rest: Vec<_> = ours.to_vec();
        for theirs in theirs {
            let alike = |ours: &&Part<'d>| self.shared_fields(theirs.node, ours.node);
            match rest.iter().max_by_key(alike).map(|best| best.at) {
                Some(at) => {
                    let (pair, others) = rest.into_iter().partition(|ours| ours.at == at);
                    rest = others;
                    let pair: Vec<Part<'d>> = pair;
                    pair.iter().for_each(|ours| self.object(theirs, ours));
                }
                None if ours.is_empty() => {}
                None => self.note(Change::Adds, "alternative", place_of(ours), theirs.at),
            }
        }
        if let Some(theirs) = theirs.first() {
            for ours in rest {
                self.note(Change::Removes, "alternative", ours.at, theirs.at);
            }
        }
    }

    fn shared_fields(&self, theirs: &'d Node, ours: &'d Node) -> usize {
        let ours = fields(self.ours, ours);
        let has = |field: &Field<'_>| ours.iter().any(|ours| ours.name == field.name);
        fields(self.theirs, theirs).iter().filter(|field| has(field)).count()
    }

    fn object(&mut self, theirs: &Part<'d>, ours: &Part<'d>) {
        match (is_record(theirs.node), is_record(ours.node)) {
            (true, true) => self.records(theirs.node, ours.node),
            (false, false) => self.inner(theirs.node, ours.node, "additionalProperties"),
            (true, false) => {
                self.note(Change::Changes, "fields instead of a map", ours.at, theirs.at);
                // Where one record became a map of records, its fields are compared with those of the records.
                let values = inner(ours.node, "additionalProperties").into_iter();
                let values = values.flat_map(|values| Accepts::of(self.ours, values).objects);
                for ours in values.filter(|ours| is_record(ours.node)).collect::<Vec<_>>() {
                    self.records(theirs.node, ours.node);
                }
            }
            (false, true) => {
                self.note(Change::Changes, "a map instead of fields", ours.at, theirs.at);
            }
        }
    }

    fn records(&mut self, theirs: &'d Node, ours: &'d Node) {
        if !self.seen.insert((place(theirs), place(ours))) {
            return;
        }
        self.closedness(self.theirs.is_closed(theirs), self.ours.is_closed(ours), (theirs, ours));
        let their_fields = fields(self.theirs, theirs);
        let our_fields = fields(self.ours, ours);
        let (their_base, our_base) = (base(self.theirs, theirs), base(self.ours, ours));
        for field in &their_fields {
            match our_fields.iter().find(|ours| ours.name == field.name) {
                Some(our_field) => self.field(field, our_field, place(ours)),
                None => {
                    let has_own = inner(ours, "properties").is_some_and(|own| !own.is_empty());
                    let home = our_base.filter(|_| field.inherited || !has_own).unwrap_or(ours);
                    self.added(field, place(home));
                }
            }
        }
        let undeclared = |name: &&str| !their_fields.iter().any(|field| field.name == *name);
        for name in required(self.theirs, theirs).into_keys().filter(undeclared) {
            self.note(Change::Narrows, "required", &field_place(place(ours), name), place(theirs));
        }
        for field in &our_fields {
            if !their_fields.iter().any(|theirs| theirs.name == field.name) {
                let home = their_base.filter(|_| field.inherited).unwrap_or(theirs);
                self.note(Change::Removes, "field", place(field.node), place(home));
            }
        }
    }

    fn added(&mut self, field: &Field<'d>, home: &str) {
        self.note(Change::Adds, "field", &field_place(home, field.name), place(field.node));
    }

    /// Compares two fields; `owner` is our object.
    fn field(&mut self, theirs: &Field<'d>, ours: &Field<'d>, owner: &str) {
        // One event requires what for the others is optional.
        let apart = ours.inherited && theirs.required_here;
        let own = if apart { field_place(owner, ours.name) } else { place(ours.node).to_owned() };
        match (theirs.required, ours.required) {
            (true, false) => self.note(Change::Narrows, "required", &own, place(theirs.node)),
            (false, true) => self.note(Change::Widens, "optional", &own, place(theirs.node)),
            _ => {}
        }
        self.nodes(theirs.node, ours.node);
    }

    fn closedness(&mut self, theirs: bool, ours: bool, (their_node, our_node): (&Node, &Node)) {
        let at = (place(our_node), place(their_node));
        match (theirs, ours) {
            (true, false) => self.note(Change::Narrows, "unknown fields", at.0, at.1),
            (false, true) => self.note(Change::Widens, "unknown fields", at.0, at.1),
            _ => {}
        }
    }

    fn variants(&mut self, theirs: &Variants<'d>, ours: &Variants<'d>) {
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

    /// Compares the objects with one value of the tag, by their fields but the tag itself.
    fn members(&mut self, theirs: &Member<'d>, ours: &Member<'d>, tag: &str) {
        let tag = format!("{}/properties/{tag}", ours.at);
        match (theirs.tag_required, ours.tag_required) {
            (true, false) => self.note(Change::Narrows, "required", &tag, theirs.at),
            (false, true) => self.note(Change::Widens, "optional", &tag, theirs.at),
            _ => {}
        }
        if theirs.closed != ours.closed {
            let change = if theirs.closed { Change::Narrows } else { Change::Widens };
            self.note(change, "unknown fields", ours.at, theirs.at);
        }
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

fn field_place(object: &str, name: &str) -> String {
    format!("{object}/properties/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn place_of<'d>(parts: &[Part<'d>]) -> &'d str {
    parts.first().map(|part| part.at).unwrap_or_default()
}

/// Reads objects as variants: a union, or objects most of which have a tag with few values each.
///
/// A single object is only read so with the tag that the other schema has.
fn variants<'d>(
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
        for (value, _) in Accepts::of(document, tag.node).texts.values {
            let (at, fields) = (place(part.node), fields.clone());
            let member = Member { at, tag_required: tag.required, fields, closed };
            variants.members.insert(value, member);
        }
    }
    (!variants.members.is_empty()).then_some(variants)
}

/// The name of the tag that most of the objects have.
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

/// Whether a field accepts a few texts and nothing else.
fn is_tag<'d>(document: &'d Document, field: &Field<'d>) -> bool {
    let accepts = Accepts::of(document, field.node);
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
