//! The URL of a proxy.

use crate::settings::copying_mistakes;
use http::Uri;
use reqwest::{Proxy, Url};
use std::fmt;

/// The checked URL of an HTTP proxy.
#[derive(Clone)]
pub(crate) struct ProxyUrl(Url);

impl ProxyUrl {
    /// Parses the URL of a proxy, or describes what is wrong with it.
    ///
    /// A URL without a scheme is read as `http://`. The description continues a sentence whose subject is the setting
    /// that holds the URL, and does not quote it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if let Some(mistake) = copying_mistakes(text).first() {
            return Err((*mistake).to_owned());
        }
        let url = match text.split_once("://") {
            Some((scheme, _)) => check_scheme(scheme).map(|()| Url::parse(text))?,
            None => Url::parse(&format!("http://{text}")),
        };
        let url = url.map_err(|error| format!("is not a URL such as http://host:port: {error}"))?;
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err("has a path, a query or a fragment: write /, ? and # in a user name or \
                        password as %2F, %3F and %23"
                .to_owned());
        }
        // `reqwest` silently ignores a proxy whose URL is not a valid `Uri` with a host.
        match url.as_str().parse::<Uri>() {
            Ok(uri) if uri.host().is_some_and(|host| !host.is_empty()) => Ok(Self(url)),
            _ => Err("is not a URL such as http://host:port".to_owned()),
        }
    }

    /// Returns the setting of `reqwest` that sends every request through this proxy.
    pub(crate) fn for_all_requests(&self) -> reqwest::Result<Proxy> {
        Proxy::all(self.0.clone())
    }

    #[cfg(test)]
    pub(super) fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

fn check_scheme(scheme: &str) -> Result<(), String> {
    let scheme = scheme.to_ascii_lowercase();
    match scheme.as_str() {
        "http" | "https" => Ok(()),
        _ if scheme.starts_with("socks") => {
            Err("names a SOCKS proxy, which is not supported: use an HTTP proxy".to_owned())
        }
        _ => Err("is neither http nor https".to_owned()),
    }
}

/// Does not show the URL, which may hold a password.
impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProxyUrl(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_and_https_proxies_are_accepted_with_and_without_credentials_and_scheme() {
        for (text, expected) in [
            ("http://proxy.example.com", "http://proxy.example.com/"),
            ("http://proxy.example.com:3128/", "http://proxy.example.com:3128/"),
            ("HTTP://Proxy.example.com:3128", "http://proxy.example.com:3128/"),
            ("https://proxy.example.com", "https://proxy.example.com/"),
            ("proxy", "http://proxy/"),
            ("proxy.example.com:3128", "http://proxy.example.com:3128/"),
            ("user:password@proxy:3128", "http://user:password@proxy:3128/"),
            ("http://user:p%40ss%2F@proxy:3128", "http://user:p%40ss%2F@proxy:3128/"),
            ("http://user:p@ss@proxy:3128", "http://user:p%40ss@proxy:3128/"),
            ("http://user@proxy:3128", "http://user@proxy:3128/"),
            ("http://10.0.0.1:3128", "http://10.0.0.1:3128/"),
            ("http://[::1]:3128", "http://[::1]:3128/"),
        ] {
            assert_eq!(ProxyUrl::parse(text).unwrap().as_str(), expected, "{text}");
        }
    }

    #[test]
    fn each_mistake_is_described_without_quoting_the_url() {
        for (text, expected) in [
            ("", "not a URL"),
            ("::", "not a URL"),
            ("http://", "not a URL"),
            ("http://user:secret@", "not a URL"),
            ("http://user:secret@host:port", "not a URL"),
            ("http://user:secret@host:99999", "not a URL"),
            ("http:proxy:3128", "not a URL"),
            ("http://user:se#cret@proxy:3128", "not a URL"),
            ("http://user:12#secret@proxy:3128", "fragment"),
            ("http://user:12/secret@proxy:3128", "path"),
            ("http://user:12\\secret@proxy:3128", "path"),
            ("http://user:12?secret@proxy:3128", "query"),
            ("http://secret/proxy.pac", "path"),
            ("socks5://user:secret@proxy:1080", "SOCKS"),
            ("SOCKS5H://user:secret@proxy:1080", "SOCKS"),
            ("socks4://secret", "SOCKS"),
            ("socks4a://secret", "SOCKS"),
            ("socks://secret", "SOCKS"),
            ("ftp://secret", "neither http nor https"),
            ("\u{feff}http://secret", "byte order mark"),
            ("\"http://secret:3128\"", "quotation mark"),
            (" http://secret", "white space"),
            ("http://sec ret", "white space"),
            ("http://secret\n", "white space"),
        ] {
            let problem = ProxyUrl::parse(text).unwrap_err();
            assert!(problem.contains(expected), "{text}: {problem}");
            assert!(!problem.contains("secret"), "{text}: {problem}");
        }
    }

    #[test]
    fn debug_output_does_not_show_the_url() {
        let proxy = ProxyUrl::parse("http://secret:secret@secret:1").unwrap();
        assert_eq!(format!("{proxy:?}"), "ProxyUrl(..)");
    }
}
