//! Gives names to things that may want the same one.
//!
//! A name depends on the set of things and never on their order. Things that want the same name all take their next
//! one, until no two names are equal. A thing that wants a name alone has its first name, whatever else there is.

use std::collections::{BTreeMap, BTreeSet};

/// Something that needs a name.
#[derive(Clone, Debug)]
pub(crate) enum Wanted {
    /// The name that was chosen for it.
    Chosen(String),
    /// The names that it takes, in the order in which they are tried.
    Ladder(Vec<String>),
}

/// Things that wanted the same name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Clash {
    /// The name.
    pub(crate) name: String,
    /// The positions of the things.
    pub(crate) members: Vec<usize>,
}

/// The names, and what was in conflict.
#[derive(Debug, Default)]
pub(crate) struct Assigned {
    /// A name for each thing.
    pub(crate) names: Vec<String>,
    /// The things whose first name is not theirs alone.
    pub(crate) clashes: Vec<Clash>,
    /// The things whose names are still equal.
    pub(crate) unsolved: Vec<Clash>,
}

/// Gives each thing a name that no other has. The reserved names are given to none.
pub(crate) fn assign(wanted: &[Wanted], reserved: &BTreeSet<String>) -> Assigned {
    let mut steps = vec![0; wanted.len()];
    let first = clashes(wanted, &steps, reserved);
    let mut assigned = Assigned { clashes: first, ..Assigned::default() };
    loop {
        let clashes = clashes(wanted, &steps, reserved);
        let mut has_moved = false;
        for &member in clashes.iter().flat_map(|clash| &clash.members) {
            let (Some(wanted), Some(step)) = (wanted.get(member), steps.get_mut(member)) else {
                continue;
            };
            if !wanted.is_last(*step) {
                *step += 1;
                has_moved = true;
            }
        }
        if !has_moved {
            assigned.unsolved = clashes;
            break;
        }
    }
    assigned.names =
        wanted.iter().zip(&steps).map(|(wanted, &step)| wanted.name(step).to_owned()).collect();
    assigned
}

/// The names that several things have, or that are reserved.
fn clashes(wanted: &[Wanted], steps: &[usize], reserved: &BTreeSet<String>) -> Vec<Clash> {
    let mut members = BTreeMap::<&str, Vec<usize>>::new();
    for (position, (wanted, &step)) in wanted.iter().zip(steps).enumerate() {
        members.entry(wanted.name(step)).or_default().push(position);
    }
    let is_clash =
        |(name, members): &(&str, Vec<usize>)| members.len() > 1 || reserved.contains(*name);
    let clash = |(name, members): (&str, Vec<usize>)| Clash { name: name.to_owned(), members };
    members.into_iter().filter(is_clash).map(clash).collect()
}

impl Wanted {
    fn name(&self, step: usize) -> &str {
        match self {
            Self::Chosen(name) => name,
            Self::Ladder(names) => names.get(step).map_or("", String::as_str),
        }
    }

    fn is_last(&self, step: usize) -> bool {
        match self {
            Self::Chosen(_) => true,
            Self::Ladder(names) => step + 1 >= names.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ladder(names: &[&str]) -> Wanted {
        Wanted::Ladder(names.iter().map(|&name| name.to_owned()).collect())
    }

    fn names(wanted: &[Wanted]) -> Vec<String> {
        assign(wanted, &BTreeSet::from(["new".to_owned()])).names
    }

    #[test]
    fn equal_names_all_give_way() {
        let wanted = [ladder(&["a", "a1"]), ladder(&["b", "b1"]), ladder(&["a", "a2"])];
        assert_eq!(names(&wanted), ["a1", "b", "a2"]);
        let assigned = assign(&wanted, &BTreeSet::new());
        assert_eq!(assigned.clashes, [Clash { name: "a".to_owned(), members: vec![0, 2] }]);
        assert_eq!(assigned.unsolved, []);
    }

    #[test]
    fn a_second_name_that_meets_a_first_one_moves_both() {
        let wanted = [ladder(&["a", "b", "c"]), ladder(&["a", "d"]), ladder(&["b", "e"])];
        assert_eq!(names(&wanted), ["c", "d", "e"]);
    }

    #[test]
    fn reserved_and_chosen_names_do_not_move() {
        let wanted =
            [ladder(&["new", "new1"]), Wanted::Chosen("a".to_owned()), ladder(&["a", "a1"])];
        assert_eq!(names(&wanted), ["new1", "a", "a1"]);
    }

    #[test]
    fn what_stays_equal_is_reported() {
        let chosen = Wanted::Chosen("a".to_owned());
        let assigned = assign(&[chosen.clone(), chosen], &BTreeSet::new());
        assert_eq!(assigned.unsolved, [Clash { name: "a".to_owned(), members: vec![0, 1] }]);
    }
}
