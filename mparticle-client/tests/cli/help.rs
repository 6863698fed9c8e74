//! Help, version and completions.

use crate::Folder;
use crate::process::{Ended, emulator, mparticle, run, run_with_input, upload};

fn print(arguments: &[&str]) -> Ended {
    mparticle().args(arguments).output().unwrap().into()
}

#[test]
fn every_command_has_help_with_its_exit_status() {
    let ended = print(&["--help"]).with_code(0);
    ended.prints(&["upload", "validate", "plan", "emulator", "completions", "Exit status:"]);
    for command in
        ["upload", "validate", "emulator", "plan lint", "plan check", "plan diff", "plan show"]
    {
        let words: Vec<_> = command.split(' ').chain(["--help"]).collect();
        print(&words).with_code(0).prints(&["Examples:", "Exit status:", "Usage: mparticle "]);
    }
    #[cfg(feature = "jetstream")]
    print(&["relay", "--help"]).with_code(0).prints(&["Examples:", "Exit status:", "/metrics"]);
    print(&["--version"]).with_code(0).prints(&[concat!("mparticle ", env!("CARGO_PKG_VERSION"))]);
    print(&["validat"]).with_code(2).complains(&["a similar subcommand exists: 'validate'"]);
    print(&[]).with_code(2).complains(&["Usage: mparticle "]);
}

#[test]
fn every_shell_has_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        print(&["completions", shell]).with_code(0).prints(&["historical"]);
    }
}

/// The lines of a help that begin with a word, without it.
fn examples<'h>(help: &'h str, word: &'h str) -> Vec<&'h str> {
    help.lines().filter_map(|line| line.trim().strip_prefix(word)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_of_the_help_work() {
    let (folder, emulator) = (Folder::new(), emulator().await);
    let help = print(&["upload", "--help"]).out;
    // The two kinds of lines are sent as they are printed.
    let records: Vec<_> =
        help.lines().map(str::trim).filter(|line| line.starts_with("{\"")).collect();
    assert_eq!(records.len(), 2);
    let lines = crate::lines(records.iter().map(ToString::to_string));
    for name in [
        "events.jsonl",
        "events.json",
        "events.jsonl.gz",
        "2025-01.jsonl.zst",
        "events.jsonl.failed.jsonl",
    ] {
        folder.write(name, &lines);
    }
    folder.write("shop.json", include_str!("../../examples/data_plan/shop.json"));
    // The mapping is used as it is printed.
    let mapping: Vec<_> = help
        .lines()
        .skip_while(|line| !line.contains("[columns]"))
        .take(9)
        .map(str::trim)
        .collect();
    folder.write("customers.toml", mapping.join("\n"));
    folder.write(
        "customers.csv",
        "customer,plan,ordered_at,total\n1,gold,2026-01-31T12:00:00Z,7.5\n",
    );
    let commands: Vec<_> = examples(&help, "mparticle upload ")
        .into_iter()
        .chain(examples(&help, "cat events.json | mparticle upload "))
        .collect();
    assert_eq!(commands.len(), 6);
    for arguments in commands {
        let arguments = arguments.replace("2025-*", "2025-01").replace("--pod eu1 ", "");
        let mut command = upload(&emulator);
        command.args(arguments.split(' ')).current_dir(folder.path("."));
        if arguments.ends_with('-') {
            command.stdin(std::fs::File::open(folder.path("events.json")).unwrap());
        }
        let ended = run(command).await;
        assert_eq!(ended.code, Some(0), "{arguments}: {}", ended.err);
    }
    assert_eq!(emulator.batches()[0].json["user_identities"]["customer_id"], "42");

    let help = print(&["validate", "--help"]).out;
    folder.write("tests.json", &lines);
    for arguments in examples(&help, "mparticle validate ") {
        let arguments = arguments.replace("tests/*", "tests");
        let mut command = mparticle();
        command.arg("validate").args(arguments.split(' ')).current_dir(folder.path("."));
        // The examples have no environment.
        assert_eq!(run(command).await.code, Some(1), "{arguments}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_of_plan_work() {
    let folder = Folder::new();
    let version = |number: i64, type_: &str| {
        serde_json::json!({ "version": number, "version_document": { "data_points": [{
            "match": { "type": type_ },
            "validator": { "type": "json_schema", "definition": {} },
        }] } })
    };
    let versions = [version(2, "opt_out"), version(3, "session_start")];
    for (name, versions) in [
        ("shop.json", &versions[..]),
        ("shop-v2.json", &versions[..1]),
        ("shop-v3.json", &versions[1..]),
    ] {
        let plan = serde_json::json!({ "data_plan_id": "shop", "data_plan_versions": versions });
        folder.write(name, plan.to_string());
    }
    for name in ["events.jsonl", "events.jsonl.gz", "tests.json"] {
        folder.write(name, crate::event(1, "a"));
    }
    for (subcommand, count, code) in
        [("lint", 4, 1), ("check", 2, 0), ("diff", 2, 1), ("show", 2, 0)]
    {
        let help = print(&["plan", subcommand, "--help"]).out;
        let name = format!("mparticle plan {subcommand} ");
        let lines = help.lines().filter_map(|line| Some(line.split_once(&name)?.1));
        let lines: Vec<_> = lines.filter(|line| line.contains(".json")).collect();
        assert_eq!(lines.len(), count, "{help}");
        for line in lines {
            let mut command = mparticle();
            command.args(["plan", subcommand]).current_dir(folder.path("."));
            command.args(line.replace("tests/*", "tests").split(' '));
            let ended = run_with_input(command, crate::event(1, "a")).await;
            assert_eq!(ended.code, Some(code), "{line}: {}{}", ended.out, ended.err);
        }
    }
}
