//! The variable `NO_PROXY`.
//!
//! It is a list whose entries are separated by commas or white space. An entry is one of these, each optionally followed
//! by a port (`:8443`), which then has to be that of the destination:
//!
//! - `*`, which exempts every host;
//! - a host name, which exempts that host and its subdomains, with or without a leading `.` or `*.`;
//! - an IP address, which exempts that address if the destination is written as an address;
//! - a range of IP addresses such as `10.0.0.0/8`.

use std::net::IpAddr;

/// Whether a value of `NO_PROXY` exempts a destination, whose host may be an IPv6 address in brackets.
pub(super) fn exempts(list: &str, host: &str, port: u16) -> bool {
    let host = host.trim_matches(['[', ']']);
    list.split(|c: char| c == ',' || c.is_whitespace())
        .filter(|entry| !entry.is_empty())
        .map(split_port)
        .any(|(pattern, only_port)| {
            only_port.is_none_or(|only| only == port) && matches_host(pattern, host)
        })
}

/// Divides an entry into the pattern of a host and the port, if there is one.
fn split_port(entry: &str) -> (&str, Option<u16>) {
    if let Some((address, rest)) = entry.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (address, rest.strip_prefix(':').and_then(|port| port.parse().ok()));
    }
    // The last group of an IPv6 address is not a port.
    if entry.parse::<IpAddr>().is_ok() {
        return (entry, None);
    }
    match entry.rsplit_once(':') {
        Some((pattern, port)) => match port.parse() {
            Ok(port) => (pattern, Some(port)),
            Err(_) => (entry, None),
        },
        None => (entry, None),
    }
}

fn matches_host(pattern: &str, host: &str) -> bool {
    pattern == "*"
        || match host.parse() {
            Ok(address) => matches_address(pattern, address),
            Err(_) => matches_name(pattern, host),
        }
}

fn matches_address(pattern: &str, address: IpAddr) -> bool {
    match pattern.split_once('/') {
        Some((network, length)) => match (network.parse(), length.parse()) {
            (Ok(network), Ok(length)) => is_in_network(address, network, length),
            _ => false,
        },
        None => pattern.parse() == Ok(address),
    }
}

/// Whether an address and a network have the same first `length` bits.
fn is_in_network(address: IpAddr, network: IpAddr, length: u32) -> bool {
    // A shift by all bits gives `None`, which leaves nothing to compare.
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            32_u32.checked_sub(length).is_some_and(|rest| {
                address.to_bits().checked_shr(rest) == network.to_bits().checked_shr(rest)
            })
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            128_u32.checked_sub(length).is_some_and(|rest| {
                address.to_bits().checked_shr(rest) == network.to_bits().checked_shr(rest)
            })
        }
        _ => false,
    }
}

/// Whether a host is the one that a pattern names, or one of its subdomains.
fn matches_name(pattern: &str, host: &str) -> bool {
    let pattern = pattern.strip_prefix('*').unwrap_or(pattern);
    let domain = pattern.strip_prefix('.').unwrap_or(pattern).trim_end_matches('.');
    let domain = domain.to_ascii_lowercase();
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    !domain.is_empty()
        && host
            .strip_suffix(&domain)
            .is_some_and(|subdomain| subdomain.is_empty() || subdomain.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_an_entry_exempts_its_hosts_and_no_others() {
        for (list, host, port, expected) in [
            ("", "example.com", 443, false),
            (",, ,", "example.com", 443, false),
            ("*", "example.com", 443, true),
            ("*", "[2001:db8::1]", 443, true),
            ("a.com,*", "example.com", 443, true),
            ("*:443", "example.com", 443, true),
            ("*:443", "example.com", 8443, false),
            // Names.
            ("example.com", "example.com", 443, true),
            ("example.com", "s2s.example.com", 443, true),
            ("example.com", "myexample.com", 443, false),
            ("example.com", "example.com.evil.net", 443, false),
            ("example.com", "com", 443, false),
            (".example.com", "example.com", 443, true),
            (".example.com", "s2s.example.com", 443, true),
            (".example.com", "myexample.com", 443, false),
            ("*.example.com", "s2s.example.com", 443, true),
            ("*.example.com", "myexample.com", 443, false),
            ("EXAMPLE.Com", "s2s.example.com", 443, true),
            ("example.com", "S2S.EXAMPLE.COM", 443, true),
            ("example.com.", "example.com", 443, true),
            ("example.com", "example.com.", 443, true),
            (".", "example.com", 443, false),
            ("s2s", "s2s.example.com", 443, false),
            // Ports.
            ("example.com:443", "example.com", 443, true),
            ("example.com:443", "s2s.example.com", 443, true),
            ("example.com:8443", "example.com", 443, false),
            (".example.com:443", "s2s.example.com", 443, true),
            ("example.com:8443,example.com:443", "example.com", 443, true),
            ("example.com:", "example.com", 443, false),
            ("example.com:port", "example.com", 443, false),
            ("example.com:99999", "example.com", 443, false),
            // Separators.
            ("a.com,b.com", "b.com", 443, true),
            ("a.com, b.com", "b.com", 443, true),
            ("a.com b.com", "b.com", 443, true),
            (" b.com\t", "b.com", 443, true),
            // Addresses.
            ("10.1.2.3", "10.1.2.3", 443, true),
            ("10.1.2.3", "10.1.2.4", 443, false),
            ("10.1.2.3:443", "10.1.2.3", 443, true),
            ("10.1.2.3:80", "10.1.2.3", 443, false),
            ("2001:db8::1", "[2001:db8::1]", 443, true),
            ("[2001:db8::1]", "[2001:db8::1]", 443, true),
            ("[2001:db8::1]:443", "[2001:db8::1]", 443, true),
            ("[2001:db8::1]:80", "[2001:db8::1]", 443, false),
            ("2001:db8::443", "[2001:db8::1]", 443, false),
            // Ranges.
            ("10.0.0.0/8", "10.200.0.1", 443, true),
            ("10.0.0.0/8", "11.0.0.1", 443, false),
            ("10.1.2.3/24", "10.1.2.200", 443, true),
            ("10.1.2.3/32", "10.1.2.3", 443, true),
            ("10.1.2.3/32", "10.1.2.2", 443, false),
            ("10.1.2.3/0", "192.0.2.1", 443, true),
            ("10.1.2.3/33", "10.1.2.3", 443, false),
            ("10.1.2.3/x", "10.1.2.3", 443, false),
            ("10.0.0.0/8:443", "10.200.0.1", 443, true),
            ("10.0.0.0/8:80", "10.200.0.1", 443, false),
            ("2001:db8::/32", "[2001:db8:ffff::1]", 443, true),
            ("2001:db8::/32", "[2001:db9::1]", 443, false),
            ("::/0", "[2001:db9::1]", 443, true),
            ("::/0", "10.0.0.1", 443, false),
            ("0.0.0.0/0", "[2001:db9::1]", 443, false),
            ("10.0.0.0/8", "10.example.com", 443, false),
        ] {
            assert_eq!(exempts(list, host, port), expected, "{list:?} and {host}:{port}");
        }
    }
}
