//! Tests of the values that are read from response headers.

use super::{EXCEEDED, LONGEST_RETRY_AFTER, Limit, PERCENTAGE_USED};
use super::{exceeded, rate_limit_used, retry_after};
use http::header::{DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use std::time::{Duration, SystemTime};

fn with(name: &HeaderName, values: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    headers
}

/// Sun, 06 Nov 1994 08:49:37 GMT.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777)
}

#[test]
fn retry_after_is_rounded_up_to_whole_seconds_or_ignored() {
    let longest = LONGEST_RETRY_AFTER.as_secs();
    assert_eq!(longest, 3600);
    let table: &[(&str, Option<u64>)] = &[
        ("0", Some(0)),
        ("1", Some(1)),
        ("120", Some(120)),
        ("007", Some(7)),
        ("\"5\"", Some(5)),
        ("'5'", Some(5)),
        ("“5”", Some(5)),
        (" \t5  ", Some(5)),
        ("\" 5 \"", Some(5)),
        ("1.0", Some(1)),
        ("1.", Some(1)),
        ("1.01", Some(2)),
        (".5", Some(1)),
        ("0.000000000000000000000000001", Some(1)),
        ("3600", Some(longest)),
        ("3601", Some(longest)),
        ("31536000", Some(longest)),
        ("18446744073709551615", Some(longest)),
        ("18446744073709551615.9", Some(longest)),
        ("99999999999999999999999999999999999999999", Some(longest)),
        ("", None),
        (" ", None),
        ("\"\"", None),
        (".", None),
        ("-1", None),
        ("-0", None),
        ("+5", None),
        ("1e3", None),
        ("0x10", None),
        ("1.2.3", None),
        ("5s", None),
        ("5, 6", None),
        ("NaN", None),
        ("inf", None),
        ("infinity", None),
        ("soon", None),
        ("٥", None),
    ];
    for &(value, expected) in table {
        let headers = with(&RETRY_AFTER, &[value]);
        assert_eq!(retry_after(&headers, now()), expected.map(Duration::from_secs), "{value:?}");
    }
    assert_eq!(retry_after(&HeaderMap::new(), now()), None);
}

#[test]
fn the_longest_of_several_values_of_retry_after_is_used() {
    let headers = with(&RETRY_AFTER, &["5", "junk", "7", "6"]);
    assert_eq!(retry_after(&headers, now()), Some(Duration::from_secs(7)));
}

#[test]
fn retry_after_may_be_a_date_in_each_of_the_three_forms() {
    let table: &[(&str, Option<u64>)] = &[
        ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
        ("\"Sun, 06 Nov 1994 08:50:37 GMT\"", Some(60)),
        ("Sunday, 06-Nov-94 08:50:37 GMT", Some(60)),
        ("Sun Nov  6 08:50:37 1994", Some(60)),
        ("Sun, 06 Nov 1994 08:49:37 GMT", Some(0)),
        ("Sun, 06 Nov 1994 08:48:37 GMT", Some(0)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", Some(LONGEST_RETRY_AFTER.as_secs())),
        ("Sun, 06 Nov 1994 08:50:37 CET", None),
        ("Sun, 99 Nov 1994 08:50:37 GMT", None),
        ("1994-11-06T08:50:37Z", None),
    ];
    for &(value, expected) in table {
        let headers = with(&RETRY_AFTER, &[value]);
        assert_eq!(retry_after(&headers, now()), expected.map(Duration::from_secs), "{value:?}");
    }
}

#[test]
fn a_retry_after_date_counts_from_the_servers_own_clock() {
    let wrong_clocks = [
        SystemTime::UNIX_EPOCH,
        now() - Duration::from_secs(86_400),
        now() + Duration::from_secs(86_400),
    ];
    for clock in wrong_clocks {
        let mut headers = with(&RETRY_AFTER, &["Sun, 06 Nov 1994 08:50:37 GMT"]);
        headers.insert(DATE, HeaderValue::from_static("Sun, 06 Nov 1994 08:50:07 GMT"));
        assert_eq!(retry_after(&headers, clock), Some(Duration::from_secs(30)));
    }
    let mut headers = with(&RETRY_AFTER, &["Sun, 06 Nov 1994 08:50:37 GMT"]);
    headers.insert(DATE, HeaderValue::from_static("yesterday"));
    assert_eq!(retry_after(&headers, now()), Some(Duration::from_secs(60)));
}

#[test]
fn percentages_may_be_quoted_fractional_and_over_a_hundred() {
    let table: &[(&str, Option<f64>)] = &[
        ("0", Some(0.0)),
        ("92", Some(92.0)),
        ("92.5", Some(92.5)),
        ("92%", Some(92.0)),
        ("92 %", Some(92.0)),
        ("\"92\"", Some(92.0)),
        ("\"92%\"", Some(92.0)),
        ("\"92\"%", Some(92.0)),
        ("“92”", Some(92.0)),
        ("‘92.25’", Some(92.25)),
        (" 92 ", Some(92.0)),
        ("250", Some(250.0)),
        ("1e2", Some(100.0)),
        ("", None),
        ("%", None),
        ("92%%", None),
        ("-1", None),
        ("-0", None),
        ("NaN", None),
        ("inf", None),
        ("-inf", None),
        ("infinity", None),
        ("1e999", None),
        ("0x50", None),
        ("ninety", None),
        ("92,5", None),
    ];
    for &(value, expected) in table {
        assert_eq!(rate_limit_used(&with(&PERCENTAGE_USED, &[value])), expected, "{value:?}");
    }
    assert_eq!(rate_limit_used(&HeaderMap::new()), None);
    assert_eq!(rate_limit_used(&with(&PERCENTAGE_USED, &["70", "junk", "90", "80"])), Some(90.0));
}

#[test]
fn only_acceleration_and_nothing_else_is_an_acceleration_limit() {
    let table: &[(&[&str], Limit)] = &[
        (&["acceleration"], Limit::Acceleration),
        (&["Acceleration"], Limit::Acceleration),
        (&["ACCELERATION"], Limit::Acceleration),
        (&["\"acceleration\""], Limit::Acceleration),
        (&["“acceleration”"], Limit::Acceleration),
        (&[" 'acceleration' "], Limit::Acceleration),
        (&["acceleration", "acceleration"], Limit::Acceleration),
        (&["\"acceleration\", \"acceleration\""], Limit::Acceleration),
        (&["acceleration", "org"], Limit::Speed),
        (&["org, acceleration"], Limit::Speed),
        (&["org"], Limit::Speed),
        (&["account"], Limit::Speed),
        (&["\"app\""], Limit::Speed),
        (&["feed"], Limit::Speed),
        (&["workspace"], Limit::Speed),
        (&["accelerations"], Limit::Speed),
        (&[""], Limit::Speed),
        (&[], Limit::Speed),
    ];
    for &(values, expected) in table {
        assert_eq!(exceeded(&with(&EXCEEDED, values)), expected, "{values:?}");
    }
}

#[test]
fn bytes_that_are_not_text_count_as_absent() {
    for name in [RETRY_AFTER, PERCENTAGE_USED.clone(), EXCEEDED.clone()] {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_bytes(b"9\xff").unwrap());
        assert_eq!(retry_after(&headers, now()), None);
        assert_eq!(rate_limit_used(&headers), None);
        assert_eq!(exceeded(&headers), Limit::Speed);
    }
}

