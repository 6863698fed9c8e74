//! `mparticle validate`.

use crate::process::{Ended, mparticle, run_with_input};
use crate::{Folder, batch, event, lines};
use serde_json::Value;
use std::process::Command;

fn validate(arguments: &[&str]) -> Ended {
    let mut command = mparticle();
    command.arg("validate").args(arguments).output().unwrap().into()
}

fn findings() -> String {
    let long = batch(2).replace("\"e\"", &format!("\"{}\"", "x".repeat(300)));
    lines([
        batch(1),
        long,
        "{\"mpid\":}".into(),
        r#"{"mpid":1,"events":[{"event_type":"opt_out","data":{"is_opted_out":[]}}]}"#.into(),
        batch(5).replace("development", "mars"),
    ])
}

#[test]
fn findings_are_grouped_by_rule_with_their_places() {
    let folder = Folder::new();
    let file = folder.write("in.jsonl", findings());
    let ended = validate(&[file.to_str().unwrap()]).with_code(1);
    ended.prints(&[
        "enum: 1 error\n",
        "in.jsonl:5 at /environment: ",
        "maxLength: 1 warning\n",
        "in.jsonl:2 at /events/0/data/event_name: 300 characters, at most 256 are allowed\n",
        "syntax: 1 error\n",
        "in.jsonl:3:9: ",
        "in.jsonl:4:",
        "at /events/0/data/is_opted_out: expected ",
        "5 batches, 3 errors, 1 warning\n",
    ]);
    assert!(!ended.out.contains("struct ") && !ended.out.contains("::"), "{}", ended.out);
    assert_eq!(folder.names(), ["in.jsonl"]);
}

#[test]
fn clean_input_has_status_0() {
    let folder = Folder::new();
    let file = folder.write(
        "in.jsonl",
        lines([
            batch(1),
            event(2, "a").replace("{\"mpid\"", "{\"environment\":\"production\",\"mpid\""),
        ]),
    );
    validate(&[file.to_str().unwrap()]).with_code(0).prints(&["2 batches, 0 errors, 0 warnings"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn findings_are_json_or_annotations_if_they_are_asked_for() {
    let mut command = mparticle();
    command.args(["validate", "--format", "json"]);
    let ended = run_with_input(command, findings()).await.with_code(1);
    let report: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!((&report["batches"], &report["errors"]), (&5.into(), &3.into()));
    assert_eq!(report["violations"]["enum"]["first"][0]["pointer"], "/environment");
    let folder = Folder::new();
    let file = folder.write("in.jsonl", findings());
    let ended = validate(&["--format", "github", file.to_str().unwrap()]).with_code(1);
    ended.prints(&[
        "::error file=",
        "in.jsonl,line=3,col=9,title=syntax::",
        "::warning file=",
        "title=maxLength::/events/0/data/event_name: ",
    ]);
}

#[test]
fn a_mistake_in_the_arguments_has_status_2() {
    validate(&["no-such-file"]).with_code(2).complains(&["error: no-such-file: "]);
    let ended = validate(&["--fromat", "json"]).with_code(2);
    ended.complains(&["unexpected argument '--fromat'", "a similar argument exists: '--format'"]);
}

#[cfg(unix)]
#[test]
fn a_reader_that_closes_the_pipe_is_no_error() {
    let folder = Folder::new();
    let file = folder.write("in.jsonl", findings());
    let program = env!("CARGO_BIN_EXE_mparticle");
    let line = format!(
        "sleep 0.2 | {program} validate {} | true; {program} --help | true",
        file.display()
    );
    let ended: Ended = Command::new("sh").args(["-c", &line]).output().unwrap().into();
    assert_eq!(ended.err, "");
}
