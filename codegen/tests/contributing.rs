//! Tests the example of `CONTRIBUTING.md`: it is applied to a copy of `schema/`, generated, compiled and run.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use mparticle_codegen::diagnostic::{Code, Diagnostic, render};
use mparticle_codegen::drift::drift;
use mparticle_codegen::{Outcome, generate};
use serde_json::Value;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("contributing").join(name)
}

/// A block of code of the example, with the last place of the schema that is named before it.
struct Block {
    language: String,
    place: String,
    code: String,
}

/// Returns the blocks between the heading of the example and the next heading.
fn blocks() -> Vec<Block> {
    let text = fs::read_to_string(workspace().join("CONTRIBUTING.md")).unwrap();
    let (_, example) = text.split_once("\n## Example: ").unwrap();
    let (example, _) = example.split_once("\n## ").unwrap();
    let mut blocks = Vec::new();
    let mut place = String::new();
    let parts: Vec<&str> = example.split("```").collect();
    for pair in parts.chunks(2) {
        let [prose, fenced] = pair else { continue };
        let mut named =
            prose.split('`').filter(|code| code.starts_with("schema/") && code.contains('#'));
        place = named.next_back().map_or(place, str::to_owned);
        let (language, code) = fenced.split_once('\n').unwrap();
        let (language, code) = (language.to_owned(), code.to_owned());
        blocks.push(Block { language, place: place.clone(), code });
    }
    blocks
}

fn code_of(language: &str) -> Vec<Block> {
    blocks().into_iter().filter(|block| block.language == language).collect()
}

/// Returns a copy of `schema/` with only these blocks of the example, even if `schema/` already contains others.
fn schema_with(name: &str, blocks: &[Block]) -> PathBuf {
    let schema = folder(name);
    let _ = fs::remove_dir_all(&schema);
    copy(&workspace().join("schema"), &schema);
    for block in code_of("json") {
        edit(&schema, &block, Edit::Remove);
    }
    for block in blocks {
        edit(&schema, block, Edit::Add);
    }
    schema
}

#[derive(Clone, Copy)]
enum Edit {
    Add,
    Remove,
}

/// Returns the block as JSON. Members of an object are written without braces.
fn parsed(code: &str) -> Value {
    let wrapped = format!("{{{code}}}");
    serde_json::from_str(code).or_else(|_| serde_json::from_str(&wrapped)).unwrap()
}

/// Adds an element to a list or members to an object, or removes them.
fn edit(schema: &Path, block: &Block, edit: Edit) {
    let (file, pointer) = block.place.strip_prefix("schema/").unwrap().split_once('#').unwrap();
    let path = schema.join(file);
    let mut document: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    match (document.pointer_mut(pointer), edit) {
        (Some(Value::Array(list)), edit) => {
            let value = parsed(&block.code);
            list.retain(|other| *other != value);
            list.extend(matches!(edit, Edit::Add).then_some(value));
        }
        (Some(Value::Object(object)), edit) => {
            for (name, value) in parsed(&block.code).as_object().unwrap() {
                match edit {
                    Edit::Add => drop(object.insert(name.clone(), value.clone())),
                    Edit::Remove => drop(object.remove(name)),
                }
            }
        }
        (other, _) => panic!("{} is {other:?}", block.place),
    }
    fs::write(path, document.to_string()).unwrap();
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn generated(schema: &Path, out: &Path) -> Result<Outcome, Vec<Diagnostic>> {
    generate(schema, Some(&schema.join("overrides.toml")), out)
}

#[test]
fn drift_prints_the_lines_of_the_example() {
    let text = code_of("text");
    let expected: BTreeSet<&str> = text.iter().flat_map(|block| block.code.lines()).collect();
    let schema = schema_with("drift", &code_of("json"));
    let report = drift(&schema, &schema_with("drift-before", &[]))
        .unwrap_or_else(|diagnostics| panic!("{}", render(&diagnostics, false)));
    let found: Vec<String> = report.differences.iter().map(ToString::to_string).collect();
    let lines = found.iter().filter_map(|difference| difference.lines().next());
    // A published schema has other types, which are not compared by name.
    let lines: BTreeSet<&str> = lines.filter(|line| *line != "adds type").collect();
    assert_eq!(lines, expected);
}

#[test]
fn a_missing_step_of_the_example_is_refused() {
    for left_out in 0..code_of("json").len() {
        let mut blocks = code_of("json");
        let block = blocks.remove(left_out);
        let schema = schema_with("left-out", &blocks);
        // A field or a value of an ordinary set does not require another step.
        let alone = ["/ScreenViewEvent/properties", "/CustomEventType/oneOf"];
        let complete = alone.iter().any(|place| block.place.ends_with(place));
        let result = generated(&schema, &folder("left-out-generated"));
        assert_eq!(result.is_ok(), complete, "{}", block.place);
    }
}

#[test]
fn a_missing_description_of_the_example_is_refused() {
    for emptied in 0..code_of("json").len() {
        let mut blocks = code_of("json");
        let block = blocks.get_mut(emptied).unwrap();
        let descriptions = block.code.matches("\"description\": \"").count();
        block.code =
            block.code.replace("\"description\": \"", "\"description\": \"\", \"title\": \"");
        let result =
            generated(&schema_with("undescribed", &blocks), &folder("undescribed-generated"));
        let errors = result.map_or_else(|diagnostics| diagnostics, |_| Vec::new());
        let missing = |d: &&Diagnostic| d.code == Code::MissingDescription;
        assert_eq!(errors.iter().filter(missing).count(), descriptions, "{emptied}: {errors:#?}");
    }
}

#[test]
fn the_example_changes_only_the_schema_and_its_code_runs() {
    let schema = schema_with("schema", &code_of("json"));
    let root = folder("workspace");
    let models = root.join("mparticle-models");
    let _ = fs::remove_dir_all(&models);
    copy(&workspace().join("mparticle-models"), &models);
    generated(&schema, &models.join("src/generated"))
        .unwrap_or_else(|diagnostics| panic!("{}", render(&diagnostics, false)));
    let manifest = fs::read_to_string(workspace().join("Cargo.toml")).unwrap();
    let (before, after) = manifest.split_once("members = [").unwrap();
    let (_, after) = after.split_once(']').unwrap();
    let members = "members = [\"example\", \"mparticle-models\"]";
    write(&root.join("Cargo.toml"), &format!("{before}{members}{after}"));
    write(&root.join("example/Cargo.toml"), MANIFEST);
    write(&root.join("example/src/main.rs"), &code_of("rust").first().unwrap().code);
    // The versions are the same as ours. Nothing is therefore downloaded.
    fs::copy(workspace().join("Cargo.lock"), root.join("Cargo.lock")).unwrap();
    let status = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--offline", "--package", "example"])
        .current_dir(&root)
        .env("CARGO_TARGET_DIR", root.join("target"))
        .env("CARGO_PROFILE_DEV_DEBUG", "false")
        .status()
        .unwrap();
    assert!(status.success(), "the example does not run; see {}", root.display());
}

const MANIFEST: &str = r#"
[package]
name = "example"
version = "0.0.0"
edition = "2024"

[dependencies]
mparticle-models.workspace = true
"#;

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}
