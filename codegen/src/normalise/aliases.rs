//! Replaces each reference to an alias with the content of the alias.
//!
//! An alias is a definition that is not an object, enum or union. The published file has the aliases `String` (any
//! scalar), `Integer` (or null) and `StringOrArray`. Keywords beside the reference take precedence. Aliases that refer
//! to themselves or that unfold endlessly are reported.

use std::collections::BTreeMap;

use super::{Schema, is_named, merge, text, visit};
use crate::diagnostic::Code;
use crate::node::{FROM, Node, place};

/// The maximum number of schemas, including copies. It is far above the number in any realistic schema.
const MAX_SCHEMAS: usize = 200_000;

/// The maximum depth of aliases of aliases.
const MAX_CHAIN: usize = 16;

pub(super) fn run(schema: &mut Schema<'_>) {
    let definitions = schema.bundle.definitions.iter();
    let aliases = definitions.filter(|(_, node)| !is_named(node));
    let mut inliner = Inliner {
        aliases: aliases.map(|(key, node)| (key.clone(), node.clone())).collect(),
        schemas: 0,
        mistakes: Vec::new(),
    };
    schema.rewrite(|node| inliner.inline(node, &mut Vec::new()));
    for (at, code, message) in inliner.mistakes {
        schema.report(&at, code, message, "define one of them without a reference to the others");
    }
}

struct Inliner {
    aliases: BTreeMap<String, Node>,
    schemas: usize,
    mistakes: Vec<(String, Code, String)>,
}

impl Inliner {
    /// Replaces a reference to an alias. `chain` contains the aliases that are being unfolded.
    fn inline(&mut self, node: &mut Node, chain: &mut Vec<String>) {
        self.schemas += 1;
        let Some(key) = text(node, "$ref").map(str::to_owned) else { return };
        let Some(alias) = self.aliases.get(&key) else { return };
        let mistake = if chain.contains(&key) {
            Some((Code::ReferenceCycle, format!("`{key}` refers to itself")))
        } else if chain.len() >= MAX_CHAIN || self.schemas > MAX_SCHEMAS {
            Some((Code::TooDeep, format!("`{key}` unfolds into too many aliases")))
        } else {
            None
        };
        node.shift_remove("$ref");
        if let Some((code, message)) = mistake {
            self.mistakes.push((place(node).to_owned(), code, message));
            return;
        }
        let mut copy = alias.clone();
        chain.push(key);
        visit(&mut copy, &mut |node| self.inline(node, chain));
        chain.pop();
        let home = place(&copy).to_owned();
        copy.entry(FROM).or_insert_with(|| home.into());
        merge(node, copy);
    }
}
