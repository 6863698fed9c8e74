//! Tests of the spool, most of them on a disk in memory that loses power and fails.

mod basics;
mod damage;
mod disk;
mod folder;
mod model;
mod power;
mod space;

use crate::Error;
use crate::queue::store::Done;

/// A callback that does not want the number.
fn unnumbered(done: Done) -> impl FnOnce(u64, Result<(), Error>) + Send + 'static {
    move |_, result| done(result)
}
