//! The formats of texts: dates, addresses and the like.
//!
//! The two rule sets differ in what they accept. [`accepts`] has a function for each format; the Node.js library uses the
//! lenient ("fast") formats of its validator, the platform checks that dates and times exist.

use std::net::Ipv6Addr;

use super::pattern;
use crate::data_plan::Rules;

/// A known format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Date,
    Time,
    DateTime,
    Duration,
    Uri,
    UriReference,
    UriTemplate,
    Url,
    Email,
    Hostname,
    Ipv4,
    Ipv6,
    Regex,
    Uuid,
    JsonPointer,
    JsonPointerFragment,
    RelativeJsonPointer,
}

impl Format {
    /// Returns the format of this name, if the rules know it.
    pub(crate) fn named(name: &str, rules: Rules) -> Option<Self> {
        Some(match name {
            "date" => Self::Date,
            "time" => Self::Time,
            "date-time" => Self::DateTime,
            "uri" => Self::Uri,
            "uri-reference" => Self::UriReference,
            "uri-template" => Self::UriTemplate,
            "email" => Self::Email,
            "hostname" => Self::Hostname,
            "ipv4" => Self::Ipv4,
            "ipv6" => Self::Ipv6,
            "regex" => Self::Regex,
            "uuid" => Self::Uuid,
            "json-pointer" => Self::JsonPointer,
            "relative-json-pointer" => Self::RelativeJsonPointer,
            "url" if rules == Rules::node() => Self::Url,
            "json-pointer-uri-fragment" if rules == Rules::node() => Self::JsonPointerFragment,
            "iri" if rules == Rules::platform() => Self::Uri,
            "duration" if rules == Rules::platform() => Self::Duration,
            _ => return None,
        })
    }

    /// Returns whether a text has this format.
    pub(crate) fn accepts(self, text: &str, rules: Rules) -> bool {
        let exact = rules == Rules::platform();
        match self {
            Self::Date if exact => real_date(text),
            Self::Date => date(text),
            Self::Time if exact => real_time(text, ""),
            Self::Time => clock(text).is_some_and(zone_or_nothing),
            Self::DateTime if exact => real_date_time(text),
            Self::DateTime => date_time(text),
            Self::Duration => duration(text),
            Self::Uri => uri(text),
            Self::UriReference => uri_reference(text),
            Self::UriTemplate => uri_template(text),
            Self::Url => url(text),
            Self::Email => email(text),
            Self::Hostname => hostname(text),
            Self::Ipv4 => ipv4(text),
            Self::Ipv6 => ipv6(text),
            Self::Regex => pattern::is_valid(text) && !ends_in_z_anchor(text),
            Self::Uuid => uuid(text),
            Self::JsonPointer => json_pointer(text),
            Self::JsonPointerFragment => json_pointer_fragment(text),
            Self::RelativeJsonPointer => relative_json_pointer(text),
        }
    }
}

/// Takes characters from the start of a text, one for each of a template: `0` to `9` stand for a digit up to it, other
/// characters for themselves. Returns the rest.
fn take<'t>(text: &'t str, template: &str) -> Option<&'t str> {
    template.bytes().try_fold(text, |rest, wanted| {
        let found = *rest.as_bytes().first()?;
        let fits = if wanted.is_ascii_digit() {
            found.is_ascii_digit() && found <= wanted
        } else {
            found == wanted
        };
        if fits { rest.get(1..) } else { None }
    })
}

/// White space of JavaScript.
fn is_space(c: char) -> bool {
    (c.is_whitespace() && c != '\u{85}') || c == '\u{feff}'
}

fn date(text: &str) -> bool {
    take(text, "9999-19-39") == Some("")
}

/// Takes a time of day with an optional fraction. Returns the rest.
fn clock(text: &str) -> Option<&str> {
    let rest = take(text, "29:59:59").or_else(|| text.strip_prefix("23:59:60"))?;
    let Some(fraction) = rest.strip_prefix('.') else { return Some(rest) };
    let end = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
    // A point without digits is not part of the time.
    Some(if end.len() < fraction.len() { end } else { rest })
}

fn zone(text: &str) -> bool {
    if text.eq_ignore_ascii_case("z") {
        return true;
    }
    let Some(digits) = text.strip_prefix(['+', '-']) else { return false };
    ["99", "9999", "99:99"].iter().any(|template| take(digits, template) == Some(""))
}

fn zone_or_nothing(text: &str) -> bool {
    text.is_empty() || zone(text)
}

fn date_time(text: &str) -> bool {
    let Some(rest) = take(text, "9999-19-39") else { return false };
    let Some(time) = rest.strip_prefix(|c: char| matches!(c, 't' | 'T') || is_space(c)) else {
        return false;
    };
    clock(time).is_some_and(zone)
}

