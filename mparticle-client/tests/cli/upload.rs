//! What arrives, what fails, and what is printed.

use crate::process::{emulator, emulator_builder, mparticle, run, upload, upload_file};
use crate::{Folder, batch, batch_at, event, json_lines, lines};
use mparticle_client::testing::{Answer, RateLimit};
use serde_json::Value;
use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_a_user_are_grouped_and_the_ids_are_the_same_in_every_run() {
    let (folder, emulator) = (Folder::new(), emulator().await);
    // Two equal lines are two batches.
    // A blank id counts as none.
    let blank = batch(7).replace("\"mpid\"", "\"source_request_id\":\" \",\"mpid\"");
    let content = lines([
        blank,
        batch(7),
        String::new(),
        event(8, "a"),
        event(8, "b"),
        event(9, "c"),
        event(8, "d"),
    ]);
    let file = folder.write("in.jsonl", &content);
    let ended = upload_file(&emulator, &file, &[]).await.with_code(0);
    ended.prints(&["Delivered 5 batches in ", " with 1 request,"]);
    let events: Vec<_> = emulator
        .batches()
        .iter()
        .map(|batch| {
            (batch.json["mpid"].as_i64().unwrap(), batch.json["events"].as_array().unwrap().len())
        })
        .collect();
    assert_eq!(events, [(7, 1), (7, 1), (8, 2), (9, 1), (8, 1)]);
    assert_eq!(emulator.batches()[2].json["environment"], "production");
    assert_eq!(folder.names(), ["in.jsonl", "in.jsonl.checkpoint"], "no empty file is left");

    // Without its checkpoint and under another name.
    let renamed = folder.write("renamed.jsonl", &content);
    upload_file(&emulator, &renamed, &[]).await.with_code(0);
    assert_eq!((emulator.batches().len(), emulator.duplicates().len()), (5, 5));
    // Another namespace makes other ids.
    let another = folder.write("another.jsonl", &content);
    upload_file(&emulator, &another, &["--namespace", "monday"]).await.with_code(0);
    assert_eq!(emulator.batches().len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_kept_with_their_reasons_and_can_be_uploaded_again() {
    let (folder, emulator) = (Folder::new(), emulator().await);
    // The emulator refuses the third batch, therefore the client finds out which one it is.
    let refused = batch(3).replace("development", "mars");
    let taken = folder.write("in.jsonl.failed.jsonl", "mine");
    let file = folder.write(
        "in.jsonl",
        lines([
            batch(1),
            "{\"oops".into(),
            refused,
            r#"{"mpid":7,"evnts":[]}"#.into(),
            "{}".into(),
            event(8, "a"),
            "[\"x\"]".into(),
        ]),
    );
    let ended = upload_file(&emulator, &file, &[]).await.with_code(1);
    ended.prints(&[
        "Delivered 2 batches",
        "5 batches or lines failed",
        "syntax: 1 error",
        "unknownField: 1 error",
        "rejected: 1 error",
        "in.jsonl:2:6",
    ]);
    assert_eq!(fs::read_to_string(taken).unwrap(), "mine");
    let failed = folder.path("in.jsonl.failed-2.jsonl");
    let mut kept = json_lines(&failed);
    kept.sort_by_key(|line| line["failed"]["line"].as_u64());
    let reasons: Vec<_> = kept
        .iter()
        .map(|line| {
            let why = &line["failed"];
            assert!(why["file"].as_str().unwrap().ends_with("in.jsonl"));
            (
                why["line"].as_u64().unwrap(),
                why["rule"].as_str().unwrap(),
                why["pointer"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        reasons,
        [
            (2, "syntax", ""),
            (3, "rejected", ""),
            (4, "unknownField", "/evnts"),
            (5, "noContent", ""),
            (7, "type", "")
        ]
    );
    assert_eq!(kept[0]["text"], "{\"oops");
    assert!(
        kept[1]["failed"]["reason"].as_str().unwrap().contains("mParticle says: "),
        "{}",
        kept[1]
    );
    assert_eq!(kept[2]["batch"], serde_json::json!({"mpid": 7, "evnts": []}));
    assert_eq!(kept[4]["text"], "[\"x\"]");

    // One line is corrected. The others fail again, and name the file that was uploaded.
    let id = kept[1]["batch"]["source_request_id"].clone();
    let text = fs::read_to_string(&failed).unwrap();
    fs::write(&failed, text.replace("mars", "development")).unwrap();
    let ended = upload_file(&emulator, &failed, &[]).await.with_code(1);
    ended.prints(&["Delivered 1 batch in", "4 batches or lines failed", "in.jsonl.failed-3.jsonl"]);
    assert_eq!(emulator.batches()[2].id.as_deref(), id.as_str(), "it keeps its id");
    let again = json_lines(&folder.path("in.jsonl.failed-3.jsonl"));
    let mut texts: Vec<&Value> =
        again.iter().map(|line| &line["text"]).filter(|text| text.is_string()).collect();
    texts.sort_by_key(ToString::to_string);
    assert_eq!(texts, ["[\"x\"]", "{\"oops"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_sends_nothing_and_needs_no_credentials() {
    let folder = Folder::new();
    let long = batch(1).replace("\"e\"", &format!("\"{}\"", "x".repeat(300)));
    let huge = batch(1).replace("\"e\"", &format!("\"{}\"", "x".repeat(200_000)));
    let file = folder.write("in.jsonl", lines([batch(1), long.clone(), long, "oops".into(), huge]));
    let mut command = mparticle();
    command.args(["upload", "--check"]).arg(&file);
    let ended = run(command).await.with_code(1);
    ended.prints(&[
        "Checked: 3 batches would be sent.",
        "2 batches or lines would fail",
        "maxLength: 3 warnings; first: ",
        "in.jsonl:2 at /events/0/data/event_name",
        "syntax: 1 error",
        "tooLarge: 1 error",
    ]);
    assert_eq!(folder.names(), ["in.jsonl"]);
    let mut command = mparticle();
    command.args(["upload", "--check"]).arg(folder.write("good.jsonl", batch(1)));
    run(command).await.with_code(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strict_upload_does_not_send_what_mparticle_would_refuse() {
    let (folder, emulator) = (Folder::new(), emulator().await);
    let refused = batch(3).replace("development", "mars");
    let warned = batch(4).replace("\"mpid\"", "\"ip\":\"x\",\"mpid\"");
    let file = folder.write("in.jsonl", lines([batch(1), refused, warned]));
    let ended = upload_file(&emulator, &file, &["--strict"]).await.with_code(1);
    ended.prints(&["Delivered 2 batches", "with 1 request,", "enum: 1 error", "ip: 1 warning"]);
    let failed = &json_lines(&folder.path("in.jsonl.failed.jsonl"))[0];
    assert_eq!(
        (&failed["failed"]["rule"], &failed["failed"]["pointer"]),
        (&"enum".into(), &"/environment".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn historical_events_are_divided_by_age() {
    let (folder, emulator) = (Folder::new(), emulator().await);
    let young = now() - 3_600_000;
    let mixed = batch_at(2, 1_600_000_000_000);
    let mixed = mixed.replace("\"events\":[", &format!("\"events\":[{{\"event_type\":\"session_start\",\"data\":{{\"timestamp_unixtime_ms\":{young}}}}},"));
    let content = lines([batch_at(1, 1_600_000_000_000), mixed, batch_at(3, young)]);
    let file = folder.write("in.jsonl", &content);
    let ended = upload_file(&emulator, &file, &["--historical"]).await.with_code(1);
    ended.prints(&["Delivered 2 batches", "tooRecent: 2 errors"]);
    assert!(emulator.requests().iter().all(|request| request.path == "/v2/bulkevents/historical"));
    assert_eq!((emulator.batches().len(), emulator.unprocessed().len()), (2, 0));
    // What was too young is uploaded without the option, and only that.
    let failed = folder.path("in.jsonl.failed.jsonl");
    upload_file(&emulator, &failed, &[]).await.with_code(0);
    let events: usize =
        emulator.batches().iter().map(|batch| batch.json["events"].as_array().unwrap().len()).sum();
    assert_eq!((events, emulator.batches().len(), emulator.duplicates().len()), (4, 4, 0));

    // Both at once, and again without the checkpoint: the same ids.
    let another = folder.write("another.jsonl", &content);
    let split = ["--historical", "--split-by-age"];
    upload_file(&emulator, &another, &split).await.with_code(0);
    assert_eq!(emulator.batches().len(), 4);
    assert_eq!(emulator.duplicates().len(), 4);
    let paths: Vec<_> =
        emulator.duplicates().iter().map(|batch| batch.endpoint.to_string()).collect();
    assert_eq!(paths.iter().filter(|path| path.contains("historical")).count(), 2, "{paths:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rate_is_a_ceiling() {
    let (folder, emulator) = (Folder::new(), emulator().await);
    let file = folder.write("in.jsonl", lines((0..150).map(batch)));
    let start = std::time::Instant::now();
    upload_file(&emulator, &file, &["--rate", "50"]).await.with_code(0);
    let seconds = start.elapsed().as_secs_f64();
    assert!(seconds > 1.9, "150 batches in {seconds} s");
    assert!(emulator.batches().len() == 150 && emulator.requests().len() == 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_upload_stops_after_as_many_failures_as_it_may_have() {
    let (folder, emulator) = (Folder::new(), emulator().await);
    let content = lines((0..100).map(|_| "oops".to_owned()));
    let file = folder.write("in.jsonl", content + &lines((0..2000).map(batch)));
    let ended = upload_file(&emulator, &file, &["--stop-after", "7"]).await.with_code(1);
    ended.prints(&[
        "7 batches or lines failed",
        "Stopped: as many batches failed as --stop-after allows",
        "To continue, run the same command again",
    ]);
    assert_eq!(json_lines(&folder.path("in.jsonl.failed.jsonl")).len(), 7);
    // The next run continues after the seventh.
    let ended = upload_file(&emulator, &file, &[]).await.with_code(1);
    ended.prints(&["Delivered 2,000 batches", "93 batches or lines failed", "7 records skipped"]);
    assert_eq!(json_lines(&folder.path("in.jsonl.failed.jsonl")).len(), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_is_json_if_it_is_asked_for() {
    let limit = RateLimit::per_second(10);
    let emulator = emulator_builder().rate_limit(limit).start().await.unwrap();
    let folder = Folder::new();
    let file = folder.write("in.jsonl", lines([batch(1), "oops".into()]));
    let ended = upload_file(&emulator, &file, &["--json"]).await.with_code(1);
    let report: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(
        (&report["delivered"], &report["failed"], &report["requests"]),
        (&1.into(), &1.into(), &1.into())
    );
    assert_eq!(report["outcome"], "incomplete");
    assert_eq!(report["rate_limit_percentage_used"], 10.0);
    let input = &report["inputs"][0];
    assert_eq!(input["violations"]["syntax"]["errors"], 1);
    assert!(input["failed_file"].as_str().unwrap().ends_with("in.jsonl.failed.jsonl"));
    assert!(input["checkpoint"].as_str().unwrap().ends_with("in.jsonl.checkpoint"));
}

#[tokio::test(flavor = "multi_thread")]
async fn several_inputs_are_uploaded_one_after_the_other() {
    let (folder, emulator) = (Folder::new(), emulator().await);
    let first = folder.write("1.jsonl", lines((0..5).map(batch)));
    let second = folder.write("2.jsonl", lines((5..12).map(batch)));
    let mut command = upload(&emulator);
    command.args([first, second]);
    run(command).await.with_code(0).prints(&["Delivered 12 batches"]);
    assert_eq!(folder.names(), ["1.jsonl", "1.jsonl.checkpoint", "2.jsonl", "2.jsonl.checkpoint"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_credentials_stop_the_upload_and_the_next_run_delivers() {
    let (folder, emulator) = (Folder::new(), emulator().await);
    let file = folder.write("in.jsonl", lines((0..2000).map(batch)));
    emulator.script([Answer::normal(), Answer::normal()]);
    emulator.always(Answer::status(401));
    let ended = upload_file(&emulator, &file, &[]).await.with_code(1);
    ended.prints(&[
        "did not accept the credentials",
        "batches read, but not sent",
        "To continue, run the same command again",
    ]);
    let delivered = emulator.batches().len();
    assert!((1..2000).contains(&delivered), "{delivered} delivered");
    emulator.always(Answer::normal());
    upload_file(&emulator, &file, &[]).await.with_code(0);
    assert_eq!((emulator.batches().len(), emulator.duplicates().len()), (2000, 0));
    assert_eq!(folder.names(), ["in.jsonl", "in.jsonl.checkpoint"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_failed_file_can_be_named_and_is_continued_by_the_next_run() {
    let (folder, emulator) = (Folder::new(), emulator().await);
    let file = folder.write("in.jsonl", lines(["oops".to_owned(), batch(1)]));
    let failed = folder.path("f.jsonl");
    let options = ["--failed", failed.to_str().unwrap()];
    upload_file(&emulator, &file, &options).await.with_code(1);
    fs::write(&file, lines(["oops".to_owned(), batch(1), "again".to_owned()])).unwrap();
    upload_file(&emulator, &file, &options).await.with_code(1);
    let numbers: Vec<_> =
        json_lines(&failed).iter().map(|line| line["failed"]["line"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [1, 3]);
    let another = folder.write("another.jsonl", lines([batch(2)]));
    let ended = upload_file(&emulator, &another, &options).await.with_code(2);
    ended.complains(&["f.jsonl exists, and is not overwritten", "hint: --failed"]);
    assert_eq!(emulator.batches().len(), 1);
}
