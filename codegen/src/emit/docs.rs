//! Emits doc comments: the descriptions of the schema, the limits in words, and the blank lines between items.

use proc_macro2::TokenStream;
use quote::quote;

use crate::markdown;
use crate::model::{Beyond, Bound, Field, Format, Limit, Presence, Shape, Slot, TypeDef};

/// The attribute that `print` turns into a blank line.
pub(crate) fn blank_line() -> TokenStream {
    quote!(#[blank_line])
}

/// Returns the doc comment of a type: its paragraphs, followed by the example, if there is one.
pub(crate) fn type_docs(def: &TypeDef, more: &[&str]) -> TokenStream {
    let docs = docs(&type_paragraphs(def, more));
    let Some(example) = &def.example else { return docs };
    let code = example.trim().lines();
    let lines = ["", "# Examples", "", "```"].into_iter().chain(code).chain(["```"]);
    let lines = lines.map(|line| if line.is_empty() { String::new() } else { format!(" {line}") });
    quote!(#docs #(#[doc = #lines])*)
}

/// Returns a doc comment with one paragraph per entry, after a blank line.
pub(crate) fn docs<S: AsRef<str>>(paragraphs: &[S]) -> TokenStream {
    let blank = blank_line();
    let lines = doc_lines(paragraphs);
    quote!(#blank #(#[doc = #lines])*)
}

/// Returns the same as the inner doc comment of a module.
pub(crate) fn inner_docs<S: AsRef<str>>(paragraphs: &[S]) -> TokenStream {
    let lines = doc_lines(paragraphs);
    quote!(#(#![doc = #lines])*)
}

fn doc_lines<S: AsRef<str>>(paragraphs: &[S]) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in paragraphs {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        let paragraph = markdown::lines(paragraph.as_ref()).into_iter();
        lines.extend(paragraph.map(|line| if line.is_empty() { line } else { format!(" {line}") }));
    }
    lines
}

/// Returns the first sentence of a description, unless it is code.
pub(crate) fn first_sentence(description: &str) -> Option<String> {
    let line = description.lines().next()?;
    let sentence = match line.split_once(". ") {
        Some((first, _)) => format!("{first}."),
        None => line.to_owned(),
    };
    let is_whole = sentence.matches('`').count() % 2 == 0 && !sentence.contains("```");
    is_whole.then_some(sentence)
}

/// Returns the paragraphs of a type: its description and its place in the schema.
fn type_paragraphs(def: &TypeDef, more: &[&str]) -> Vec<String> {
    let description =
        def.description.clone().unwrap_or_else(|| format!("`{}` of the schema.", def.name));
    let place = format!("Schema: `{}#{}`.", def.origin.file, def.origin.pointer);
    let mut paragraphs = vec![description];
    paragraphs.extend(more.iter().map(|&text| text.to_owned()));
    paragraphs.push(place);
    paragraphs
}

/// Returns the paragraphs of a field: its description, its limits, and whether mParticle sets it.
pub(crate) fn field_paragraphs(field: &Field) -> Vec<String> {
    let mut paragraphs =
        vec![field.description.clone().unwrap_or_else(|| format!("The field `{}`.", field.wire))];
    paragraphs.extend(limit_paragraph(&field.slot));
    paragraphs.extend(bounds_paragraph(&field.slot));
    paragraphs.extend(field.format.as_ref().map(|format| format!("Format: `{format}`.")));
    if let Shape::String(Some(format)) = field.slot.shape {
        let expected = match format {
            Format::Uuid => "Expected to be a UUID. `validate()` warns about any other text.",
            Format::Ip => {
                "Expected to be an IPv4 or IPv6 address. `validate()` warns about any other text."
            }
        };
        paragraphs.push(expected.to_owned());
    }
    let presence = match field.presence {
        Presence::WrittenAlways => Some("Always written. `None` is written as null."),
        Presence::RequiredToWrite => {
            Some("mParticle requires this field. `validate()` reports if it is missing.")
        }
        Presence::Required | Presence::Optional => None,
    };
    paragraphs.extend(presence.map(str::to_owned));
    if field.read_only {
        paragraphs.push("Set by mParticle. Do not send it.".to_owned());
    }
    paragraphs
}

/// Returns the limits of a slot and of its elements: one sentence for each effect of exceeding them.
fn limit_paragraph(slot: &Slot) -> Option<String> {
    let limits = limits_in_words(slot, false);
    let kinds = [
        (Beyond::Refused, "mParticle refuses more"),
        (Beyond::Cut, "mParticle truncates more"),
        (Beyond::Undocumented, "the effect of more is not documented"),
    ];
    let sentences = kinds.into_iter().filter_map(|(beyond, consequence)| {
        let with_this = limits.iter().filter(|(limit, _)| limit.beyond == beyond);
        let words: Vec<_> =
            with_this.map(|(limit, unit)| format!("{} {unit}", limit.value)).collect();
        (!words.is_empty()).then(|| format!("At most {}; {consequence}.", words.join(", ")))
    });
    let sentences: Vec<_> = sentences.collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

/// Returns the bounds of a number in words.
fn bounds_paragraph(slot: &Slot) -> Option<String> {
    let text = |bound: &Option<Bound>| bound.as_ref().map(|bound| bound.value.to_string());
    match (text(&slot.limits.minimum), text(&slot.limits.maximum)) {
        (Some(least), Some(greatest)) => Some(format!("At least {least}, at most {greatest}.")),
        (Some(least), None) => Some(format!("At least {least}.")),
        (None, Some(greatest)) => Some(format!("At most {greatest}.")),
        (None, None) => None,
    }
}

/// Returns each limit with its unit in words.
fn limits_in_words(slot: &Slot, is_element: bool) -> Vec<(Limit, &'static str)> {
    let limits = &slot.limits;
    let is_mixed = matches!(slot.shape, Shape::ScalarOrList);
    let characters = if is_element { "characters in a value" } else { "characters" };
    let items = if is_mixed { "entries in a list" } else { "entries" };
    let own = [
        (limits.max_properties, "entries"),
        (limits.name_max_length, "characters in a name"),
        (limits.max_length, characters),
        (limits.max_items, items),
        (limits.item_max_length, "characters in an entry of a list"),
    ];
    let mut all: Vec<_> =
        own.into_iter().filter_map(|(limit, words)| Some((limit?, words))).collect();
    if let Shape::Array(inner) | Shape::Map(inner) = &slot.shape {
        all.extend(limits_in_words(inner, true));
    }
    all
}
