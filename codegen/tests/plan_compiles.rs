//! What is generated from data plans compiles, without a warning of rustc, Clippy or rustdoc.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod plan_crate;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use mparticle_codegen::plan::Builder;
use serde_json::{Value, json};

use plan_crate::{PlanCrate, has_document, reference};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plan")
}

fn awkward() -> Builder {
    Builder::new(fixtures().join("awkward.json")).overrides(fixtures().join("awkward.toml"))
}

/// A module of a crate, whose file a builder writes.
fn module(target: &PlanCrate, library: &mut String, name: &str, plan: &Builder) {
    plan.write(target.source(&format!("{name}.rs"))).unwrap();
    writeln!(library, "pub mod {name};").unwrap();
}

#[test]
fn every_plan_compiles_without_a_warning() {
    let target = PlanCrate::new("warnings");
    let mut library =
        "//! Generated files.\n#![deny(missing_docs, warnings)]\n#![warn(clippy::pedantic)]\n"
            .to_owned();
    module(&target, &mut library, "awkward", &awkward());
    // A crate may contain the types of several plans, even of one plan twice.
    module(&target, &mut library, "awkward_again", &awkward());
    for (index, path) in reference().iter().enumerate() {
        let plan = Builder::new(path);
        if has_document(path) {
            module(&target, &mut library, &format!("plan_{index}"), &plan);
        } else {
            let error = plan.check("absent.rs").unwrap_err();
            assert!(error.to_string().contains("several data plans"), "{error}");
        }
    }
    target.write("lib.rs", &library);
    target.succeed("clippy --offline --quiet");
    let output = target.cargo("rustdoc --offline --quiet --lib -- -D warnings");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tests = target.succeed("test --offline --quiet --doc");
    assert!(tests.contains("running 0 tests"), "{tests}");
}

/// A plan of the size that mParticle allows at most.
fn large_plan() -> Value {
    let types = [
        json!({ "type": "string", "description": "What the user sees." }),
        json!({ "type": "number" }),
        json!({ "type": "boolean" }),
        json!({ "type": "string", "enum": ["small", "medium", "large"] }),
        json!({ "type": "string", "format": "date-time" }),
        json!({ "type": ["string", "null"] }),
    ];
    let point = |number: usize| {
        let attributes: serde_json::Map<_, _> = types
            .iter()
            .enumerate()
            .map(|(i, ty)| (format!("attribute {i}"), ty.clone()))
            .collect();
        json!({
            "description": format!("The event of number {number}."),
            "match": { "type": "custom_event", "criteria": {
                "event_name": format!("Event {number}"), "custom_event_type": "other",
            } },
            "validator": { "type": "json_schema", "definition": { "properties": { "data": { "properties": {
                "custom_attributes": {
                    "properties": attributes,
                    "required": ["attribute 0", "attribute 3"],
                    "additionalProperties": false,
                },
            } } } } },
        })
    };
    json!({ "data_points": (0..1000).map(point).collect::<Vec<_>>() })
}

#[test]
fn a_plan_of_a_thousand_points_compiles() {
    let target = PlanCrate::new("large");
    let input = target.path("plan.json");
    fs::write(&input, large_plan().to_string()).unwrap();
    // Without it the dependencies would be measured.
    target.write("lib.rs", "");
    target.succeed("build --offline --quiet");
    let mut library = "//! A generated file.\n#![deny(missing_docs, warnings)]\n".to_owned();
    module(&target, &mut library, "plan", &Builder::new(&input));
    target.write("lib.rs", &library);
    let start = std::time::Instant::now();
    target.succeed("build --offline --quiet");
    let seconds = start.elapsed().as_secs_f64();
    // It is not checked: other tests compile beside this one, and wait for each other.
    println!("a plan of 1,000 points compiled in {seconds:.1} s");
}

