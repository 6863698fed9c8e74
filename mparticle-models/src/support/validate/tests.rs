//! Tests of each rule at its limit and beyond it.

use std::collections::BTreeMap;

use serde_json::json;

use super::{AttributeLimits, Beyond, Report, Rule, Severity, TimeUnit, Validate, Violation, run};
use crate::support::locate::{Field, Shape, Shaped};
use crate::support::place::Place;
use crate::support::values::{
    AttributeValue, BooleanOrText, Breadcrumb, Enveloped, Extra, Scalar, UnixMillis,
};

fn found(check: impl FnOnce(&mut Report, &Place<'_>)) -> Vec<Violation> {
    let mut report = Report::new();
    check(&mut report, &Place::root().field("here"));
    report.into_violations()
}

/// The data of a breadcrumb.
struct Crumb {
    number: f64,
    envelope: Extra,
}

impl Validate for Crumb {
    fn check(&self, place: &Place<'_>, report: &mut Report) {
        self.number.check(place, report);
    }
}

impl Enveloped for Crumb {
    fn envelope(&self) -> &Extra {
        &self.envelope
    }

    fn envelope_mut(&mut self) -> &mut Extra {
        &mut self.envelope
    }
}

/// Rule, limit, actual size, severity and text of a violation.
type Facts = (Rule, Option<u64>, Option<u64>, Severity, String);

/// Returns the only violation, or `None` if there is none.
fn only(check: impl FnOnce(&mut Report, &Place<'_>)) -> Option<Facts> {
    let violations = found(check);
    assert!(violations.len() < 2, "{violations:?}");
    let violation = violations.into_iter().next()?;
    let text = violation.to_string();
    Some((violation.rule, violation.limit, violation.actual, violation.severity, text))
}

#[test]
fn a_number_outside_of_its_bounds_is_reported() {
    let text = "/here: a number below the minimum (minimum)".to_owned();
    let below = only(|report, place| report.minimum(place, true, Beyond::Refused));
    assert_eq!(below, Some((Rule::Minimum, None, None, Severity::Error, text)));
    let text = "/here: a number above the maximum (maximum)".to_owned();
    let above = only(|report, place| report.maximum(place, true, Beyond::Cut));
    assert_eq!(above, Some((Rule::Maximum, None, None, Severity::Warning, text)));
    assert_eq!(only(|report, place| report.minimum(place, false, Beyond::Refused)), None);
    assert_eq!(only(|report, place| report.maximum(place, false, Beyond::Refused)), None);
}

#[test]
fn the_severity_depends_on_the_effect_of_exceeding_the_limit() {
    for (beyond, severity) in [
        (Beyond::Refused, Severity::Error),
        (Beyond::Cut, Severity::Warning),
        (Beyond::Undocumented, Severity::Warning),
    ] {
        let violations = found(|report, place| report.max_length(place, "abc", 2, beyond));
        assert_eq!(
            violations.iter().map(|violation| violation.severity).collect::<Vec<_>>(),
            [severity]
        );
        assert_eq!(beyond.severity(), severity);
    }
    assert!(Severity::Warning < Severity::Error);
}

#[test]
fn characters_are_code_points() {
    for (text, actual) in [
        ("", None),
        ("abc", None),
        ("äöü", None),
        ("😀😀😀", None),
        ("abcd", Some(4)),
        ("äöüß", Some(4)),
        ("e\u{301}e\u{301}", Some(4)),
    ] {
        let violation = only(|report, place| report.max_length(place, text, 3, Beyond::Cut));
        let expected = actual.map(|actual| {
            let message = format!("/here: {actual} characters, at most 3 are allowed (maxLength)");
            (Rule::MaxLength, Some(3), Some(actual), Severity::Warning, message)
        });
        assert_eq!(violation, expected, "{text}");
    }
}

#[test]
fn lists_and_maps_are_counted() {
    for (len, is_valid) in [(0, true), (2, true), (3, false)] {
        let items = only(|report, place| report.max_items(place, len, 2, Beyond::Refused));
        let message = "/here: 3 items, at most 2 are allowed (maxItems)".to_owned();
        let expected = (Rule::MaxItems, Some(2), Some(3), Severity::Error, message);
        assert_eq!(items, (!is_valid).then_some(expected));

        let entries =
            only(|report, place| report.max_properties(place, len, 2, Beyond::Undocumented));
        let message = "/here: 3 entries, at most 2 are allowed (maxProperties)".to_owned();
        let expected = (Rule::MaxProperties, Some(2), Some(3), Severity::Warning, message);
        assert_eq!(entries, (!is_valid).then_some(expected));
    }
}

#[test]
fn every_name_that_is_too_long_is_reported_at_its_place() {
    let map =
        BTreeMap::from([("a/bc".to_owned(), 1), ("abc".to_owned(), 2), ("äöüß".to_owned(), 3)]);
    let violations = found(|report, place| report.name_length(place, map.keys(), 3, Beyond::Cut));
    let texts: Vec<_> = violations.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "/here/a~1bc: 4 characters in the name, at most 3 are allowed (propertyNames)",
            "/here/äöüß: 4 characters in the name, at most 3 are allowed (propertyNames)",
        ]
    );
}

