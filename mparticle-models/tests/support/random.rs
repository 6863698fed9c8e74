//! Random documents of the schema: objects with some of their fields, and values at and beyond their limits.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::Union;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value, json};

use super::canonical::canonical;
use super::schema::{Field, Kind, Limits, Place};

/// The notation of values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Spelling {
    /// The canonical notation. Some values exceed their limits.
    Documented,
    /// All notations that can be read.
    Lenient,
}

/// Returns a configuration with the same cases in every run, and without files for failed cases.
pub(crate) fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

/// Returns documents that can be read.
pub(crate) fn documents(place: &Place, spelling: Spelling) -> BoxedStrategy<Value> {
    let values = match &place.kind {
        Kind::Any => any_json(),
        Kind::Text => text(place.limits.length).prop_map(Value::from).boxed(),
        Kind::Uuid => fixed([json!("0f7b1b2e-1f7e-4c8e-9a52-5b1ab5a0f6d4"), json!("no uuid")]),
        Kind::Ip => fixed([json!("192.0.2.1"), json!("no address")]),
        Kind::Boolean => any::<bool>().prop_map(Value::from).boxed(),
        Kind::BooleanOrText => fixed([json!(true), json!("unknown")]),
        Kind::Integer => any::<i64>().prop_map(Value::from).boxed(),
        Kind::Millis => {
            fixed([json!(0), json!(1_600_000_000), json!(1_600_000_000_000_i64), json!(i64::MAX)])
        }
        Kind::Unsigned => any::<u64>().prop_map(Value::from).boxed(),
        Kind::Number => {
            prop_oneof![finite().prop_map(Value::from), (-9..9).prop_map(Value::from)].boxed()
        }
        Kind::Enum { values, .. } => words(values),
        Kind::Scalar => scalar(place.limits.length),
        Kind::AttributeValue => attribute_value(place.limits),
        Kind::List(item) => vec(present(item, spelling), 0..5).prop_map(Value::from).boxed(),
        Kind::Map(item) => map(place.limits, &documents(item, spelling)),
        Kind::Object(fields) => object(fields, spelling),
        Kind::Event(types) => event(types, spelling),
        Kind::Breadcrumb(data) => breadcrumb(&data_of(data, spelling), spelling),
    };
    if spelling == Spelling::Documented { values } else { lenient(place, values) }
}

/// Returns documents that are a value, as required for the items of a list and for some fields.
fn present(place: &Place, spelling: Spelling) -> BoxedStrategy<Value> {
    let at = place.clone();
    documents(place, spelling)
        .prop_filter("a value", move |value| canonical(&at, value).is_some())
        .boxed()
}

/// Returns data of an event. Data without required fields may be something other than an object.
fn data_of(place: &Place, spelling: Spelling) -> BoxedStrategy<Value> {
    let Kind::Object(fields) = &place.kind else { panic!("{place:?} is no event") };
    let is_optional = !fields.iter().any(Field::is_needed);
    documents(place, spelling)
        .prop_filter("data", move |data| is_optional || data.is_object())
        .boxed()
}

fn fixed(values: impl Into<Vec<Value>>) -> BoxedStrategy<Value> {
    select(values.into()).boxed()
}

fn finite() -> BoxedStrategy<f64> {
    use proptest::num::f64::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    (POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO).boxed()
}

fn any_json() -> BoxedStrategy<Value> {
    let leaf = fixed([
        json!(null),
        json!(true),
        json!(-3),
        json!(u64::MAX),
        json!(0.1),
        json!(1.0),
        json!("ü"),
        json!(""),
    ]);
    leaf.prop_recursive(2, 6, 3, |inner| {
        let entries = vec((name(None), inner.clone()), 0..3)
            .prop_map(|entries| Value::Object(entries.into_iter().collect()));
        prop_oneof![vec(inner, 0..3).prop_map(Value::from), entries]
    })
    .boxed()
}

