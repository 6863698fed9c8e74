//! The front-end as its callers see it: what it reports, that it never panics, and that order means nothing.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::diagnostic::{Code, Diagnostic, render};
use crate::files_of;
use crate::load::Sources;
use crate::model::{Kind, Model, Object, Presence, Shape};
use crate::overrides::Overrides;

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

fn load(schema: &Path, overrides: &Path) -> Result<(Sources, Overrides), Vec<Diagnostic>> {
    let found = overrides.exists();
    let overrides = if found { Overrides::load(overrides)? } else { Overrides::default() };
    Ok((Sources::load(schema)?, overrides))
}

fn quirks() -> (Sources, Overrides) {
    let folder = tests().join("golden/quirks");
    load(&folder.join("schema/quirks.json"), &folder.join("overrides.toml")).unwrap()
}

fn own() -> (Sources, Overrides) {
    let folder = tests().join("../../schema");
    load(&folder, &folder.join("overrides.toml")).unwrap()
}

/// mParticle's own file, which is not part of this repository.
fn published() -> Option<(Sources, Overrides)> {
    let Some(folder) = std::env::var_os("MPARTICLE_REFERENCE") else {
        println!("skipped: MPARTICLE_REFERENCE does not say where mParticle's published schema is");
        return None;
    };
    let schema = Path::new(&folder).join("mparticle.inbound.eventsapi.schema.json");
    Some(load(&schema, &tests().join("../../schema/official.overrides.toml")).unwrap())
}

#[track_caller]
fn model((sources, overrides): &(Sources, Overrides)) -> Model {
    crate::model(sources, overrides)
        .unwrap_or_else(|diagnostics| panic!("{}", render(&diagnostics, false)))
}

#[track_caller]
fn object<'m>(model: &'m Model, name: &str) -> &'m Object {
    match model.types.iter().find(|def| def.name == name).map(|def| &def.kind) {
        Some(Kind::Object(object)) => object,
        other => panic!("{name} is {other:?}"),
    }
}

/// Each code has a schema (and overrides, perhaps) and the text that it leads to.
/// `UPDATE_EXPECT=1` writes the texts anew.
#[test]
fn every_code_is_reported_as_expected() {
    let folder = tests().join("diagnostics");
    let mut wrong = Vec::new();
    // `drift`, `output` and `plan` test their own codes; `lowering` is a defect.
    let elsewhere = [
        Code::InvalidDifferences,
        Code::InvalidPlan,
        Code::Lowering,
        Code::PlanChoice,
        Code::RepeatedPoint,
        Code::SkippedPoint,
        Code::StaleExplanation,
        Code::UnusableOutput,
    ];
    for code in Code::ALL.iter().filter(|code| !elsewhere.contains(code)) {
        let file = |extension| folder.join(format!("{code}.{extension}"));
        let loaded = load(&file("json"), &file("toml"));
        let result = loaded.and_then(|(sources, over)| crate::model(&sources, &over));
        let diagnostics = result.expect_err("an error was expected");
        assert!(diagnostics.iter().any(|d| d.code == *code), "{}", render(&diagnostics, false));
        let found = render(&diagnostics, false);
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(file("txt"), &found).unwrap();
        }
        if std::fs::read_to_string(file("txt")).ok().as_ref() != Some(&found) {
            wrong.push(format!("{code}:\n{found}"));
        }
    }
    assert!(wrong.is_empty(), "UPDATE_EXPECT=1 writes the new texts\n\n{}", wrong.join("\n"));
}

/// What is refused, where, and why: schemas that would otherwise lead to code that does not compile or loses data.
#[test]
fn schemas_that_cannot_be_converted_are_refused_with_their_place() {
    let object = |fields: Value| json!({ "type": "object", "properties": fields });
    let text = json!({ "type": "string" });
    let nested = (0..12).fold(text.clone(), |items, _| json!({ "type": "array", "items": items }));
    let derived = |own: Value| {
        json!({ "$defs": {
            "B": object(json!({ "c": text })),
            "A": { "type": "object", "allOf": [{ "$ref": "#/$defs/B" }], "properties": own },
        } })
    };
    let set = |values: Value| json!({ "$defs": { "E": { "enum": values } } });
    let cases = [
        (json!({}), Code::NoTypes, ""),
        (json!({ "title": "T", "type": "array", "items": text }), Code::NoTypes, ""),
        (
            json!({ "title": "T", "type": "object", "properties": { "a": { "type": [] } } }),
            Code::MalformedSchema,
            "/properties/a/type",
        ),
        (
            json!({ "title": "T", "type": "object", "properties": { "a": nested } }),
            Code::TooDeep,
            "/properties/a/items/items/items/items/items/items/items/items/items",
        ),
        (
            derived(json!({ "a": { "type": "string", "x-mparticle-aliases": ["c"] } })),
            Code::Contradiction,
            "/$defs/A/properties/a",
        ),
        (derived(json!({ "C": text })), Code::NameConflict, "/$defs/A"),
        (set(json!(["a-b", "a_b"])), Code::NameConflict, "/$defs/E/enum/1"),
        (set(json!(["\u{e9}", "\u{c9}"])), Code::NameConflict, "/$defs/E/enum/1"),
        (
            json!({ "$defs": { "A": object(json!({ "a-b": text, "a_b": text })) } }),
            Code::NameConflict,
            "/$defs/A/properties/a_b",
        ),
        (
            json!({ "$defs": { "A": object(json!({ "a": { "$ref": "gone.json#/$defs/B" } })) } }),
            Code::UnresolvedReference,
            "/$defs/A/properties/a",
        ),
        (json!({ "$defs": { "Send": object(json!({})) } }), Code::InvalidName, "/$defs/Send"),
    ];
    for (document, code, pointer) in cases {
        let files = [("x.json".to_owned(), document.clone())].into_iter().collect();
        let sources = Sources { files };
        let found = files_of(&sources, &Overrides::default()).expect_err("an error was expected");
        let mut found: Vec<_> = found.iter().map(|d| (d.code, d.origin.pointer.as_str())).collect();
        found.dedup();
        assert_eq!(found, [(code, pointer)], "{document}");
    }
}

