//! The base URL, to which the paths of the endpoints are appended.

use crate::Endpoint;
use crate::settings::copying_mistakes;
use http::Uri;
use reqwest::Url;
use std::net::IpAddr;

/// A checked base URL with the URI of each endpoint.
#[derive(Clone, Debug)]
pub(crate) struct BaseUrl {
    events: Uri,
    bulk: Uri,
    historical: Uri,
    loopback: bool,
}

/// The hosts to which requests may be sent without encryption.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum PlainHttp {
    #[default]
    LoopbackOnly,
    AnyHost,
}

impl BaseUrl {
    /// Parses a base URL and appends `/v2` unless its path ends with it, or describes every mistake.
    ///
    /// The URL may contain credentials by mistake, therefore the descriptions never quote it.
    pub(crate) fn parse(text: &str, plain_http: PlainHttp) -> Result<Self, Vec<String>> {
        let mut url = checked_url(text, plain_http).map_err(|problems| {
            let described = problems.iter().map(|problem| format!("the base URL {problem}"));
            described.collect::<Vec<_>>()
        })?;
        let loopback = is_loopback(&url);
        url.set_path(&with_version(url.path()));
        let endpoint = |endpoint: Endpoint| {
            format!("{url}{}", endpoint.path())
                .parse()
                .map_err(|error| vec![format!("the base URL cannot be used in a request: {error}")])
        };
        Ok(Self {
            events: endpoint(Endpoint::Events)?,
            bulk: endpoint(Endpoint::BulkEvents)?,
            historical: endpoint(Endpoint::HistoricalBulkEvents)?,
            loopback,
        })
    }

    /// Returns the URI of an endpoint.
    pub(crate) fn uri(&self, endpoint: Endpoint) -> &Uri {
        match endpoint {
            Endpoint::Events => &self.events,
            Endpoint::BulkEvents => &self.bulk,
            Endpoint::HistoricalBulkEvents => &self.historical,
        }
    }

    /// Whether the host is a loopback address or `localhost`.
    pub(crate) fn is_loopback(&self) -> bool {
        self.loopback
    }
}

/// Replaces the version at the end of a path, in any letter case, with `/v2`, or appends `/v2` if there is none.
fn with_version(path: &str) -> String {
    let path = path.strip_suffix('/').unwrap_or(path);
    let prefix = match path.rsplit_once('/') {
        Some((prefix, last)) if last.eq_ignore_ascii_case("v2") => prefix,
        _ => path,
    };
    format!("{prefix}/v2")
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// Parses a URL, or describes every mistake. Each description continues a sentence that begins with "the base URL".
fn checked_url(text: &str, plain_http: PlainHttp) -> Result<Url, Vec<String>> {
    const EXPECTED: &str = "is not a URL such as https://example.com";
    let mistakes = copying_mistakes(text);
    if !mistakes.is_empty() {
        return Err(mistakes.into_iter().map(str::to_owned).collect());
    }
    let url = Url::parse(text).map_err(|error| vec![format!("{EXPECTED}: {error}")])?;
    let Some(written) = Written::split(text).filter(|written| written.has_scheme_of(&url)) else {
        return Err(vec![EXPECTED.to_owned()]);
    };
    let mut problems = Vec::new();
    problems.extend(scheme_problem(&url, plain_http));
    problems.extend(authority_problems(&url, &written));
    if url.query().is_some() || url.fragment().is_some() {
        problems.push("has a query or a fragment");
    }
    problems.extend(path_problems(written.path));
    if problems.is_empty() {
        Ok(url)
    } else {
        Err(problems.into_iter().map(str::to_owned).collect())
    }
}

/// The parts of a URL as they are written.
///
/// `Url` adds missing slashes before the host, replaces backslashes and resolves dot segments, which hides mistakes.
struct Written<'a> {
    scheme: &'a str,
    authority: &'a str,
    path: &'a str,
}

impl<'a> Written<'a> {
    fn split(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let (rest, _) = rest.split_at(rest.find(['?', '#']).unwrap_or(rest.len()));
        let (authority, path) = rest.split_at(rest.find(['/', '\\']).unwrap_or(rest.len()));
        Some(Self { scheme, authority, path })
    }

