//! The key and secret of an input of mParticle.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{HeaderValue, InvalidHeaderValue};
use std::fmt;

/// The API key and secret of a platform or custom feed, sent by HTTP basic authentication.
///
/// Neither appears in `Debug`, in errors or in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    key: String,
    secret: String,
}

impl Credentials {
    /// A pair as mParticle's dashboard shows it.
    pub fn new(key: impl Into<String>, secret: impl Into<String>) -> Self {
        Self { key: key.into(), secret: secret.into() }
    }

    /// What makes them unusable, in words that do not show them.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (name, value) in [("API key", &self.key), ("API secret", &self.secret)] {
            if value.trim().is_empty() {
                problems.push(format!("the {name} is empty"));
            } else if value.trim() != value {
                problems.push(format!("the {name} begins or ends with white space"));
            } else if value.contains(char::is_control) {
                problems.push(format!("the {name} contains a control character"));
            }
        }
        if self.key.contains(':') {
            let why = "which basic authentication does not allow";
            problems.push(format!("the API key contains a colon, {why}"));
        }
        problems
    }

    /// The value of the `authorization` header, marked as sensitive; the pair is encoded as UTF-8.
    pub(crate) fn authorization(&self) -> Result<HeaderValue, InvalidHeaderValue> {
        let pair = STANDARD.encode(format!("{}:{}", self.key, self.secret));
        let mut value = HeaderValue::try_from(format!("Basic {pair}"))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}