/// Names that the overrides choose are compared with all others, too.
#[test]
fn names_in_the_overrides_that_clash_are_refused() {
    let list = json!({ "type": "array", "items": { "type": "string" } });
    let document = json!({ "$defs": {
        "A": { "type": "object", "properties": { "items": list, "item": {} } },
        "B": { "type": "object", "allOf": [{ "$ref": "#/$defs/A" }], "properties": { "b": {} } },
    } });
    let files = [("x.json".to_owned(), document)].into_iter().collect();
    let sources = Sources { files };
    let record = "item = 'A', key = 'item', value = 'item'";
    for (type_name, entry, code) in [
        ("A", "singular = { items = 'item' }".to_owned(), Code::NameConflict),
        ("A", "singular = { items = 'Item' }".to_owned(), Code::StaleOverride),
        ("A", "flattened_as = 'extra'".to_owned(), Code::NameConflict),
        ("A", format!("records = {{ field = 'extra', {record} }}"), Code::NameConflict),
        ("B", format!("records = {{ field = 'common', {record} }}"), Code::NameConflict),
    ] {
        let text = format!("[types.'x.json#/$defs/{type_name}']\n{entry}");
        let overrides = Overrides::parse("overrides.toml", &text).unwrap();
        let found = files_of(&sources, &overrides).expect_err("an error was expected");
        assert!(found.iter().all(|d| d.code == code && !d.help.is_empty()), "{text}: {found:?}");
    }
}

#[test]
fn colors_are_for_terminals() {
    let error = Sources::load(Path::new("gone.json")).unwrap_err();
    assert!(!render(&error, false).contains('\u{1b}'));
    assert!(render(&error, true).contains("\u{1b}[1;31merror[unreadable-file]\u{1b}[0m"));
}

#[test]
fn the_schema_is_in_normal_form() {
    let model = model(&own());
    let batch = object(&model, "Batch");
    let environment = batch.fields.iter().find(|field| field.wire == "environment").unwrap();
    assert_eq!(environment.presence, Presence::RequiredToWrite);
    assert_eq!(batch.constructor, ["environment"]);
    let event = model.types.iter().find(|def| def.name == "Event").unwrap();
    let conditions = own().0.files["event.json"].pointer("/$defs/Event/allOf").cloned().unwrap();
    let types = conditions.as_array().unwrap().len();
    assert!(
        matches!(&event.kind, Kind::Union(union) if union.variants.len() == types && !union.closed)
    );
}

#[test]
fn the_quirks_of_the_published_schema_are_read() {
    let model = model(&quirks());
    let names: Vec<_> = model.types.iter().map(|def| def.name.as_str()).collect();
    let expected = [
        "Batch",
        "BatchEnvironment",
        "BatchIdentities",
        "Context",
        "CrumbEvent",
        "CrumbEventData",
        "CrumbEventEventType",
        "Event",
        "EventData",
        "EventDataOs",
        "StartEventData",
        "StopEventData",
        "Unused",
        "UnusedErrors",
    ];
    assert_eq!(names, expected);
    let start = object(&model, "StartEventData");
    assert_eq!(
        (start.fields.len(), start.base.as_ref().unwrap().type_name.as_str()),
        (0, "EventData")
    );
    let batch = object(&model, "Batch");
    let shape =
        |wire: &str| &batch.fields.iter().find(|field| field.wire == wire).unwrap().slot.shape;
    assert!(
        matches!(shape("attributes"), Shape::Map(values) if values.shape == Shape::ScalarOrList)
    );
    assert!(matches!(shape("ip"), Shape::String(Some(_))));
    let os = model.types.iter().find(|def| def.name == "EventDataOs").unwrap();
    let Kind::Enum(os) = &os.kind else { panic!("{os:?}") };
    let idents: Vec<_> = os.values.iter().map(|value| value.ident.as_str()).collect();
    assert_eq!((idents.as_slice(), os.closed), (["Ios", "Android"].as_slice(), false));
    assert_eq!(os.values[0].aliases, ["iOS"], "read as the same value");
    assert_eq!(object(&model, "Context").fields[0].ident, "type_");
}