#[test]
fn a_forgotten_attribute_does_not_compile() {
    let target = PlanCrate::new("forgotten");
    let mut library = String::new();
    module(&target, &mut library, "plan", &awkward());
    let check = |body: &str| {
        let text = format!("{library}use plan::*;\npub fn test() {{ {body}; }}\n");
        target.write("lib.rs", &text);
    };
    check("let _ = custom::OnlySelf::new(\"x\")");
    target.succeed("check --offline --quiet");
    check("let _ = mparticle_models::events![custom::OnlySelf::new(\"x\"), screen::Slash::new()]");
    target.succeed("check --offline --quiet");
    check(
        "let _ = commerce::AddToCartProduct::new(commerce::AddToCartProductRequired { \
           id: String::new(), price: 1.0, size: commerce::AddToCartProductSize::S })",
    );
    target.succeed("check --offline --quiet");
    let cases = [
        ("let _ = custom::OnlySelf::new()", "argument #1 is missing"),
        (
            "let _ = custom::Choices::new(custom::ChoicesRequired { odd: custom::ChoicesOdd::Slash })",
            "missing field `alike`",
        ),
        (
            "let _ = commerce::AddToCartProduct::new(commerce::AddToCartProductRequired { \
             id: String::new(), size: commerce::AddToCartProductSize::S })",
            "missing field `price`",
        ),
        (
            "let _ = custom::OnlySelf::new(\"x\").with_extra(\"y\", 1)",
            "no method named `with_extra`",
        ),
    ];
    for (body, expected) in cases {
        check(body);
        let errors = target.fail("check --offline --quiet");
        assert!(errors.contains(expected), "{body}:\n{errors}");
        assert_eq!(errors.matches("error[E").count(), 1, "{errors}");
    }
}

/// What a build script does. The test below runs it in a process of its own, with the environment of a build script.
#[test]
fn build_script() {
    if let Some(folder) = std::env::var_os("PLAN_OF_BUILD_SCRIPT") {
        let folder = Path::new(&folder);
        let plan = Builder::new(folder.join("plan.json")).overrides(folder.join("names.toml"));
        plan.generate().unwrap();
    }
}

#[test]
fn a_build_script_generates_a_file_that_can_be_included() {
    let target = PlanCrate::new("included");
    let plan = json!({ "version": 2, "data_plan_id": "shop", "version_document": { "data_points": [
        {
            "match": { "type": "screen_view", "criteria": { "screen_name": "Cart" } },
            "validator": { "type": "json_schema", "definition": {} },
        },
        { "match": { "type": "session_start" }, "validator": {} },
    ] } });
    let names = "\"screen_view::Cart\".name = \"Basket\"\n";
    fs::write(target.path("plan.json"), plan.to_string()).unwrap();
    fs::write(target.path("names.toml"), names).unwrap();
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "build_script", "--nocapture"])
        .env("PLAN_OF_BUILD_SCRIPT", target.path(""))
        .env("OUT_DIR", target.path(""))
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{printed}");
    for name in ["plan.json", "names.toml"] {
        let line = format!("cargo::rerun-if-changed={}\n", target.path(name).display());
        assert!(printed.contains(&line), "{printed}");
    }
    assert!(
        printed.contains("cargo::warning=plan.json#/version_document/data_points/1"),
        "{printed}"
    );

    let script = "fn main() {\n    let out = std::env::var(\"OUT_DIR\").unwrap();\n    \
                  std::fs::copy(\"plan.rs\", out + \"/plan.rs\").unwrap();\n}\n";
    fs::write(target.path("build.rs"), script).unwrap();
    target.write(
        "main.rs",
        "//! A program.\n#![deny(missing_docs, warnings)]\n\n/// The types of our data plan.\n\
         pub mod plan {\n    include!(concat!(env!(\"OUT_DIR\"), \"/plan.rs\"));\n}\n\n\
         fn main() {\n    let event = plan::screen::Basket::new();\n    \
         println!(\"{:?} {}\", plan::CONTEXT, event.findings().len());\n}\n",
    );
    assert_eq!(target.succeed("run --offline --quiet"), "(\"shop\", 2) 0\n");
}

#[test]
fn a_build_script_that_fails_says_why() {
    let error = Builder::new(fixtures().join("awkward.toml")).check("absent.rs").unwrap_err();
    assert!(format!("{error:?}").contains("error[invalid-json]"), "{error:?}");
    assert!(error.diagnostics().iter().all(|found| !found.help.is_empty()));
}
