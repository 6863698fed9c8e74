//! Converts the descriptions of a schema into Markdown for rustdoc.
//!
//! A description is arbitrary text: a code block in it must not become a test, `<placeholder>` must not become HTML,
//! and a source file must not contain characters that change the direction of text.

/// The maximum number of characters in a line of a paragraph. With indentation and slashes, a line has at most 85
/// columns.
const WIDTH: usize = 77;

/// Converts a description into Markdown: marks code blocks as text, and escapes everything else.
pub(crate) fn from_text(description: &str) -> String {
    walk(&visible(description), |line| vec![escaped(line)]).join("\n")
}

/// Returns the lines of Markdown. Lines of code blocks are not changed, and other lines are broken at spaces.
pub(crate) fn lines(markdown: &str) -> Vec<String> {
    // Names on the wire are passed here, too, without being a description.
    walk(&visible(markdown), wrapped)
}

/// Processes the lines inside and outside of code blocks. Marks blocks as text, and closes a block that is open at the
/// end.
fn walk(text: &str, outside: impl Fn(&str) -> Vec<String>) -> Vec<String> {
    let mut lines = Vec::new();
    let mut fence: Option<String> = None;
    for line in text.lines() {
        match (&fence, fence_mark(line)) {
            (Some(opened), Some(mark)) if closes(opened, &mark, line) => {
                lines.push(mark);
                fence = None;
            }
            (Some(_), _) => lines.push(line.trim_end().to_owned()),
            (None, Some(mark)) => {
                lines.push(format!("{mark}text"));
                fence = Some(mark);
            }
            (None, None) => lines.extend(outside(line)),
        }
    }
    lines.extend(fence);
    lines
}

/// Returns the characters that open or close a code block on this line.
fn fence_mark(line: &str) -> Option<String> {
    let line = line.trim_start();
    let first = line.chars().next().filter(|first| matches!(first, '`' | '~'))?;
    let mark: String = line.chars().take_while(|&c| c == first).collect();
    let is_inline = first == '`' && line.trim_start_matches('`').contains('`');
    (mark.len() >= 3 && !is_inline).then_some(mark)
}

fn closes(open: &str, mark: &str, line: &str) -> bool {
    mark.starts_with(open) && line.trim().len() == mark.len()
}

/// Replaces invisible characters, which could deceive a reader, with their code points.
fn visible(text: &str) -> String {
    let written = |c: char| match c {
        '\n' => c.to_string(),
        c if turns(c) => format!("U+{:04X}", u32::from(c)),
        c if c.is_control() => " ".to_owned(),
        c => c.to_string(),
    };
    if text.chars().all(|c| c == '\n' || !c.is_control() && !turns(c)) {
        return text.to_owned();
    }
    text.replace("\r\n", "\n").chars().map(written).collect()
}

/// Whether a character changes the direction of the text around it.
fn turns(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Escapes HTML and links to Rust items outside of `code`.
fn escaped(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('`') {
        let (before, from) = rest.split_at(at);
        let ticks = from.chars().take_while(|&c| c == '`').count();
        let (mark, inside) = from.split_at(ticks);
        text.push_str(&escaped_text(before));
        // Backticks without a closing group are ordinary characters.
        let end = code_end(inside, ticks);
        let (code, after) = inside.split_at(end.unwrap_or(0));
        match end {
            Some(_) => text.extend([mark, code]),
            None => text.push_str(&"\\`".repeat(ticks)),
        }
        rest = after;
    }
    text + &escaped_text(rest)
}

/// Returns the end of the code that a group of backticks opens, including the closing group.
fn code_end(text: &str, ticks: usize) -> Option<usize> {
    let mut at = 0;
    loop {
        let rest = text.get(at..)?;
        let start = at + rest.find('`')?;
        let group = text.get(start..)?.chars().take_while(|&c| c == '`').count();
        at = start + group;
        if group == ticks {
            return Some(at);
        }
    }
}

/// Escapes a text without code.
fn escaped_text(text: &str) -> String {
    let mut escaped = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let is_first = escaped.is_empty() || escaped.ends_with([' ', '(', '"', '\'']);
        let (kept, length) = if let Some(length) = link(rest) {
            (rest.get(..length).unwrap_or_default().to_owned(), length)
        } else if let Some(length) = address(rest).filter(|_| is_first) {
            (format!("<{}>", rest.get(..length).unwrap_or_default()), length)
        } else if matches!(c, '<' | '[') || rest.starts_with("~~~") {
            (format!("\\{c}"), c.len_utf8())
        } else {
            (c.to_string(), c.len_utf8())
        };
        // The character is already escaped with a backslash.
        let is_escaped = escaped.ends_with('\\') && kept.starts_with('\\');
        escaped.push_str(if is_escaped { kept.trim_start_matches('\\') } else { &kept });
        rest = rest.get(length..).unwrap_or_default();
    }
    escaped
}

