//! Shared by several tests. All data are derived from the bundled schema, and are therefore always up to date.

#![allow(dead_code, reason = "each test file uses a part")]

pub(crate) mod canonical;
pub(crate) mod json;
pub(crate) mod random;
pub(crate) mod sample;
pub(crate) mod schema;
