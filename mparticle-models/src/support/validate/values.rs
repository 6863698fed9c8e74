//! Checks of values that do not depend on their place.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Report, Validate};
use crate::support::place::Place;
use crate::support::values::breadcrumb::{CONTENT, LABEL, TAG};
use crate::support::values::{
    AttributeValue, BooleanOrText, Breadcrumb, DurationMillis, Enveloped, Number, Scalar,
    UnixMillis,
};

macro_rules! nothing_to_check {
    ($($type:ty),+ $(,)?) => {$(
        impl Validate for $type {
            #[inline]
            fn check(&self, _: &Place<'_>, _: &mut Report) {}
        }
    )+};
}

nothing_to_check!(bool, i64, u64, String, Value, BooleanOrText, DurationMillis);

impl Validate for f64 {
    #[inline]
    fn check(&self, place: &Place<'_>, report: &mut Report) {
        report.finite(place, self.is_finite());
    }
}

impl Validate for Number {
    #[inline]
    fn check(&self, place: &Place<'_>, report: &mut Report) {
        report.finite(place, self.is_finite());
    }
}

impl Validate for Scalar {
    #[inline]
    fn check(&self, place: &Place<'_>, report: &mut Report) {
        if let Self::Number(number) = self {
            number.check(place, report);
        }
    }
}

impl Validate for AttributeValue {
    #[inline]
    fn check(&self, place: &Place<'_>, report: &mut Report) {
        match self {
            Self::Scalar(scalar) => scalar.check(place, report),
            Self::List(list) => list.check(place, report),
        }
    }
}

impl Validate for UnixMillis {
    #[inline]
    fn check(&self, place: &Place<'_>, report: &mut Report) {
        report.unix_millis(place, self.as_millis());
    }
}

impl<T: Validate + Enveloped> Validate for Breadcrumb<T> {
    fn check(&self, place: &Place<'_>, report: &mut Report) {
        match self {
            Self::Event(data) => {
                data.check(&place.field(CONTENT), report);
                report.envelope(place, [TAG, CONTENT], data.envelope());
            }
            Self::Data(data) => data.check(place, report),
            Self::Text(_) => {}
            Self::Empty => report.missing(place, LABEL),
        }
    }
}

impl<T: Validate> Validate for Vec<T> {
    #[inline]
    fn check(&self, place: &Place<'_>, report: &mut Report) {
        self.as_slice().check(place, report);
    }
}

impl<T: Validate> Validate for [T] {
    #[inline]
    fn check(&self, place: &Place<'_>, report: &mut Report) {
        for (index, item) in self.iter().enumerate() {
            item.check(&place.index(index), report);
        }
    }
}

impl<T: Validate> Validate for BTreeMap<String, T> {
    #[inline]
    fn check(&self, place: &Place<'_>, report: &mut Report) {
        for (key, value) in self {
            value.check(&place.key(key), report);
        }
    }
}

impl<T: Validate> Validate for Option<T> {
    #[inline]
    fn check(&self, place: &Place<'_>, report: &mut Report) {
        if let Some(value) = self {
            value.check(place, report);
        }
    }
}

impl<T: Validate + ?Sized> Validate for Box<T> {
    #[inline]
    fn check(&self, place: &Place<'_>, report: &mut Report) {
        (**self).check(place, report);
    }
}
