//! What stands for the spool without the feature `spool`: nothing, which cannot be made.

use super::entry::Arrival;
use super::parcel::Parcel;
use super::shared::Shared;
use crate::Error;
use std::future::Ready;

pub(super) type Written = Ready<Result<(), Error>>;
pub(super) type Closed = Ready<()>;

pub(super) enum Spool {}

impl Spool {
    #[allow(clippy::unused_async, reason = "the spool there is waits for the disk")]
    pub(super) async fn store(&self, _arrival: Arrival) -> Result<(), (Error, Box<Arrival>)> {
        match *self {}
    }

    pub(super) fn store_later(
        &self,
        _arrival: Arrival,
        _shared: &Shared,
    ) -> Result<(), Box<Arrival>> {
        match *self {}
    }

    pub(super) fn seal(&self, _parcels: &[&Parcel]) -> Written {
        match *self {}
    }

    pub(super) fn divide(&self, _parcel: &Parcel) -> Written {
        match *self {}
    }

    pub(super) fn delete(&self, _records: Vec<u64>) {
        match *self {}
    }

    pub(super) fn close(&self) -> Closed {
        match *self {}
    }
}
