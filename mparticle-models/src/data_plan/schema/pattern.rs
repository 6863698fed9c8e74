//! Regular expressions of JavaScript and .NET, translated into those of the crate `regex`.
//!
//! The three languages agree on most notations. Where they differ, the translation writes what the original means.
//! Look-around and back-references cannot be translated: such a pattern is not checked.
//!
//! JavaScript and .NET match UTF-16 code units, and `regex` matches characters. Therefore each half of a surrogate pair is
//! represented by a character of its own, in patterns and in texts.

use std::borrow::Cow;
use std::fmt::Write;
use std::iter::Peekable;
use std::str::Chars;

use regex::{Regex, RegexBuilder};

/// The language in which a pattern is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// ECMAScript without flags, as Node.js uses it.
    JavaScript,
    /// .NET, as the platform uses it.
    DotNet,
}

/// Why a pattern is not checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PatternError {
    /// It is not a pattern of the language.
    Invalid(&'static str),
    /// It is a pattern of the language that cannot be translated.
    Unsupported(&'static str),
}

/// The largest compiled pattern, in bytes. Larger ones are not checked.
const SIZE_LIMIT: usize = 1 << 22;

/// Compiles a pattern. It matches anywhere in a text.
pub(crate) fn compile(pattern: &str, dialect: Dialect) -> Result<Regex, PatternError> {
    let translated = translate(pattern, dialect)?;
    let mut builder = RegexBuilder::new(&translated);
    builder.size_limit(SIZE_LIMIT);
    builder.build().map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => PatternError::Unsupported("it is too large"),
        _ => PatternError::Unsupported("it cannot be translated"),
    })
}

/// Returns whether a text is a pattern of JavaScript.
pub(crate) fn is_valid(pattern: &str) -> bool {
    !matches!(translate(pattern, Dialect::JavaScript), Err(PatternError::Invalid(_)))
}

/// Replaces each character beyond 16 bits by two characters of a private use area.
pub(crate) fn with_surrogates(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte < 0xf0) {
        return Cow::Borrowed(text);
    }
    text.encode_utf16().filter_map(|unit| half_or_character(unit.into())).collect()
}

/// Returns the character that represents a UTF-16 code unit.
fn half_or_character(unit: u32) -> Option<char> {
    let is_half = (0xd800..0xe000).contains(&unit);
    char::from_u32(if is_half { unit - 0xd800 + 0xf_0000 } else { unit })
}

fn translate(pattern: &str, dialect: Dialect) -> Result<String, PatternError> {
    let pattern = with_surrogates(pattern);
    let input = pattern.chars().peekable();
    let mut translation = Translation {
        input,
        dialect,
        output: String::new(),
        depth: 0,
        names: Vec::new(),
        unsupported: None,
    };
    translation.run()?;
    match translation.unsupported {
        Some(reason) => Err(PatternError::Unsupported(reason)),
        None => Ok(translation.output),
    }
}

struct Translation<'p> {
    input: Peekable<Chars<'p>>,
    dialect: Dialect,
    output: String,
    /// The number of open groups.
    depth: usize,
    /// The names of groups.
    names: Vec<String>,
    /// The first notation that cannot be translated. The rest is still read, because it may be invalid.
    unsupported: Option<&'static str>,
}

/// What a quantifier would apply to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    /// Nothing: the start of an alternative, an assertion or another quantifier.
    Nothing,
    Atom,
}

