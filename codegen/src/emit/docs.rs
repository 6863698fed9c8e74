//! Doc comments: the schema's descriptions, the limits in words, and the blank lines between items.

use proc_macro2::TokenStream;
use quote::quote;

use crate::model::{Beyond, Field, Format, Limit, Presence, Shape, Slot, TypeDef};

/// The attribute that `print` turns into a blank line.
pub(crate) fn blank_line() -> TokenStream {
    quote!(#[blank_line])
}

/// A doc comment of one paragraph per entry, after a blank line.
pub(crate) fn docs<S: AsRef<str>>(paragraphs: &[S]) -> TokenStream {
    let blank = blank_line();
    let lines = doc_lines(paragraphs);
    quote!(#blank #(#[doc = #lines])*)
}

/// The same as inner docs of a module.
pub(crate) fn inner_docs<S: AsRef<str>>(paragraphs: &[S]) -> TokenStream {
    let lines = doc_lines(paragraphs);
    quote!(#(#![doc = #lines])*)
}

fn doc_lines<S: AsRef<str>>(paragraphs: &[S]) -> Vec<String> {
    let text = paragraphs
        .iter()
        .map(|paragraph| wrap(paragraph.as_ref()))
        .collect::<Vec<_>>()
        .join("\n\n");
    text.lines()
        .map(|line| if line.is_empty() { String::new() } else { format!(" {line}") })
        .collect()
}

/// Breaks a paragraph into lines of at most 110 characters, at spaces only.
fn wrap(paragraph: &str) -> String {
    const WIDTH: usize = 110;
    let mut lines = Vec::new();
    for source in paragraph.lines() {
        let mut line = String::new();
        for word in source.split_whitespace() {
            let length = line.chars().count() + 1 + word.chars().count();
            if !line.is_empty() && length > WIDTH {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines.join("\n")
}

/// The paragraphs of a type: what it is and where the schema defines it.
pub(crate) fn type_paragraphs(def: &TypeDef, more: &[&str]) -> Vec<String> {
    let description =
        def.description.clone().unwrap_or_else(|| format!("`{}` of the schema.", def.name));
    let place = format!("Schema: `{}#{}`.", def.origin.file, def.origin.pointer);
    let mut paragraphs = vec![description];
    paragraphs.extend(more.iter().map(|&text| text.to_owned()));
    paragraphs.push(place);
    paragraphs
}

/// The paragraphs of a field: what it is, its limits, and who fills it.
pub(crate) fn field_paragraphs(field: &Field) -> Vec<String> {
    let mut paragraphs =
        vec![field.description.clone().unwrap_or_else(|| format!("The field `{}`.", field.wire))];
    let limits = limit_sentences(&field.slot);
    if !limits.is_empty() {
        paragraphs.push(limits.join(" "));
    }
    if let Shape::String(Some(format)) = field.slot.shape {
        let expected = match format {
            Format::Uuid => "Expected to be a UUID; `validate()` warns about any other text.",
            Format::Ip => {
                "Expected to be an IPv4 or IPv6 address; `validate()` warns about any other text."
            }
        };
        paragraphs.push(expected.to_owned());
    }
    match field.presence {
        Presence::WrittenAlways => {
            paragraphs.push("Always written: absent goes out as null.".to_owned())
        }
        Presence::RequiredToWrite => {
            paragraphs.push(
                "Required by mParticle, but not by this reader: `validate()` reports its absence."
                    .to_owned(),
            );
        }
        Presence::Required | Presence::Optional => {}
    }
    if field.read_only {
        paragraphs.push("Filled by mParticle: leave it out of what you send.".to_owned());
    }
    paragraphs
}

/// The limits of a slot and of what it contains, each as a sentence.
fn limit_sentences(slot: &Slot) -> Vec<String> {
    let limits = &slot.limits;
    let own = [
        (limits.max_properties, "entries", "a larger map"),
        (limits.max_items, "entries", "a longer list"),
        (limits.name_max_length, "characters in a name", "a longer name"),
        (limits.max_length, "characters", "longer text"),
        (limits.item_max_length, "characters in an entry of a list", "a longer entry"),
    ];
    let mut sentences: Vec<_> = own
        .into_iter()
        .filter_map(|(limit, unit, excess)| Some(limit_sentence(limit?, unit, excess)))
        .collect();
    if let Shape::Array(inner) | Shape::Map(inner) = &slot.shape {
        sentences.extend(
            limit_sentences(inner).into_iter().map(|sentence| format!("In each value: {sentence}")),
        );
    }
    sentences
}

fn limit_sentence(limit: Limit, unit: &str, excess: &str) -> String {
    let beyond = match limit.beyond {
        Beyond::Refused => format!("{excess} is refused"),
        Beyond::Cut => format!("{excess} is cut"),
        Beyond::Undocumented => format!("what becomes of {excess} is undocumented"),
    };
    format!("At most {} {unit}; {beyond}.", limit.value)
}
