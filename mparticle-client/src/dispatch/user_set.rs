//! A set of users with fast lookup.

use crate::encoding::users::UserKey;
use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

/// A set of user keys, which are already hashes.
pub(super) type UserSet = HashSet<UserKey, BuildHasherDefault<KeyHasher>>;

#[derive(Default)]
pub(super) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