#[test]
fn the_published_schema_is_read_as_it_is() {
    let Some(published) = published() else { return };
    let model = model(&published);
    let event = model.types.iter().find(|def| def.name == "Event").unwrap();
    let document = published.0.files.values().next().unwrap();
    let wrappers = document.pointer("/properties/events/items/oneOf").unwrap();
    let types = wrappers.as_array().unwrap().len();
    assert!(matches!(&event.kind, Kind::Union(union) if union.variants.len() == types));
    assert!(model.types.iter().all(|def| def.module == "events_api"));
}

#[test]
fn a_file_is_loaded_with_the_files_that_it_refers_to() {
    let schema = tests().join("../../schema/bulk.json");
    let names = Sources::load(&schema).unwrap().files;
    assert!(
        names.contains_key("batch.json") && names.contains_key("value.json"),
        "{:?}",
        names.keys()
    );
}

/// Definitions in another order, and those of properties too, in case a pass walks them.
fn reversed(sources: &Sources) -> Sources {
    let mut sources = sources.clone();
    for document in sources.files.values_mut() {
        for keyword in ["$defs", "definitions"] {
            if let Some(Value::Object(entries)) = document.get_mut(keyword) {
                *entries = std::mem::take(entries).into_iter().rev().collect();
            }
        }
    }
    sources
}

#[test]
fn the_order_of_definitions_has_no_effect() {
    for (sources, overrides) in [own(), quirks()].into_iter().chain(published()) {
        let shuffled = (reversed(&sources), overrides.clone());
        assert_ne!(format!("{:?}", shuffled.0), format!("{sources:?}"));
        assert_eq!(model(&shuffled), model(&(sources, overrides)));
    }
}

/// The pointer of every value in a document.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                pointers(
                    value,
                    &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")),
                    found,
                );
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                pointers(value, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

/// The file with the definitions of others that it needs, directly or not.
fn needed(sources: &Sources, file: &str) -> Sources {
    let mut keys = vec![(file.to_owned(), None)];
    let mut seen = 0;
    while let Some((file, pointer)) = keys.get(seen).cloned() {
        seen += 1;
        let document = &sources.files[&file];
        let part = pointer.as_deref().map_or(document, |at| document.pointer(at).unwrap());
        let mut nodes = Vec::new();
        pointers(part, "", &mut nodes);
        for target in nodes.iter().filter(|at| at.ends_with("/$ref")) {
            let target = part.pointer(target).unwrap().as_str().unwrap();
            let (other, pointer) = target.split_once('#').unwrap_or((target, ""));
            let other = if other.is_empty() { file.clone() } else { other.to_owned() };
            let key = (other, Some(pointer.to_owned()).filter(|pointer| !pointer.is_empty()));
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
    }
    let mut needed = sources.clone();
    needed.files.retain(|name, document| {
        if let (false, Some(Value::Object(defs))) = (name == file, document.get_mut("$defs")) {
            let is_needed =
                |def: &str| keys.contains(&(name.clone(), Some(format!("/$defs/{def}"))));
            defs.retain(|def, _| is_needed(def));
        }
        keys.iter().any(|(file, _)| file == name)
    });
    needed
}

/// Puts a value in place of every node of a file, one at a time. The values take turns.
fn mutate(sources: &Sources, file: &str, overrides: &Overrides) {
    let mut nodes = Vec::new();
    pointers(&sources.files[file], "", &mut nodes);
    std::thread::scope(|scope| {
        for part in nodes.chunks(nodes.len().div_ceil(2)) {
            scope.spawn(|| mutate_nodes(sources.clone(), file, part, overrides));
        }
    });
}

fn mutate_nodes(mut sources: Sources, file: &str, nodes: &[String], overrides: &Overrides) {
    let values = [Value::Null, json!(true), json!([]), json!({}), json!(7)];
    for (pointer, value) in nodes.iter().zip(values.iter().cycle()) {
        let node = sources.files.get_mut(file).unwrap().pointer_mut(pointer).unwrap();
        let original = std::mem::replace(node, value.clone());
        if let Err(diagnostics) = crate::model(&sources, overrides) {
            assert!(!diagnostics.is_empty(), "{file}#{pointer}");
        }
        *sources.files.get_mut(file).unwrap().pointer_mut(pointer).unwrap() = original;
    }
}

#[test]
fn no_mutation_of_the_quirks_panics() {
    let (sources, overrides) = quirks();
    mutate(&sources, "quirks.json", &overrides);
}

#[test]
fn no_mutation_of_the_published_schema_panics() {
    let Some((sources, overrides)) = published() else { return };
    mutate(&sources, "mparticle.inbound.eventsapi.schema.json", &overrides);
}

#[test]
fn no_mutation_of_the_schema_panics() {
    let (sources, overrides) = own();
    for file in sources.files.keys() {
        mutate(&needed(&sources, file), file, &overrides);
    }
}
