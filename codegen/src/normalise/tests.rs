//! One table per pass: a schema as written, and what the pass makes of it after those before it.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use super::{PASSES, Schema, visit};
use crate::bundle::bundle;
use crate::diagnostic::{Code, Diagnostic};
use crate::load::Sources;
use crate::node::{AT, FROM, Node};
use crate::overrides::Overrides;

/// The definitions of a file `x.json` after a pass, without the stamps, and what was reported.
fn run(pass: &str, defs: &Value, overrides: &str) -> (Value, Vec<Diagnostic>) {
    let files = [("x.json".to_owned(), json!({ "$defs": defs }))].into_iter().collect();
    let sources = Sources { files };
    let overrides = Overrides::parse("overrides.toml", overrides).unwrap();
    let mut diagnostics = Vec::new();
    let mut schema = Schema::new(bundle(&sources, &overrides, &mut diagnostics), &overrides);
    assert_eq!(diagnostics, [], "{defs}");
    let last = PASSES.iter().position(|(name, _)| *name == pass).unwrap();
    for (_, pass) in &PASSES[..=last] {
        pass(&mut schema);
    }
    schema.rewrite(|node| node.retain(|keyword, _| !matches!(keyword.as_str(), AT | FROM)));
    let short =
        |key: &String| key.trim_start_matches("x.json#").trim_start_matches("/$defs/").to_owned();
    let definitions = schema.bundle.definitions.iter();
    let after: Node = definitions.map(|(key, node)| (short(key), node.clone().into())).collect();
    (after.into(), schema.diagnostics)
}

/// Checks rows of definitions before and after a pass. `null` means that the definitions do not change.
#[track_caller]
fn table<const N: usize>(pass: &str, rows: [(Value, Value); N]) {
    for (before, after) in rows {
        let expected = if after.is_null() { &before } else { &after };
        let (found, diagnostics) = run(pass, &before, "");
        assert_eq!(diagnostics, [], "{before}");
        assert_eq!(&found, expected, "{pass}: {found:#}");
    }
}

#[test]
fn every_pass_has_a_table() {
    let tests = include_str!("tests.rs");
    for (name, _) in PASSES {
        assert!(tests.contains(&format!("\"{name}\"")), "{name} is not tested");
    }
}

#[test]
fn every_pass_matches_something_in_a_golden() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    // `event-types` changes nothing; it only reports.
    let names = PASSES.iter().map(|(name, _)| *name);
    let mut idle: BTreeSet<_> = names.filter(|name| *name != "event-types").collect();
    for case in std::fs::read_dir(folder).unwrap() {
        let case = case.unwrap().path();
        let sources = Sources::load(&case.join("schema")).unwrap();
        let overrides = Overrides::load(&case.join("overrides.toml")).unwrap();
        let mut schema = Schema::new(bundle(&sources, &overrides, &mut Vec::new()), &overrides);
        for (name, pass) in PASSES {
            let before = schema.bundle.definitions.clone();
            pass(&mut schema);
            if schema.bundle.definitions != before {
                idle.remove(name);
            }
        }
    }
    assert_eq!(idle, BTreeSet::new(), "remove these passes, or add what they are for to a golden");
}

#[test]
fn keywords_without_effect_are_dropped() {
    table(
        "inert-keywords",
        [
            (
                json!({ "A": { "type": "string", "default": 7, "title": "t", "$comment": "c" } }),
                json!({ "A": { "type": "string" } }),
            ),
            (
                json!({ "A": { "properties": { "title": { "type": "string" } },
                               "additionalProperties": false } }),
                json!({ "A": { "properties": { "title": { "type": "string" } } } }),
            ),
            (
                json!({ "A": { "properties": {}, "additionalProperties": true } }),
                json!({ "A": { "properties": {} } }),
            ),
            (
                json!({ "A": { "type": "object", "additionalProperties": true } }),
                json!({ "A": { "type": "object", "additionalProperties": {} } }),
            ),
            (
                json!({ "A": { "properties": {}, "additionalProperties": { "type": "string" } } }),
                Value::Null,
            ),
        ],
    );
}

