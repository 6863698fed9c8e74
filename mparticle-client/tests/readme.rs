//! The READMEs of the workspace and of this crate. The documentation tests compile the blocks of this crate's README.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};

/// The widest line of code that the documentation shows without a scroll bar.
const MAX_WIDTH: usize = 85;

fn path(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}

fn read(relative: &str) -> String {
    fs::read_to_string(path(relative)).unwrap()
}

/// The lines of the Rust blocks of a text.
fn rust_blocks(text: &str) -> Vec<&str> {
    let blocks = text.split("\n```").filter(|part| part.starts_with("rust"));
    blocks.collect()
}

#[test]
fn both_readmes_have_the_same_programs() {
    let (of_the_crate, of_the_workspace) = (read("README.md"), read("../README.md"));
    let programs = rust_blocks(&of_the_crate);
    assert_eq!(programs.len(), 3);
    assert_eq!(programs, rust_blocks(&of_the_workspace));
}

#[test]
fn the_readme_has_the_commands_of_the_first_minute() {
    let readme = read("../README.md");
    for command in ["cargo run --example quickstart", "cargo test --workspace --all-features"] {
        assert!(readme.contains(&format!("```console\n{command}\n```")), "{command}");
    }
}

#[test]
fn the_relative_links_of_the_readme_lead_to_files() {
    let readme = read("../README.md");
    let links = readme.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
    let relative: Vec<&str> =
        links.filter(|link| !link.contains("://") && !link.is_empty()).collect();
    assert!(relative.len() > 10, "{relative:?}");
    for link in relative {
        assert!(path("..").join(link).exists(), "{link}");
    }
}

/// The names of the link definitions in a file.
fn link_names(file: &str) -> Vec<String> {
    let names = read(&format!("src/guide/links/{file}.md"));
    names.lines().filter_map(|line| Some(line.split_once("]: ")?.0.to_owned())).collect()
}

#[test]
fn the_guide_has_the_same_links_with_and_without_a_feature() {
    for feature in ["blocking", "data_plan", "jetstream", "queue", "spool", "testing"] {
        let names = link_names(feature);
        assert!(!names.is_empty());
        assert_eq!(names, link_names(&format!("no_{feature}")));
    }
}

/// Calls a function with every Markdown and Rust file in a folder.
fn each_source(folder: &Path, check: &mut impl FnMut(&Path, &str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path();
        if file.is_dir() {
            each_source(&file, check);
        } else if file.extension().is_some_and(|extension| extension == "rs" || extension == "md") {
            check(&file, &fs::read_to_string(&file).unwrap());
        }
    }
}

/// The lines of code in documentation that are too wide.
fn wide_lines(text: &str, is_rust: bool) -> Vec<&str> {
    let mut is_code = false;
    let mut wide = Vec::new();
    for line in text.lines() {
        let shown = match line.trim_start().strip_prefix("//") {
            Some(comment) if is_rust => comment.strip_prefix(['/', '!']).unwrap_or_default(),
            None if is_rust => continue,
            _ => line,
        };
        if shown.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if is_code && !shown.trim_start().starts_with("# ") {
            let shown = if is_rust { shown.strip_prefix(' ').unwrap_or(shown) } else { shown };
            if shown.chars().count() > MAX_WIDTH {
                wide.push(line);
            }
        }
    }
    wide
}

#[test]
fn wide_lines_of_code_are_found() {
    let wide = "x".repeat(86);
    let text = format!("/// ```\n/// {wide}\n/// # {wide}\n/// ```\n/// {wide}\nlet {wide};");
    assert_eq!(wide_lines(&text, true), [format!("/// {wide}")]);
    assert_eq!(wide_lines(&format!("```\n{wide}\n```\n{wide}"), false), [&wide]);
}

#[test]
fn code_in_the_documentation_fits_on_the_page() {
    let mut number = 0;
    let mut check = |file: &Path, text: &str| {
        number += 1;
        let is_rust = file.extension().is_some_and(|extension| extension == "rs");
        let wide = wide_lines(text, is_rust);
        assert!(wide.is_empty(), "{}: wider than {MAX_WIDTH}: {wide:#?}", file.display());
    };
    each_source(&path("src"), &mut check);
    for readme in ["../README.md", "README.md", "../mparticle-models/README.md"] {
        check(&path(readme), &read(readme));
    }
    assert!(number > 100);
}

/// The documentation tests cannot include the generated file.
#[test]
fn the_code_of_the_guide_with_generated_types_is_part_of_an_example() {
    let example = read("examples/data_plan/main.rs");
    let page = read("src/guide/data_plans.md");
    let (_, rest) = page.split_once("```rust,ignore\n").unwrap();
    let (code, _) = rest.split_once("```").unwrap();
    let lines = code.lines().map(str::trim).filter(|line| !line.is_empty());
    for line in lines {
        let statement = line.trim_end_matches(';');
        assert!(example.contains(statement), "{line}");
    }
}
