//! Bundles the definitions of all files.
//!
//! Each definition has the key `file#pointer`, and every `$ref` becomes such a key. Every schema contains its own place
//! as [`AT`]. A diagnostic therefore names the original place even after a pass has moved the schema.

mod keywords;

use std::collections::BTreeSet;

use indexmap::IndexMap;
use serde_json::Value;

pub(crate) use self::keywords::Holds;
use crate::diagnostic::{Code, Diagnostic, Origin};
use crate::load::Sources;
use crate::node::{AT, Node, place, visit};
use crate::overrides::Overrides;
use crate::references::Reference;

/// The maximum depth of nested schemas. It also limits the recursion of every pass.
const MAX_DEPTH: usize = 64;

/// The keywords of a document that do not define a type.
const DOCUMENT_KEYWORDS: &[&str] = &[AT, "$comment", "$id", "$schema", "description", "title"];

/// Every definition of every file.
#[derive(Debug, Default)]
pub(crate) struct Bundle {
    /// The definitions by their keys. `file#` is a document that is itself a type.
    pub(crate) definitions: IndexMap<String, Node>,
    /// The title and description of each file.
    pub(crate) documents: IndexMap<String, Document>,
    /// The keywords that were ignored because of the overrides.
    pub(crate) ignored: BTreeSet<String>,
}

/// The title and the description of a file.
#[derive(Debug, Default)]
pub(crate) struct Document {
    pub(crate) title: Option<String>,
    pub(crate) description: Option<String>,
}

/// Bundles the sources. Reports unknown keywords, malformed keywords and references without a target.
pub(crate) fn bundle(
    sources: &Sources,
    overrides: &Overrides,
    diagnostics: &mut Vec<Diagnostic>,
) -> Bundle {
    let mut bundler = Bundler { sources, overrides, bundle: Bundle::default(), diagnostics };
    for (file, document) in &sources.files {
        bundler.document(file, document);
    }
    bundler.check_references();
    bundler.bundle
}

