//! Requires a description of every file, type, field and enum value.
//!
//! This check runs only for schemas whose overrides contain `require = ["descriptions"]`, as ours do. The published
//! schema has hardly any descriptions. The check reads the schema before any pass copies the description of a type to a
//! field.

use crate::bundle::Bundle;
use crate::diagnostic::{Code, Diagnostic, Origin};
use crate::node::{Node, branches, inner, place, text};

/// The keywords whose value is a schema.
const INNER: &[&str] = &["additionalProperties", "items"];

/// The keywords whose value is a list of schemas.
const LISTS: &[&str] = &["allOf", "anyOf", "oneOf"];

/// Reports each file, type, field and enum value without a description.
pub(crate) fn check(bundle: &Bundle, diagnostics: &mut Vec<Diagnostic>) {
    for (file, document) in &bundle.documents {
        let is_type = bundle.definitions.contains_key(&format!("{file}#"));
        if !is_type && document.description.as_deref().is_none_or(is_blank) {
            let help =
                "say what its types are about; the text becomes the documentation of the module";
            diagnostics.push(missing(file, "the file", help));
        }
    }
    for (key, node) in &bundle.definitions {
        if lacks_description(node) {
            let help = "say what it is; the text becomes the documentation of the Rust type";
            diagnostics.push(missing(key, "the type", help));
        }
        walk(node, diagnostics);
    }
}

/// Checks the fields and values inside a schema. Conditions are omitted, because they declare nothing.
fn walk(node: &Node, diagnostics: &mut Vec<Diagnostic>) {
    for (name, field) in inner(node, "properties").into_iter().flatten() {
        let Some(field) = field.as_object() else { continue };
        if lacks_description(field) {
            let help = "say what it holds, in which unit, and who fills it";
            diagnostics.push(missing(place(field), &format!("the field `{name}`"), help));
        }
        walk(field, diagnostics);
    }
    if node.contains_key("enum") {
        let origin = Origin::parse(&format!("{}/enum", place(node)));
        let message = "the values of an `enum` cannot have descriptions";
        let diagnostic = Diagnostic::new(Code::MissingDescription, origin, message);
        diagnostics
            .push(diagnostic.with_help("list them as a `oneOf` of `const` and `description`"));
    }
    for branch in LISTS.iter().flat_map(|keyword| branches(node, keyword)) {
        if let (Some(value), true) = (text(branch, "const"), lacks_description(branch)) {
            let help = "say what the value means";
            diagnostics.push(missing(place(branch), &format!("the value `{value}`"), help));
        }
        if !branch.contains_key("if") {
            walk(branch, diagnostics);
        }
    }
    for inner in INNER.iter().filter_map(|keyword| inner(node, keyword)) {
        walk(inner, diagnostics);
    }
}

fn lacks_description(node: &Node) -> bool {
    text(node, "description").is_none_or(is_blank)
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

fn missing(at: &str, what: &str, help: &str) -> Diagnostic {
    let message = format!("{what} has no description");
    Diagnostic::new(Code::MissingDescription, Origin::parse(at), message).with_help(help)
}
