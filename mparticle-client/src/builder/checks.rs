//! What is checked when a client is made.

use super::{ClientBuilder, Destination, HiddenText};
use crate::base_url::BaseUrl;
use crate::transport::Transport;
use crate::transport::https::{Connections, HttpsTransport, Proxies};
use crate::{Error, ErrorKind, Timeouts};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use std::sync::Arc;

/// Headers that the client sets itself or that would change what a request is.
const RESERVED_HEADERS: [HeaderName; 9] = [
    header::AUTHORIZATION,
    header::CONNECTION,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::EXPECT,
    header::HOST,
    header::TRANSFER_ENCODING,
    header::USER_AGENT,
];

impl ClientBuilder {
    pub(super) fn checked_base_url(&self, problems: &mut Vec<String>) -> Option<BaseUrl> {
        let url = match &self.destination {
            Destination::Pod(pod) => pod.base_url(),
            Destination::BaseUrl(HiddenText(url)) => url,
        };
        BaseUrl::parse(url, self.plain_http).map_err(|found| problems.extend(found)).ok()
    }

    pub(super) fn check_times(&self, problems: &mut Vec<String>) {
        let Timeouts { connect, attempt, overall } = self.timeouts;
        for (name, time) in [("connect", connect), ("attempt", attempt), ("overall", overall)] {
            if time.is_zero() {
                problems.push(format!("the {name} timeout is zero"));
            }
        }
    }

    /// The headers of every request, those that the client needs included.
    pub(super) fn checked_headers(&self, problems: &mut Vec<String>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let json = HeaderValue::from_static("application/json");
        headers.insert(header::ACCEPT, json.clone());
        for (name, HiddenText(value)) in &self.headers {
            match (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                (Ok(name), _) if RESERVED_HEADERS.contains(&name) => {
                    problems.push(format!("the header {name} is set by the client alone"));
                }
                (Ok(name), Ok(mut value)) => {
                    value.set_sensitive(true);
                    headers.insert(name, value);
                }
                (Err(_), _) => problems.push(format!("{name:?} is no name of a header")),
                (_, Err(_)) => {
                    problems.push(format!("the header {name} has a forbidden character"));
                }
            }
        }
        headers.insert(header::CONTENT_TYPE, json);
        match HeaderValue::try_from(&self.user_agent) {
            Ok(user_agent) => _ = headers.insert(header::USER_AGENT, user_agent),
            Err(_) => problems.push("the user agent has a forbidden character".to_owned()),
        }
        match self.credentials.authorization() {
            Ok(authorization) => _ = headers.insert(header::AUTHORIZATION, authorization),
            Err(_) => problems.push("the credentials make no header".to_owned()),
        }
        headers
    }
}

impl Connections {
    /// The same, but that the proxy variables do not count for this machine.
    pub(super) fn for_base_url(mut self, base_url: &BaseUrl) -> Self {
        if base_url.is_loopback() && matches!(self.proxies, Proxies::FromEnvironment) {
            self.proxies = Proxies::Direct;
        }
        self
    }

    pub(super) fn connect(&self, tls: rustls::ClientConfig) -> Result<Arc<dyn Transport>, String> {
        if self.proxies.would_be_ignored() {
            return Err("the proxy's URL is neither http nor https".to_owned());
        }
        match HttpsTransport::new(self, tls) {
            Ok(transport) => Ok(Arc::new(transport)),
            Err(_) if matches!(self.proxies, Proxies::Through(_)) => {
                Err("the proxy's URL cannot be used".to_owned())
            }
            Err(error) => Err(format!("HTTP cannot be set up: {error}")),
        }
    }
}

/// All mistakes in one error.
pub(super) fn config_error(problems: &[String]) -> Error {
    let message = format!("the client cannot be made: {}", problems.join("; "));
    Error::new(ErrorKind::Config, message)
}