fn number(text: &str) -> u32 {
    text.parse().unwrap_or(u32::MAX)
}

fn real_date(text: &str) -> bool {
    if take(text, "9999-99-99") != Some("") {
        return false;
    }
    let part = |range| text.get(range).map_or(u32::MAX, number);
    let (year, month, day) = (part(0..4), part(5..7), part(8..10));
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => 0,
    };
    year > 0 && (1..=days).contains(&day)
}

/// Accepts a time of day that exists, after a prefix, with an optional fraction and zone.
fn real_time(text: &str, prefix: &str) -> bool {
    let Some(rest) = text.strip_prefix(prefix).and_then(|time| take(time, "29:59:59")) else {
        return false;
    };
    let hour = text.get(prefix.len()..prefix.len() + 2).map_or(u32::MAX, number);
    let rest = match rest.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => rest,
    };
    hour < 24 && zone_or_nothing(rest)
}

fn real_date_time(text: &str) -> bool {
    match (text.get(..10), text.get(10..)) {
        (Some(date), Some("")) => real_date(date),
        (Some(date), Some(time)) => real_date(date) && real_time(time, "T"),
        _ => false,
    }
}

/// Accepts durations of ISO 8601, such as `P1DT2H` and `P3W`.
fn duration(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('P') else { return false };
    let (date, time) = match rest.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (rest, None),
    };
    let weeks = date.strip_suffix('W').filter(|_| time.is_none());
    if let Some(weeks) = weeks {
        return !weeks.is_empty() && weeks.bytes().all(|byte| byte.is_ascii_digit());
    }
    let time_fits = time.is_none_or(|time| !time.is_empty() && components(time, "HMS"));
    components(date, "YMD") && time_fits && !rest.is_empty()
}

/// Accepts numbers that are followed by one of these units each, in this order.
fn components(text: &str, units: &str) -> bool {
    let (mut rest, mut units) = (text, units);
    while !rest.is_empty() {
        let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let Some(unit) = after.chars().next().filter(|_| after.len() < rest.len()) else {
            return false;
        };
        let Some((_, left)) = units.split_once(unit) else { return false };
        (rest, units) = (after.get(1..).unwrap_or_default(), left);
    }
    true
}

fn scheme(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once(':')?;
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    (scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(known))
        .then_some(rest)
}

fn uri(text: &str) -> bool {
    scheme(text).is_some_and(|rest| !rest.contains(is_space))
}

fn uri_reference(text: &str) -> bool {
    let (head, fragment) = text.split_once('#').unwrap_or((text, ""));
    !text.contains(is_space) && !head.starts_with('\\') && !fragment.contains('\\')
}

/// Takes a percent sign and two hexadecimal digits.
fn percent_encoded(text: &str) -> Option<&str> {
    let digits = text.strip_prefix('%')?;
    let two = digits.get(..2)?;
    two.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| digits.get(2..)).flatten()
}

fn uri_template(text: &str) -> bool {
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let next = if let Some(expression) = rest.strip_prefix('{') {
            expression.split_once('}').filter(|(inner, _)| variables(inner)).map(|(_, rest)| rest)
        } else if c == '%' {
            percent_encoded(rest)
        } else if c <= ' ' || "\"'<>\\^`|}".contains(c) {
            None
        } else {
            rest.get(c.len_utf8()..)
        };
        match next {
            Some(next) => rest = next,
            None => return false,
        }
    }
    true
}

/// Accepts the inside of an expression of a URI template.
fn variables(text: &str) -> bool {
    let operators = ['+', '#', '.', '/', ';', '?', '&', '=', ',', '!', '@', '|'];
    let list = text.strip_prefix(operators).unwrap_or(text);
    list.split(',').all(|variable| {
        let name = match variable.split_once(':') {
            Some((name, length)) if prefix_length(length) => name,
            Some(_) => return false,
            None => variable.strip_suffix('*').unwrap_or(variable),
        };
        let mut rest = name;
        while let Some(c) = rest.chars().next() {
            let plain = c.is_ascii_alphanumeric() || c == '_';
            let next = if plain { rest.get(1..) } else { percent_encoded(rest) };
            let Some(next) = next else { return false };
            rest = next;
        }
        !name.is_empty()
    })
}

fn prefix_length(text: &str) -> bool {
    text.len() <= 4
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && text.starts_with(|c: char| c != '0')
}

