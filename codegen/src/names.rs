//! Converts names on the wire into Rust names.

use std::collections::{BTreeMap, BTreeSet};

use heck::{ToSnakeCase, ToUpperCamelCase};

/// Names that generated types cannot have: those of Rust's prelude and of `crate::support`.
///
/// [`crate::clashes`] finds clashes with other imports of a module.
const RESERVED: &str = "
    AsMut AsRef AsyncFn AsyncFnMut AsyncFnOnce AttributeLimits AttributeValue BTreeMap Beyond BooleanOrText Box
    Breadcrumb Buffer Clone Copy Debug Default Deref DerefMut Deserialize Deserializer Display
    DoubleEndedIterator Drop Enveloped Eq Err ExactSizeIterator Extend Extra Field Fn FnMut FnOnce From
    FromIterator FromStr Future Hash Into IntoFuture IntoIterator Iterator KeyedShape None Number Ok OpenEnum
    Option Ord PartialEq PartialOrd Place Read ReadError Report Result Rule Scalar Self Send Serialize Serializer
    Severity Shape Shaped Sized Some String Sync Tagged TaggedShape ToOwned ToString TryFrom TryInto UnixMillis
    Unpin Validate Value Vec Violation
";

/// Whether a type cannot have this name.
pub(crate) fn is_reserved(name: &str) -> bool {
    RESERVED.split_whitespace().any(|reserved| reserved == name)
}

/// Whether the name is a valid identifier in every edition of Rust.
pub(crate) fn is_ident(name: &str) -> bool {
    !matches!(name, "_" | "gen") && syn::parse_str::<syn::Ident>(name).is_ok()
}

/// Whether a name is in the style of types and variants.
pub(crate) fn is_camel(name: &str) -> bool {
    !name.contains('_') && !name.starts_with(char::is_lowercase)
}

/// Whether a name is in the style of fields and modules.
pub(crate) fn is_snake(name: &str) -> bool {
    !name.trim_matches('_').contains("__") && !name.contains(char::is_uppercase)
}

/// Returns the name of a type in the style of typify: `GDPRState` becomes `GdprState`.
pub(crate) fn type_ident(text: &str) -> String {
    text.to_upper_camel_case()
}

/// Returns the name of a field. Keywords end in `_`.
pub(crate) fn field_ident(text: &str) -> String {
    let snake = text.to_snake_case();
    if is_ident(&snake) { snake } else { spare(&snake, "_") }
}

/// Returns the name of a variant. `iOS` becomes `Ios`: a capital letter after a single small letter does not begin a
/// word.
pub(crate) fn variant_ident(text: &str) -> String {
    let camel = one_word(text).to_upper_camel_case();
    if is_ident(&camel) { camel } else { spare(&camel, "Value") }
}

/// Writes `iOS` and the like as one word.
pub(crate) fn one_word(text: &str) -> String {
    let mut letters = text.chars();
    let small_first = letters.next().is_some_and(|c| c.is_ascii_lowercase());
    let one_word =
        small_first && letters.clone().next().is_some() && letters.all(|c| c.is_ascii_uppercase());
    if one_word { text.to_lowercase() } else { text.to_owned() }
}

/// Returns the name of a module: the name of its file without the extension.
pub(crate) fn module_ident(file: &str) -> String {
    field_ident(file.strip_suffix(".json").unwrap_or(file))
}

/// Returns another spelling of a keyword or of a text that begins with a digit, and `None` for other texts.
fn spare(text: &str, filler: &str) -> String {
    let spellings = [format!("{text}_"), format!("{filler}{text}")];
    let usable = |spelling: &String| !text.is_empty() && is_ident(spelling);
    spellings.into_iter().find(usable).unwrap_or_default()
}

/// The kind of a name.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Style {
    /// A field of an object.
    Field,
    /// A variant of an enum or a union.
    Variant,
}

impl Style {
    /// Returns the Rust name for a name on the wire.
    pub(crate) fn ident(self, wire: &str) -> String {
        match self {
            Self::Field => field_ident(wire),
            Self::Variant => variant_ident(wire),
        }
    }

    /// Whether a chosen name follows the naming style.
    pub(crate) fn accepts(self, name: &str) -> bool {
        match self {
            Self::Field => is_snake(name),
            Self::Variant => is_camel(name),
        }
    }
}

/// Returns the part of a method name that comes from a field, without the underscore that follows a keyword.
pub(crate) fn in_method(field: &str) -> &str {
    field.trim_matches('_')
}

/// The names that are in use in one object, enum or union.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    reserved: BTreeSet<String>,
    given: BTreeMap<String, String>,
}

impl Taken {
    /// Reserved names. A name that would equal one of them ends in `_`.
    pub(crate) fn reserving<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self { reserved: names.into_iter().map(str::to_owned).collect(), given: BTreeMap::new() }
    }

    /// Returns the Rust name for `wire`, or the wire name that already has the Rust name.
    pub(crate) fn give(&mut self, wanted: String, wire: &str) -> Result<String, String> {
        let name = if self.reserved.contains(&wanted) { wanted + "_" } else { wanted };
        match self.given.insert(name.clone(), wire.to_owned()) {
            None => Ok(name),
            Some(other) => Err(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Taken, field_ident, is_camel, is_snake, module_ident, type_ident, variant_ident};

    type Case = (fn(&str) -> String, &'static str, &'static str);

    #[test]
    fn names_follow_rust_style() {
        let cases: [Case; 23] = [
            (type_ident, "ProductAction", "ProductAction"),
            (type_ident, "GDPRConsentState", "GdprConsentState"),
            (type_ident, "product_action", "ProductAction"),
            (type_ident, "self", "Self"),
            (type_ident, "+", ""),
            (field_ident, "other_id_2", "other_id_2"),
            (field_ident, "launchReferral", "launch_referral"),
            (field_ident, "type", "type_"),
            (field_ident, "self", "self_"),
            (field_ident, "2nd", "_2nd"),
            (field_ident, "$", ""),
            (field_ident, "gen", "gen_"),
            (variant_ident, "a_b_test", "ABTest"),
            (variant_ident, "remove_from_wish_list", "RemoveFromWishList"),
            (variant_ident, "iOS", "Ios"),
            (variant_ident, "IOS", "Ios"),
            (variant_ident, "tvOS", "TvOs"),
            (variant_ident, "x", "X"),
            (variant_ident, "self", "Self_"),
            (variant_ident, "2", "Value2"),
            (variant_ident, "", ""),
            (module_ident, "user-data.json", "user_data"),
            (module_ident, "mod.json", "mod_"),
        ];
        for (make, text, expected) in cases {
            assert_eq!(make(text), expected, "{text}");
        }
    }

    #[test]
    fn a_name_is_given_once_and_no_reserved_one() {
        let mut taken = Taken::reserving(["Unknown"]);
        let mut give = |name: &str, wire| taken.give(name.to_owned(), wire);
        assert_eq!(give("Unknown", "unknown"), Ok("Unknown_".to_owned()));
        assert_eq!(give("Ios", "ios"), Ok("Ios".to_owned()));
        assert_eq!(give("Ios", "i-os"), Err("ios".to_owned()));
    }

    #[test]
    fn names_of_the_overrides_have_a_style() {
        let cases = [
            ("Abc", true, false),
            ("ABTest", true, false),
            ("abc", false, true),
            ("type_", false, true),
            ("_2nd", false, true),
            ("a__b", false, false),
            ("A_b", false, false),
        ];
        for (name, camel, snake) in cases {
            assert_eq!((is_camel(name), is_snake(name)), (camel, snake), "{name}");
        }
    }
}
