//! How a record is named and checked.

/// The checksum over number, length and bytes, so that a record passes neither under another number nor cut short.
pub(super) fn checksum(seq: u64, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&seq.to_le_bytes());
    hasher.update(&u64::try_from(payload.len()).unwrap_or(u64::MAX).to_le_bytes());
    hasher.update(payload);
    hasher.finalize()
}

/// The number as `SQLite` has it: the same 64 bits with a sign.
pub(super) fn key(seq: u64) -> i64 {
    i64::from_ne_bytes(seq.to_ne_bytes())
}

/// The number of a [`key`].
pub(super) fn seq(key: i64) -> u64 {
    u64::from_ne_bytes(key.to_ne_bytes())
}
