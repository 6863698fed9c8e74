//! The checks of [`ClientBuilder::build`].

use super::{ClientBuilder, Destination};
use crate::base_url::BaseUrl;
use crate::settings::Sensitive;
use crate::{Error, ErrorKind, Timeouts};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// Headers that the client sets itself, or that would change the meaning of a request.
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
            Destination::BaseUrl(Sensitive(url)) => url,
        };
        BaseUrl::parse(url, self.plain_http).map_err(|found| problems.extend(found)).ok()
    }

    pub(super) fn check_timeouts(&self, problems: &mut Vec<String>) {
        let Timeouts { connect, attempt, overall } = self.timeouts;
        for (name, timeout) in [("connect", connect), ("attempt", attempt), ("overall", overall)] {
            if timeout.is_zero() {
                problems.push(format!("the {name} timeout is zero"));
            }
        }
    }

    /// Returns the headers of every request.
    pub(super) fn checked_headers(&self, problems: &mut Vec<String>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let json = HeaderValue::from_static("application/json");
        headers.insert(header::ACCEPT, json.clone());
        for (name, Sensitive(value)) in &self.headers {
            match (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                (Ok(name), _) if RESERVED_HEADERS.contains(&name) => {
                    problems.push(format!("the header {name} is set by the client"));
                }
                (Ok(name), Ok(mut value)) => {
                    value.set_sensitive(true);
                    headers.insert(name, value);
                }
                (Err(_), _) => problems.push(format!("{name:?} is not a valid header name")),
                (Ok(name), Err(_)) => problems
                    .push(format!("the value of the header {name} contains an invalid character")),
            }
        }
        headers.insert(header::CONTENT_TYPE, json);
        match HeaderValue::try_from(&self.user_agent) {
            Ok(user_agent) => _ = headers.insert(header::USER_AGENT, user_agent),
            Err(_) => problems.push("the user agent contains an invalid character".to_owned()),
        }
        match self.credentials.authorization() {
            Ok(authorization) => _ = headers.insert(header::AUTHORIZATION, authorization),
            Err(_) => problems.push("the credentials cannot be sent in a header".to_owned()),
        }
        headers
    }
}

/// Returns an error that lists every mistake.
pub(super) fn config_error(problems: &[String]) -> Error {
    let message = format!("invalid client configuration: {}", problems.join("; "));
    Error::new(ErrorKind::Config, message)
}
