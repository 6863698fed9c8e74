//! Compares objects by their fields, or as maps.

use super::Change;
use super::accepts::{Accepts, Part};
use super::compare::Comparison;
use super::fields::{Field, base, fields, required};
use super::variants::variants;
use crate::node::{Node, inner, is_record, place};

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

    /// Compares each object with our object that has the most fields in common with it.
    fn alternatives(&mut self, theirs: &[Part<'d>], ours: &[Part<'d>]) {
        let mut rest: Vec<_> = ours.to_vec();
        for theirs in theirs {
            let alike = |ours: &&Part<'d>| self.shared_fields(theirs.node, ours.node);
            match rest.iter().max_by_key(alike).map(|best| best.at) {
                Some(at) => {
                    let (pair, others): (Vec<_>, Vec<_>) =
                        rest.into_iter().partition(|ours| ours.at == at);
                    rest = others;
                    for ours in &pair {
                        self.object(theirs, ours);
                    }
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
                // If one record has become a map of records, its fields are compared with the fields of the records.
                let values = inner(ours.node, "additionalProperties").into_iter();
                let values =
                    values.flat_map(|values| Accepts::of(self.ours, values, place(values)).objects);
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
        let closed = (self.theirs.is_closed(theirs), self.ours.is_closed(ours));
        self.closedness(closed, (place(ours), place(theirs)));
        let their_fields = fields(self.theirs, theirs);
        let our_fields = fields(self.ours, ours);
        for field in &their_fields {
            if let Some(our_field) = our_fields.iter().find(|ours| ours.name == field.name) {
                self.field(field, our_field, place(ours));
            } else {
                self.added(field, place(self.counterpart(field, ours)));
            }
        }
        let undeclared = |name: &&str| !their_fields.iter().any(|field| field.name == *name);
        for name in required(self.theirs, theirs).into_keys().filter(undeclared) {
            self.note(Change::Narrows, "required", &field_place(place(ours), name), place(theirs));
        }
        let their_base = base(self.theirs, theirs);
        for field in our_fields.iter().filter(|field| undeclared(&field.name)) {
            let home = their_base.filter(|_| field.inherited).unwrap_or(theirs);
            self.note(Change::Removes, "field", place(field.node), place(home));
        }
    }

    /// Returns our object in which a field would be declared: the base if their object inherits the field, or if our
    /// object has no other fields.
    fn counterpart(&self, field: &Field<'d>, ours: &'d Node) -> &'d Node {
        let has_own = inner(ours, "properties").is_some_and(|own| !own.is_empty());
        let base = base(self.ours, ours).filter(|_| field.inherited || !has_own);
        base.unwrap_or(ours)
    }

    pub(super) fn added(&mut self, field: &Field<'d>, home: &str) {
        self.note(Change::Adds, "field", &field_place(home, field.name), place(field.node));
    }

    /// Compares two fields. `owner` is our object.
    pub(super) fn field(&mut self, theirs: &Field<'d>, ours: &Field<'d>, owner: &str) {
        // One event requires a field that is optional for the others.
        let apart = ours.inherited && theirs.required_here;
        let own = if apart { field_place(owner, ours.name) } else { place(ours.node).to_owned() };
        match (theirs.required, ours.required) {
            (true, false) => self.note(Change::Narrows, "required", &own, place(theirs.node)),
            (false, true) => self.note(Change::Widens, "optional", &own, place(theirs.node)),
            _ => {}
        }
        self.nodes(theirs.node, ours.node);
    }

    pub(super) fn closedness(&mut self, (theirs, ours): (bool, bool), at: (&str, &str)) {
        match (theirs, ours) {
            (true, false) => self.note(Change::Narrows, "unknown fields", at.0, at.1),
            (false, true) => self.note(Change::Widens, "unknown fields", at.0, at.1),
            _ => {}
        }
    }
}

pub(super) fn field_place(object: &str, name: &str) -> String {
    format!("{object}/properties/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn place_of<'d>(parts: &[Part<'d>]) -> &'d str {
    parts.first().map(|part| part.at).unwrap_or_default()
}