impl Translation<'_> {
    fn run(&mut self) -> Result<(), PatternError> {
        let mut last = Last::Nothing;
        while let Some(c) = self.input.next() {
            last = match c {
                '\\' => self.escape()?,
                '[' => self.class()?,
                '(' => self.group()?,
                ')' => self.close()?,
                '*' | '+' | '?' => self.quantifier(&c.to_string(), last)?,
                '{' => match self.bounds()? {
                    Some(bounds) => self.quantifier(&bounds, last)?,
                    None => self.literal('{'),
                },
                '|' => self.assertion("|"),
                '^' => self.assertion("^"),
                '$' => self.assertion(self.end()),
                '.' => self.atom(self.any()),
                literal => self.literal(literal),
            };
        }
        if self.depth > 0 { Err(PatternError::Invalid("a group is not closed")) } else { Ok(()) }
    }

    fn end(&self) -> &'static str {
        match self.dialect {
            Dialect::JavaScript => "$",
            Dialect::DotNet => r"(?:\n?\z)",
        }
    }

    fn any(&self) -> &'static str {
        match self.dialect {
            Dialect::JavaScript => r"[^\n\r\x{2028}\x{2029}]",
            Dialect::DotNet => r"[^\n]",
        }
    }

    fn assertion(&mut self, text: &str) -> Last {
        self.output.push_str(text);
        Last::Nothing
    }

    fn atom(&mut self, text: &str) -> Last {
        self.output.push_str(text);
        Last::Atom
    }

    fn literal(&mut self, c: char) -> Last {
        push_literal(&mut self.output, c);
        Last::Atom
    }

    fn unsupported(&mut self, reason: &'static str) -> Last {
        self.unsupported.get_or_insert(reason);
        Last::Atom
    }

    fn close(&mut self) -> Result<Last, PatternError> {
        let open = self.depth.checked_sub(1);
        self.depth = open.ok_or(PatternError::Invalid("a group is closed that was not opened"))?;
        Ok(self.atom(")"))
    }

    fn quantifier(&mut self, text: &str, last: Last) -> Result<Last, PatternError> {
        if last == Last::Nothing {
            return Err(PatternError::Invalid("a quantifier has nothing to repeat"));
        }
        self.output.push_str(text);
        if self.input.next_if_eq(&'?').is_some() {
            self.output.push('?');
        }
        Ok(Last::Nothing)
    }

    /// Reads the rest of `{2}`, `{2,}` or `{2,3}`. Anything else is a literal brace.
    fn bounds(&mut self) -> Result<Option<String>, PatternError> {
        let mut ahead = self.input.clone();
        let least = digits(&mut ahead);
        let most = ahead.next_if_eq(&',').map(|_| digits(&mut ahead));
        if least.is_empty() || ahead.next_if_eq(&'}').is_none() {
            return Ok(None);
        }
        self.input = ahead;
        // The bounds of JavaScript have no limit. A number that is absent is none.
        let number = |text: &str| if text.is_empty() { Some(u32::MAX) } else { text.parse().ok() };
        match (number(&least), most.as_deref().map(number)) {
            (None, _) | (_, Some(None)) => {
                self.unsupported("a repetition is too large");
            }
            (Some(least), Some(Some(most))) if most < least => {
                return Err(PatternError::Invalid("the bounds of a repetition are out of order"));
            }
            _ => {}
        }
        let most = most.map_or_else(String::new, |most| format!(",{most}"));
        Ok(Some(format!("{{{least}{most}}}")))
    }

    fn group(&mut self) -> Result<Last, PatternError> {
        self.depth += 1;
        if self.input.next_if_eq(&'?').is_none() {
            self.output.push('(');
            return Ok(Last::Nothing);
        }
        match self.input.next() {
            Some(':') => self.output.push_str("(?:"),
            Some('=' | '!') => self.placeholder("look-ahead is not supported"),
            Some('<') if self.input.next_if(|c| matches!(c, '=' | '!')).is_some() => {
                self.placeholder("look-behind is not supported");
            }
            Some('<') => self.named_group()?,
            Some(c) if self.dialect == Dialect::DotNet => self.dot_net_group(c)?,
            _ => return Err(PatternError::Invalid("a group begins with an unknown notation")),
        }
        Ok(Last::Nothing)
    }

    fn placeholder(&mut self, reason: &'static str) {
        self.unsupported(reason);
        self.output.push('(');
    }

    fn named_group(&mut self) -> Result<(), PatternError> {
        let mut name = String::new();
        while let Some(c) = self.input.next_if(|c| c.is_alphanumeric() || matches!(c, '_' | '$')) {
            name.push(c);
        }
        let closed = self.input.next_if_eq(&'>').is_some();
        if name.is_empty() || name.starts_with(|c: char| c.is_numeric()) || !closed {
            return Err(PatternError::Invalid("the name of a group is not a name"));
        }
        if self.dialect == Dialect::JavaScript && self.names.contains(&name) {
            return Err(PatternError::Invalid("two groups have the same name"));
        }
        self.names.push(name);
        // No back-reference can be translated, therefore the name is not needed.
        self.output.push('(');
        Ok(())
    }

    /// Reads `(?i)`, `(?i:` and the like, after their first character.
    fn dot_net_group(&mut self, first: char) -> Result<(), PatternError> {
        let mut flags = String::from(first);
        while let Some(c) = self.input.next_if(|c| c.is_ascii_alphabetic() || *c == '-') {
            flags.push(c);
        }
        let known = flags.chars().all(|c| matches!(c, 'i' | 'm' | 's' | 'n' | 'x' | '-'));
        match self.input.next_if(|c| matches!(c, ':' | ')')) {
            Some(':') if known && flags == "i" => self.output.push_str("(?i:"),
            Some(')') if known && flags == "i" => {
                self.depth = self.depth.saturating_sub(1);
                self.output.push_str("(?i)");
            }
            Some(end) => {
                self.placeholder("its flags are not supported");
                if end == ')' {
                    self.close()?;
                }
            }
            None => self.placeholder("a group begins with an unknown notation"),
        }
        Ok(())
    }

    /// Reads an escape outside of a class, after the backslash.
    fn escape(&mut self) -> Result<Last, PatternError> {
        let Some(c) = self.input.next() else {
            return Err(PatternError::Invalid("it ends with a backslash"));
        };
        let dot_net = self.dialect == Dialect::DotNet;
        Ok(match c {
            'b' | 'B' if dot_net => self.assertion(if c == 'b' { r"\b" } else { r"\B" }),
            'b' => self.assertion(r"(?-u:\b)"),
            'B' => self.assertion(r"(?-u:\B)"),
            'A' | 'z' | 'Z' | 'G' if dot_net => match c {
                'A' => self.assertion(r"\A"),
                'z' => self.assertion(r"\z"),
                'Z' => self.assertion(r"(?:\n?\z)"),
                _ => self.unsupported(r"`\G` is not supported"),
            },
            '1'..='9' | 'k' => self.unsupported("back-references are not supported"),
            c => {
                if let Some(set) = self.set(c) {
                    self.atom(&format!("[{set}]"))
                } else {
                    let c = self.character(c)?;
                    self.literal(c)
                }
            }
        })
    }

    /// Returns the content of a class that an escape such as `\d` stands for.
    fn set(&mut self, c: char) -> Option<String> {
        let (positive, negative) = match self.dialect {
            Dialect::JavaScript => (
                [r"0-9", r"0-9A-Za-z_", JAVASCRIPT_SPACE],
                [r"[^0-9]", r"[^0-9A-Za-z_]", JAVASCRIPT_NOT_SPACE],
            ),
            Dialect::DotNet => (
                [r"\p{Nd}", r"\p{L}\p{Mn}\p{Nd}\p{Pc}", r"\s"],
                [r"\P{Nd}", r"[^\p{L}\p{Mn}\p{Nd}\p{Pc}]", r"\S"],
            ),
        };
        let ([digit, word, space], [not_digit, not_word, not_space]) = (positive, negative);
        let set = match c {
            'd' => digit,
            'D' => not_digit,
            'w' => word,
            'W' => not_word,
            's' => space,
            'S' => not_space,
            'p' | 'P' if self.dialect == Dialect::DotNet => return self.category(c),
            _ => return None,
        };
        Some(set.to_owned())
    }

    /// Reads the rest of `\p{L}`.
    fn category(&mut self, c: char) -> Option<String> {
        let mut ahead = self.input.clone();
        ahead.next_if_eq(&'{')?;
        let mut name = String::new();
        while let Some(c) = ahead.next_if(char::is_ascii_alphanumeric) {
            name.push(c);
        }
        ahead.next_if_eq(&'}')?;
        self.input = ahead;
        Some(format!(r"\{c}{{{name}}}"))
    }

    /// Returns the character that an escape stands for.
    fn character(&mut self, c: char) -> Result<char, PatternError> {
        Ok(match c {
            't' => '\t',
            'n' => '\n',
            'r' => '\r',
            'v' => '\u{b}',
            'f' => '\u{c}',
            '0' => '\0',
            'a' if self.dialect == Dialect::DotNet => '\u{7}',
            'e' if self.dialect == Dialect::DotNet => '\u{1b}',
            'c' => self.control(),
            'x' => self.hex(2).and_then(char::from_u32).unwrap_or('x'),
            'u' => self.hex(4).and_then(half_or_character).unwrap_or('u'),
            c if self.dialect == Dialect::DotNet && c.is_alphanumeric() => {
                return Err(PatternError::Invalid("an escape is unknown"));
            }
            c => c,
        })
    }

    /// Reads the letter of `\cX`. Without a letter the backslash is a literal.
    fn control(&mut self) -> char {
        let letter = self.input.next_if(char::is_ascii_alphabetic);
        let control = letter.and_then(|letter| char::from_u32(u32::from(letter) % 32));
        control.unwrap_or('c')
    }

    fn hex(&mut self, count: usize) -> Option<u32> {
        let mut ahead = self.input.clone();
        let digits: Option<Vec<u32>> =
            (0..count).map(|_| ahead.next().and_then(|c| c.to_digit(16))).collect();
        let number = digits?.into_iter().fold(0, |number, digit| number * 16 + digit);
        self.input = ahead;
        Some(number)
    }

    fn class(&mut self) -> Result<Last, PatternError> {
        let negated = self.input.next_if_eq(&'^').is_some();
        let mut items = String::new();
        // In .NET, a bracket that comes first is a literal.
        if self.dialect == Dialect::DotNet && self.input.next_if_eq(&']').is_some() {
            push_literal(&mut items, ']');
        }
        loop {
            let Some(c) = self.input.next() else {
                return Err(PatternError::Invalid("a class is not closed"));
            };
            if c == ']' {
                break;
            }
            self.class_item(c, &mut items)?;
        }
        Ok(match (items.is_empty(), negated) {
            (true, false) => self.atom(r"[^\x{0}-\x{10FFFF}]"),
            (true, true) => self.atom(r"[\x{0}-\x{10FFFF}]"),
            (false, negated) => {
                let caret = if negated { "^" } else { "" };
                self.atom(&format!("[{caret}{items}]"))
            }
        })
    }

    /// Adds a character, a set or a range to a class.
    fn class_item(&mut self, c: char, items: &mut String) -> Result<(), PatternError> {
        let first = self.class_atom(c)?;
        let mut ahead = self.input.clone();
        let is_range = ahead.next() == Some('-') && ahead.peek().is_some_and(|c| *c != ']');
        if !is_range {
            first.write(items);
            return Ok(());
        }
        self.input = ahead;
        if self.dialect == Dialect::DotNet && self.input.peek() == Some(&'[') {
            self.unsupported("a difference of classes is not supported");
        }
        let Some(c) = self.input.next() else {
            return Err(PatternError::Invalid("a class is not closed"));
        };
        match (first, self.class_atom(c)?) {
            (ClassAtom::Character(from), ClassAtom::Character(to)) if from > to => {
                return Err(PatternError::Invalid("a range of a class is out of order"));
            }
            (ClassAtom::Character(from), ClassAtom::Character(to)) => {
                push_literal(items, from);
                items.push('-');
                push_literal(items, to);
            }
            (first, second) => {
                first.write(items);
                push_literal(items, '-');
                second.write(items);
            }
        }
        Ok(())
    }

    fn class_atom(&mut self, c: char) -> Result<ClassAtom, PatternError> {
        if c != '\\' {
            return Ok(ClassAtom::Character(c));
        }
        let Some(c) = self.input.next() else {
            return Err(PatternError::Invalid("a class is not closed"));
        };
        if c == 'b' {
            return Ok(ClassAtom::Character('\u{8}'));
        }
        if let Some(set) = self.set(c) {
            return Ok(ClassAtom::Set(set));
        }
        self.character(c).map(ClassAtom::Character)
    }
}

fn digits(input: &mut Peekable<Chars<'_>>) -> String {
    let mut digits = String::new();
    while let Some(digit) = input.next_if(char::is_ascii_digit) {
        digits.push(digit);
    }
    digits
}

/// An element of a class.
enum ClassAtom {
    Character(char),
    Set(String),
}

impl ClassAtom {
    fn write(&self, out: &mut String) {
        match self {
            Self::Character(c) => push_literal(out, *c),
            Self::Set(set) => out.push_str(set),
        }
    }
}

const JAVASCRIPT_SPACE: &str =
    r"\t-\r \x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}\x{FEFF}";
const JAVASCRIPT_NOT_SPACE: &str =
    r"[^\t-\r \x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}\x{FEFF}]";

/// Writes a character so that it stands for itself inside and outside of a class.
fn push_literal(out: &mut String, c: char) {
    if c.is_ascii() && !c.is_ascii_alphanumeric() {
        // Writing to a `String` cannot fail.
        let _ = write!(out, r"\x{{{:X}}}", u32::from(c));
    } else {
        out.push(c);
    }
}
