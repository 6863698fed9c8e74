//! The URL below which the endpoints lie.

use crate::Endpoint;
use http::Uri;
use reqwest::Url;
use std::net::IpAddr;

/// A checked base URL: `https`, or `http` where that is allowed, without a trailing slash, ending in `/v2`.
#[derive(Clone, Debug)]
pub(crate) struct BaseUrl {
    events: Uri,
    bulk: Uri,
    historical: Uri,
    loopback: bool,
}

/// Whether requests may travel unencrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum PlainHttp {
    #[default]
    ToLoopback,
    ToAnyHost,
}

impl BaseUrl {
    /// Reads a URL with or without a trailing slash and `/v2`, or tells every mistake in it.
    ///
    /// The URL may hold credentials by mistake, so messages do not quote it.
    pub(crate) fn parse(text: &str, plain_http: PlainHttp) -> Result<Self, Vec<String>> {
        let mut url = Url::parse(text).map_err(|error| {
            vec![format!("the base URL is not a URL such as https://example.com: {error}")]
        })?;
        let loopback = is_loopback(&url);
        let problems = problems(&url, loopback, plain_http);
        if !problems.is_empty() {
            return Err(problems);
        }
        let path = url.path().trim_end_matches('/');
        let path = format!("{}/v2", path.strip_suffix("/v2").unwrap_or(path));
        url.set_path(&path);
        let endpoint = |endpoint: Endpoint| {
            let uri = format!("{url}{}", endpoint.path());
            uri.parse().map_err(|error| vec![format!("the base URL cannot be requested: {error}")])
        };
        Ok(Self {
            events: endpoint(Endpoint::Events)?,
            bulk: endpoint(Endpoint::BulkEvents)?,
            historical: endpoint(Endpoint::HistoricalBulkEvents)?,
            loopback,
        })
    }

    pub(crate) fn uri(&self, endpoint: Endpoint) -> &Uri {
        match endpoint {
            Endpoint::Events => &self.events,
            Endpoint::BulkEvents => &self.bulk,
            Endpoint::HistoricalBulkEvents => &self.historical,
        }
    }

    /// Whether it leads to this very machine.
    pub(crate) fn is_loopback(&self) -> bool {
        self.loopback
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

fn problems(url: &Url, loopback: bool, plain_http: PlainHttp) -> Vec<String> {
    let mut problems = Vec::new();
    let mut note = |problem: &str| problems.push(format!("the base URL {problem}"));
    match url.scheme() {
        "https" => {}
        "http" if loopback || plain_http == PlainHttp::ToAnyHost => {}
        "http" => note("is http, which would show the credentials to the network: use https"),
        _ => note("is neither https nor http"),
    }
    if url.host_str().is_none_or(str::is_empty) {
        note("has no host");
    }
    if !url.username().is_empty() || url.password().is_some() {
        note("contains credentials: give them as Credentials");
    }
    if url.query().is_some() || url.fragment().is_some() {
        note("has a query or a fragment");
    }
    let path = url.path().trim_end_matches('/');
    if ["/events", "/bulkevents", "/historical"].iter().any(|ending| path.ends_with(ending)) {
        note("ends in the name of an endpoint: leave that out");
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(text: &str) -> String {
        BaseUrl::parse(text, PlainHttp::ToLoopback).unwrap().uri(Endpoint::Events).to_string()
    }

    #[test]
    fn slashes_and_the_version_may_be_there_or_not() {
        for ending in ["", "/", "//", "/v2", "/v2/", "/v2//"] {
            let url = format!("https://s2s.eu1.mparticle.com{ending}");
            assert_eq!(events(&url), "https://s2s.eu1.mparticle.com/v2/events", "{url}");
        }
        assert_eq!(
            events("https://inbound.mparticle.com/s2s"),
            "https://inbound.mparticle.com/s2s/v2/events"
        );
        assert_eq!(events("http://[::1]:8080/v2"), "http://[::1]:8080/v2/events");
    }

    #[test]
    fn each_endpoint_has_its_path() {
        let base = BaseUrl::parse("https://example.com", PlainHttp::ToLoopback).unwrap();
        for (endpoint, path) in [
            (Endpoint::Events, "/v2/events"),
            (Endpoint::BulkEvents, "/v2/bulkevents"),
            (Endpoint::HistoricalBulkEvents, "/v2/bulkevents/historical"),
        ] {
            assert_eq!(base.uri(endpoint).path(), path);
        }
    }

    #[test]
    fn each_mistake_is_named() {
        for (text, wanted) in [
            ("", "not a URL"),
            ("s2s.mparticle.com", "not a URL"),
            ("ftp://example.com", "neither https nor http"),
            ("http://example.com", "use https"),
            ("http://localhost.example.com", "use https"),
            ("http://10.0.0.1", "use https"),
            ("https://key:secret@example.com", "contains credentials"),
            ("https://example.com?x=1", "query"),
            ("https://example.com/#x", "fragment"),
            ("https://example.com/v2/events", "endpoint"),
            ("https://example.com/v2/bulkevents/historical/", "endpoint"),
        ] {
            let problems = BaseUrl::parse(text, PlainHttp::ToLoopback).unwrap_err().join("; ");
            assert!(problems.contains(wanted), "{text}: {problems}");
            assert!(!problems.contains("secret"), "{problems}");
        }
    }

    #[test]
    fn plain_http_is_for_this_machine_unless_allowed() {
        for (text, loopback) in
            [("http://127.0.0.1:1", true), ("http://localhost", true), ("http://[::1]", true)]
        {
            let base = BaseUrl::parse(text, PlainHttp::ToLoopback).unwrap();
            assert_eq!(base.is_loopback(), loopback, "{text}");
        }
        let base = BaseUrl::parse("http://10.0.0.1", PlainHttp::ToAnyHost).unwrap();
        assert!(!base.is_loopback());
    }
}