/// Returns short texts, and rarely a text of about the maximum length.
fn text(limit: Option<usize>) -> BoxedStrategy<String> {
    let short =
        select(vec!["a", "", "0", "12", "true", "null", "漢字 😀 ü", "\"\\/\n\u{0}\u{7f}", "$Age"]);
    let short = short.prop_map(str::to_owned);
    match limit {
        Some(limit) => prop_oneof![25 => short, 1 => about(limit)].boxed(),
        None => short.boxed(),
    }
}

/// Returns texts from one character below the limit to two above it. A character takes one to four bytes.
fn about(limit: usize) -> BoxedStrategy<String> {
    let characters = select(vec!["a", "ü", "漢", "😀"]);
    (limit - 1..=limit + 2, characters).prop_map(|(len, character)| character.repeat(len)).boxed()
}

/// Returns a name that is not the name of a field.
fn name(limit: Option<usize>) -> BoxedStrategy<String> {
    let short = select(vec!["x-a", "x-b", "x-ü/~", "$city", "x 1", ""]).prop_map(str::to_owned);
    match limit {
        Some(limit) => prop_oneof![25 => short, 1 => about(limit)].boxed(),
        None => short.boxed(),
    }
}

fn words(values: &[(String, Vec<String>)]) -> BoxedStrategy<Value> {
    let known = values.iter().map(|(value, _)| json!(value)).collect::<Vec<_>>();
    prop_oneof![25 => select(known), 1 => Just(json!("one of tomorrow"))].boxed()
}

fn scalar(limit: Option<usize>) -> BoxedStrategy<Value> {
    let others =
        fixed([json!(null), json!(true), json!(i64::MIN), json!(u64::MAX), json!(2.5), json!(3.0)]);
    prop_oneof![others, finite().prop_map(Value::from), text(limit).prop_map(Value::from)].boxed()
}

fn attribute_value(limits: Limits) -> BoxedStrategy<Value> {
    let list = vec(scalar(limits.item_length), 0..4).prop_map(Value::from);
    let items = limits.items.unwrap();
    let long_list = (items - 1..=items + 2).prop_map(|len| vec![json!(1); len].into());
    prop_oneof![20 => scalar(limits.length), 9 => list, 1 => long_list].boxed()
}

fn map(limits: Limits, values: &BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    let small = vec((name(limits.name_length), values.clone()), 0..4);
    let small = small.prop_map(|entries| entries.into_iter().collect::<Map<_, _>>().into());
    let Some(limit) = limits.properties else { return small.boxed() };
    let many = (limit - 1..=limit + 2, values.clone()).prop_map(|(len, value)| {
        (0..len).map(|index| (format!("n{index}"), value.clone())).collect::<Map<_, _>>().into()
    });
    prop_oneof![12 => small, 1 => many].boxed()
}

/// Returns an object with all fields that are required for reading, about half of the others, and sometimes an unknown
/// field.
///
/// Fields that are always written are omitted only in the lenient notation, in which absence is a form of null.
fn object(fields: &[Field], spelling: Spelling) -> BoxedStrategy<Value> {
    let entries = fields.iter().map(|field| {
        let is_certain =
            field.is_needed() || field.is_always_written() && spelling == Spelling::Documented;
        let mut names = vec![field.name.clone()];
        if spelling == Spelling::Lenient {
            names.extend(field.aliases.iter().cloned());
        }
        let value = if field.is_needed() {
            present(&field.place, spelling)
        } else {
            documents(&field.place, spelling)
        };
        let entry = (select(names), value);
        match &*field.name {
            _ if is_certain => entry.prop_map(Some).boxed(),
            "environment" => option::weighted(0.97, entry).boxed(),
            "events" => option::weighted(0.9, entry).boxed(),
            _ => option::weighted(0.45, entry).boxed(),
        }
    });
    let unknown = option::weighted(0.1, (name(None), any_json()));
    let entries = entries.chain([unknown.boxed()]).collect::<Vec<_>>();
    entries.prop_map(|entries| entries.into_iter().flatten().collect::<Map<_, _>>().into()).boxed()
}

