//! The API key and secret of an mParticle input.

use super::copying_mistakes;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{HeaderValue, InvalidHeaderValue};
use std::fmt;

/// The API key and secret of an mParticle platform or custom feed.
///
/// The client sends them as HTTP basic authentication. Neither appears in `Debug` output, in errors or in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    key: String,
    secret: String,
}

impl Credentials {
    /// Creates credentials from a key and a secret, which mParticle's dashboard shows for each input.
    ///
    /// [`ClientBuilder::build`](crate::ClientBuilder::build) checks the values. It returns an error of kind
    /// [`Config`](crate::ErrorKind::Config) if a value is empty, contains white space, a byte order mark, an invisible
    /// character or a control character, or begins or ends with a quotation mark, and if the key contains a colon.
    pub fn new(key: impl Into<String>, secret: impl Into<String>) -> Self {
        Self { key: key.into(), secret: secret.into() }
    }

    /// Describes every mistake that makes the credentials unusable, without quoting them.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (name, value) in [("API key", &self.key), ("API secret", &self.secret)] {
            if value.trim().is_empty() {
                problems.push(format!("the {name} is empty"));
            } else {
                let mistakes = copying_mistakes(value).into_iter();
                problems.extend(mistakes.map(|mistake| format!("the {name} {mistake}")));
            }
        }
        if self.key.contains(':') {
            let reason = "which basic authentication does not allow";
            problems.push(format!("the API key contains a colon, {reason}"));
        }
        problems
    }

    /// Returns the value of the `authorization` header, marked as sensitive.
    ///
    /// The pair is encoded as UTF-8.
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
