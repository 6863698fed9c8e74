//! Emits the checks of the minimum and the maximum of a number.

use proc_macro2::{Literal, TokenStream};
use quote::quote;
use serde_json::Number;

use crate::model::Shape;

/// The minimum or the maximum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Minimum,
    Maximum,
}

/// Returns the condition that a number is out of bounds, or `None` if its type has no such number.
pub(crate) fn outside(
    shape: &Shape,
    side: Side,
    bound: &Number,
    number: &TokenStream,
) -> Option<TokenStream> {
    match shape {
        Shape::Integer => integer(side, bound, (i64::MIN.into(), i64::MAX.into()), number),
        Shape::Unsigned => integer(side, bound, (u64::MIN.into(), u64::MAX.into()), number),
        _ => {
            let bound = Literal::f64_suffixed(bound.as_f64()?);
            Some(compare(side, number, &bound))
        }
    }
}

/// Rounds a fraction to the next integer inside the bound.
fn integer(
    side: Side,
    bound: &Number,
    (least, greatest): (i128, i128),
    number: &TokenStream,
) -> Option<TokenStream> {
    let exact = bound.as_i64().map(i128::from).or_else(|| bound.as_u64().map(i128::from));
    let rounded = || {
        let bound = bound.as_f64()?;
        let bound = if side == Side::Minimum { bound.ceil() } else { bound.floor() };
        // The conversion saturates far outside the range of either type.
        #[allow(clippy::cast_possible_truncation, reason = "the number is whole or out of range")]
        Some(bound as i128)
    };
    let bound = exact.or_else(rounded)?;
    let (is_idle, is_empty) = match side {
        Side::Minimum => (bound <= least, bound > greatest),
        Side::Maximum => (bound >= greatest, bound < least),
    };
    if is_idle {
        None
    } else if is_empty {
        Some(quote!(true))
    } else {
        Some(compare(side, number, &Literal::i128_unsuffixed(bound)))
    }
}

fn compare(side: Side, number: &TokenStream, bound: &Literal) -> TokenStream {
    match side {
        Side::Minimum => quote!(#number < #bound),
        Side::Maximum => quote!(#number > #bound),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bounds_are_those_of_the_type() {
        let (min, max) = (Side::Minimum, Side::Maximum);
        let cases = [
            (Shape::Integer, min, json!(0), "n < 0"),
            (Shape::Integer, min, json!(-5), "n < - 5"),
            (Shape::Integer, min, json!(0.5), "n < 1"),
            (Shape::Integer, max, json!(2.5), "n > 2"),
            (Shape::Integer, max, json!(u64::MAX), ""),
            (Shape::Integer, min, json!(u64::MAX), "true"),
            (Shape::Integer, max, json!(1e300), ""),
            (Shape::Unsigned, min, json!(0), ""),
            (Shape::Unsigned, max, json!(-1), "true"),
            (Shape::Unsigned, max, json!(9_223_372_036_854_775_809_u64), "n > 9223372036854775809"),
            (Shape::Number, min, json!(0.5), "n < 0.5f64"),
            (Shape::Number, max, json!(7), "n > 7f64"),
        ];
        for (shape, side, bound, expected) in cases {
            let bound = bound.as_number().unwrap();
            let found = outside(&shape, side, bound, &quote!(n)).unwrap_or_default();
            assert_eq!(found.to_string(), expected, "{shape:?} {side:?} {bound}");
        }
    }
}
