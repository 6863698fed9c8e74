//! Ids for batches without a `source_request_id`.

use std::sync::atomic::{AtomicU64, Ordering};
use uuid::Uuid;

/// The bits in which the ids of one queue differ: the last 48 bits, which contain no other field of a UUID.
const COUNTED: u128 = (1 << 48) - 1;

/// Generates UUIDs that differ from each other. They differ from those of other queues in 74 random bits.
///
/// The random bits are drawn once, and an id therefore needs no system call. A forked process generates no ids, because
/// its queue is closed.
#[derive(Debug)]
pub(super) struct Ids {
    first: u128,
    given: AtomicU64,
}

impl Ids {
    pub(super) fn new() -> Self {
        Self { first: Uuid::new_v4().as_u128(), given: AtomicU64::new(0) }
    }

    pub(super) fn next(&self) -> String {
        let number = u128::from(self.given.fetch_add(1, Ordering::Relaxed));
        let counted = self.first.wrapping_add(number) & COUNTED;
        Uuid::from_u128(self.first & !COUNTED | counted).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::{COUNTED, Ids};
    use std::collections::HashSet;
    use std::sync::atomic::AtomicU64;
    use uuid::Uuid;

    #[test]
    fn ids_are_different_random_uuids_even_if_the_counted_part_overflows() {
        let first = Uuid::new_v4().as_u128() | COUNTED;
        let ids = Ids { first, given: AtomicU64::new(0) };
        let made: HashSet<String> = (0..1000).map(|_| ids.next()).collect();
        assert_eq!(made.len(), 1000);
        for id in &made {
            let id = Uuid::parse_str(id).unwrap();
            assert_eq!(id.get_version_num(), 4);
            assert_eq!(id.get_variant(), uuid::Variant::RFC4122);
        }
        assert!(!made.contains(&Ids::new().next()));
    }
}
