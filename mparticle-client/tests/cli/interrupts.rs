//! Ctrl-C: the first ends an upload in order, the second at once.
#![cfg(unix)]

use crate::process::{emulator, end, signal, start, upload, upload_file};
use crate::{Folder, batch, lines};
use mparticle_client::testing::Answer;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_within_two_seconds_and_says_how_to_go_on() {
    for name in ["-INT", "-TERM"] {
        let (folder, emulator) = (Folder::new(), emulator().await);
        emulator.script((0..20).map(|_| Answer::normal()));
        emulator.always(Answer::hang());
        let file = folder.write("in.jsonl", lines((0..5000).map(batch)));
        let mut command = upload(&emulator);
        let child = start(command.arg(&file));
        emulator.wait_for_requests(22).await;
        let start = Instant::now();
        signal(&child, name);
        let ended = end(child).await.with_code(1);
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
        ended.prints(&[
            "Delivered 2,000 batches",
            "Stopped: interrupted.",
            "To continue, run the same command again",
        ]);
        emulator.always(Answer::normal());
        upload_file(&emulator, &file, &[]).await.with_code(0).prints(&["Delivered 3,000 batches"]);
        assert_eq!((emulator.batches().len(), emulator.duplicates().len()), (5000, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_ctrl_c_ends_at_once() {
    let (folder, emulator) = (Folder::new(), emulator().await);
    emulator.always(Answer::hang());
    let file = folder.write("in.jsonl", batch(1));
    let mut command = upload(&emulator);
    let child = start(command.arg(&file));
    emulator.wait_for_requests(1).await;
    let start = Instant::now();
    signal(&child, "-INT");
    tokio::time::sleep(Duration::from_millis(100)).await;
    signal(&child, "-INT");
    let ended = end(child).await.with_code(130);
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    ended.complains(&["ended at once"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_does_not_wait_for_standard_input() {
    let emulator = emulator().await;
    let folder = Folder::new();
    for input in ["", "{\"mpid\":1,\"events\":[]}\n"] {
        let mut command = upload(&emulator);
        let mut child = start(command.current_dir(folder.path(".")));
        let mut pipe = child.stdin.take().unwrap();
        std::io::Write::write_all(&mut pipe, input.as_bytes()).unwrap();
        tokio::time::sleep(Duration::from_millis(500)).await;
        let start = Instant::now();
        signal(&child, "-INT");
        let ended = end(child).await;
        drop(pipe);
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
        ended.with_code(1);
    }
}
