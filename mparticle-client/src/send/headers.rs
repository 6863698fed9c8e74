//! Reads the headers of a response that concern the rate limit and retries.
//!
//! mParticle documents whole seconds, percentages and names of limits, but its documentation prints some of them in
//! straight or curly quotes. Quotes and white space around a value are therefore ignored. A value that cannot be read
//! is treated as absent.

use http::header::{DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderName};
use std::time::{Duration, SystemTime};

static EXCEEDED: HeaderName = HeaderName::from_static("x-mp-rate-limit-exceeded");
static PERCENTAGE_USED: HeaderName = HeaderName::from_static("x-mp-rate-limit-percentage-used");

/// A longer `Retry-After` is treated as an hour. A wrong header therefore cannot stop a process for a year.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(60 * 60);

/// The kind of limit that a 429 reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// The rate is too high: all requests with the same key have to wait.
    Speed,
    /// The rate grows too fast: other requests may be sent, but the rate must not grow.
    Acceleration,
}

/// Returns how long to wait before trying again, from `Retry-After`: seconds, rounded up, or an HTTP date.
///
/// A date is compared with the `Date` of the response if there is one, because the local clock may be wrong, and with
/// `now` otherwise. A date in the past is zero. If there are several values, the longest is used, up to an hour.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let wait = |text: &str| seconds(text).or_else(|| until_date(text, headers, now));
    texts(headers, &RETRY_AFTER).filter_map(wait).max().map(|wait| wait.min(LONGEST_RETRY_AFTER))
}

/// Returns how much of the rate limit is used, in percent. It may be more than 100.
pub(crate) fn rate_limit_used(headers: &HeaderMap) -> Option<f64> {
    texts(headers, &PERCENTAGE_USED).filter_map(percentage).reduce(f64::max)
}

/// Returns the kind of limit that a 429 reports. If the kind is not clear, returns the stricter one, [`Limit::Speed`].
pub(crate) fn exceeded(headers: &HeaderMap) -> Limit {
    let mut limits =
        texts(headers, &EXCEEDED).flat_map(|text| text.split(',').map(trimmed)).peekable();
    let given = limits.peek().is_some();
    if given && limits.all(|limit| limit.eq_ignore_ascii_case("acceleration")) {
        Limit::Acceleration
    } else {
        Limit::Speed
    }
}

/// Whether a 429 concerns the growth of the rate. Other requests may then be sent.
pub(crate) fn is_acceleration_limited(headers: &HeaderMap) -> bool {
    exceeded(headers) == Limit::Acceleration
}

/// Returns the values of a header that are text.
fn texts<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> + use<'a> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| std::str::from_utf8(value.as_bytes()).ok())
        .map(trimmed)
}

fn trimmed(text: &str) -> &str {
    let is_quote = |c| matches!(c, '"' | '\'' | '“' | '”' | '„' | '‟' | '‘' | '’');
    text.trim_matches(|c: char| c.is_whitespace() || is_quote(c))
}

/// Reads digits with or without a fraction. A sign or an exponent would mean something else.
fn seconds(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let full = match whole {
        "" => 0,
        // The text consists of digits. Parsing fails only if the number is too large.
        digits => digits.parse().unwrap_or(u64::MAX),
    };
    let begun = u64::from(fraction.bytes().any(|digit| digit != b'0'));
    Some(Duration::from_secs(full.saturating_add(begun)))
}

fn until_date(text: &str, headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let date = httpdate::parse_http_date(text).ok()?;
    let answered = texts(headers, &DATE).find_map(|text| httpdate::parse_http_date(text).ok());
    Some(date.duration_since(answered.unwrap_or(now)).unwrap_or_default())
}

fn percentage(text: &str) -> Option<f64> {
    let number = trimmed(text.strip_suffix('%').unwrap_or(text));
    number.parse().ok().filter(|used: &f64| used.is_finite() && used.is_sign_positive())
}

#[cfg(test)]
mod tests;
