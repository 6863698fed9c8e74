//! The form of a UUID.

/// Returns whether a text has the form 8-4-4-4-12 in hexadecimal digits. Version and variant do not matter.
pub(super) fn is_uuid(text: &str) -> bool {
    let Ok(bytes) = <&[u8; 36]>::try_from(text.as_bytes()) else { return false };
    let has_hyphens = [8, 13, 18, 23].iter().all(|index| bytes.get(*index) == Some(&b'-'));
    // This counts bytes and has no early exit. The compiler can therefore use operations on many bytes at once.
    let digits = bytes.iter().fold(0_u8, |digits, byte| digits + u8::from(is_digit(*byte)));
    has_hyphens && digits == 32
}

/// Like `is_ascii_hexdigit`, but without branches.
fn is_digit(byte: u8) -> bool {
    (byte.wrapping_sub(b'0') < 10) | ((byte | 0x20).wrapping_sub(b'a') < 6)
}
