//! What the generator reports: a code, a place, a message and a way out.
//!
//! Nothing in this crate panics over a schema. A stage notes what it cannot read and goes on with what is left,
//! so that one run shows everything there is to fix.

use std::fmt::{self, Write as _};

/// A place in a schema: a file and a JSON pointer into it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// The file's name relative to the schema's folder.
    pub file: String,
    /// An RFC 6901 pointer; empty for the whole document.
    pub pointer: String,
}

impl Origin {
    /// The place written as `file#pointer`.
    #[must_use]
    pub fn parse(location: &str) -> Self {
        let (file, pointer) = location.split_once('#').unwrap_or((location, ""));
        Self { file: file.to_owned(), pointer: pointer.to_owned() }
    }

    /// The place as `file#pointer`, the inverse of [`Origin::parse`].
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}#{}", self.file, self.pointer)
    }

    /// A line of a file whose structure could not be read.
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

/// Declares [`Code`] with its names, so that none can be forgotten in [`Code::ALL`].
macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// What kind of trouble it is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($(#[doc = $doc])+ $variant,)+ }

        impl Code {
            /// Every code there is.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The name that stands in brackets after `error`.
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
    /// A key that stands twice in one JSON object.
    RepeatedKey = "repeated-key",
    /// An overrides file that is not TOML, or holds what no overrides file may hold.
    InvalidOverrides = "invalid-overrides",
    /// An entry of the overrides that changes nothing, or that the schema contradicts.
    StaleOverride = "stale-override",
    /// A differences file that is not TOML, or holds what it may not hold.
    InvalidDifferences = "invalid-differences",
    /// An entry of the differences file that explains nothing.
    StaleExplanation = "stale-explanation",
    /// A schema that is no object, or a known keyword with a value it cannot have.
    MalformedSchema = "malformed-schema",
    /// A keyword the generator would have to ignore.
    UnsupportedKeyword = "unsupported-keyword",
    /// An `x-mparticle-` annotation that does not exist.
    UnknownAnnotation = "unknown-annotation",
    /// A `$ref` to something that is not there.
    UnresolvedReference = "unresolved-reference",
    /// Definitions that stand for each other, or an object flattened into itself.
    ReferenceCycle = "reference-cycle",
    /// A schema nested too deeply, or one whose aliases unfold without end.
    TooDeep = "too-deep",
    /// Keywords in a combination that has no Rust type.
    UnsupportedShape = "unsupported-shape",
    /// A property that is named but not declared.
    UnknownProperty = "unknown-property",
    /// A property that its base declares differently, or a value that stands twice.
    Contradiction = "contradiction",
    /// A schema that leads to no type at all.
    NoTypes = "no-types",
    /// A type whose name follows from nothing.
    MissingName = "missing-name",
    /// A name that Rust does not take.
    InvalidName = "invalid-name",
    /// A type, field or value without a description, in a schema that requires them.
    MissingDescription = "missing-description",
    /// An event type with a constant but no condition, or the reverse.
    IncompleteEventType = "incomplete-event-type",
    /// Two things that want the same name.
    NameConflict = "name-conflict",
    /// An output folder that cannot be read or written, or that holds files that were not generated.
    UnusableOutput = "unusable-output",
    /// A model that typify refuses.
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

/// One thing to fix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What kind of trouble it is.
    pub code: Code,
    /// Where it is.
    pub origin: Origin,
    /// What is wrong; begins in lower case and names the value.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

impl Diagnostic {
    /// A diagnostic at a place.
    pub fn new(code: Code, origin: Origin, message: impl Into<String>) -> Self {
        Self { code, origin, message: message.into(), help: String::new() }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }
}

/// Orders diagnostics by place and keeps one of several equal ones: an alias is met wherever it is used.
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

/// The diagnostics as a compiler would show them, with a count at the end.
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
