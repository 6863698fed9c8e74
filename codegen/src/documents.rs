//! Bundles the schema's files into self-contained JSON Schema documents that the models carry.
//!
//! Two of each: the full one, and the one without the limits of which no source says that a breach is refused.

use std::collections::BTreeMap;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use serde_json::{Map, Value, json};

use crate::diagnostic::{Code, Diagnostic, Origin};
use crate::emit::inner_docs;
use crate::layout::DOCUMENTS_MODULE;
use crate::load::Sources;
use crate::overrides::Overrides;

/// The annotation that says what happens beyond the limits in the same schema object.
const BEYOND: &str = "x-mparticle-beyond";

/// The keywords that are limits.
const LIMITS: [&str; 4] = ["maxLength", "maxItems", "maxProperties", "propertyNames"];

/// The bundled documents: their files, and the module of constants that holds them.
#[derive(Debug)]
pub struct Documents {
    /// JSON files, by path below the output folder.
    pub files: BTreeMap<String, String>,
    /// The module's items; none when no document is asked for.
    pub module: Option<TokenStream>,
}

/// Bundles each root document under the name of its constant.
///
/// # Errors
///
/// A diagnostic for each document whose file or references do not exist.
pub fn documents(sources: &Sources, overrides: &Overrides) -> Result<Documents, Vec<Diagnostic>> {
    let mut files = BTreeMap::new();
    let mut constants = Vec::new();
    let mut diagnostics = Vec::new();
    for (name, file) in &overrides.documents {
        let name = name.get_ref();
        let bundle = match Bundler::new(sources).document(file) {
            Ok(bundle) => bundle,
            Err(diagnostic) => {
                diagnostics.push(diagnostic);
                continue;
            }
        };
        let stem = name.to_lowercase();
        let enforced = enforced(bundle.clone());
        let what =
            format!("of `{file}` and all it refers to, as one JSON Schema document (2020-12)");
        constants.push(constant(name, &stem, &format!("The schema {what}.")));
        constants.push(constant(
            &format!("{name}_ENFORCED"),
            &format!("{stem}.enforced"),
            &format!("The schema {what}, without the limits of which no source says that mParticle refuses what exceeds them."),
        ));
        files.insert(format!("{DOCUMENTS_MODULE}/{stem}.json"), pretty(&bundle));
        files.insert(format!("{DOCUMENTS_MODULE}/{stem}.enforced.json"), pretty(&enforced));
    }
    if !diagnostics.is_empty() {
        return Err(diagnostics);
    }
    let docs = inner_docs(&["The schema itself, for validators in any language."]);
    let module = (!constants.is_empty()).then(|| quote!(#docs #(#constants)*));
    Ok(Documents { files, module })
}

fn constant(name: &str, stem: &str, text: &str) -> TokenStream {
    let (name, path, text) =
        (format_ident!("{name}"), format!("{DOCUMENTS_MODULE}/{stem}.json"), format!(" {text}"));
    quote!(#[blank_line] #[doc = #text] pub const #name: &str = include_str!(#path);)
}

fn pretty(document: &Value) -> String {
    format!("{document:#}\n")
}

/// Collects what a document refers to.
struct Bundler<'a> {
    sources: &'a Sources,
    /// The definitions by their name in the bundle.
    definitions: Map<String, Value>,
    /// The name in the bundle of each definition seen, by file and pointer.
    names: BTreeMap<String, String>,
}

impl<'a> Bundler<'a> {
    fn new(sources: &'a Sources) -> Self {
        Self { sources, definitions: Map::new(), names: BTreeMap::new() }
    }

    fn document(mut self, file: &str) -> Result<Value, Diagnostic> {
        let origin = Origin { file: file.to_owned(), ..Origin::default() };
        let root = self.sources.files.get(file).ok_or_else(|| missing(&origin, file))?;
        let mut root = self.rewrite(root, file, &origin)?;
        if let Some(object) = root.as_object_mut() {
            object.shift_remove("$defs");
            if !self.definitions.is_empty() {
                self.definitions.sort_keys();
                object.insert("$defs".to_owned(), Value::Object(self.definitions));
            }
        }
        Ok(root)
    }

    /// A copy in which every reference points into the bundle.
    fn rewrite(&mut self, value: &Value, file: &str, origin: &Origin) -> Result<Value, Diagnostic> {
        match value {
            Value::Object(object) => {
                let mut copy = Map::new();
                for (key, value) in object {
                    // Definitions come in when something refers to them.
                    let value = match (key.as_str(), value) {
                        ("$defs" | "$schema" | "$id", _) if !origin.pointer.is_empty() => continue,
                        ("$defs", _) => continue,
                        ("$ref", Value::String(target)) => {
                            json!(self.reference(target, file, origin)?)
                        }
                        _ => self.rewrite(value, file, origin)?,
                    };
                    copy.insert(key.clone(), value);
                }
                Ok(Value::Object(copy))
            }
            Value::Array(items) => {
                let items = items.iter().map(|item| self.rewrite(item, file, origin));
                items.collect::<Result<_, _>>().map(Value::Array)
            }
            scalar => Ok(scalar.clone()),
        }
    }

    /// Takes a definition into the bundle, once, and returns the reference to it there.
    fn reference(
        &mut self,
        target: &str,
        file: &str,
        origin: &Origin,
    ) -> Result<String, Diagnostic> {
        let (target_file, pointer) = target.split_once('#').unwrap_or((target, ""));
        let target_file = if target_file.is_empty() { file } else { target_file };
        let key = format!("{target_file}#{pointer}");
        if let Some(name) = self.names.get(&key) {
            return Ok(format!("#/$defs/{name}"));
        }
        let document = self.sources.files.get(target_file);
        let found = document
            .and_then(|document| document.pointer(pointer))
            .ok_or_else(|| missing(origin, target))?;
        let name = self.free_name(found, target_file, pointer);
        self.names.insert(key, name.clone());
        // The name is taken before the definition is walked: it may refer to itself.
        self.definitions.insert(name.clone(), Value::Null);
        let place = Origin { file: target_file.to_owned(), pointer: format!("{pointer}/") };
        let definition = self.rewrite(found, target_file, &place)?;
        self.definitions.insert(name.clone(), definition);
        Ok(format!("#/$defs/{name}"))
    }

    /// The definition's own name, with its file in front when another file has one of that name.
    fn free_name(&self, definition: &Value, file: &str, pointer: &str) -> String {
        let title = definition.get("title").and_then(Value::as_str);
        let stem = file.trim_end_matches(".json");
        let own =
            pointer.rsplit('/').next().filter(|name| !name.is_empty()).or(title).unwrap_or(stem);
        if self.definitions.contains_key(own) { format!("{stem}.{own}") } else { own.to_owned() }
    }
}

fn missing(origin: &Origin, target: &str) -> Diagnostic {
    Diagnostic::new(Code::UnresolvedReference, origin.clone(), format!("`{target}` leads nowhere"))
        .with_help("a document in [documents] names a file of the schema's folder")
}

/// The document without the limits whose breach is not documented as refused.
fn enforced(mut value: Value) -> Value {
    match &mut value {
        Value::Object(object) => {
            let soft = object.get(BEYOND).is_some_and(|beyond| beyond != "refused");
            object.retain(|key, _| !(soft && LIMITS.contains(&key.as_str())));
            for child in object.values_mut() {
                *child = enforced(child.take());
            }
        }
        Value::Array(items) => {
            for item in items {
                *item = enforced(item.take());
            }
        }
        _ => {}
    }
    value
}
