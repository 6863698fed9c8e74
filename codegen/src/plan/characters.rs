//! Words for the characters that cannot stand in a Rust name.

/// Replaces what no Rust name may hold: letters of rare scripts by their numbers, other characters by spaces.
pub(crate) fn plain(text: &str) -> String {
    let word = |c: char| match c {
        c if is_letter(c) => c.to_string(),
        c if c.is_alphanumeric() => format!(" u{:x} ", u32::from(c)),
        _ => " ".to_owned(),
    };
    text.chars().map(word).collect()
}

/// Spells out every character that no Rust name may hold.
pub(crate) fn spelled(text: &str) -> String {
    if text.is_empty() {
        return "empty".to_owned();
    }
    let word = |c: char| match c {
        c if is_letter(c) => c.to_string(),
        c => name(c).map_or_else(|| format!(" u{:x} ", u32::from(c)), |name| format!(" {name} ")),
    };
    text.chars().map(word).collect()
}

/// Whether a character can stand in a Rust name without a warning: ASCII, the letters of European scripts, and the
/// characters of Chinese, Japanese and Korean. None of them changes if Rust normalises the name, and none is a small
/// letter without a capital.
pub(crate) fn is_letter(c: char) -> bool {
    let is_common = matches!(c,
        '\u{c0}'..='\u{12f}' | '\u{134}'..='\u{137}' | '\u{139}'..='\u{148}' | '\u{14a}'..='\u{17e}'
        | '\u{391}'..='\u{3af}' | '\u{3b1}'..='\u{3ce}' | '\u{400}'..='\u{45f}'
        | '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '\u{30fc}'
        | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}');
    c.is_ascii_alphanumeric() || is_common && c.is_alphanumeric()
}

/// The name of an ASCII character that is neither a letter nor a digit.
fn name(c: char) -> Option<&'static str> {
    Some(match c {
        '\t' => "tab",
        '\n' => "newline",
        ' ' => "space",
        '!' => "bang",
        '"' => "quote",
        '#' => "hash",
        '$' => "dollar",
        '%' => "percent",
        '&' => "and",
        '\'' => "apostrophe",
        '(' => "open",
        ')' => "close",
        '*' => "star",
        '+' => "plus",
        ',' => "comma",
        '-' => "minus",
        '.' => "dot",
        '/' => "slash",
        ':' => "colon",
        ';' => "semicolon",
        '<' => "less",
        '=' => "equals",
        '>' => "greater",
        '?' => "question",
        '@' => "at",
        '[' => "bracket",
        '\\' => "backslash",
        ']' => "unbracket",
        '^' => "caret",
        '_' => "underscore",
        '`' => "backtick",
        '{' => "brace",
        '|' => "pipe",
        '}' => "unbrace",
        '~' => "tilde",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{plain, spelled};

    #[test]
    fn characters_are_kept_dropped_or_named() {
        let cases = [
            ("Choose Item", "Choose Item", "Choose space Item"),
            ("a-b/c", "a b c", "a minus b slash c"),
            ("/", " ", " slash "),
            ("", "", "empty"),
            ("Größe", "Größe", "Größe"),
            ("購入", "購入", "購入"),
            // A digit of another script, a letter with its accent beside it, a sign that Rust would replace.
            ("١", " u661 ", " u661 "),
            ("e\u{301}", "e ", "e u301 "),
            ("\u{212b}", " u212b ", " u212b "),
            ("🎉", " ", " u1f389 "),
        ];
        for (text, short, long) in cases {
            assert_eq!((plain(text).as_str(), spelled(text).as_str()), (short, long), "{text}");
        }
    }
}
