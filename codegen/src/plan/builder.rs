//! The generator as build scripts and tests call it.

use std::env;
use std::fmt;
use std::path::{Path, PathBuf};

use super::emit::Layout;
use super::file;
use super::input::Choice;
use crate::diagnostic::{Code, Diagnostic, Origin, render};
use crate::output::{Difference, Mode};

/// Generates Rust types from a data plan.
///
/// See the [module](super) for examples.
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    input: PathBuf,
    overrides: Option<PathBuf>,
    choice: Choice,
    file_name: String,
}

/// The result of generating a file.
#[derive(Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// The difference between the file that was there and the generated one.
    pub difference: Option<Difference>,
    /// The warnings about the plan, such as points for which no type is generated.
    pub warnings: Vec<Diagnostic>,
}

/// The error for a plan from which no Rust code can be generated.
///
/// `Display` and `Debug` list every error in the plan, with its place.
pub struct Error {
    diagnostics: Vec<Diagnostic>,
}

impl Builder {
    /// Returns a builder for the plan in a file.
    ///
    /// The file may contain a plan, one of its versions, the document of a version, the configuration of a web SDK, or
    /// a list of plans.
    pub fn new(input: impl Into<PathBuf>) -> Self {
        Self {
            input: input.into(),
            overrides: None,
            choice: Choice::default(),
            file_name: "plan.rs".to_owned(),
        }
    }

    /// Sets the overrides file, which changes names and leaves out attributes.
    pub fn overrides(mut self, path: impl Into<PathBuf>) -> Self {
        self.overrides = Some(path.into());
        self
    }

    /// Chooses the plan of this identifier, or names the plan if the file does not.
    pub fn plan_id(mut self, plan_id: impl Into<String>) -> Self {
        self.choice.plan_id = Some(plan_id.into());
        self
    }

    /// Chooses this version, or numbers the version if the file does not. The highest version is the default.
    pub fn version(mut self, version: i64) -> Self {
        self.choice.version = Some(version);
        self
    }

    /// Sets the name of the file below `OUT_DIR`. The default is `plan.rs`.
    pub fn file_name(mut self, name: impl Into<String>) -> Self {
        self.file_name = name.into();
        self
    }

    /// Writes the file below `OUT_DIR`. Call it from a build script.
    ///
    /// Prints the directives by which Cargo repeats the build when the plan or the overrides change, and the warnings.
    ///
    /// # Errors
    /// If the plan cannot become Rust, or the file cannot be written.
    pub fn generate(&self) -> Result<(), Error> {
        for input in [Some(&self.input), self.overrides.as_ref()].into_iter().flatten() {
            println!("cargo::rerun-if-changed={}", input.display());
        }
        let Some(folder) = env::var_os("OUT_DIR") else {
            let message = "the environment variable `OUT_DIR` is not set";
            let error = Diagnostic::new(Code::UnusableOutput, Origin::default(), message);
            return Err(vec![error.with_help("call this from a build script")].into());
        };
        let out = Path::new(&folder).join(&self.file_name);
        let outcome = self.sync(&out, Layout::Include, Mode::Write)?;
        for Diagnostic { code, origin, message, .. } in outcome.warnings {
            println!("cargo::warning={origin}: {message} [{code}]");
        }
        Ok(())
    }

    /// Writes the file to a path, as a module of its own.
    ///
    /// # Errors
    /// If the plan cannot become Rust, or there is a file that was not generated.
    pub fn write(&self, out: impl AsRef<Path>) -> Result<Outcome, Error> {
        self.sync(out.as_ref(), Layout::Module, Mode::Write)
    }

    /// Compares the file at a path with the one that [`write`](Self::write) would write.
    ///
    /// # Errors
    /// If the plan cannot become Rust, or the file cannot be read.
    pub fn check(&self, out: impl AsRef<Path>) -> Result<Outcome, Error> {
        self.sync(out.as_ref(), Layout::Module, Mode::Check)
    }

    fn sync(&self, out: &Path, layout: Layout, mode: Mode) -> Result<Outcome, Error> {
        let overrides = self.overrides.as_deref();
        let generated = super::generate(&self.input, overrides, &self.choice, layout)?;
        let difference = file::sync(out, &generated.text, mode).map_err(|error| vec![error])?;
        Ok(Outcome { difference, warnings: generated.warnings })
    }
}

impl Error {
    /// Returns the errors.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }
}

impl From<Vec<Diagnostic>> for Error {
    fn from(diagnostics: Vec<Diagnostic>) -> Self {
        Self { diagnostics }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(render(&self.diagnostics, false).trim_end())
    }
}

/// A build script that returns the error prints it in this way.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{self}")
    }
}

impl std::error::Error for Error {}
