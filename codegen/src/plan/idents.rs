//! The Rust names that a name in JSON may get, from the shortest to one that only this name gets.

use heck::{ToSnakeCase as _, ToUpperCamelCase as _};

use super::characters::{plain, spelled};
use crate::names::is_ident;

/// How many bytes of a name in JSON are used. Names become names of files in the documentation, and two of them may
/// stand in one.
const LONGEST: usize = 80;

/// The style of a name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Style {
    /// A type. The noun stands before a digit and behind a keyword.
    Type(&'static str),
    /// A variant of an enum.
    Variant,
    /// A field or the end of a method's name.
    Field,
}

/// How many names there are for one thing.
pub(crate) const RUNGS: usize = 5;

/// Returns one of the names for `text`. The first is the shortest, and the last is taken by nothing else.
///
/// `qualified` makes `text` a name of its own among equal names of other kinds: by the type of an event, or the place
/// of an attribute. `identity` is different for any two things that need different names.
pub(crate) fn rung(
    step: usize,
    text: &str,
    qualified: impl Fn(&str) -> String,
    identity: &str,
    style: Style,
) -> String {
    let start = cut(text, LONGEST);
    let long = || cut(&spelled(start), LONGEST).to_owned();
    let short = || {
        let short = plain(start);
        if short.contains(char::is_alphanumeric) { cut(&short, LONGEST).to_owned() } else { long() }
    };
    style.name(&match step {
        0 => short(),
        1 => qualified(&short()),
        2 => long(),
        3 => qualified(&long()),
        _ => format!("{} x{:08x}", short(), hash(identity)),
    })
}

impl Style {
    /// Returns a name in this style.
    pub(crate) fn name(self, text: &str) -> String {
        match self {
            Self::Type(noun) => camel(text, noun, true),
            Self::Variant => camel(&crate::names::one_word(text), "Value", false),
            Self::Field => snake(text),
        }
    }

    /// Whether a name that was chosen is in this style.
    pub(crate) fn accepts(self, name: &str) -> bool {
        match self {
            Self::Type(_) | Self::Variant => is_ident(name) && crate::names::is_camel(name),
            // A keyword is escaped where it is a field.
            Self::Field => {
                syn::parse_str::<syn::Ident>(&field(name)).is_ok()
                    && crate::names::is_snake(name)
                    && name.trim_matches('_') == name
            }
        }
    }
}

/// `UpperCamelCase`, with a noun where Rust would not take the name.
fn camel(text: &str, noun: &str, behind: bool) -> String {
    let name = text.to_upper_camel_case();
    if is_ident(&name) {
        name
    } else if behind && name == "Self" {
        format!("{name}{noun}")
    } else {
        format!("{noun}{name}")
    }
}

/// `snake_case`, with a noun before a digit.
fn snake(text: &str) -> String {
    let name = text.to_snake_case();
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("value_{name}") } else { name }
}

/// Returns the name of a field or an argument: a keyword ends in `_`.
pub(crate) fn field(name: &str) -> String {
    if is_ident(name) { name.to_owned() } else { format!("{name}_") }
}

/// The beginning of a text, of at most so many bytes.
fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|&end| text.is_char_boundary(end));
    text.get(..end.unwrap_or_default()).unwrap_or(text)
}

/// FNV-1a. The numbers stand in generated names, so they must never change.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ladder(text: &str, identity: &str, style: Style) -> Vec<String> {
        let rung = |step| rung(step, text, |text| format!("{text} other"), identity, style);
        (0..RUNGS).map(rung).collect()
    }

    #[test]
    fn names_begin_short_and_end_unique() {
        let names = |text: &str, style| ladder(text, "an identity", style);
        assert_eq!(
            names("Log in -- Attempted", Style::Type("Event")),
            [
                "LogInAttempted",
                "LogInAttemptedOther",
                "LogSpaceInSpaceMinusMinusSpaceAttempted",
                "LogSpaceInSpaceMinusMinusSpaceAttemptedOther",
                "LogInAttemptedXd0e58168",
            ]
        );
        let first = |text: &str, style| names(text, style).swap_remove(0);
        let cases = [
            ("/", Style::Type("Screen"), "Slash"),
            ("", Style::Type("Screen"), "Empty"),
            ("404", Style::Type("Screen"), "Screen404"),
            ("self", Style::Type("Event"), "SelfEvent"),
            ("Option", Style::Type("Event"), "Option"),
            ("self", Style::Variant, "ValueSelf"),
            ("2test", Style::Variant, "Value2test"),
            ("-1", Style::Variant, "Value1"),
            ("iOS", Style::Variant, "Ios"),
            ("ALLCAPS", Style::Variant, "Allcaps"),
            ("Campaign Id", Style::Field, "campaign_id"),
            ("$Zip", Style::Field, "zip"),
            ("type", Style::Field, "type"),
            ("2nd", Style::Field, "value_2nd"),
            ("🎉", Style::Field, "u1f389"),
        ];
        for (text, style, expected) in cases {
            assert_eq!(first(text, style), expected, "{text}");
        }
    }

    #[test]
    fn a_long_name_is_cut_and_stays_unique() {
        let text = "長い名前 ".repeat(50);
        let names = ladder(&text, &text, Style::Type("Event"));
        assert!(names.iter().all(|name| name.len() <= 100), "{names:?}");
        let other = format!("{text}!");
        let others = ladder(&other, &other, Style::Type("Event"));
        assert_eq!(names.first(), others.first());
        assert_ne!(names.last(), others.last());
    }

    #[test]
    fn a_keyword_is_escaped_as_a_field_only() {
        assert_eq!([field("type"), field("self"), field("price")], ["type_", "self_", "price"]);
    }

    #[test]
    fn a_chosen_name_has_to_be_in_style() {
        let cases = [
            (Style::Type("Event"), "Search", true),
            (Style::Type("Event"), "search", false),
            (Style::Type("Event"), "Self", false),
            (Style::Variant, "A_b", false),
            (Style::Field, "type", true),
            (Style::Field, "Type", false),
            (Style::Field, "_a", false),
            (Style::Field, "2", false),
            (Style::Field, "", false),
        ];
        for (style, name, expected) in cases {
            assert_eq!(style.accepts(name), expected, "{name}");
        }
    }
}
