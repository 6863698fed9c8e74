//! Compares two definitions of a point, and collects the changes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::rules::{Direction, Slot, direction, slots};
use super::{Change, ChangeKind};

/// Keywords that decide the type in generated code. A pattern may stand for a number or a boolean, and an enum has a variant
/// for each value.
const TYPE_KEYWORDS: [&str; 5] = ["type", "enum", "const", "pattern", "schema"];

/// Collects changes.
#[derive(Default)]
pub(super) struct Comparison {
    pub(super) changes: Vec<Change>,
}

/// What a change breaks.
#[derive(Clone, Copy)]
struct Breaks {
    code: bool,
    data: bool,
}

const NOTHING: Breaks = Breaks { code: false, data: false };
const CODE: Breaks = Breaks { code: true, data: false };
const BOTH: Breaks = Breaks { code: true, data: true };

impl Comparison {
    pub(super) fn point_removed(&mut self, key: &str) {
        self.add(key, None, ChangeKind::Removed, "the events are unplanned".into(), BOTH);
    }

    /// Adds a new point. `earlier` is a point that is gone and had the same definition.
    pub(super) fn point_added(&mut self, key: &str, earlier: Option<&str>) {
        match earlier {
            None => self.add(key, None, ChangeKind::Added, String::new(), NOTHING),
            Some(earlier) => {
                self.add(
                    key,
                    None,
                    ChangeKind::PossiblyRenamed,
                    format!("from {earlier}"),
                    NOTHING,
                );
            }
        }
    }

    /// Compares two definitions of a point.
    pub(super) fn point(&mut self, key: &str, old: &Value, new: &Value) {
        let (old, new) = (slots(old), slots(new));
        for (pointer, slot) in &old {
            match new.get(pointer) {
                Some(changed) => self.slot(key, pointer, slot, changed),
                None if !new.contains_key(&slot.parent) => {}
                None => self.attribute_removed(key, pointer, &new, slot),
            }
        }
        for (pointer, slot) in &new {
            if !old.contains_key(pointer) && old.contains_key(&slot.parent) {
                self.attribute_added(key, pointer, slot, (&old, &new));
            }
        }
    }

    fn attribute_removed(
        &mut self,
        key: &str,
        pointer: &str,
        new: &BTreeMap<String, Slot<'_>>,
        slot: &Slot<'_>,
    ) {
        let is_closed = new.get(&slot.parent).is_some_and(|parent| parent.is_closed);
        let (detail, breaks) =
            if is_closed { ("the attribute is unplanned", BOTH) } else { ("", CODE) };
        self.add(key, Some(pointer), ChangeKind::Removed, detail.into(), breaks);
    }

    fn attribute_added(
        &mut self,
        key: &str,
        pointer: &str,
        slot: &Slot<'_>,
        (old, new): (&BTreeMap<String, Slot<'_>>, &BTreeMap<String, Slot<'_>>),
    ) {
        let same = |(other, earlier): &(&String, &Slot<'_>)| {
            !new.contains_key(*other)
                && earlier.parent == slot.parent
                && earlier.keywords == slot.keywords
                && earlier.is_required == slot.is_required
        };
        let was_closed = old.get(&slot.parent).is_some_and(|parent| parent.is_closed);
        let breaks = Breaks {
            code: slot.is_required,
            // An attribute without a rule of its own was free before.
            data: slot.is_required || (!was_closed && !slot.keywords.is_empty()),
        };
        let detail = if slot.is_required { "required" } else { "optional" };
        match old.iter().find(same) {
            Some((earlier, _)) => {
                let detail = format!("{detail}, from {earlier}");
                self.add(key, Some(pointer), ChangeKind::PossiblyRenamed, detail, breaks);
            }
            None => self.add(key, Some(pointer), ChangeKind::Added, detail.into(), breaks),
        }
    }

    /// Compares the rules for the data in one place.
    fn slot(&mut self, key: &str, pointer: &str, old: &Slot<'_>, new: &Slot<'_>) {
        match (old.is_required, new.is_required) {
            (false, true) => {
                self.add(key, Some(pointer), ChangeKind::Narrowed, "required".into(), BOTH);
            }
            (true, false) => {
                self.add(key, Some(pointer), ChangeKind::Widened, "optional".into(), CODE);
            }
            _ => {}
        }
        match (old.is_closed, new.is_closed) {
            (false, true) => {
                let detail = "no other attributes are allowed".into();
                self.add(key, Some(pointer), ChangeKind::Narrowed, detail, BOTH);
            }
            (true, false) => {
                let detail = "other attributes are allowed".into();
                self.add(key, Some(pointer), ChangeKind::Widened, detail, NOTHING);
            }
            _ => {}
        }
        self.keywords(key, pointer, old, new);
    }

    fn keywords(&mut self, key: &str, pointer: &str, old: &Slot<'_>, new: &Slot<'_>) {
        let names: BTreeSet<&str> =
            old.keywords.keys().chain(new.keywords.keys()).copied().collect();
        for name in names {
            let values = (old.keywords.get(name).copied(), new.keywords.get(name).copied());
            let Some(direction) = direction(name, values.0, values.1) else { continue };
            let kind = match direction {
                Direction::Narrowed => ChangeKind::Narrowed,
                Direction::Widened => ChangeKind::Widened,
                Direction::Changed => ChangeKind::Changed,
            };
            let breaks = Breaks {
                code: TYPE_KEYWORDS.contains(&name),
                data: direction != Direction::Widened,
            };
            self.add(key, Some(pointer), kind, format!("{name} {}", shown(values)), breaks);
        }
    }

    fn add(
        &mut self,
        point: &str,
        attribute: Option<&str>,
        kind: ChangeKind,
        detail: String,
        breaks: Breaks,
    ) {
        self.changes.push(Change {
            point: point.to_owned(),
            attribute: attribute.filter(|pointer| !pointer.is_empty()).map(str::to_owned),
            kind,
            detail,
            breaks_code: breaks.code,
            breaks_data: breaks.data,
        });
    }
}

/// Shows the old and the new value of a keyword.
fn shown(values: (Option<&Value>, Option<&Value>)) -> String {
    match values {
        (Some(old), Some(new)) => format!("from {old} to {new}"),
        (None, Some(new)) => new.to_string(),
        (Some(old), None) => format!("{old} is gone"),
        (None, None) => String::new(),
    }
}
