//! How many records there are, after how many commits, and a fingerprint of them.
//!
//! It stands in the database, changed by every transaction, and in the [`mark`](super::mark).

/// Bytes of an encoded ledger: three numbers and a checksum.
pub(super) const ENCODED: usize = 28;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ledger {
    /// How many transactions there were.
    pub(super) commits: u64,
    /// How many records there are.
    pub(super) records: u64,
    /// The hashes of all of them, combined so that their order does not matter.
    fingerprint: u64,
}

impl Ledger {
    /// The ledger of no records.
    pub(super) fn after(commits: u64) -> Self {
        Self { commits, ..Self::default() }
    }

    pub(super) fn add(&mut self, seq: u64, checksum: u32) {
        self.records = self.records.saturating_add(1);
        self.fingerprint ^= hash(seq, checksum);
    }

    pub(super) fn remove(&mut self, seq: u64, checksum: u32) {
        self.records = self.records.saturating_sub(1);
        self.fingerprint ^= hash(seq, checksum);
    }

    /// Whether it is about the same records.
    pub(super) fn has_records_of(&self, other: &Self) -> bool {
        self.records == other.records && self.fingerprint == other.fingerprint
    }

    pub(super) fn encode(&self) -> [u8; ENCODED] {
        let mut encoded = [0; ENCODED];
        let numbers = [self.commits, self.records, self.fingerprint].map(u64::to_le_bytes).concat();
        let checksum = crc32fast::hash(&numbers).to_le_bytes();
        for (to, from) in encoded.iter_mut().zip(numbers.iter().chain(&checksum)) {
            *to = *from;
        }
        encoded
    }

    /// `None` when the checksum does not fit.
    pub(super) fn decode(encoded: &[u8]) -> Option<Self> {
        let (commits, rest) = encoded.split_first_chunk()?;
        let (records, rest) = rest.split_first_chunk()?;
        let (fingerprint, rest) = rest.split_first_chunk()?;
        let ledger = Self {
            commits: u64::from_le_bytes(*commits),
            records: u64::from_le_bytes(*records),
            fingerprint: u64::from_le_bytes(*fingerprint),
        };
        (rest.len() == 4 && ledger.encode() == encoded).then_some(ledger)
    }
}

/// The finalizer of `SplitMix64`, over the number and then over the checksum.
fn hash(seq: u64, checksum: u32) -> u64 {
    mix(mix(seq).wrapping_add(u64::from(checksum)))
}

fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
