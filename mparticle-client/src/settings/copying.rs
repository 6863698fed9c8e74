//! Mistakes from copying a setting from a web page, a shell script or a file.

/// Describes the copying mistakes in a key, a secret or a URL.
///
/// Each description continues a sentence whose subject is the setting, such as "the API key contains white space". No
/// description quotes the text, which may contain a secret.
pub(crate) fn copying_mistakes(text: &str) -> Vec<&'static str> {
    let trimmed = text.trim_matches(|c: char| c.is_whitespace() || c == BYTE_ORDER_MARK);
    let checks = [
        (text.contains(BYTE_ORDER_MARK), "contains a byte order mark (U+FEFF)"),
        (
            trimmed.starts_with(is_quotation_mark) || trimmed.ends_with(is_quotation_mark),
            "begins or ends with a quotation mark",
        ),
        (text.trim() != text, "begins or ends with white space"),
        (trimmed.contains(char::is_whitespace), "contains white space"),
        (text.contains(is_invisible), "contains an invisible character"),
        (
            text.contains(|c: char| c.is_control() && !c.is_whitespace()),
            "contains a control character",
        ),
    ];
    checks.into_iter().filter_map(|(found, mistake)| found.then_some(mistake)).collect()
}

const BYTE_ORDER_MARK: char = '\u{feff}';

fn is_quotation_mark(c: char) -> bool {
    matches!(c, '"' | '\'' | '`' | '\u{2018}'..='\u{201f}' | '«' | '»' | '‹' | '›')
}

/// Whether a character has no width, such as a soft hyphen, a zero-width space, a joiner or a directional mark.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mistake_is_described() {
        for (text, expected) in [
            ("\u{feff}key", &["contains a byte order mark (U+FEFF)"][..]),
            ("key\u{feff}", &["contains a byte order mark (U+FEFF)"]),
            ("\"key\"", &["begins or ends with a quotation mark"]),
            ("'key'", &["begins or ends with a quotation mark"]),
            ("`key`", &["begins or ends with a quotation mark"]),
            ("“key”", &["begins or ends with a quotation mark"]),
            ("‘key’", &["begins or ends with a quotation mark"]),
            ("„key“", &["begins or ends with a quotation mark"]),
            ("«key»", &["begins or ends with a quotation mark"]),
            ("key\"", &["begins or ends with a quotation mark"]),
            ("\"", &["begins or ends with a quotation mark"]),
            (" key", &["begins or ends with white space"]),
            ("key\r\n", &["begins or ends with white space"]),
            ("key\u{a0}", &["begins or ends with white space"]),
            ("k ey", &["contains white space"]),
            ("k\ney", &["contains white space"]),
            ("k\u{a0}ey", &["contains white space"]),
            ("k\u{200b}ey", &["contains an invisible character"]),
            ("key\u{ad}", &["contains an invisible character"]),
            ("k\u{7}ey", &["contains a control character"]),
            ("key\0", &["contains a control character"]),
            (
                "\u{feff} \"k ey\"\n",
                &[
                    "contains a byte order mark (U+FEFF)",
                    "begins or ends with a quotation mark",
                    "begins or ends with white space",
                    "contains white space",
                ],
            ),
        ] {
            assert_eq!(copying_mistakes(text), expected, "{text:?}");
        }
    }

    #[test]
    fn other_texts_have_no_mistake() {
        for text in ["", "us1-4f\"2e", "it's", "ключ", "käse:秘密🧀", "https://example.com/v2"]
        {
            assert_eq!(copying_mistakes(text), [""; 0], "{text:?}");
        }
    }
}
