//! Tests of the spool, most of them on a disk in memory that loses power and fails.

mod basics;
mod damage;
mod disk;
mod folder;
mod model;
mod power;
mod space;
