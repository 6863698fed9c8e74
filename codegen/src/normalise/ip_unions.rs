//! Rewrites a choice of an IPv4 and an IPv6 address as an address.
//!
//! In the published file, `ip` is a `oneOf` of two aliases. Both of them accept null, and null is therefore not valid.

use super::{Schema, choice, flag, text};

pub(super) fn run(schema: &mut Schema<'_>) {
    schema.rewrite(|node| {
        let Some((keyword, choices)) = choice(node) else { return };
        let is_ip =
            choices.iter().all(|branch| matches!(text(branch, "format"), Some("ipv4" | "ipv6")));
        if !is_ip {
            return;
        }
        let nullable = choices.iter().any(|branch| flag(branch, "nullable"));
        node.shift_remove(keyword);
        node.insert("type".to_owned(), "string".into());
        node.insert("format".to_owned(), "ip".into());
        if nullable {
            node.insert("nullable".to_owned(), true.into());
        }
    });
}
