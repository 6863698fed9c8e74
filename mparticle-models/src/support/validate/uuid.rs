//! The form of a UUID.

/// Whether a text has the form 8-4-4-4-12 in hexadecimal digits; version and variant do not matter.
pub(super) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
