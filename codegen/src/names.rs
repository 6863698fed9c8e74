//! Rust names for what the wire calls otherwise.

use std::collections::BTreeSet;

use heck::{ToSnakeCase, ToUpperCamelCase};

/// Names that generated modules need for something else: Rust's own and those of `crate::support`.
const RESERVED: &str = "
    AsRef AttributeLimits AttributeValue BTreeMap Beyond BooleanOrText Box Breadcrumb Buffer Clone Copy Debug
    Default Deref DerefMut Deserialize Deserializer Display Drop Enveloped Eq Err Extra Field Fn From FromStr Hash
    Into IntoIterator Iterator KeyedShape None Number Ok OpenEnum Option Ord PartialEq PartialOrd Place Read
    ReadError Report Result Rule Scalar Self Serialize Serializer Severity Shape Shaped Some String Tagged
    TaggedShape ToString TryFrom UnixMillis Validate Value Vec Violation
";

/// Whether a type cannot have this name.
pub(crate) fn is_reserved(name: &str) -> bool {
    RESERVED.split_whitespace().any(|reserved| reserved == name)
}

/// Whether Rust takes the name as it is.
pub(crate) fn is_ident(name: &str) -> bool {
    name != "_" && syn::parse_str::<syn::Ident>(name).is_ok()
}

/// A type's name, in the style that typify gives its types too: `GDPRState` is `GdprState`.
pub(crate) fn type_ident(text: &str) -> String {
    text.to_upper_camel_case()
}

/// A field's name; keywords end in `_`.
pub(crate) fn field_ident(text: &str) -> String {
    let snake = text.to_snake_case();
    if is_ident(&snake) { snake } else { spare(&snake, "_") }
}

/// A variant's name. `iOS` is `Ios`: a capital after one small letter begins no word.
pub(crate) fn variant_ident(text: &str) -> String {
    let mut letters = text.chars();
    let small_first = letters.next().is_some_and(|c| c.is_ascii_lowercase());
    let one_word =
        small_first && letters.clone().next().is_some() && letters.all(|c| c.is_ascii_uppercase());
    let camel = if one_word { text.to_lowercase() } else { text.to_owned() }.to_upper_camel_case();
    if is_ident(&camel) { camel } else { spare(&camel, "Value") }
}

/// A module's name: its file's without the extension.
pub(crate) fn module_ident(file: &str) -> String {
    field_ident(file.strip_suffix(".json").unwrap_or(file))
}

/// Another spelling of what is no name: a keyword or something that begins with a digit; else nothing.
fn spare(text: &str, filler: &str) -> String {
    let spellings = [format!("{text}_"), format!("{filler}{text}")];
    let usable = |spelling: &String| !text.is_empty() && is_ident(spelling);
    spellings.into_iter().find(usable).unwrap_or_default()
}

/// Hands out names of which each is used once.
#[derive(Debug, Default)]
pub(crate) struct Taken(BTreeSet<String>);

impl Taken {
    /// Names that are not to be had.
    pub(crate) fn reserving<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self(names.into_iter().map(str::to_owned).collect())
    }

    /// The wanted name, or the same with the first number that makes it new.
    pub(crate) fn give(&mut self, wanted: String) -> String {
        let numbered = (2_u32..).map(|n| format!("{wanted}{n}"));
        let free =
            std::iter::once(wanted.clone()).chain(numbered).find(|name| !self.0.contains(name));
        let name = free.unwrap_or(wanted);
        self.0.insert(name.clone());
        name
    }
}

#[cfg(test)]
mod tests {
    use super::{Taken, field_ident, module_ident, type_ident, variant_ident};

    type Case = (fn(&str) -> String, &'static str, &'static str);

    #[test]
    fn names_follow_rust_style() {
        let cases: [Case; 21] = [
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
    fn a_name_is_given_once() {
        let mut taken = Taken::reserving(["Unknown"]);
        let given = ["Unknown", "Ios", "Ios", "Ios"].map(|name| taken.give(name.to_owned()));
        assert_eq!(given, ["Unknown2", "Ios", "Ios2", "Ios3"]);
    }
}