fn event(types: &[(String, Place)], spelling: Spelling) -> BoxedStrategy<Value> {
    let known = types.iter().map(|(name, data)| {
        let names = match spelling {
            Spelling::Documented => vec![name.clone()],
            Spelling::Lenient => vec![name.clone(), name.to_uppercase()],
        };
        let data = data_of(data, spelling);
        (select(names), data)
            .prop_map(|(name, data)| json!({ "event_type": name, "data": data }))
            .boxed()
    });
    let known = Union::new(known);
    let unknown = prop_oneof![
        any_json()
            .prop_map(|data| json!({ "event_type": "one of tomorrow", "data": { "x": data } })),
        any_json().prop_map(|data| json!({ "event_type": "one of tomorrow", "data": data })),
        Just(json!({ "event_type": "one of tomorrow" })),
    ];
    let event = prop_oneof![40 => known, 1 => unknown];
    let beside = option::weighted(0.1, any_json());
    (event, beside)
        .prop_map(|(mut event, beside)| {
            event
                .as_object_mut()
                .unwrap()
                .extend(beside.map(|beside| ("beside".to_owned(), beside)));
            event
        })
        .boxed()
}

fn breadcrumb(data: &BoxedStrategy<Value>, spelling: Spelling) -> BoxedStrategy<Value> {
    let event = data.clone().prop_map(|data| json!({ "event_type": "breadcrumb", "data": data }));
    let shapes = prop_oneof![4 => event, 4 => data.clone(), 4 => Just(json!("a text")), 1 => Just(json!({}))];
    let bare = data.clone().prop_map(|data| json!({ "data": data }));
    let usual = data.clone().prop_map(|data| json!({ "event_type": "BREADCRUMB", "data": data }));
    match spelling {
        Spelling::Documented => shapes.boxed(),
        Spelling::Lenient => {
            prop_oneof![3 => shapes, 1 => bare, 1 => usual, 1 => Just(json!(5))].boxed()
        }
    }
}

/// Returns the same values in any notation that can be read at a place.
fn lenient(place: &Place, values: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    let stands_in_list = matches!(place.kind, Kind::Event(_) | Kind::Breadcrumb(_));
    let others: Vec<Value> = match &place.kind {
        _ if stands_in_list => return values,
        Kind::Text => vec![json!(null), json!(7), json!(-2.5), json!(false)],
        Kind::Boolean => vec![json!(null), json!(""), json!("true"), json!("False")],
        Kind::BooleanOrText => vec![json!(null), json!(""), json!("TRUE"), json!(3)],
        Kind::Integer | Kind::Millis => {
            vec![json!(null), json!(""), json!("-9223372036854775808"), json!(4.0)]
        }
        Kind::Unsigned => vec![json!(null), json!(""), json!("18446744073709551615"), json!(4.0)],
        Kind::Number => vec![json!(null), json!(""), json!("21.49"), json!("1e3"), json!(7.0)],
        Kind::Enum { values, .. } => {
            let spelled = values.iter().flat_map(|(value, aliases)| {
                let spellings = aliases.iter().chain([value]);
                spellings.flat_map(|text| [text.to_uppercase(), text.to_lowercase(), text.clone()])
            });
            spelled
                .map(Value::from)
                .chain([json!(null), json!(""), json!(6), json!(true)])
                .collect()
        }
        Kind::Object(_) if place.name == "UserIdentities" => vec![
            json!(null),
            json!([]),
            json!([
                { "identity_type": "customer_id", "identity": "c", "timestamp_unixtime_ms": "1540483995196" },
                { "identity_type": "other_id_7", "identity": 8, "x": null },
            ]),
        ],
        Kind::List(_) | Kind::Map(_) | Kind::Object(_) | Kind::Uuid | Kind::Ip => {
            vec![json!(null), json!("")]
        }
        _ => vec![json!(null)],
    };
    prop_oneof![3 => values, 1 => select(others)].boxed()
}