struct Bundler<'a> {
    sources: &'a Sources,
    overrides: &'a Overrides,
    bundle: Bundle,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl<'a> Bundler<'a> {
    fn document(&mut self, file: &str, document: &'a Value) {
        let key = format!("{file}#");
        let node = self.schema(document, &key, 0);
        let text = |keyword| Some(node.get(keyword)?.as_str()?.to_owned());
        let about = Document { title: text("title"), description: text("description") };
        self.bundle.documents.insert(file.to_owned(), about);
        if node.keys().any(|keyword| !DOCUMENT_KEYWORDS.contains(&keyword.as_str())) {
            self.bundle.definitions.insert(key, node);
        }
    }

    /// Copies a schema, and adds its place.
    fn schema(&mut self, value: &'a Value, at: &str, depth: usize) -> Node {
        let mut node = Node::new();
        node.insert(AT.to_owned(), at.into());
        match value {
            Value::Bool(true) => {}
            _ if depth > MAX_DEPTH => {
                let message = format!("schemas are nested more than {MAX_DEPTH} deep");
                let help = "move the inner ones to `$defs`";
                self.report(at, Code::TooDeep, message, help);
            }
            Value::Object(keywords) => {
                for (keyword, value) in keywords {
                    if let Some(value) = self.keyword(keyword, value, at, depth) {
                        node.insert(keyword.clone(), value);
                    }
                }
            }
            other => {
                let message = format!("expected a schema, found {}", excerpt(other));
                self.report(at, Code::MalformedSchema, message, "write an object or `true`");
            }
        }
        node
    }

    /// Copies the value of a keyword. Returns `None` if it is ignored, malformed or a set of definitions.
    fn keyword(
        &mut self,
        keyword: &'a str,
        value: &'a Value,
        at: &str,
        depth: usize,
    ) -> Option<Value> {
        if self.overrides.ignore.contains_key(keyword) {
            self.bundle.ignored.insert(keyword.to_owned());
            return None;
        }
        let Some(holds) = Holds::of(keyword) else {
            self.unknown(keyword, &join(at, keyword));
            return None;
        };
        let is_schema = matches!(holds, Holds::Schema | Holds::Items);
        let never = value == &Value::Bool(false) && is_schema;
        if !holds.admits(value) || never && keyword != "additionalProperties" {
            let message =
                format!("`{keyword}` must be {}, found {}", holds.expected(), excerpt(value));
            self.report(&join(at, keyword), Code::MalformedSchema, message, "correct the keyword");
            return None;
        }
        match (holds, value) {
            (Holds::Definitions, Value::Object(entries)) => {
                let at = join(at, keyword);
                for (name, node) in self.schemas(entries, &at, depth) {
                    self.bundle.definitions.insert(join(&at, &name), node);
                }
                None
            }
            (Holds::Properties, Value::Object(entries)) => {
                Some(self.schemas(entries, &join(at, keyword), depth).into_iter().collect())
            }
            (Holds::Schemas | Holds::Items, Value::Array(items)) => {
                let at = join(at, keyword);
                let copy = |(i, item)| self.schema(item, &format!("{at}/{i}"), depth + 1);
                Some(items.iter().enumerate().map(copy).collect())
            }
            (Holds::Schema | Holds::Items, _) if !never => {
                Some(self.schema(value, &join(at, keyword), depth + 1).into())
            }
            (Holds::Reference, Value::String(target)) => Some(self.target(target, at).into()),
            _ => Some(value.clone()),
        }
    }

    fn schemas(&mut self, entries: &'a Node, at: &str, depth: usize) -> Vec<(String, Node)> {
        let copy = |(name, value): (&'a String, &'a Value)| {
            (name.clone(), self.schema(value, &join(at, name), depth + 1))
        };
        entries.iter().map(copy).collect()
    }

    /// Returns the key of the definition that a reference names by a fragment, a file name or an `$id`.
    fn target(&self, reference: &str, at: &str) -> String {
        let here = at.split_once('#').map_or(at, |(file, _)| file);
        let Reference { file, pointer } = self.sources.resolve(reference, here);
        format!("{file}#{pointer}")
    }

    fn check_references(&mut self) {
        let mut unresolved = Vec::new();
        for node in self.bundle.definitions.values_mut() {
            visit(node, &mut |node| {
                if let Some(target) = node.get("$ref").and_then(Value::as_str) {
                    unresolved.push((place(node).to_owned(), target.to_owned()));
                }
            });
        }
        unresolved.retain(|(_, target)| !self.bundle.definitions.contains_key(target));
        for (at, target) in unresolved {
            let file = target.split_once('#').map_or(target.as_str(), |(file, _)| file);
            let (message, help) = if self.sources.files.contains_key(file) {
                let help = "refer to an entry of `$defs` or `definitions`, or to a file that is a type itself";
                (format!("there is no definition `{target}`"), help)
            } else {
                let help = "correct the path, which is relative to the file with the reference; save a schema \
                            of the web as a file with its `$id`";
                (format!("there is no file `{file}`"), help)
            };
            self.report(&at, Code::UnresolvedReference, message, help);
        }
    }

    fn unknown(&mut self, keyword: &str, at: &str) {
        if keyword.starts_with("x-mparticle-") {
            let message = format!("there is no annotation `{keyword}`");
            let help = "the annotations are `x-mparticle-advice`, `x-mparticle-aliases` and \
                        `x-mparticle-beyond`";
            self.report(at, Code::UnknownAnnotation, message, help);
        } else {
            let message = format!("the keyword `{keyword}` has no counterpart in the Rust types");
            let help = format!("remove it, or list `{keyword}` under `[ignore]` with the reason");
            self.report(at, Code::UnsupportedKeyword, message, help);
        }
    }

    fn report(&mut self, at: &str, code: Code, message: String, help: impl Into<String>) {
        let diagnostic = Diagnostic::new(code, Origin::parse(at), message).with_help(help);
        self.diagnostics.push(diagnostic);
    }
}

/// Returns the place of a key inside a place.
fn join(at: &str, key: &str) -> String {
    if key.contains(['~', '/']) {
        format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"))
    } else {
        [at, key].join("/")
    }
}

/// Returns a value for a message: the value itself if it is short, and a description otherwise.
fn excerpt(value: &Value) -> String {
    let json = value.to_string();
    match value {
        _ if json.chars().count() <= 40 => format!("`{json}`"),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        _ => "a long string".to_owned(),
    }
}