/// Returns the length of a link, `[text](address)`, at the start of a text.
fn link(text: &str) -> Option<usize> {
    let middle = text.strip_prefix('[')?.find(['[', ']'])? + 1;
    let target = text.get(middle..)?.strip_prefix("](")?;
    let length = address(target)?;
    target.get(length..)?.starts_with(')').then_some(middle + 2 + length + 1)
}

/// Returns the length of a web address at the start of a text, without the punctuation after it.
fn address(text: &str) -> Option<usize> {
    text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let marks = [' ', '<', '>', '(', ')', '[', ']', '"', '\'', '\\'];
    let word = text.split(marks).next()?;
    let length = word.trim_end_matches(['.', ',', ';', ':']).len();
    (length > "https://".len()).then_some(length)
}

/// Breaks a line at spaces, except before a word that would begin a list, a heading or another block.
fn wrapped(source: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in source.split_whitespace() {
        let length = line.chars().count() + 1 + word.chars().count();
        if !line.is_empty() && length > WIDTH && !opens_block(word) {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

/// Whether a word at the beginning of a line might be more than a word.
fn opens_block(word: &str) -> bool {
    let number = word.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_item = number.len() < word.len() && (number == "." || number == ")");
    let is_address = word.starts_with("<http");
    is_item
        || word.starts_with("```")
        || word.starts_with(['#', '>', '-', '+', '*', '=', '~', '|', '<']) && !is_address
}

#[cfg(test)]
mod tests {
    use super::{from_text, lines};

    #[test]
    fn descriptions_become_valid_markdown_for_rustdoc() {
        let cases: [(&str, &[&str]); 19] = [
            ("one  two\tthree", &["one two three"]),
            ("a\r\nb\rc", &["a", "b c"]),
            ("x <y> `<z>` &c", &["x \\<y> `<z>` &c"]),
            ("see [Thing] and `[code]`", &["see \\[Thing] and `[code]`"]),
            ("a [link](https://a.b)", &["a [link](https://a.b)"]),
            ("at https://a.b/c.", &["at <https://a.b/c>."]),
            ("two [words](https://a.b), [x](y z)", &["two [words](https://a.b), \\[x](y z)"]),
            ("to (http://<host>/x)", &["to (http://\\<host>/x)"]),
            ("<http://a.b>", &["\\<http://a.b>"]),
            ("- ~~~", &["- \\~~~"]),
            ("\\<a> \\[b]", &["\\<a> \\[b]"]),
            ("rtl \u{202e} and \u{2066}", &["rtl U+202E and U+2066"]),
            ("a ` b <c>", &["a \\` b \\<c>"]),
            ("``a ` <b>`` <c>", &["``a ` <b>`` \\<c>"]),
            ("```\n  {\"a\": <b>}\n```\nc", &["```text", "  {\"a\": <b>}", "```", "c"]),
            ("```rust\nlet a;", &["```text", "let a;", "```"]),
            ("~~~~js\n~~~\n~~~~", &["~~~~text", "~~~", "~~~~"]),
            ("```inline``` <b>", &["```inline``` \\<b>"]),
            ("", &[]),
        ];
        for (description, expected) in cases {
            assert_eq!(lines(&from_text(description)), expected, "{description}");
        }
    }

    #[test]
    fn long_lines_are_broken_at_spaces() {
        let text = "word ".repeat(50);
        let lines = lines(&text);
        assert_eq!(lines.len(), 4);
        assert!(lines.iter().all(|line| line.len() <= 77));
    }

    #[test]
    fn no_line_begins_with_what_would_be_a_block() {
        for word in ["#", "1.", "2)", "-", "~~~", "```", "<b>", "=="] {
            let text = format!("{} {word} {}", "a".repeat(76), "b".repeat(76));
            let lines = lines(&text);
            assert_eq!(lines.first().map(|line| line.ends_with(word)), Some(true), "{word}");
        }
    }
}