fn url(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let mut schemes = ["http://", "https://", "ftp://"].iter();
    let Some(rest) = schemes.find_map(|scheme| lower.strip_prefix(scheme)) else { return false };
    if rest.contains(is_space) {
        return false;
    }
    // The user information ends with any of the at signs.
    let users = rest.match_indices('@').filter(|(at, _)| *at > 0);
    let mut hosts = users.filter_map(|(at, _)| rest.get(at + 1..)).chain([rest]);
    hosts.any(|host| {
        let authority = host.split_once('/').map_or(host, |(authority, _)| authority);
        let (name, port) = authority.split_once(':').unwrap_or((authority, "80"));
        let is_port = (2..=5).contains(&port.len()) && port.bytes().all(|b| b.is_ascii_digit());
        is_port && (public_address(name) || domain(name))
    })
}

/// Accepts an IPv4 address that is neither private nor reserved.
fn public_address(text: &str) -> bool {
    let octets: Option<Vec<u32>> =
        text.split('.').map(|octet| octet.parse().ok().filter(|_| octet.len() <= 3)).collect();
    match octets.as_deref() {
        Some(&[a, b, c, d]) => {
            let private = a == 10
                || a == 127
                || (a, b) == (169, 254)
                || (a, b) == (192, 168)
                || (a == 172 && (16..=31).contains(&b));
            !private && (1..=223).contains(&a) && b <= 255 && c <= 255 && (1..=254).contains(&d)
        }
        _ => false,
    }
}

/// Accepts a host name with a top-level domain of two letters or more.
fn domain(text: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphabetic() || c >= '\u{a1}';
    let Some((host, top)) = text.rsplit_once('.') else { return false };
    let known = |c: char| letter(c) || c.is_ascii_digit() || c == '-';
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && !label.contains("--")
            && label.chars().all(known)
    };
    host.split('.').all(label) && top.chars().count() >= 2 && top.chars().all(letter)
}

/// Accepts labels of letters, digits and inner hyphens, of at most 63 characters each.
fn labels(text: &str) -> bool {
    text.split('.').all(|label| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    })
}

fn email(text: &str) -> bool {
    let Some((local, host)) = text.split_once('@') else { return false };
    let known = |c: char| c.is_ascii_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(c);
    !local.is_empty() && local.chars().all(known) && labels(host)
}

fn hostname(text: &str) -> bool {
    let name = text.strip_suffix('.').unwrap_or(text);
    name.len() <= 253 && labels(name)
}

fn ipv4(text: &str) -> bool {
    let octet = |octet: &str| {
        (1..=3).contains(&octet.len())
            && octet.bytes().all(|byte| byte.is_ascii_digit())
            && number(octet) <= 255
    };
    text.split('.').count() == 4 && text.split('.').all(octet)
}

fn ipv6(text: &str) -> bool {
    let trimmed = text.trim_matches(is_space);
    let (address, zone) = trimmed.split_once('%').map_or((trimmed, None), |(a, z)| (a, Some(z)));
    let zone_fits = zone.is_none_or(|zone| !zone.is_empty() && !zone.contains(['\n', '\r']));
    zone_fits && address.parse::<Ipv6Addr>().is_ok()
}

/// Returns whether a pattern has the anchor `\Z` after another character.
fn ends_in_z_anchor(text: &str) -> bool {
    text.match_indices(r"\Z").any(|(at, _)| {
        text.get(..at).is_some_and(|before| !before.is_empty() && !before.ends_with('\\'))
    })
}

fn uuid(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let digits = lower.strip_prefix("urn:uuid:").unwrap_or(&lower);
    let is_dash = |at: usize| matches!(at, 8 | 13 | 18 | 23);
    let fits = |(at, byte): (usize, u8)| {
        if is_dash(at) { byte == b'-' } else { byte.is_ascii_hexdigit() }
    };
    digits.len() == 36 && digits.bytes().enumerate().all(fits)
}

fn json_pointer(text: &str) -> bool {
    let escapes = |text: &str| text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    text.is_empty() || (text.starts_with('/') && escapes(text))
}

fn json_pointer_fragment(text: &str) -> bool {
    let Some(pointer) = text.strip_prefix('#') else { return false };
    let mut rest = pointer;
    while let Some(c) = rest.chars().next() {
        let next = match c {
            '%' => percent_encoded(rest),
            '/' | '~' => rest.get(1..),
            c if c.is_ascii_alphanumeric() || "_-.!$&'()*+,;:=@".contains(c) => rest.get(1..),
            _ => None,
        };
        let Some(next) = next else { return false };
        rest = next;
    }
    json_pointer(pointer)
}

fn relative_json_pointer(text: &str) -> bool {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = text.len() - rest.len();
    let number_fits = digits == 1 || (digits > 1 && !text.starts_with('0'));
    number_fits && (rest == "#" || json_pointer(rest))
}