#[test]
fn limits_contain_the_effect_of_exceeding_them() {
    table(
        "limits",
        [
            (
                json!({ "A": { "maxLength": 9, "x-mparticle-beyond": "cut" } }),
                json!({ "A": { "maxLength": { "value": 9, "beyond": "cut" } } }),
            ),
            (
                json!({ "A": { "maxItems": 9 } }),
                json!({ "A": { "maxItems": { "value": 9, "beyond": "undocumented" } } }),
            ),
            (
                json!({ "A": { "maxProperties": 1, "x-mparticle-beyond": "refused",
                               "propertyNames": { "maxLength": 2, "x-mparticle-beyond": "cut" } } }),
                json!({ "A": { "maxProperties": { "value": 1, "beyond": "refused" },
                               "nameMaxLength": { "value": 2, "beyond": "cut" } } }),
            ),
        ],
    );
    let (_, diagnostics) = run("limits", &json!({ "A": { "x-mparticle-beyond": "cut" } }), "");
    assert_eq!(diagnostics.len(), 1);
}

#[test]
fn null_becomes_a_flag() {
    table(
        "nullable",
        [
            (
                json!({ "A": { "type": ["string", "null"] } }),
                json!({ "A": { "type": "string", "nullable": true } }),
            ),
            (
                json!({ "A": { "type": ["string", "null", "integer"] } }),
                json!({ "A": { "type": ["string", "integer"], "nullable": true } }),
            ),
            (
                json!({ "A": { "description": "d", "anyOf": [{ "$ref": "#/$defs/B" }, { "type": "null" }] },
                        "B": { "type": "string" } }),
                json!({ "A": { "description": "d", "nullable": true, "$ref": "x.json#/$defs/B" },
                        "B": { "type": "string" } }),
            ),
            (
                json!({ "A": { "enum": ["a", null] } }),
                json!({ "A": { "enum": ["a"], "nullable": true } }),
            ),
            (
                json!({ "A": { "$ref": "#/$defs/B" }, "B": { "type": ["string", "null"] } }),
                json!({ "A": { "$ref": "x.json#/$defs/B", "nullable": true },
                        "B": { "type": "string", "nullable": true } }),
            ),
            (json!({ "A": { "type": "null" } }), Value::Null),
            (json!({ "A": { "oneOf": [{ "const": "a", "description": "d" }] } }), Value::Null),
        ],
    );
}

#[test]
fn an_enum_replaces_the_reference_beside_it() {
    table(
        "ref-siblings",
        [(
            json!({ "A": { "$ref": "#/$defs/B", "enum": ["a"] }, "B": { "type": ["string", "null"] } }),
            json!({ "A": { "enum": ["a"], "nullable": true, "closed": false },
                    "B": { "type": "string", "nullable": true } }),
        )],
    );
}

#[test]
fn listed_values_become_an_enum() {
    let a = json!({ "const": "a", "description": "first" });
    let b = json!({ "const": "b", "x-mparticle-aliases": ["c"] });
    table(
        "const-enums",
        [
            (
                json!({ "A": { "type": "string", "enum": ["a", "b"] } }),
                json!({ "A": { "type": "enum", "closed": true, "values": [{ "const": "a" }, { "const": "b" }] } }),
            ),
            (
                json!({ "A": { "description": "d", "oneOf": [a, b] } }),
                json!({ "A": { "description": "d", "type": "enum", "closed": true, "values": [a, b] } }),
            ),
            (
                json!({ "A": { "anyOf": [{ "oneOf": [a, b] }, { "type": "string" }] } }),
                json!({ "A": { "type": "enum", "closed": false, "values": [a, b] } }),
            ),
            (
                json!({ "A": { "description": "first", "const": "a" } }),
                json!({ "A": { "description": "first", "type": "enum", "closed": true, "values": [a] } }),
            ),
            (
                json!({ "A": { "anyOf": [{ "type": "string" }, { "type": "integer" }] } }),
                Value::Null,
            ),
        ],
    );
}

