//! Reads the normal form into the [`Model`] and reports whatever is not in it.
//!
//! Verification is total: each part either becomes part of the model or leaves a report, whatever the passes let
//! through.

mod objects;
mod sets;
mod settings;
mod slots;

use std::collections::{BTreeMap, BTreeSet};

use crate::bundle::Node;
use crate::diagnostic::{Code, Diagnostic, Origin};
use crate::model::{Kind, Model, Module, TypeDef};
use crate::names::{self, Taken};
use crate::normalise::{Schema, is_named, text};

/// Verifies a schema that has gone through every pass.
pub(crate) fn verify(schema: Schema<'_>) -> Result<Model, Vec<Diagnostic>> {
    let mut verifier = Verifier { schema, renamed: BTreeSet::new() };
    let modules = verifier.modules();
    let mut types = verifier.types(&modules);
    verifier.check_overrides(&types);
    if !verifier.schema.diagnostics.is_empty() {
        return Err(verifier.schema.diagnostics);
    }
    let modules: Vec<Module> = modules.into_values().collect();
    let position = |def: &TypeDef| modules.iter().position(|module| module.name == def.module);
    types.sort_by(|a, b| (position(a), &a.name).cmp(&(position(b), &b.name)));
    Ok(Model { modules, types })
}

struct Verifier<'a> {
    schema: Schema<'a>,
    /// The entries of `[names]` that named something.
    renamed: BTreeSet<String>,
}

impl Verifier<'_> {
    /// The modules by their files.
    fn modules(&mut self) -> BTreeMap<String, Module> {
        let overrides = self.schema.overrides;
        let mut modules = BTreeMap::new();
        let mut taken = BTreeMap::new();
        let documents = std::mem::take(&mut self.schema.bundle.documents);
        for (file, document) in &documents {
            let chosen = overrides.modules.get(file.as_str()).cloned();
            let name = chosen.unwrap_or_else(|| names::module_ident(file));
            let help = "name the module under `[modules]`";
            if !names::is_ident(&name) {
                let message = format!("`{name}` cannot be the name of a module");
                self.report(file, Code::InvalidName, message, help);
            } else if let Some(other) = taken.insert(name.clone(), file) {
                let message = format!("the module `{name}` is also that of `{other}`");
                self.report(file, Code::NameConflict, message, help);
            }
            let description = document.description.clone();
            modules.insert(file.clone(), Module { name, file: file.clone(), description });
        }
        self.schema.bundle.documents = documents;
        modules
    }

    fn types(&mut self, modules: &BTreeMap<String, Module>) -> Vec<TypeDef> {
        let definitions = std::mem::take(&mut self.schema.bundle.definitions);
        self.schema.bundle.definitions.clone_from(&definitions);
        let mut types = Vec::new();
        for (key, node) in &definitions {
            let origin = Origin::parse(key);
            if !is_named(node) {
                // An alias: it has been put in place of every reference, but one without any is verified here.
                let _ = self.slot(node, 0);
                continue;
            }
            let kind = match text(node, "type") {
                Some("enum") => Kind::Enum(self.set(node)),
                Some("union") => Kind::Union(self.union(key, node)),
                _ => Kind::Object(self.object(key, node)),
            };
            let module = modules.get(&origin.file).map(|module| module.name.clone());
            types.push(TypeDef {
                name: text(node, "name").unwrap_or_default().to_owned(),
                module: module.unwrap_or_default(),
                origin,
                description: description(node),
                kind,
            });
        }
        types
    }

    /// The name of the type that a key stands for.
    fn type_name(&mut self, at: &str, key: &str) -> String {
        let definition = self.schema.bundle.definitions.get(key);
        match definition.and_then(|node| text(node, "name")) {
            Some(name) => name.to_owned(),
            None => {
                // A type without a name has been reported as such.
                if !definition.is_some_and(is_named) {
                    let message = format!("`{key}` is no object, enum or union");
                    self.report(at, Code::UnsupportedShape, message, "define it as one of them");
                }
                String::new()
            }
        }
    }

    /// A Rust name made from a name on the wire: that of the overrides, or the first that is free.
    fn ident(
        &mut self,
        at: &str,
        wire: &str,
        made: fn(&str) -> String,
        taken: &mut Taken,
    ) -> String {
        let chosen = self.schema.overrides.names.get(at).filter(|_| !self.is_type(at));
        let name = match chosen {
            Some(name) => {
                self.renamed.insert(at.to_owned());
                name.clone()
            }
            None => made(wire),
        };
        let help = "name it by its location under `[names]`";
        if !names::is_ident(&name) {
            let message = format!("no Rust name follows from `{wire}`");
            self.report(at, Code::InvalidName, message, help);
        }
        let given = taken.give(name.clone());
        if chosen.is_some() && given != name {
            let message = format!("the name `{name}` stands for something else here");
            self.report(at, Code::NameConflict, message, help);
        }
        given
    }

    /// Whether an inline type was written at a place.
    fn is_type(&self, at: &str) -> bool {
        self.schema.bundle.definitions.get(at).is_some_and(is_named)
    }

    fn report(&mut self, at: &str, code: Code, message: impl Into<String>, help: &str) {
        let diagnostic = Diagnostic::new(code, Origin::parse(at), message).with_help(help);
        self.schema.diagnostics.push(diagnostic);
    }
}

fn description(node: &Node) -> Option<String> {
    text(node, "description").map(str::to_owned)
}

/// The texts a keyword lists.
fn texts(node: &Node, keyword: &str) -> Vec<String> {
    let list = node.get(keyword).and_then(serde_json::Value::as_array);
    list.into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
}
