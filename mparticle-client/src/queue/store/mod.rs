//! The store of the spool.
