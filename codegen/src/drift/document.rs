//! Reads a schema for comparison: bundled, and rewritten by the passes that unify notations.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use indexmap::IndexMap;
use serde_json::Value;

use crate::bundle::bundle;
use crate::diagnostic::{Code, Diagnostic, sorted};
use crate::load::Sources;
use crate::node::{AT, FROM, Node, place, text, visit};
use crate::normalise::{PASSES, Schema};
use crate::overrides::Overrides;

/// The last pass that runs. Later passes drop details or name Rust types.
const LAST_PASS: &str = "aliases";

/// Marks a schema that describes objects or lists without a `type`. Such a schema also accepts any other kind of value.
pub(super) const UNTYPED: &str = "x-untyped";

/// The maximum number of references and bases that are followed.
pub(super) const MAX_DEPTH: usize = 16;

/// The passes that are omitted: `variants` reads event wrappers completely, and another version may lack parts that
/// ours requires.
const OMITTED: &[&str] = &["event-types", "event-wrappers", "spent-wrappers"];

/// A schema to compare.
pub(super) struct Document {
    /// The definitions by their location.
    pub(super) definitions: IndexMap<String, Node>,
    /// The location of the root.
    pub(super) root: String,
    /// The schema that accepts anything.
    pub(super) any: Node,
    /// The locations that are the target of a reference.
    pub(super) referenced: BTreeSet<String>,
    sources: Sources,
    /// The keywords that the generator does not know, by the location of the schema that holds them.
    unread: BTreeMap<String, Node>,
}

impl Document {
    /// Reads a file or a folder.
    pub(super) fn read(path: &Path) -> Result<Self, Vec<Diagnostic>> {
        let sources = Sources::load(path)?;
        let overrides = Overrides::default();
        let mut diagnostics = Vec::new();
        let mut bundle = bundle(&sources, &overrides, &mut diagnostics);
        let is_unread =
            |d: &Diagnostic| matches!(d.code, Code::UnsupportedKeyword | Code::UnknownAnnotation);
        let (unread, wrong): (Vec<_>, Vec<_>) = diagnostics.into_iter().partition(is_unread);
        if !wrong.is_empty() {
            return Err(sorted(wrong));
        }
        let mut referenced = BTreeSet::new();
        for node in bundle.definitions.values_mut() {
            visit(node, &mut |node| {
                referenced.extend(text(node, "$ref").map(str::to_owned));
                mark_untyped(node);
            });
        }
        let mut schema = Schema::new(bundle, &overrides);
        for (name, pass) in PASSES {
            if !OMITTED.contains(name) {
                pass(&mut schema);
            }
            if *name == LAST_PASS {
                break;
            }
        }
        if !schema.diagnostics.is_empty() {
            return Err(sorted(schema.diagnostics));
        }
        let definitions = schema.bundle.definitions;
        let root = format!("{}#", path.file_name().unwrap_or_default().to_string_lossy());
        let (any, no_keywords) = (Node::new(), BTreeMap::new());
        let mut document =
            Self { definitions, root, any, referenced, sources, unread: no_keywords };
        for diagnostic in unread {
            document.keep_unread(&diagnostic.origin.key());
        }
        Ok(document)
    }

    fn keep_unread(&mut self, at: &str) {
        let Some((schema, keyword)) = at.rsplit_once('/') else { return };
        if let Some(value) = self.raw(at) {
            let value = value.clone();
            let keyword = keyword.replace("~1", "/").replace("~0", "~");
            self.unread.entry(schema.to_owned()).or_default().insert(keyword, value);
        }
    }

    /// Returns the original JSON at a location.
    pub(super) fn raw(&self, at: &str) -> Option<&Value> {
        let (file, pointer) = at.split_once('#')?;
        self.sources.files.get(file)?.pointer(pointer)
    }

    /// Whether a definition has a location that also exists in the other schema.
    pub(super) fn shares_locations(&self, other: &Self) -> bool {
        self.definitions.keys().any(|key| other.definitions.contains_key(key))
    }

    /// Whether an object refuses unknown fields in its original notation.
    pub(super) fn is_closed(&self, node: &Node) -> bool {
        places(node).any(|at| {
            let schema = self.raw(at).and_then(Value::as_object);
            schema.and_then(|schema| schema.get("additionalProperties"))
                == Some(&Value::Bool(false))
        })
    }

    /// Returns the location of the schema that contains a keyword of a node: its own location, or that of its alias.
    pub(super) fn home<'d>(&self, node: &'d Node, keyword: &str) -> &'d str {
        let own = place(node);
        let holds = |at: &&str| self.raw(at).is_some_and(|schema| schema.get(keyword).is_some());
        places(node).find(holds).unwrap_or(own)
    }

    /// Returns the keywords of a node that the generator does not support, without annotations.
    pub(super) fn unread<'d>(
        &'d self,
        node: &'d Node,
    ) -> impl Iterator<Item = (&'d String, &'d Value)> {
        let nodes = places(node).filter_map(|at| self.unread.get(at));
        nodes.flatten().filter(|(keyword, _)| !keyword.starts_with("x-"))
    }
}

/// Returns the locations of a node: its own location, and that of its alias.
fn places(node: &Node) -> impl Iterator<Item = &str> {
    [AT, FROM].into_iter().filter_map(|key| text(node, key))
}

fn mark_untyped(node: &mut Node) {
    let implied = ["properties", "additionalProperties", "items"];
    if !node.contains_key("type") && implied.iter().any(|keyword| node.contains_key(*keyword)) {
        node.insert(UNTYPED.to_owned(), true.into());
    }
}