#[test]
fn a_missing_field_is_reported_as_its_own_place() {
    let (rule, limit, actual, severity, text) =
        only(|report, place| report.missing(place, "environment")).unwrap();
    assert_eq!((rule, limit, actual, severity), (Rule::Required, None, None, Severity::Error));
    assert_eq!(text, "/here/environment: missing, but mParticle requires it (required)");
}

#[test]
fn a_value_outside_a_closed_set_is_an_error() {
    assert_eq!(only(|report, place| report.known(place, true)), None);
    let (rule, .., severity, _) = only(|report, place| report.known(place, false)).unwrap();
    assert_eq!((rule, severity), (Rule::Enum, Severity::Error));
}

#[test]
fn unknown_event_data_is_an_object_or_nothing() {
    for (value, is_valid) in [
        (json!({}), true),
        (json!(null), true),
        (json!([]), false),
        (json!("x"), false),
        (json!(1), false),
        (json!(false), false),
    ] {
        let violation = only(|report, place| report.object(place, &value));
        assert_eq!(violation.map(|(rule, ..)| rule), (!is_valid).then_some(Rule::Type), "{value}");
    }
}

#[test]
fn a_uuid_has_five_groups_of_hexadecimal_digits() {
    for (text, is_valid) in [
        ("01234567-89ab-cdef-0123-456789abcdef", true),
        ("01234567-89AB-CDEF-0123-456789ABCDEF", true),
        ("00000000-0000-0000-0000-000000000000", true),
        ("", false),
        ("0123456789abcdef0123456789abcdef", false),
        ("{01234567-89ab-cdef-0123-456789abcdef}", false),
        ("01234567-89ab-cdef-0123-456789abcdeg", false),
        ("0123456-789ab-cdef-0123-456789abcdef", false),
        ("01234567-89ab-cdef-0123-456789abcdé", false),
    ] {
        let violation = only(|report, place| report.uuid(place, text));
        assert_eq!(
            violation.map(|(rule, .., severity, _)| (rule, severity)),
            (!is_valid).then_some((Rule::Uuid, Severity::Warning)),
            "{text}"
        );
    }
}

#[test]
fn an_address_is_of_either_version() {
    for (text, is_valid) in [
        ("172.217.12.142", true),
        ("2001:db8::1", true),
        ("::ffff:10.0.0.1", true),
        ("", false),
        ("10.0.0", false),
        ("10.0.0.256", false),
        ("10.0.0.1:80", false),
        ("localhost", false),
    ] {
        let violation = only(|report, place| report.ip(place, text));
        assert_eq!(
            violation.map(|(rule, .., severity, _)| (rule, severity)),
            (!is_valid).then_some((Rule::Ip, Severity::Warning)),
            "{text}"
        );
    }
}