    fn has_scheme_of(&self, url: &Url) -> bool {
        self.scheme.eq_ignore_ascii_case(url.scheme())
    }
}

fn scheme_problem(url: &Url, plain_http: PlainHttp) -> Option<&'static str> {
    match url.scheme() {
        "https" => None,
        "http" if is_loopback(url) || plain_http == PlainHttp::AnyHost => None,
        "http" => Some("is http, which would send the credentials unencrypted: use https"),
        _ => Some("is neither https nor http"),
    }
}

fn authority_problems(url: &Url, written: &Written<'_>) -> Vec<&'static str> {
    let mut problems = Vec::new();
    if written.authority.is_empty() || url.host_str().is_none_or(str::is_empty) {
        problems.push("has no host");
    }
    if !url.username().is_empty() || url.password().is_some() {
        problems.push("contains credentials: pass them as Credentials");
    }
    problems
}

fn path_problems(path: &str) -> Vec<&'static str> {
    const ENDPOINTS: [Endpoint; 3] =
        [Endpoint::Events, Endpoint::BulkEvents, Endpoint::HistoricalBulkEvents];
    let path = path.to_ascii_lowercase().replace("%2e", ".");
    let path_without_slash = path.strip_suffix('/').unwrap_or(&path);
    let last_segment = path_without_slash.rsplit('/').next().unwrap_or_default();
    let checks = [
        (path.contains("//"), "has an empty segment (//) in its path"),
        (
            ["\\", "%2f", "%5c"].iter().any(|slash| path.contains(slash)),
            "has a backslash, an encoded slash or an encoded backslash in its path",
        ),
        (
            path.split('/').any(|segment| segment == "." || segment == ".."),
            "has a dot segment (. or ..) in its path",
        ),
        (
            ENDPOINTS.iter().any(|endpoint| path_without_slash.ends_with(endpoint.path())),
            "ends with the path of an endpoint, which the client appends",
        ),
        (
            is_version(last_segment) && last_segment != "v2",
            "ends with a version of the API other than /v2",
        ),
    ];
    checks.into_iter().filter_map(|(found, problem)| found.then_some(problem)).collect()
}