/// Bytes that resemble valid values, so that more than the first check is reached.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        "\"",
        "“",
        "”",
        "%",
        ".",
        "-",
        "9",
        "0",
        "00",
        " ",
        ",",
        "e",
        "Sun, 06 Nov ",
        "Sunday, 06-Nov-",
        "Sun Nov  6 ",
        "1994",
        "94",
        "0000",
        " 08:50:37",
        "GMT",
        " GMT",
        "acceleration",
        "inf",
        "NaN",
    ]);
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        prop::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat().into_bytes()),
    ]
}

proptest! {
    #[test]
    fn any_bytes_give_a_value_within_bounds_or_none(
        values in prop::collection::vec((0_usize..4, bytes()), 0..6),
        clock in any::<u32>(),
    ) {
        let names = [RETRY_AFTER, DATE, PERCENTAGE_USED.clone(), EXCEEDED.clone()];
        let mut headers = HeaderMap::new();
        for (name, bytes) in values {
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                headers.append(&names[name], value);
            }
        }
        let clock = SystemTime::UNIX_EPOCH + Duration::from_secs(clock.into());
        if let Some(wait) = retry_after(&headers, clock) {
            prop_assert!(wait <= LONGEST_RETRY_AFTER);
        }
        if let Some(used) = rate_limit_used(&headers) {
            prop_assert!(used.is_finite() && used >= 0.0);
        }
        if !headers.contains_key(&EXCEEDED) {
            prop_assert_eq!(exceeded(&headers), Limit::Speed);
        }
    }

    #[test]
    fn whole_seconds_are_read_up_to_an_hour(seconds in any::<u64>(), quote in "[\"“” ]{0,3}") {
        let headers = with(&RETRY_AFTER, &[&format!("{quote}{seconds}{quote}")]);
        let expected = Duration::from_secs(seconds).min(LONGEST_RETRY_AFTER);
        prop_assert_eq!(retry_after(&headers, now()), Some(expected));
    }

    #[test]
    fn the_wait_until_a_date_is_read_up_to_an_hour(ahead in 0_u64..7_200, skew in any::<u32>()) {
        let answered = now();
        let mut headers = HeaderMap::new();
        for (name, date) in [(DATE, answered), (RETRY_AFTER, answered + Duration::from_secs(ahead))] {
            headers.insert(name, httpdate::fmt_http_date(date).parse().unwrap());
        }
        let clock = SystemTime::UNIX_EPOCH + Duration::from_secs(skew.into());
        let expected = Duration::from_secs(ahead).min(LONGEST_RETRY_AFTER);
        prop_assert_eq!(retry_after(&headers, clock), Some(expected));
    }

    #[test]
    fn percentages_are_read_exactly(used in 0.0_f64..1e6) {
        for text in [format!("{used}"), format!("\"{used}\""), format!("{used}%")] {
            prop_assert_eq!(rate_limit_used(&with(&PERCENTAGE_USED, &[&text])), Some(used));
        }
    }
}
