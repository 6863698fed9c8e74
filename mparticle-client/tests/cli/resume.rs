//! Checkpoints: what a rerun continues, and what it refuses.

use crate::process::{emulator, end, run, run_with_input, start, upload, upload_file};
use crate::{Folder, batch, batch_at, event, json_lines, lines};
use mparticle_client::testing::Answer;
use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_has_grown_is_continued() {
    let (folder, emulator) = (Folder::new(), emulator().await);
    let file = folder.write("in.jsonl", lines([event(1, "a"), event(1, "b"), batch(2)]));
    upload_file(&emulator, &file, &[]).await.with_code(0);
    let mut text = fs::read_to_string(&file).unwrap();
    text.push_str(&lines([event(1, "c"), batch(3)]));
    fs::write(&file, text).unwrap();
    let ended = upload_file(&emulator, &file, &[]).await.with_code(0);
    ended.prints(&["Delivered 2 batches", "3 records skipped"]);
    assert_eq!((emulator.batches().len(), emulator.duplicates().len()), (4, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_of_another_input_or_version_is_refused_before_anything_is_sent() {
    let (folder, emulator) = (Folder::new(), emulator().await);
    let file = folder.write("in.jsonl", lines((0..10).map(batch)));
    upload_file(&emulator, &file, &[]).await.with_code(0);
    let checkpoint = folder.path("in.jsonl.checkpoint");
    let saved = fs::read_to_string(&checkpoint).unwrap();

    folder.write("in.jsonl", lines((10..30).map(batch)));
    let ended = upload_file(&emulator, &file, &[]).await.with_code(2);
    ended.complains(&[
        "the checkpoint belongs to another input: its first 10 records differ",
        "--checkpoint",
    ]);
    folder.write("in.jsonl", lines((0..5).map(batch)));
    let ended = upload_file(&emulator, &file, &[]).await.with_code(2);
    ended.complains(&["it has 5 records, and record 10 was sent"]);
    assert_eq!(fs::read_to_string(&checkpoint).unwrap().lines().next(), saved.lines().next());

    folder.write("in.jsonl.checkpoint", saved.replace("checkpoint\":1", "checkpoint\":9"));
    let ended = upload_file(&emulator, &file, &[]).await.with_code(2);
    ended.complains(&["version 9", "hint: --checkpoint names another file"]);
    folder.write("in.jsonl.checkpoint", "something of mine\n");
    upload_file(&emulator, &file, &[]).await.with_code(2).complains(&["this is no checkpoint"]);
    folder.write("in.jsonl.checkpoint", &saved);
    let ended = upload_file(&emulator, &file, &["--namespace", "x"]).await.with_code(2);
    ended.complains(&["another --namespace"]);
    assert_eq!(emulator.batches().len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runs_do_not_share_a_checkpoint() {
    let (folder, emulator) = (Folder::new(), emulator().await);
    emulator.always(Answer::hang());
    let file = folder.write("in.jsonl", lines((0..10).map(batch)));
    let mut command = upload(&emulator);
    let mut first = start(command.arg(&file));
    emulator.wait_for_requests(1).await;
    let ended = upload_file(&emulator, &file, &["--max-wait", "2"]).await.with_code(2);
    ended.complains(&["is in use: another upload of the input runs"]);
    first.kill().unwrap();
    end(first).await;
    emulator.always(Answer::normal());
    upload_file(&emulator, &file, &[]).await.with_code(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn standard_input_is_continued_with_a_checkpoint() {
    let (folder, emulator) = (Folder::new(), emulator().await);
    let checkpoint = folder.path("c");
    for (count, skipped) in [(100, "Delivered 100 batches"), (300, "100 records skipped")] {
        let mut command = upload(&emulator);
        command.arg("--checkpoint").arg(&checkpoint).arg("-").current_dir(folder.path("."));
        let content = lines((0..count).map(batch));
        run_with_input(command, content).await.with_code(0).prints(&[skipped]);
    }
    assert_eq!((emulator.batches().len(), emulator.duplicates().len()), (300, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_checkpoint_nothing_that_was_read_from_a_pipe_is_lost() {
    let (folder, emulator) = (Folder::new(), emulator().await);
    emulator.always(Answer::status(401));
    let mut command = upload(&emulator);
    command.current_dir(folder.path("."));
    let ended = run_with_input(command, lines((0..20_000).map(batch))).await.with_code(1);
    ended.prints(&["did not accept the credentials", "The failures are in stdin.failed.jsonl"]);
    assert_eq!(folder.names(), ["stdin.failed.jsonl"]);
    let failed = json_lines(&folder.path("stdin.failed.jsonl"));
    let mut numbers: Vec<_> = failed.iter().map(|line| line["failed"]["line"].as_u64()).collect();
    numbers.sort_unstable();
    assert!(failed.len() > 100, "{}", failed.len());
    assert_eq!(numbers, (1..=failed.len() as u64).map(Some).collect::<Vec<_>>());
    emulator.always(Answer::normal());
    let mut command = upload(&emulator);
    command.current_dir(folder.path(".")).arg("stdin.failed.jsonl");
    run(command).await.with_code(0);
    assert_eq!(emulator.batches().len(), failed.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_pauses_the_upload_and_says_so() {
    let (folder, emulator) = (Folder::new(), emulator().await);
    emulator.always(Answer::status(503));
    let file = folder.write("in.jsonl", lines((0..2000).map(batch)));
    let mut command = upload(&emulator);
    let child = start(command.arg(&file));
    emulator.wait_for_requests(5).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    emulator.always(Answer::normal());
    let ended = end(child).await.with_code(0);
    ended.complains(&[
        "paused, because nothing is accepted: ",
        "503",
        "mParticle accepts requests again",
    ]);
    ended.prints(&["Delivered 2,000 batches"]);
    assert_eq!(emulator.batches().len(), 2000);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_that_is_too_long_ends_the_upload() {
    let (folder, emulator) = (Folder::new(), emulator().await);
    emulator.always(Answer::status(503));
    let file = folder.write("in.jsonl", lines((0..10).map(batch)));
    let ended = upload_file(&emulator, &file, &["--max-wait", "1"]).await.with_code(1);
    ended.prints(&["Stopped: nothing was accepted for too long", "10 batches read, but not sent"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_age_of_events_is_measured_at_the_start_of_the_first_run() {
    let (folder, emulator) = (Folder::new(), emulator().await);
    let hour = Duration::from_secs(3600);
    let millis = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap().as_millis();
    let event_time = i64::try_from(millis(SystemTime::now() - 80 * hour)).unwrap();
    let file = folder.write("in.jsonl", lines([batch_at(1, event_time)]));
    emulator.always(Answer::status(401));
    upload_file(&emulator, &file, &["--historical"]).await.with_code(1);

    // As if the first run had been a day ago.
    let checkpoint = folder.path("in.jsonl.checkpoint");
    let text = fs::read_to_string(&checkpoint).unwrap();
    let (before, rest) = text.split_once("\"started_unixtime_ms\":").unwrap();
    let (_, after) = rest.split_once('}').unwrap();
    let yesterday = millis(SystemTime::now() - 24 * hour);
    let text = format!("{before}\"started_unixtime_ms\":{yesterday}}}{after}");
    fs::write(&checkpoint, text).unwrap();
    emulator.always(Answer::normal());
    let ended = upload_file(&emulator, &file, &["--historical"]).await.with_code(1);
    ended.prints(&["Delivered 0 batches", "tooRecent: 1 error"]);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_named_pipe_is_read_once_and_its_failures_are_kept_in_the_current_folder() {
    let (folder, emulator) = (Folder::new(), emulator().await);
    let pipe = folder.path("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut command = upload(&emulator);
    command.arg(&pipe).current_dir(folder.path("."));
    let content = lines([batch(1), "oops".to_owned(), batch(2)]);
    let writing = tokio::task::spawn_blocking(move || fs::write(&pipe, content).unwrap());
    run(command).await.with_code(1).prints(&["Delivered 2 batches"]);
    writing.await.unwrap();
    assert_eq!(folder.names(), ["pipe", "stdin.failed.jsonl"]);
}
