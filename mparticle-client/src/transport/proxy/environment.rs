//! The environment variables that name a proxy.
//!
//! The variables are those of curl, with the precedence that `reqwest` gives them:
//!
//! 1. `HTTPS_PROXY` for an `https` destination, `HTTP_PROXY` for an `http` destination;
//! 2. `ALL_PROXY`, if the first is not set or is empty.
//!
//! The upper-case name takes precedence over the lower-case name, even if its value is empty. `HTTP_PROXY` is ignored
//! if `REQUEST_METHOD` is set, because the sender of a request to a CGI program sets `HTTP_PROXY` with the header
//! `Proxy`.

use super::{ProxyUrl, no_proxy};
use http::Uri;
use std::ffi::OsString;

/// The names of a variable in order of precedence.
type Names = [&'static str; 2];

const HTTP_PROXY: Names = ["HTTP_PROXY", "http_proxy"];
const HTTPS_PROXY: Names = ["HTTPS_PROXY", "https_proxy"];
const ALL_PROXY: Names = ["ALL_PROXY", "all_proxy"];
const NO_PROXY: Names = ["NO_PROXY", "no_proxy"];

/// A variable that is set to a text.
struct Variable {
    name: &'static str,
    value: String,
}

/// Returns the proxy that the variables name for requests to `destination`; see [`from_environment`].
///
/// `lookup` returns the value of a variable.
///
/// [`from_environment`]: super::from_environment
pub(super) fn proxy_for(
    destination: &Uri,
    lookup: impl Fn(&str) -> Option<OsString>,
) -> Result<Option<ProxyUrl>, String> {
    let Some(proxy) = proxy_variable(destination, &lookup)? else { return Ok(None) };
    if let Some(exemptions) = first_set(NO_PROXY, &lookup)? {
        let host = destination.host().unwrap_or_default();
        if no_proxy::exempts(&exemptions.value, host, port(destination)) {
            return Ok(None);
        }
    }
    match ProxyUrl::parse(&proxy.value) {
        Ok(url) => Ok(Some(url)),
        Err(problem) => Err(format!("the environment variable {} {problem}", proxy.name)),
    }
}

/// Returns the variable that names the proxy for `destination`.
fn proxy_variable(
    destination: &Uri,
    lookup: impl Fn(&str) -> Option<OsString>,
) -> Result<Option<Variable>, String> {
    let for_scheme = if is_https(destination) {
        first_set(HTTPS_PROXY, &lookup)?
    } else if lookup("REQUEST_METHOD").is_none() {
        first_set(HTTP_PROXY, &lookup)?
    } else {
        None
    };
    match for_scheme.filter(|variable| !variable.value.is_empty()) {
        Some(variable) => Ok(Some(variable)),
        None => Ok(first_set(ALL_PROXY, &lookup)?.filter(|variable| !variable.value.is_empty())),
    }
}

/// Returns the first of these variables that is set.
fn first_set(
    names: Names,
    lookup: impl Fn(&str) -> Option<OsString>,
) -> Result<Option<Variable>, String> {
    match names.into_iter().find_map(|name| Some((name, lookup(name)?))) {
        None => Ok(None),
        Some((name, value)) => match value.into_string() {
            Ok(value) => Ok(Some(Variable { name, value })),
            Err(_) => Err(format!("the environment variable {name} is not Unicode")),
        },
    }
}

fn is_https(destination: &Uri) -> bool {
    destination.scheme_str() == Some("https")
}

fn port(destination: &Uri) -> u16 {
    destination.port_u16().unwrap_or(if is_https(destination) { 443 } else { 80 })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HTTPS: &str = "https://s2s.us1.mparticle.com/v2/events";
    const HTTP: &str = "http://relay.example.com:8080/v2/events";

    fn proxy_of(
        destination: &'static str,
        variables: &[(&str, &str)],
    ) -> Result<Option<String>, String> {
        let lookup = |name: &str| {
            let (_, value) = variables.iter().find(|(other, _)| *other == name)?;
            Some(OsString::from(value))
        };
        let proxy = proxy_for(&Uri::from_static(destination), lookup)?;
        Ok(proxy.map(|proxy| proxy.as_str().to_owned()))
    }

    #[test]
    fn the_proxy_is_chosen_by_scheme_and_precedence() {
        const A: &str = "http://a:1";
        const B: &str = "http://b:1";
        for (destination, variables, expected) in [
            (HTTPS, &[][..], None),
            (HTTPS, &[("HTTPS_PROXY", A)], Some("http://a:1/")),
            (HTTPS, &[("https_proxy", A)], Some("http://a:1/")),
            (HTTPS, &[("ALL_PROXY", A)], Some("http://a:1/")),
            (HTTPS, &[("all_proxy", A)], Some("http://a:1/")),
            (HTTPS, &[("HTTP_PROXY", A), ("http_proxy", A)], None),
            (HTTPS, &[("HTTPS_PROXY", A), ("https_proxy", B)], Some("http://a:1/")),
            (HTTPS, &[("HTTPS_PROXY", A), ("ALL_PROXY", B)], Some("http://a:1/")),
            (HTTPS, &[("https_proxy", A), ("ALL_PROXY", B)], Some("http://a:1/")),
            (HTTPS, &[("ALL_PROXY", A), ("all_proxy", B)], Some("http://a:1/")),
            (HTTPS, &[("HTTPS_PROXY", "")], None),
            (HTTPS, &[("HTTPS_PROXY", ""), ("https_proxy", A)], None),
            (HTTPS, &[("HTTPS_PROXY", ""), ("ALL_PROXY", B)], Some("http://b:1/")),
            (HTTPS, &[("ALL_PROXY", ""), ("all_proxy", B)], None),
            (HTTP, &[("HTTP_PROXY", A)], Some("http://a:1/")),
            (HTTP, &[("http_proxy", A)], Some("http://a:1/")),
            (HTTP, &[("HTTP_PROXY", A), ("http_proxy", B)], Some("http://a:1/")),
            (HTTP, &[("HTTPS_PROXY", A), ("https_proxy", A)], None),
            (HTTP, &[("ALL_PROXY", A)], Some("http://a:1/")),
            (HTTP, &[("HTTP_PROXY", "u:p@a:1")], Some("http://u:p@a:1/")),
            // CGI.
            (HTTP, &[("HTTP_PROXY", A), ("REQUEST_METHOD", "GET")], None),
            (HTTP, &[("http_proxy", A), ("REQUEST_METHOD", "")], None),
            (HTTP, &[("HTTP_PROXY", "socks5://a"), ("REQUEST_METHOD", "GET")], None),
            (HTTP, &[("ALL_PROXY", A), ("REQUEST_METHOD", "GET")], Some("http://a:1/")),
            (HTTPS, &[("HTTPS_PROXY", A), ("REQUEST_METHOD", "GET")], Some("http://a:1/")),
        ] {
            let proxy = proxy_of(destination, variables);
            assert_eq!(proxy.unwrap().as_deref(), expected, "{destination} {variables:?}");
        }
    }

    #[test]
    fn a_value_that_cannot_be_used_is_an_error_that_names_the_variable() {
        for (destination, name) in [
            (HTTPS, "HTTPS_PROXY"),
            (HTTPS, "https_proxy"),
            (HTTPS, "ALL_PROXY"),
            (HTTPS, "all_proxy"),
            (HTTP, "HTTP_PROXY"),
            (HTTP, "http_proxy"),
            (HTTP, "ALL_PROXY"),
            (HTTP, "all_proxy"),
        ] {
            for (value, expected) in [
                ("socks5://user:secret@proxy:1080", "SOCKS"),
                ("socks5h://user:secret@proxy:1080", "SOCKS"),
                ("http://user:secret@proxy:port", "not a URL"),
                ("://secret", "neither http nor https"),
                ("\"http://secret:3128\"", "quotation mark"),
                ("http://secret:3128 ", "white space"),
                (" ", "white space"),
            ] {
                let problem = proxy_of(destination, &[(name, value)]).unwrap_err();
                let subject = format!("the environment variable {name} ");
                assert!(problem.starts_with(&subject), "{name} {value}: {problem}");
                assert!(problem.contains(expected), "{name} {value}: {problem}");
                assert!(!problem.contains("secret"), "{name} {value}: {problem}");
            }
        }
    }

    #[test]
    fn a_variable_that_does_not_apply_is_not_an_error() {
        const A: &str = "http://a:1";
        const BAD: &str = "socks5://a";
        for (destination, variables, expected) in [
            (HTTPS, &[("HTTP_PROXY", BAD)][..], None),
            (HTTPS, &[("HTTPS_PROXY", A), ("https_proxy", BAD)], Some("http://a:1/")),
            (HTTPS, &[("HTTPS_PROXY", A), ("ALL_PROXY", BAD)], Some("http://a:1/")),
            (HTTPS, &[("HTTPS_PROXY", BAD), ("NO_PROXY", "*")], None),
            (HTTPS, &[("HTTPS_PROXY", BAD), ("NO_PROXY", ".mparticle.com")], None),
            (HTTPS, &[("HTTPS_PROXY", BAD), ("NO_PROXY", "mparticle.com:443")], None),
            (HTTPS, &[("HTTPS_PROXY", BAD), ("no_proxy", "mparticle.com")], None),
            (HTTP, &[("HTTPS_PROXY", BAD)], None),
            (HTTP, &[("HTTP_PROXY", A), ("NO_PROXY", "relay.example.com:8080")], None),
            (HTTP, &[("HTTP_PROXY", A), ("NO_PROXY", "relay.example.com:80")], Some("http://a:1/")),
            (HTTP, &[("HTTP_PROXY", A), ("NO_PROXY", ""), ("no_proxy", "*")], Some("http://a:1/")),
            (HTTP, &[("HTTP_PROXY", A), ("NO_PROXY", "a"), ("no_proxy", "*")], Some("http://a:1/")),
        ] {
            let proxy = proxy_of(destination, variables);
            assert_eq!(proxy.unwrap().as_deref(), expected, "{destination} {variables:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_value_that_is_not_unicode_is_an_error_if_it_applies() {
        use std::os::unix::ffi::OsStringExt;
        let with = |bad: &'static str, destination: &'static str| {
            let lookup = move |name: &str| match name {
                _ if name == bad => Some(OsString::from_vec(b"secret\xff".to_vec())),
                "HTTPS_PROXY" => Some("http://a:1".into()),
                _ => None,
            };
            proxy_for(&Uri::from_static(destination), lookup)
        };
        for name in ["HTTPS_PROXY", "NO_PROXY", "no_proxy"] {
            let problem = with(name, HTTPS).unwrap_err();
            assert_eq!(problem, format!("the environment variable {name} is not Unicode"));
        }
        for (name, destination) in
            [("HTTP_PROXY", HTTPS), ("ALL_PROXY", HTTPS), ("HTTPS_PROXY", HTTP), ("NO_PROXY", HTTP)]
        {
            assert!(with(name, destination).is_ok(), "{name}");
        }
    }
}