#[test]
fn a_time_that_does_not_look_like_milliseconds_is_warned_about() {
    use TimeUnit::{Microseconds, Nanoseconds, Seconds};
    for (time, unit) in [
        (0, None),
        (1, Some(Seconds)),
        (-1, Some(Seconds)),
        (1_700_000_000, Some(Seconds)),
        (99_999_999_999, Some(Seconds)),
        (-99_999_999_999, Some(Seconds)),
        (100_000_000_000, None),
        (-100_000_000_000, None),
        (1_700_000_000_000, None),
        (99_999_999_999_999, None),
        (100_000_000_000_000, Some(Microseconds)),
        (-100_000_000_000_000, Some(Microseconds)),
        (1_700_000_000_000_000, Some(Microseconds)),
        (99_999_999_999_999_999, Some(Microseconds)),
        (100_000_000_000_000_000, Some(Nanoseconds)),
        (1_700_000_000_000_000_000, Some(Nanoseconds)),
        (i64::MIN, Some(Nanoseconds)),
        (i64::MAX, Some(Nanoseconds)),
    ] {
        let violations = run(&UnixMillis::from_millis(time));
        let found: Vec<_> = violations
            .iter()
            .map(|violation| (violation.rule, violation.severity, violation.unit))
            .collect();
        let expected = unit.map(|unit| (Rule::UnixMillis, Severity::Warning, Some(unit)));
        assert_eq!(found, Vec::from_iter(expected), "{time}");
        if let (Some(violation), Some(unit)) = (violations.first(), unit) {
            let text = format!(
                "the document: looks like {unit}; mParticle expects milliseconds (unixMillis)"
            );
            assert_eq!(violation.to_string(), text);
        }
    }
}

#[test]
fn a_known_name_among_the_unknown_fields_is_an_error() {
    struct Known;
    impl Shaped for Known {
        const SHAPE: Shape =
            Shape::Object(|| const { &[Field::optional::<String>(&["id", "alias"])] });
    }
    for (key, is_valid) in [("id", false), ("alias", false), ("ID", true), ("other", true)] {
        let extra = Extra::from_iter([(key, 1)]);
        let violation = only(|report, place| report.extra::<Known>(place, &extra));
        let text = format!(
            "/here/{key}: the name of a known field among the unknown fields; \
             set the field itself (repeatedField)"
        );
        let expected = (Rule::RepeatedField, None, None, Severity::Error, text);
        assert_eq!(violation, (!is_valid).then_some(expected));
    }
    for (key, is_valid) in [("event_type", false), ("data", false), ("other", true)] {
        let extra = Extra::from_iter([(key, 1)]);
        let keys = ["event_type", "data"];
        let violation = only(|report, place| report.envelope(place, keys, &extra));
        assert_eq!(violation.map(|(rule, ..)| rule), (!is_valid).then_some(Rule::RepeatedField));
    }
}

#[test]
fn a_breadcrumb_may_not_repeat_its_type_or_data_beside_them() {
    for (key, pointers) in
        [("event_type", &["/event_type"][..]), ("data", &["/data"]), ("other", &[])]
    {
        let crumb = Crumb { number: 1.0, envelope: Extra::from_iter([(key, 1)]) };
        let violations = run(&Breadcrumb::Event(crumb));
        let found: Vec<_> = violations.iter().map(|found| found.pointer.as_str()).collect();
        assert_eq!(found, pointers);
    }
}

#[test]
fn an_incomplete_record_is_warned_about() {
    assert_eq!(only(|report, place| report.record(place, true)), None);
    let (rule, _, _, severity, text) = only(|report, place| report.record(place, false)).unwrap();
    assert_eq!((rule, severity), (Rule::IncompleteRecord, Severity::Warning));
    assert!(text.starts_with("/here: a record without a key or a value"), "{text}");
}

#[test]
fn exactly_one_of_a_group_is_present() {
    for (first, second, actual) in
        [(true, false, None), (false, true, None), (false, false, Some(0)), (true, true, Some(2))]
    {
        let violations =
            found(|report, place| report.exactly_one_of(place, &[("a", first), ("b", second)]));
        let sizes: Vec<_> =
            violations.iter().map(|violation| (violation.limit, violation.actual)).collect();
        assert_eq!(
            sizes,
            actual.map(|actual| (Some(1), Some(actual))).into_iter().collect::<Vec<_>>()
        );
        for violation in violations {
            assert_eq!(violation.fields, ["a", "b"]);
            assert_eq!(violation.severity, Severity::Warning);
        }
    }
}

