//! Describes the rules that a type does not enforce: formats, patterns, bounds and the like.

use serde_json::{Map, Value};

/// The rules that are put into words, in this order.
const RULES: &[(&str, &str)] = &[
    ("format", "Format"),
    ("pattern", "Pattern"),
    ("minimum", "At least"),
    ("exclusiveMinimum", "More than"),
    ("maximum", "At most"),
    ("exclusiveMaximum", "Less than"),
    ("multipleOf", "A multiple of"),
    ("minLength", "Least number of characters"),
    ("maxLength", "Greatest number of characters"),
    ("minItems", "Least number of values"),
    ("maxItems", "Greatest number of values"),
    ("uniqueItems", "Values occur once"),
];

/// Returns one paragraph with the rules of a definition, if it has any.
pub(crate) fn in_words(schema: &Map<String, Value>, is_in_type: bool) -> Option<String> {
    let mut words = Vec::new();
    for (keyword, label) in RULES {
        let Some(value) = schema.get(*keyword) else { continue };
        match value {
            // The type says what the pattern says.
            _ if is_in_type && *keyword == "pattern" => {
                words.push("Written as text.".to_owned());
            }
            Value::String(text) => words.push(format!("{label}: {}.", code(text))),
            Value::Number(number) => words.push(format!("{label} {number}.")),
            Value::Bool(true) => words.push(format!("{label}.")),
            _ => {}
        }
    }
    (!words.is_empty()).then(|| words.join(" "))
}

/// Returns a text as code in Markdown. Characters that cannot stand there are replaced.
pub(crate) fn code(text: &str) -> String {
    let mut text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.trim().is_empty() {
        return format!("`{text:?}`");
    }
    // Three backticks might open a block of code.
    while text.contains("``") {
        text = text.replace("``", "`");
    }
    let mark = if text.contains('`') { "``" } else { "`" };
    let is_padded = text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']);
    let pad = if is_padded { " " } else { "" };
    format!("{mark}{pad}{text}{pad}{mark}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rules_are_put_into_words() {
        let cases = [
            (json!({}), None),
            (json!({ "format": "date-time" }), Some("Format: `date-time`.")),
            (json!({ "maximum": 5, "minimum": 0.5 }), Some("At least 0.5. At most 5.")),
            (json!({ "pattern": "a`b" }), Some("Pattern: ``a`b``.")),
            (json!({ "pattern": "`" }), Some("Pattern: `` ` ``.")),
            (json!({ "pattern": "a````b" }), Some("Pattern: ``a`b``.")),
            (json!({ "pattern": "" }), Some("Pattern: `\"\"`.")),
            (json!({ "minimum": {} }), None),
        ];
        for (schema, expected) in cases {
            let schema = schema.as_object().unwrap();
            assert_eq!(in_words(schema, false).as_deref(), expected);
        }
    }
}
