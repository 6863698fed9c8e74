//! Reads one schema file or all schema files of a folder, including the files that they refer to.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::diagnostic::{Code, Diagnostic, Origin};
use crate::references::Reference;

/// The files of a schema.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    /// The documents by the names of their files, in the order of the names.
    pub(crate) files: IndexMap<String, Value>,
}

impl Sources {
    /// Reads the files `*.json` of a folder, or one file, and the files that they refer to.
    ///
    /// # Errors
    /// Returns a diagnostic for every file that cannot be read or is not JSON, and for every key that occurs twice in
    /// an object.
    pub(crate) fn load(path: &Path) -> Result<Self, Vec<Diagnostic>> {
        let folder = path.is_dir();
        let root = if folder { path } else { path.parent().unwrap_or(Path::new("")) };
        let mut sources = Self::default();
        let mut waiting =
            if folder { names(path).map_err(|e| vec![e])? } else { vec![file_name(path)] };
        let mut seen: BTreeSet<String> = waiting.iter().cloned().collect();
        let mut diagnostics = Vec::new();
        while let Some(name) = waiting.pop() {
            match read(&root.join(&name), &name) {
                Ok(document) => {
                    let named = named_files(&document, &name).into_iter();
                    let present = named.filter(|name| root.join(name).is_file());
                    waiting.extend(present.filter(|name| seen.insert(name.clone())));
                    sources.files.insert(name, document);
                }
                Err(diagnostic) => diagnostics.push(diagnostic),
            }
        }
        sources.files.sort_keys();
        if diagnostics.is_empty() {
            Ok(sources)
        } else {
            Err(crate::diagnostic::sorted(diagnostics))
        }
    }
}

impl Sources {
    /// Resolves a reference in `file` by the `$id` of a document, or by its path.
    pub(crate) fn resolve(&self, reference: &str, file: &str) -> Reference {
        let target = Reference::resolve(reference, file);
        let document = reference.split('#').next().filter(|document| !document.is_empty());
        let is_named = |(_, value): &(&String, &Value)| {
            let id = value.get("$id").and_then(Value::as_str);
            id.is_some_and(|id| Some(id.trim_end_matches('#')) == document)
        };
        match self.files.iter().find(is_named) {
            Some((file, _)) => Reference { file: file.clone(), ..target },
            None => target,
        }
    }
}

pub(crate) fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Returns the names of the schema files in a folder.
fn names(folder: &Path) -> Result<Vec<String>, Diagnostic> {
    let entries = std::fs::read_dir(folder).map_err(|e| unreadable(&file_name(folder), &e))?;
    let is_schema =
        |path: &PathBuf| path.extension().is_some_and(|e| e == "json") && path.is_file();
    let names: Vec<_> =
        entries.flatten().map(|e| e.path()).filter(is_schema).map(|p| file_name(&p)).collect();
    if names.is_empty() {
        let help = "name a schema file or a folder of schema files";
        let message = "the folder has no `*.json` files";
        let origin = Origin::parse(&file_name(folder));
        return Err(Diagnostic::new(Code::UnreadableFile, origin, message).with_help(help));
    }
    Ok(names)
}

/// Returns the files that the references of a document may name: the file at the path, and for a web address, which may
/// be the `$id` of a local file, the file of the same name.
fn named_files(document: &Value, file: &str) -> Vec<String> {
    let mut waiting = vec![document];
    let mut names = Vec::new();
    while let Some(value) = waiting.pop() {
        match value {
            Value::Object(map) => {
                if let Some(reference) = map.get("$ref").and_then(Value::as_str) {
                    let target = Reference::resolve(reference, file).file;
                    let last = target.rsplit('/').next().filter(|_| target.contains("://"));
                    names.extend(last.map(str::to_owned));
                    names.push(target);
                }
                waiting.extend(map.values());
            }
            Value::Array(items) => waiting.extend(items),
            _ => {}
        }
    }
    names
}

fn unreadable(name: &str, error: &std::io::Error) -> Diagnostic {
    let message = format!("cannot read `{name}`: {error}");
    let help = "name a schema file or a folder of schema files";
    Diagnostic::new(Code::UnreadableFile, Origin::parse(name), message).with_help(help)
}

fn read(path: &Path, name: &str) -> Result<Value, Diagnostic> {
    let bytes = std::fs::read(path).map_err(|e| unreadable(name, &e))?;
    parse(&bytes, name)
}

/// Parses a document. Unlike `serde_json::Value`, this refuses a key that occurs twice in an object.
pub(crate) fn parse(bytes: &[u8], name: &str) -> Result<Value, Diagnostic> {
    const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let Strict(value) = serde_json::from_slice(bytes).map_err(|error| {
        let repeated = error.is_data();
        let code = if repeated { Code::RepeatedKey } else { Code::InvalidJson };
        let help = if repeated { "remove one of the two" } else { "fix the JSON at this line" };
        let text = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        let message =
            format!("{} (column {})", text.strip_suffix(&place).unwrap_or(&text), error.column());
        Diagnostic::new(code, Origin::line(name, error.line()), message).with_help(help)
    })?;
    Ok(value)
}

/// A JSON value without repeated keys.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Strict)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Strict(item)) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if map.contains_key(&key) {
                return Err(A::Error::custom(format!(
                    "the key `{key}` occurs twice in one object"
                )));
            }
            let Strict(value) = entries.next_value()?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}
