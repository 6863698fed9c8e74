//! What several test files share. Everything here is derived from the bundled schema, so that it cannot lag behind it.

#![allow(dead_code, reason = "each test file uses a part")]

pub(crate) mod canonical;
pub(crate) mod json;
pub(crate) mod random;
pub(crate) mod sample;
pub(crate) mod schema;
