//! Tests of the spool, most of them on a disk in memory that can lose power and fail.

mod basics;
mod damage;
mod disk;
mod folder;
mod model;
mod power;
mod space;

use crate::Error;
use crate::queue::store::Done;

/// Returns a callback that ignores the number.
fn unnumbered(done: Done) -> impl FnOnce(u64, Result<(), Error>) + Send + 'static {
    move |_, result| done(result)
}