#[test]
fn a_missing_type_is_implied() {
    table(
        "untyped",
        [
            (
                json!({ "A": { "properties": {} } }),
                json!({ "A": { "properties": {}, "type": "object" } }),
            ),
            (json!({ "A": { "items": {} } }), json!({ "A": { "items": {}, "type": "array" } })),
            (json!({ "A": {} }), Value::Null),
        ],
    );
}

#[test]
fn an_event_type_needs_constant_and_condition() {
    let condition = |tag: &str| {
        json!({ "if": { "properties": { "t": { "const": tag } }, "required": ["t"] },
                "then": { "properties": { "c": { "$ref": "#/$defs/A" } }, "required": ["c"] } })
    };
    let defs = |conditions: Value, values: Value| {
        json!({
            "U": { "type": "object", "properties": { "t": { "$ref": "#/$defs/T" }, "c": {} }, "allOf": conditions },
            "T": { "anyOf": [values, { "type": "string" }] },
            "A": { "type": "object", "properties": {} },
        })
    };
    let (a, b) = (json!({ "const": "a" }), json!({ "const": "b" }));
    let cases = [
        (json!([condition("a"), condition("b")]), json!({ "oneOf": [a, b] }), vec![]),
        (json!([condition("a")]), json!({ "type": "string" }), vec![]),
        (
            json!([condition("a")]),
            json!({ "oneOf": [a, b] }),
            vec!["the t `b` has a constant, but no condition"],
        ),
        (
            json!([condition("a"), condition("b")]),
            json!({ "oneOf": [a] }),
            vec!["the t `b` has a condition, but no constant"],
        ),
    ];
    for (conditions, values, expected) in cases {
        let (_, diagnostics) = run("event-types", &defs(conditions, values), "");
        let messages: Vec<&str> = diagnostics.iter().map(|d| d.message.as_str()).collect();
        assert_eq!(messages, expected);
        assert!(diagnostics.iter().all(|d| d.code == Code::IncompleteEventType));
    }
}

#[test]
fn conditions_per_type_become_a_union() {
    let condition = |tag: &str, content: &str| {
        json!({ "if": { "properties": { "t": { "const": tag } }, "required": ["t"] },
                "then": { "properties": { "c": { "$ref": content } }, "required": ["c"] } })
    };
    let defs = |first: Value, tags: &[&str]| {
        let tags: Vec<_> =
            tags.iter().map(|tag| json!({ "const": tag, "description": tag })).collect();
        json!({
            "U": { "type": "object", "properties": { "t": { "$ref": "#/$defs/T" }, "c": {} }, "required": ["t"],
                   "allOf": [first, condition("b", "#/$defs/B")] },
            "T": { "anyOf": [{ "oneOf": tags }, { "type": "string" }] },
            "A": { "type": "object", "properties": {} },
            "B": { "type": "object", "properties": {} },
        })
    };
    let a = condition("a", "#/$defs/A");
    let (after, diagnostics) = run("event-conditions", &defs(a.clone(), &["a", "b"]), "");
    assert_eq!(diagnostics, []);
    let union = json!({
        "type": "union", "description": null, "tag": "t", "content": "c", "closed": false,
        "variants": [
            { "const": "a", "description": "a", "content": { "$ref": "x.json#/$defs/A" } },
            { "const": "b", "description": "b", "content": { "$ref": "x.json#/$defs/B" } },
        ],
    });
    assert_eq!(after["U"], union);
    let other = a;
    let other = json!({ "if": other["if"], "then": { "properties": { "d": {} } } });
    let (after, _) = run("event-conditions", &defs(other, &["a", "b"]), "");
    assert!(after["U"].get("allOf").is_some(), "conditions on different fields are left alone");
}

