//! Gives names to things that may want the same one.
//!
//! A name depends on the set of things and never on their order. Things that want the same name all take their next
//! one, until no two names are equal. A thing that wants a name alone has its first name, whatever else there is.

use std::collections::{BTreeMap, BTreeSet};

/// Something that needs a name.
pub(crate) enum Wanted {
    /// The name that was chosen for it.
    Chosen(String),
    /// So many names that it takes, in the order in which they are tried.
    Ladder(usize, Box<dyn Fn(usize) -> String>),
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
pub(crate) fn assign(wanted: &[&Wanted], reserved: &BTreeSet<String>) -> Assigned {
    let mut steps = vec![0; wanted.len()];
    let mut names: Vec<_> = wanted.iter().map(|wanted| wanted.name(0)).collect();
    let first = clashes(&names, reserved);
    let mut unsolved = first.clone();
    loop {
        let mut has_moved = false;
        for &member in unsolved.iter().flat_map(|clash| &clash.members) {
            let (Some(wanted), Some(step), Some(name)) =
                (wanted.get(member), steps.get_mut(member), names.get_mut(member))
            else {
                continue;
            };
            if *step + 1 < wanted.length() {
                *step += 1;
                *name = wanted.name(*step);
                has_moved = true;
            }
        }
        if !has_moved {
            return Assigned { names, clashes: first, unsolved };
        }
        unsolved = clashes(&names, reserved);
    }
}

/// The names that several things have, or that are reserved.
fn clashes(names: &[String], reserved: &BTreeSet<String>) -> Vec<Clash> {
    let mut members = BTreeMap::<&str, Vec<usize>>::new();
    for (position, name) in names.iter().enumerate() {
        members.entry(name).or_default().push(position);
    }
    let is_clash =
        |(name, members): &(&str, Vec<usize>)| members.len() > 1 || reserved.contains(*name);
    let clash = |(name, members): (&str, Vec<usize>)| Clash { name: name.to_owned(), members };
    members.into_iter().filter(is_clash).map(clash).collect()
}

impl Wanted {
    fn name(&self, step: usize) -> String {
        match self {
            Self::Chosen(name) => name.clone(),
            Self::Ladder(_, name) => name(step),
        }
    }

    fn length(&self) -> usize {
        match self {
            Self::Chosen(_) => 1,
            Self::Ladder(length, _) => *length,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ladder(names: &'static [&str]) -> Wanted {
        Wanted::Ladder(names.len(), Box::new(|step| names[step].to_owned()))
    }

    fn assigned(wanted: &[Wanted]) -> Assigned {
        let wanted: Vec<_> = wanted.iter().collect();
        assign(&wanted, &BTreeSet::from(["new".to_owned()]))
    }

    fn names(wanted: &[Wanted]) -> Vec<String> {
        assigned(wanted).names
    }

    #[test]
    fn equal_names_all_give_way() {
        let wanted = [ladder(&["a", "a1"]), ladder(&["b", "b1"]), ladder(&["a", "a2"])];
        assert_eq!(names(&wanted), ["a1", "b", "a2"]);
        let assigned = assigned(&wanted);
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
        let chosen = || Wanted::Chosen("a".to_owned());
        let assigned = assigned(&[chosen(), chosen()]);
        assert_eq!(assigned.unsolved, [Clash { name: "a".to_owned(), members: vec![0, 1] }]);
    }
}