/// Whether a path segment in lower case is a `v` followed by digits.
fn is_version(segment: &str) -> bool {
    segment.strip_prefix('v').is_some_and(|number| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(text: &str) -> String {
        BaseUrl::parse(text, PlainHttp::LoopbackOnly).unwrap().uri(Endpoint::Events).to_string()
    }

    #[test]
    fn the_version_is_appended_unless_the_path_ends_with_it() {
        for (path, expected) in [
            ("", "/v2/events"),
            ("/", "/v2/events"),
            ("/v2", "/v2/events"),
            ("/v2/", "/v2/events"),
            ("/V2", "/v2/events"),
            ("/s2s", "/s2s/v2/events"),
            ("/s2s/", "/s2s/v2/events"),
            ("/s2s/v2", "/s2s/v2/events"),
            ("/s2s/v2/", "/s2s/v2/events"),
            ("/s2s/V2/", "/s2s/v2/events"),
            ("/S2S", "/S2S/v2/events"),
            ("/a/b.c/~d", "/a/b.c/~d/v2/events"),
            ("/a%20b", "/a%20b/v2/events"),
            ("/v3/s2s", "/v3/s2s/v2/events"),
            ("/s2sv2", "/s2sv2/v2/events"),
            ("/v2x", "/v2x/v2/events"),
            ("/v", "/v/v2/events"),
            ("/events/s2s", "/events/s2s/v2/events"),
            ("/myevents", "/myevents/v2/events"),
            ("/historical", "/historical/v2/events"),
            ("/.well-known", "/.well-known/v2/events"),
            ("/...", "/.../v2/events"),
        ] {
            let url = format!("https://inbound.mparticle.com{path}");
            assert_eq!(events(&url), format!("https://inbound.mparticle.com{expected}"), "{url}");
        }
        assert_eq!(events("http://[::1]:8080/v2"), "http://[::1]:8080/v2/events");
        assert_eq!(events("HTTPS://Example.com:8443"), "https://example.com:8443/v2/events");
    }

    #[test]
    fn each_endpoint_has_its_path() {
        let base = BaseUrl::parse("https://example.com", PlainHttp::LoopbackOnly).unwrap();
        for (endpoint, path) in [
            (Endpoint::Events, "/v2/events"),
            (Endpoint::BulkEvents, "/v2/bulkevents"),
            (Endpoint::HistoricalBulkEvents, "/v2/bulkevents/historical"),
        ] {
            assert_eq!(base.uri(endpoint).path(), path);
        }
    }

    #[track_caller]
    fn assert_problem(text: &str, expected: &str) {
        let problems = BaseUrl::parse(text, PlainHttp::LoopbackOnly).unwrap_err().join("; ");
        assert!(problems.contains(expected), "{text}: {problems}");
        assert!(!problems.contains("secret"), "{problems}");
    }

    #[test]
    fn each_mistake_is_described() {
        for (text, expected) in [
            ("", "not a URL"),
            ("s2s.mparticle.com", "not a URL"),
            ("https:example.com", "not a URL"),
            ("https:/example.com", "not a URL"),
            ("https:example.com/a://v2", "not a URL"),
            ("https:///example.com", "no host"),
            ("ftp://example.com", "neither https nor http"),
            ("http://example.com", "use https"),
            ("http://localhost.example.com", "use https"),
            ("http://10.0.0.1", "use https"),
            ("https://key:secret@example.com", "contains credentials"),
            ("https://example.com?x=1", "query"),
            ("https://example.com/#x", "fragment"),
            ("\u{feff}https://secret.example.com", "byte order mark"),
            ("\"https://secret.example.com\"", "quotation mark"),
            ("'https://secret.example.com'", "quotation mark"),
            ("“https://secret.example.com”", "quotation mark"),
            (" https://secret.example.com", "begins or ends with white space"),
            ("https://secret.example.com\n", "begins or ends with white space"),
            ("https://secret.exa mple.com", "contains white space"),
            ("https://secret.example.com/s2\ts", "contains white space"),
        ] {
            assert_problem(text, expected);
        }
    }

    #[test]
    fn each_mistake_in_the_path_is_described() {
        for (path, expected) in [
            ("//", "empty segment"),
            ("//v2", "empty segment"),
            ("/v2//", "empty segment"),
            ("/s2s//v2", "empty segment"),
            ("/.", "dot segment"),
            ("/./", "dot segment"),
            ("/..", "dot segment"),
            ("/s2s/../v2", "dot segment"),
            ("/s2s/./v2", "dot segment"),
            ("/%2e", "dot segment"),
            ("/%2E%2e/v2", "dot segment"),
            ("/.%2e/v2", "dot segment"),
            ("/s2s%2fv2", "encoded slash"),
            ("/s2s%2Fv2", "encoded slash"),
            ("/s2s%5cv2", "encoded backslash"),
            ("/s2s%5Cv2", "encoded backslash"),
            ("/s2s\\v2", "backslash"),
            ("\\s2s", "backslash"),
            ("/v1", "other than /v2"),
            ("/v3", "other than /v2"),
            ("/V10", "other than /v2"),
            ("/v02", "other than /v2"),
            ("/s2s/v1/", "other than /v2"),
            ("/events", "endpoint"),
            ("/v2/events", "endpoint"),
            ("/v2/Events/", "endpoint"),
            ("/v2/bulkevents", "endpoint"),
            ("/s2s/v2/BulkEvents", "endpoint"),
            ("/bulkevents/historical", "endpoint"),
            ("/v2/bulkevents/HISTORICAL/", "endpoint"),
        ] {
            assert_problem(&format!("https://example.com{path}"), expected);
        }
    }

    #[test]
    fn plain_http_requires_a_loopback_address_unless_allowed() {
        for text in ["http://127.0.0.1:1", "http://localhost", "http://LOCALHOST", "http://[::1]"] {
            let base = BaseUrl::parse(text, PlainHttp::LoopbackOnly).unwrap();
            assert!(base.is_loopback(), "{text}");
        }
        let base = BaseUrl::parse("http://10.0.0.1", PlainHttp::AnyHost).unwrap();
        assert!(!base.is_loopback());
    }
}