#[test]
fn all_of_becomes_an_object_with_a_base() {
    let base = json!({ "type": "object", "properties": { "b": { "type": "string" } } });
    let own = json!({ "a": { "type": "string" } });
    let flat = json!({ "type": "object", "properties": own, "required": ["a"], "base": "x.json#/$defs/B" });
    table(
        "base-objects",
        [
            (
                json!({ "A": { "type": "object", "allOf": [{ "$ref": "#/$defs/B" }], "properties": own,
                               "required": ["a"] }, "B": base }),
                json!({ "A": flat, "B": base }),
            ),
            (
                json!({ "A": { "allOf": [{ "$ref": "#/$defs/B" }, { "properties": own, "required": ["a"] }] },
                        "B": base }),
                json!({ "A": flat, "B": base }),
            ),
            (
                json!({ "A": { "description": "d", "allOf": [{ "$ref": "#/$defs/B" }] }, "B": base }),
                json!({ "A": { "description": "d", "$ref": "x.json#/$defs/B" }, "B": base }),
            ),
        ],
    );
    let clash =
        json!({ "A": { "allOf": [{ "$ref": "#/$defs/B" }, { "$ref": "#/$defs/B" }] }, "B": base });
    assert!(
        run("base-objects", &clash, "").0["A"].get("allOf").is_some(),
        "two bases are left alone"
    );
}

fn wrappers() -> Value {
    let wrapper = |tag: &str, data: Value| json!({ "type": "object", "properties": { "c": data, "t": { "enum": [tag] } } });
    let inline = json!({ "allOf": [{ "$ref": "#/$defs/B" }, { "properties": { "x": { "type": "string" } } }] });
    json!({
        "L": { "type": "array", "items": { "oneOf": [{ "$ref": "#/$defs/One" }, { "$ref": "#/$defs/Two" }] } },
        "One": wrapper("one", inline),
        "Two": wrapper("two", json!({ "$ref": "#/$defs/B" })),
        "B": { "properties": {} },
        "User": { "properties": { "two": { "$ref": "#/$defs/Two" } } },
    })
}

#[test]
fn a_choice_of_wrappers_becomes_a_union() {
    let (after, _) = run("event-wrappers", &wrappers(), "");
    let base = "x.json#/$defs/B";
    let union = json!({
        "type": "union", "tag": "t", "content": "c", "closed": true,
        "variants": [
            { "const": "one",
              "content": { "type": "object", "properties": { "x": { "type": "string" } }, "base": base } },
            { "const": "two", "content": { "type": "object", "properties": {}, "base": base } },
        ],
    });
    assert_eq!(after["L"]["items"], union);
}

#[test]
fn wrappers_without_other_uses_are_removed() {
    let (after, _) = run("spent-wrappers", &wrappers(), "");
    let names: Vec<_> = after.as_object().unwrap().keys().collect();
    assert_eq!(names, ["L", "Two", "B", "User"]);
}

#[test]
fn hand_written_types_replace_definitions() {
    let overrides = "[types.'x.json#/$defs/A']\nrust = 'Thing'";
    let before =
        json!({ "A": { "anyOf": [{ "properties": {} }, { "type": "null" }], "description": "d" } });
    let (after, _) = run("hand-written", &before, overrides);
    let expected =
        json!({ "type": "hand-written", "rust": "Thing", "nullable": true, "description": "d" });
    assert_eq!(after["A"], expected);
}

#[test]
fn aliases_replace_references() {
    let text = json!({ "type": "string", "description": "text", "nullable": true });
    table(
        "aliases",
        [(
            json!({ "O": { "properties": { "p": { "$ref": "#/$defs/List", "description": "own" } } },
                    "List": { "items": { "$ref": "#/$defs/Text" } },
                    "Text": { "type": ["string", "null"], "description": "text" } }),
            json!({ "O": { "type": "object", "properties": {
                        "p": { "type": "array", "description": "own", "items": text } } },
                    "List": { "type": "array", "items": text },
                    "Text": text }),
        )],
    );
    let cycle = json!({ "A": { "items": { "$ref": "#/$defs/B" } }, "B": { "$ref": "#/$defs/A" } });
    assert_eq!(run("aliases", &cycle, "").1.len(), 2);
}

