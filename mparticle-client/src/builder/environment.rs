//! A builder whose settings come from environment variables.

use super::ClientBuilder;
use super::checks::config_error;
use crate::{Credentials, Error};
use std::env;

impl ClientBuilder {
    /// Returns a builder with the credentials and the destination from the environment variables.
    ///
    /// | variable | value |
    /// |---|---|
    /// | `MPARTICLE_API_KEY` | the API key; required |
    /// | `MPARTICLE_API_SECRET` | the API secret; required |
    /// | `MPARTICLE_POD` | the [pod](Self::pod): `us1`, `us2`, `eu1` or `au1`, in any letter case; `us1` unless set |
    /// | `MPARTICLE_BASE_URL` | the [base URL](Self::base_url), which takes precedence over the pod |
    /// | `MPARTICLE_DISABLED` | `1` or `true` [disables](Self::disabled) the client; `0` or `false` does not |
    ///
    /// A variable with an empty value is treated as not set. A disabled client does not need the key and the secret.
    ///
    /// # Errors
    /// - [`Config`](crate::ErrorKind::Config): a required variable is not set, a variable is not Unicode,
    ///   `MPARTICLE_POD` is not the name of a pod, or `MPARTICLE_DISABLED` has another value than those listed.
    ///
    /// [`build`](Self::build) checks the credentials and the base URL.
    pub fn from_env() -> Result<Self, Error> {
        let mut problems = Vec::new();
        let mut read = |name: &str| match env::var(name) {
            Ok(value) if value.is_empty() => None,
            Ok(value) => Some(value),
            Err(env::VarError::NotPresent) => None,
            Err(env::VarError::NotUnicode(_)) => {
                problems.push(format!("{name} is not Unicode"));
                None
            }
        };
        let [key, secret, base_url, pod, disabled] = [
            "MPARTICLE_API_KEY",
            "MPARTICLE_API_SECRET",
            "MPARTICLE_BASE_URL",
            "MPARTICLE_POD",
            "MPARTICLE_DISABLED",
        ]
        .map(&mut read);
        let is_disabled = match disabled.as_deref().map(|value| value.trim().to_ascii_lowercase()) {
            None => false,
            Some(value) if value == "1" || value == "true" => true,
            Some(value) if value == "0" || value == "false" => false,
            Some(_) => {
                problems.push("MPARTICLE_DISABLED is none of 1, true, 0, false".to_owned());
                false
            }
        };
        for (name, value) in [("MPARTICLE_API_KEY", &key), ("MPARTICLE_API_SECRET", &secret)] {
            if value.is_none()
                && !is_disabled
                && !problems.iter().any(|problem| problem.starts_with(name))
            {
                problems.push(format!("{name} is not set"));
            }
        }
        let mut builder =
            Self::new(Credentials::new(key.unwrap_or_default(), secret.unwrap_or_default()));
        match (base_url, pod.as_deref().map(str::parse)) {
            (Some(url), _) => builder = builder.base_url(url),
            (None, Some(Ok(pod))) => builder = builder.pod(pod),
            (None, Some(Err(error))) => problems.push(format!("MPARTICLE_POD: {error}")),
            (None, None) => {}
        }
        if is_disabled {
            builder = builder.disabled();
        }
        if problems.is_empty() { Ok(builder) } else { Err(config_error(&problems)) }
    }
}