#[test]
fn numbers_that_are_not_finite_are_errors_at_every_place() {
    fn check<T: Validate>(value: &T, pointers: &[&str]) {
        let violations = run(value);
        assert!(violations.iter().all(|violation| violation.rule == Rule::Finite));
        assert!(violations.iter().all(|violation| violation.severity == Severity::Error));
        let found: Vec<_> = violations.iter().map(|violation| violation.pointer.as_str()).collect();
        assert_eq!(found, pointers);
    }
    check(&1.5, &[]);
    check(&f64::NAN, &[""]);
    check(&Some(f64::INFINITY), &[""]);
    check(&None::<f64>, &[]);
    check(&Scalar::from(f64::NEG_INFINITY), &[""]);
    check(&Scalar::from("NaN"), &[]);
    check(&AttributeValue::from(f64::NAN), &[""]);
    check(&AttributeValue::from([1.0, f64::NAN]), &["/1"]);
    check(&vec![Box::new(1.0), Box::new(f64::NAN)], &["/1"]);
    check(&BTreeMap::from([("a~".to_owned(), f64::NAN)]), &["/a~0"]);
    let crumb = || Crumb { number: f64::NAN, envelope: Extra::new() };
    check(&Breadcrumb::Event(crumb()), &["/data"]);
    check(&Breadcrumb::Data(crumb()), &[""]);
    check(&Breadcrumb::<Crumb>::Text("NaN".into()), &[]);
    assert_eq!(
        run(&f64::NAN)[0].to_string(),
        "the document: not a finite number, which JSON cannot represent (finite)"
    );
}

#[test]
fn values_without_rules_are_valid() {
    assert_eq!(run(&true), []);
    assert_eq!(run(&i64::MIN), []);
    assert_eq!(run(&u64::MAX), []);
    assert_eq!(run(&String::new()), []);
    assert_eq!(run(&json!([1])), []);
    assert_eq!(run(&BooleanOrText::from("x")), []);
}

#[test]
fn an_attribute_value_has_limits_for_scalars_lists_and_items() {
    let limits = AttributeLimits {
        scalar: Some((3, Beyond::Cut)),
        items: Some((2, Beyond::Undocumented)),
        item: Some((1, Beyond::Refused)),
    };
    let long_list = AttributeValue::from(["a", "bb", "c"]);
    for (value, limits, expected) in [
        (AttributeValue::from("abc"), limits, vec![]),
        (
            AttributeValue::from("abcd"),
            limits,
            vec![("/here", Rule::MaxLength, 4, Severity::Warning)],
        ),
        (AttributeValue::from(12345), limits, vec![]),
        (AttributeValue::default(), limits, vec![]),
        (AttributeValue::from([Some("a"), None]), limits, vec![]),
        (
            long_list.clone(),
            limits,
            vec![
                ("/here", Rule::MaxItems, 3, Severity::Warning),
                ("/here/1", Rule::MaxLength, 2, Severity::Error),
            ],
        ),
        (long_list, AttributeLimits::default(), vec![]),
        (AttributeValue::from("abcd"), AttributeLimits::default(), vec![]),
    ] {
        let violations = found(|report, place| report.attribute_value(place, &value, limits));
        let short: Vec<_> = violations
            .iter()
            .map(|violation| {
                (
                    violation.pointer.as_str(),
                    violation.rule,
                    violation.actual.unwrap(),
                    violation.severity,
                )
            })
            .collect();
        assert_eq!(short, expected, "{value:?}");
    }
}

#[test]
fn rules_have_names_of_json_schema_keywords_or_are_advice_or_our_own() {
    for (rule, name, is_advice) in [
        (Rule::MaxLength, "maxLength", false),
        (Rule::MaxItems, "maxItems", false),
        (Rule::MaxProperties, "maxProperties", false),
        (Rule::Minimum, "minimum", false),
        (Rule::Maximum, "maximum", false),
        (Rule::PropertyNames, "propertyNames", false),
        (Rule::Enum, "enum", false),
        (Rule::Required, "required", false),
        (Rule::Type, "type", false),
        (Rule::Finite, "finite", false),
        (Rule::Uuid, "uuid", true),
        (Rule::Ip, "ip", true),
        (Rule::UnixMillis, "unixMillis", true),
        (Rule::ExactlyOneOf, "exactlyOneOf", true),
    ] {
        assert_eq!(
            (rule.as_str(), rule.to_string().as_str(), rule.is_advice()),
            (name, name, is_advice)
        );
    }
}