#[test]
fn aliases_that_unfold_without_end_are_refused() {
    let last = |count: usize| format!("#/$defs/A{count}");
    let mut chain = json!({ "A0": { "type": "string" } });
    let mut tree = chain.clone();
    for level in 1..30 {
        let previous = json!({ "$ref": last(level - 1) });
        chain[format!("A{level}")] = json!({ "items": previous });
        tree[format!("A{level}")] = json!({ "anyOf": vec![previous; 9] });
    }
    for defs in [chain, tree] {
        let (_, diagnostics) = run("aliases", &defs, "");
        assert!(diagnostics.iter().all(|diagnostic| diagnostic.code == Code::TooDeep));
        assert!(!diagnostics.is_empty());
    }
}

#[test]
fn a_choice_of_addresses_becomes_one_format() {
    let address = |format: &str| json!({ "type": ["string", "null"], "format": format });
    table(
        "ip-unions",
        [
            (
                json!({ "A": { "oneOf": [address("ipv4"), address("ipv6")] } }),
                json!({ "A": { "type": "string", "format": "ip", "nullable": true } }),
            ),
            (
                json!({ "A": { "anyOf": [{ "type": "string" }, { "format": "ipv4" }] } }),
                Value::Null,
            ),
        ],
    );
}

#[test]
fn several_scalar_types_become_one() {
    table(
        "scalar-unions",
        [
            (
                json!({ "A": { "type": ["string", "null", "boolean", "integer", "number"] } }),
                json!({ "A": { "type": "scalar", "nullable": true } }),
            ),
            (
                json!({ "A": { "type": ["integer", "number"] } }),
                json!({ "A": { "type": "number" } }),
            ),
            (
                json!({ "A": { "anyOf": [{ "type": "string" }, { "type": "number" }] } }),
                json!({ "A": { "type": "scalar" } }),
            ),
            (json!({ "A": { "type": ["string", "object"] } }), Value::Null),
        ],
    );
}

