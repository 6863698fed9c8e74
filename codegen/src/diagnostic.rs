//! Diagnostics: a code, a place, a message and a hint.
//!
//! This crate does not panic because of a schema. A step reports the parts that it cannot read and continues with the
//! rest. A single run therefore shows all mistakes.

use std::fmt::{self, Write as _};

/// A place in a schema: a file and a JSON pointer into it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// The name of the file, relative to the folder of the schema.
    pub file: String,
    /// A JSON pointer (RFC 6901). It is empty for the whole document.
    pub pointer: String,
}

impl Origin {
    /// Parses a place in the form `file#pointer`.
    #[must_use]
    pub fn parse(location: &str) -> Self {
        let (file, pointer) = location.split_once('#').unwrap_or((location, ""));
        Self { file: file.to_owned(), pointer: pointer.to_owned() }
    }

    /// Returns the place in the form `file#pointer`, which [`Origin::parse`] reads.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}#{}", self.file, self.pointer)
    }

    /// Returns the place of a line in a file whose structure could not be read.
    #[must_use]
    pub fn line(file: &str, line: usize) -> Self {
        Self { file: format!("{file}:{line}"), pointer: String::new() }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.pointer.is_empty() { Ok(()) } else { write!(f, "#{}", self.pointer) }
    }
}

/// Declares [`Code`] with its names. [`Code::ALL`] is therefore complete.
macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// The kind of a diagnostic.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($(#[doc = $doc])+ $variant,)+ }

        impl Code {
            /// All codes.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// Returns the name that is printed in brackets after `error`.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }
    };
}

codes! {
    /// A file or folder that cannot be read.
    UnreadableFile = "unreadable-file",
    /// A schema file that is not JSON.
    InvalidJson = "invalid-json",
    /// A key that occurs twice in a JSON object.
    RepeatedKey = "repeated-key",
    /// An overrides file that is not TOML or contains an unknown entry.
    InvalidOverrides = "invalid-overrides",
    /// An entry of the overrides that changes nothing or contradicts the schema.
    StaleOverride = "stale-override",
    /// A differences file that is not TOML or contains an unknown entry.
    InvalidDifferences = "invalid-differences",
    /// An entry of the differences file that explains nothing.
    StaleExplanation = "stale-explanation",
    /// A schema that is not an object, or a known keyword with an invalid value.
    MalformedSchema = "malformed-schema",
    /// A keyword that the generator does not support.
    UnsupportedKeyword = "unsupported-keyword",
    /// An `x-mparticle-` annotation that does not exist.
    UnknownAnnotation = "unknown-annotation",
    /// A `$ref` whose target does not exist.
    UnresolvedReference = "unresolved-reference",
    /// Definitions that refer to each other in a cycle, or an object that is flattened into itself.
    ReferenceCycle = "reference-cycle",
    /// A schema that is nested too deeply, or whose aliases unfold endlessly.
    TooDeep = "too-deep",
    /// A combination of keywords that has no Rust type.
    UnsupportedShape = "unsupported-shape",
    /// A property that is required or named elsewhere, but not declared.
    UnknownProperty = "unknown-property",
    /// A property that its base declares differently, or a value that occurs twice.
    Contradiction = "contradiction",
    /// A schema without any type.
    NoTypes = "no-types",
    /// A type without a name.
    MissingName = "missing-name",
    /// A name that is not valid in Rust.
    InvalidName = "invalid-name",
    /// A type, field or value without a description, in a schema that requires them.
    MissingDescription = "missing-description",
    /// An event type with a constant but no condition, or the reverse.
    IncompleteEventType = "incomplete-event-type",
    /// A name that occurs twice.
    NameConflict = "name-conflict",
    /// An output folder that cannot be read or written, or that contains files that were not generated.
    UnusableOutput = "unusable-output",
    /// A model that typify rejects.
    Lowering = "lowering",
    /// A data plan that is not built as data plans are.
    InvalidPlan = "invalid-plan",
    /// A file from which no plan or version can be chosen.
    PlanChoice = "plan-choice",
    /// A data point that becomes no Rust type.
    SkippedPoint = "skipped-point",
    /// A data point that matches the same events as another.
    RepeatedPoint = "repeated-point",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A mistake, with its place and a hint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The kind of a diagnostic.
    pub code: Code,
    /// The place of the mistake.
    pub origin: Origin,
    /// The message. It begins in lower case and names the value.
    pub message: String,
    /// A hint how to correct the mistake.
    pub help: String,
}

impl Diagnostic {
    /// Creates a diagnostic at a place.
    pub fn new(code: Code, origin: Origin, message: impl Into<String>) -> Self {
        Self { code, origin, message: message.into(), help: String::new() }
    }

    /// Adds a hint.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }
}

/// Sorts diagnostics by place and removes duplicates. An alias causes a diagnostic wherever it is used.
#[must_use]
pub fn sorted(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    diagnostics.sort_by_cached_key(|d| {
        let (file, line) = d.origin.file.rsplit_once(':').unwrap_or((&d.origin.file, ""));
        let line = line.parse().unwrap_or(0_usize);
        (file.to_owned(), line, d.origin.pointer.clone(), d.code, d.message.clone())
    });
    diagnostics.dedup();
    diagnostics
}

/// Returns the diagnostics in the style of a compiler, with their number at the end.
#[must_use]
pub fn render(diagnostics: &[Diagnostic], color: bool) -> String {
    let paint = Paint { color };
    let plural = if diagnostics.len() == 1 { "" } else { "s" };
    let count = format!("{}: {} error{plural}\n", paint.with("1;31", "error"), diagnostics.len());
    blocks(diagnostics, "error", "1;31", paint) + &count
}

/// The same for diagnostics that keep nothing from being generated.
#[must_use]
pub fn render_warnings(diagnostics: &[Diagnostic], color: bool) -> String {
    blocks(diagnostics, "warning", "1;33", Paint { color })
}

/// One paragraph for each diagnostic.
fn blocks(diagnostics: &[Diagnostic], label: &str, style: &str, paint: Paint) -> String {
    let mut text = String::new();
    for Diagnostic { code, origin, message, help } in diagnostics {
        let label = paint.with(style, &format!("{label}[{code}]"));
        let (arrow, bar) = (paint.with("1;34", "-->"), paint.with("1;34", "="));
        let message = paint.with("1", &format!(": {message}"));
        let _ = write!(text, "{label}{message}\n  {arrow} {origin}\n");
        if !help.is_empty() {
            let _ = writeln!(text, "  {bar} help: {help}");
        }
        text.push('\n');
    }
    text
}

/// Whether to use the colours of a terminal.
#[derive(Clone, Copy)]
struct Paint {
    color: bool,
}

impl Paint {
    fn with(self, style: &str, text: &str) -> String {
        if self.color { format!("\x1b[{style}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
