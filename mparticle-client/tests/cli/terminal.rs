//! What a terminal shows, and what a pipe shows.

use crate::process::{emulator, end, start, upload};
use crate::{Folder, batch, lines};
use mparticle_client::testing::Answer;
use std::process::{Command, Stdio};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn without_a_terminal_a_line_tells_the_progress_from_time_to_time() {
    let (folder, emulator) = (Folder::new(), emulator().await);
    emulator.always(Answer::normal().delayed(Duration::from_millis(700)));
    let file = folder.write("in.jsonl", lines((0..1200).map(batch)));
    let mut command = upload(&emulator);
    let child = start(command.args(["--progress-every", "1"]).arg(&file));
    let ended = end(child).await.with_code(0);
    ended.complains(&[" delivered, 0 failed, "]);
    assert!(ended.err.lines().count() < 6, "{}", ended.err);
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_shows_a_bar() {
    if Command::new("script").arg("--version").stdout(Stdio::null()).status().is_err() {
        println!("skipped: there is no program `script` to make a terminal");
        return;
    }
    let (folder, emulator) = (Folder::new(), emulator().await);
    emulator.always(Answer::normal().delayed(Duration::from_millis(400)));
    let file = folder.write("in.jsonl", lines((0..1200).map(batch)));
    let upload = upload(&emulator);
    let line = format!("{} upload {}", env!("CARGO_BIN_EXE_mparticle"), file.display());
    let mut command = Command::new("script");
    command.args(["-qec", &line, "/dev/null"]).env("TERM", "xterm").stdin(Stdio::null());
    for (name, value) in upload.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}");
    assert!(text.contains('\x1b') && text.contains(" delivered, 0 failed"), "{text}");
    assert!(text.contains("Delivered 1,200 batches"), "{text}");
}