#[test]
fn a_scalar_or_a_list_of_them_becomes_one() {
    let limit = |value: u64| json!({ "value": value, "beyond": "undocumented" });
    table(
        "scalar-or-list",
        [
            (
                json!({ "A": { "anyOf": [
                    { "type": ["string", "number"], "maxLength": 1 },
                    { "type": ["array", "null"], "maxItems": 2, "items": { "type": "string", "maxLength": 3 } },
                ] } }),
                json!({ "A": { "type": "scalar-or-list", "maxLength": limit(1), "maxItems": limit(2),
                               "itemMaxLength": limit(3), "nullable": true } }),
            ),
            (
                json!({ "A": { "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "object" } }] } }),
                Value::Null,
            ),
        ],
    );
}

#[test]
fn fields_of_the_base_are_not_repeated() {
    let object = |kind: &str| {
        json!({
            "A": { "type": "object", "allOf": [{ "$ref": "#/$defs/B" }], "required": ["id", "own"],
                   "properties": { "id": { "type": kind, "description": "mine" }, "own": {} } },
            "B": { "properties": { "id": { "type": "integer" } } },
        })
    };
    let (after, diagnostics) = run("shadowed-fields", &object("integer"), "");
    assert_eq!(diagnostics, []);
    assert_eq!(after["A"]["properties"], json!({ "own": {} }));
    assert_eq!(after["A"]["required"], json!(["id", "own"]), "required here, not in the base");
    assert_eq!(run("shadowed-fields", &object("string"), "").1.len(), 1);
}

#[test]
fn a_tuple_of_one_kind_becomes_a_list() {
    let item = |text: &str| json!({ "type": "string", "description": text });
    table(
        "tuples",
        [
            (
                json!({ "A": { "items": [item("a")] } }),
                json!({ "A": { "type": "array", "items": item("a") } }),
            ),
            (
                json!({ "A": { "items": [item("a"), item("b")] } }),
                json!({ "A": { "type": "array", "items": item("a") } }),
            ),
            (
                json!({ "A": { "type": "array", "items": [item("a"), { "type": "integer" }] } }),
                Value::Null,
            ),
        ],
    );
}

#[test]
fn a_base_contains_the_fields_of_its_own_base() {
    let object = |base: Option<&str>, fields: Value| {
        let base = base.map(|base| json!({ "$ref": format!("#/$defs/{base}") }));
        let required: Vec<_> = fields.as_object().unwrap().keys().collect();
        let mut object = json!({ "type": "object", "properties": fields, "required": required });
        if let Some(base) = base {
            object["allOf"] = json!([base]);
        }
        object
    };
    let text = json!({ "type": "string" });
    let chain = |c: Value| {
        json!({
            "A": object(Some("B"), json!({ "a": text })),
            "B": object(Some("Alias"), json!({ "b": text, "c": c })),
            "Alias": { "$ref": "#/$defs/C" },
            "C": object(Some("D"), json!({ "c": text })),
            "D": object(None, json!({ "d": text })),
        })
    };
    let (after, diagnostics) = run("nested-bases", &chain(text.clone()), "");
    assert_eq!(diagnostics, []);
    assert_eq!(after["A"]["base"], "x.json#/$defs/B");
    assert_eq!(after["A"]["properties"], json!({ "a": text }));
    assert_eq!(after["B"].get("base"), None);
    assert_eq!(after["B"]["properties"], json!({ "d": text, "c": text, "b": text }));
    assert_eq!(after["B"]["required"], json!(["b", "c", "c", "d"]));
    assert_eq!(after["C"].get("base"), None);
    let (_, diagnostics) = run("nested-bases", &chain(json!({ "type": "integer" })), "");
    assert_eq!(diagnostics.len(), 1);
}

#[test]
fn inline_types_move_to_definitions() {
    table(
        "inline-types",
        [(
            json!({ "A": { "properties": { "p": {
                "type": ["array", "null"], "items": { "description": "d", "properties": { "q": { "enum": ["x"] } } } } } } }),
            json!({
                "A": { "type": "object", "properties": { "p": { "type": "array", "nullable": true,
                    "items": { "description": "d", "$ref": "x.json#/$defs/A/properties/p/items" } } } },
                "A/properties/p/items/properties/q":
                    { "type": "enum", "closed": true, "values": [{ "const": "x" }] },
                "A/properties/p/items": { "description": "d", "type": "object", "properties": {
                    "q": { "$ref": "x.json#/$defs/A/properties/p/items/properties/q" } } },
            }),
        )],
    );
}

#[test]
fn types_are_named_by_key_property_and_overrides() {
    let before = json!({
        "GDPRState": { "properties": { "old_kind": { "enum": ["x"] }, "list": { "items": { "properties": {} } } } },
        "snake_case": { "properties": { "inner": { "properties": {} } } },
    });
    let overrides = "[types.'x.json#/$defs/snake_case']\nname = 'Chosen'\n\
                     [names]\n'x.json#/$defs/GDPRState/properties/old_kind' = 'Kind'";
    let (after, diagnostics) = run("type-names", &before, overrides);
    assert_eq!(diagnostics, []);
    let names: Vec<_> = after.as_object().unwrap().values().map(|node| &node["name"]).collect();
    assert_eq!(names, ["GdprState", "Chosen", "Kind", "GdprStateList", "ChosenInner"]);
}

#[test]
fn contents_in_conditions_are_named_by_their_tags() {
    let condition = |tag: &str| {
        json!({ "if": { "properties": { "t": { "const": tag } } },
                "then": { "properties": { "c": { "properties": {} } } } })
    };
    let union = json!({ "type": "object", "properties": { "t": { "type": "string" }, "c": {} },
                        "allOf": [condition("page_view"), condition("end")] });
    let (after, diagnostics) = run("type-names", &json!({ "U": union }), "");
    assert_eq!(diagnostics, []);
    let names: Vec<_> = after.as_object().unwrap().values().map(|node| &node["name"]).collect();
    assert_eq!(names, ["U", "UPageView", "UEnd"]);
}

#[test]
fn visiting_goes_from_the_inside_out() {
    let mut node = json!({ AT: "1", "items": { AT: "2" }, "properties": { "p": { AT: "3" } } });
    let mut seen = Vec::new();
    visit(node.as_object_mut().unwrap(), &mut |node| {
        seen.push(node[AT].as_str().unwrap().to_owned());
    });
    assert_eq!(seen, ["2", "3", "1"]);
}
