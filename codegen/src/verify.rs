//! Reads the normal form into the [`Model`], and reports all parts that are not in normal form.
//!
//! Each part of a schema either becomes part of the model or causes a report, even if the passes did not handle it.

mod objects;
mod records;
mod sets;
mod settings;
mod slots;

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Code, Diagnostic, Origin};
use crate::markdown;
use crate::model::{Kind, Model, Module, TypeDef};
use crate::names::{self, Style, Taken};
use crate::node::{AT, FROM, Node, is_named, place, text};
use crate::normalise::Schema;

/// The keywords that all schemas in normal form may have.
const ANYWHERE: &[&str] =
    &[AT, FROM, "description", "name", "nullable", "readOnly", "type", "x-mparticle-aliases"];

/// Verifies a schema after all passes.
pub(crate) fn verify(schema: &Schema<'_>) -> Result<Model, Vec<Diagnostic>> {
    let diagnostics = schema.diagnostics.clone();
    let mut verifier = Verifier { schema, diagnostics, renamed: BTreeSet::new() };
    let modules = verifier.modules();
    let mut types = verifier.types(&modules);
    verifier.check_overrides(&types);
    verifier.check_records(&types);
    if types.is_empty() && verifier.diagnostics.is_empty() {
        let file = schema.bundle.documents.keys().next().map_or("", String::as_str);
        let help = "give the document or a definition `properties`, a list of values, or one variant per tag";
        verifier.report(file, Code::NoTypes, "the schema describes no object, enum or union", help);
    }
    if !verifier.diagnostics.is_empty() {
        return Err(verifier.diagnostics);
    }
    let modules: Vec<Module> = modules.into_values().collect();
    let position = |def: &TypeDef| modules.iter().position(|module| module.name == def.module);
    types.sort_by(|a, b| (position(a), &a.name).cmp(&(position(b), &b.name)));
    Ok(Model { modules, types })
}

struct Verifier<'a> {
    schema: &'a Schema<'a>,
    diagnostics: Vec<Diagnostic>,
    /// The entries of `[names]` that were used for a field or a value.
    renamed: BTreeSet<String>,
}

impl<'a> Verifier<'a> {
    /// The modules by their files.
    fn modules(&mut self) -> BTreeMap<&'a str, Module> {
        let schema = self.schema;
        let mut modules = BTreeMap::new();
        let mut taken = BTreeMap::new();
        for (file, document) in &schema.bundle.documents {
            let chosen = schema.overrides.modules.get(file.as_str()).cloned();
            let name = chosen.unwrap_or_else(|| names::module_ident(file));
            let help = "name the module under `[modules]`";
            if !names::is_ident(&name) {
                let message = format!("`{name}` cannot be the name of a module");
                self.report(file, Code::InvalidName, message, help);
            } else if name == "schema" && !schema.overrides.documents.is_empty() {
                let message = "the module name `schema` is reserved for the bundled documents";
                self.report(file, Code::NameConflict, message, help);
            } else if let Some(other) = taken.insert(name.clone(), file) {
                let message = format!("the module name `{name}` is also that of `{other}`");
                self.report(file, Code::NameConflict, message, help);
            }
            let description = document.description.as_deref().and_then(markdown);
            modules.insert(file.as_str(), Module { name, file: file.clone(), description });
        }
        modules
    }

    fn types(&mut self, modules: &BTreeMap<&str, Module>) -> Vec<TypeDef> {
        let schema = self.schema;
        let mut types = Vec::new();
        for (key, node) in &schema.bundle.definitions {
            let kind = match text(node, "type") {
                Some("enum") => Kind::Enum(self.set(node)),
                Some("union") => Kind::Union(self.union(key, node)),
                _ if is_named(node) => Kind::Object(self.object(key, node)),
                _ => {
                    // Aliases have replaced all references to them. An alias without references is verified, too.
                    let _ = self.slot(node, 0);
                    continue;
                }
            };
            let origin = Origin::parse(key);
            let module = modules.get(origin.file.as_str()).map(|module| module.name.clone());
            types.push(TypeDef {
                name: text(node, "name").unwrap_or_default().to_owned(),
                module: module.unwrap_or_default(),
                origin,
                description: description(node),
                example: schema
                    .overrides
                    .types
                    .get(key.as_str())
                    .and_then(|entry| entry.example.clone()),
                kind,
            });
        }
        types
    }

    /// Reports the keywords of a definition that have no meaning for its kind.
    fn check_keywords(&mut self, node: &Node, kind: &str, known: &[&str]) {
        if let Some(keyword) = leftover(node, known) {
            let message = format!("`{keyword}` has no meaning in the definition of {kind}");
            let help = "remove it, or describe the type in another way";
            self.report(place(node), Code::UnsupportedShape, message, help);
        }
    }

    /// Returns the name of the type with a key.
    fn type_name(&mut self, at: &str, key: &str) -> String {
        let schema = self.schema;
        let definition = schema.bundle.definitions.get(key);
        if !definition.is_some_and(is_named) {
            let message = format!("`{key}` is not an object, enum or union");
            self.report(at, Code::UnsupportedShape, message, "define it as one of them");
        }
        // A type without a name has already been reported.
        definition.and_then(|node| text(node, "name")).unwrap_or_default().to_owned()
    }

    /// Returns the Rust name for a name on the wire, or the name in the overrides.
    fn ident(&mut self, at: &str, wire: &str, style: Style, taken: &mut Taken) -> String {
        let chosen = self.schema.overrides.names.get(at).filter(|_| !self.is_type(at));
        let name = match chosen {
            Some(name) => {
                self.renamed.insert(at.to_owned());
                name.clone()
            }
            None => style.ident(wire),
        };
        let help = "give it a name under `[names]`, by its location";
        if !names::is_ident(&name) {
            let message = format!("`{wire}` cannot be made into a Rust name");
            self.report(at, Code::InvalidName, message, help);
            return name;
        }
        if chosen.is_some() && !style.accepts(&name) {
            let message = format!(
                "`{name}` does not follow Rust's naming style; `{}` would",
                style.ident(&name)
            );
            self.report(at, Code::InvalidName, message, help);
        }
        taken.give(name.clone(), wire).unwrap_or_else(|other| {
            let message = format!("`{wire}` and `{other}` are both called `{name}` in Rust");
            self.report(
                at,
                Code::NameConflict,
                message,
                "name one of them under `[names]`, by its location",
            );
            name
        })
    }

    /// Whether there is an inline type at a place.
    fn is_type(&self, at: &str) -> bool {
        self.schema.bundle.definitions.get(at).is_some_and(is_named)
    }

    fn report(&mut self, at: &str, code: Code, message: impl Into<String>, help: &str) {
        let diagnostic = Diagnostic::new(code, Origin::parse(at), message).with_help(help);
        self.diagnostics.push(diagnostic);
    }
}

/// Returns the first keyword that is not known.
fn leftover<'n>(node: &'n Node, known: &[&str]) -> Option<&'n str> {
    let is_known = |keyword: &str| ANYWHERE.contains(&keyword) || known.contains(&keyword);
    node.keys().map(String::as_str).find(|keyword| !is_known(keyword))
}

fn description(node: &Node) -> Option<String> {
    text(node, "description").and_then(markdown)
}

/// Returns a description as Markdown, or `None` if it is blank.
fn markdown(description: &str) -> Option<String> {
    Some(markdown::from_text(description)).filter(|text| !text.trim().is_empty())
}

/// Returns the texts in the list of a keyword.
fn texts(node: &Node, keyword: &str) -> Vec<String> {
    let list = node.get(keyword).and_then(serde_json::Value::as_array);
    list.into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
}
