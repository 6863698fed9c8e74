//! The selection of the proxy.
//!
//! A client has one destination. The proxy is therefore determined once, when the client is built. `reqwest` receives
//! the result and does not read the environment: it would silently ignore a variable that it cannot parse, and connect
//! directly.

mod environment;
mod no_proxy;
mod url;

pub(crate) use url::ProxyUrl;

use crate::settings::Sensitive;
use http::Uri;
use std::env;

/// Where the choice of a proxy comes from.
#[derive(Clone, Debug)]
pub(crate) enum ProxySource {
    /// The environment variables.
    Environment,
    /// The URL that was passed to the builder.
    Url(Sensitive),
    /// No proxy, regardless of the environment variables.
    Disabled,
}

/// Returns the proxy that the environment variables name for requests to `destination`, or `None` if they are sent
/// directly.
///
/// # Errors
/// Returns a description of the mistake if a variable that applies to `destination` cannot be used. It names the
/// variable and does not quote its value, which may hold a password.
pub(crate) fn from_environment(destination: &Uri) -> Result<Option<ProxyUrl>, String> {
    environment::proxy_for(destination, |name| env::var_os(name))
}
