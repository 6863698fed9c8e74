//! Input, files and settings that are wrong.

use crate::process::{emulator, end, mparticle, run, run_with_input, start, upload, upload_file};
use crate::{Folder, batch, json_lines, lines};
use std::collections::HashSet;
use std::fs;
use std::io::Write;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn an_input_that_cannot_be_read_is_named_and_nothing_is_sent() {
    let (folder, emulator) = (Folder::new(), emulator().await);
    let good = folder.write("good.jsonl", batch(1));
    fs::create_dir(folder.path("folder")).unwrap();
    for (name, content, wanted) in [
        ("missing", None, "missing: "),
        ("folder", None, "is a folder\n  hint: name the files in it"),
        ("binary", Some(b"{\"a\":\0}".as_slice()), "is no text: byte 6 is zero"),
        ("archive.zip", Some(b"PK\x03\x04zip"), "hint: decompress it first"),
        ("utf16", Some(b"\xff\xfe{\0}\0"), "hint: convert it from UTF-16 to UTF-8"),
        ("cut.gz", Some(b"\x1f\x8b\x08\0\0\0"), "cut.gz: "),
        ("damaged.zst", Some(b"\x28\xb5\x2f\xfd\xff\xff\xff\xff"), "damaged.zst: "),
    ] {
        let path = match content {
            Some(content) => folder.write(name, content),
            None => folder.path(name),
        };
        let ended = upload_file(&emulator, &path, &[]).await.with_code(2);
        ended.complains(&["error: ", wanted]);
    }
    // All files are opened before the first is sent.
    let mut command = upload(&emulator);
    command.args([good, folder.path("missing")]);
    run(command).await.with_code(2);
    assert!(emulator.requests().is_empty());
    assert!(folder.names().iter().all(|name| !name.contains("failed")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_before_the_damage_of_a_file_is_delivered_and_the_damage_is_reported() {
    let (folder, emulator) = (Folder::new(), emulator().await);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(lines((0..3000).map(batch)).as_bytes()).unwrap();
    let mut content = gzip.finish().unwrap();
    content.truncate(content.len() * 3 / 4);
    let file = folder.write("in.gz", content);
    let ended = upload_file(&emulator, &file, &[]).await.with_code(2);
    ended.complains(&["error: ", "in.gz: "]);
    let delivered = emulator.batches().len();
    assert!(delivered > 1000, "{delivered}");
    ended.prints(&["Delivered ", "Stopped: "]);
    let ended = upload_file(&emulator, &file, &["--json"]).await.with_code(2);
    ended.prints(&["\"outcome\": \"stopped\""]);
    assert_eq!(emulator.batches().len(), delivered);
}

/// Returns the most memory that a process has had, if the system tells.
fn peak_kilobytes(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_of_100_megabytes_is_refused_without_being_held_in_memory() {
    let (folder, emulator) = (Folder::new(), emulator().await);
    let path = folder.path("in.jsonl");
    let mut file = std::io::BufWriter::new(fs::File::create(&path).unwrap());
    writeln!(file, "{}", batch(1)).unwrap();
    let part = vec![b'x'; 1_000_000];
    (0..100).for_each(|_| file.write_all(&part).unwrap());
    write!(file, "\n{}\n", batch(2)).unwrap();
    file.flush().unwrap();
    let mut command = upload(&emulator);
    let mut child = start(command.arg(&path));
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        peak = peak.max(peak_kilobytes(child.id()).unwrap_or_default());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let ended = end(child).await.with_code(1);
    println!("peak: {peak} kB");
    assert!(peak < 60_000, "{peak} kB");
    ended.prints(&[
        "Delivered 2 batches",
        "recordTooLong: 1 error",
        "in.jsonl:2: the record has 100000000 bytes, and at most 4194304 are read",
    ]);
    let failed = json_lines(&folder.path("in.jsonl.failed.jsonl"));
    assert_eq!(failed[0]["failed"]["line"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_text_are_kept() {
    let (folder, emulator) = (Folder::new(), emulator().await);
    let file =
        folder.write("in.jsonl", [b"{\"mpid\":1,\"ip\":\"\xff\"}\n", batch(1).as_bytes()].concat());
    upload_file(&emulator, &file, &[]).await.with_code(1).prints(&["Delivered 1 batch in"]);
    let failed = json_lines(&folder.path("in.jsonl.failed.jsonl"));
    assert_eq!(failed[0]["bytes"], "eyJtcGlkIjoxLCJpcCI6Iv8ifQ==");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_are_wrong_are_named() {
    let folder = Folder::new();
    let file = folder.write("in.jsonl", batch(1));
    let credentials = folder.write("secrets", "MPARTICLE_API_KEY=k\n");
    let credentials = credentials.to_str().unwrap();
    for (options, wanted) in [
        (vec![], "MPARTICLE_API_KEY is not set; MPARTICLE_API_SECRET is not set\n  hint: set"),
        (vec!["--credentials", "nowhere"], "nowhere: "),
        (vec!["--credentials", credentials], "has no line MPARTICLE_API_SECRET="),
        (vec!["--pod", "mars"], "the pods are us1, us2, eu1 and au1"),
        (vec!["--rate", "0"], "expected a positive number"),
        (vec!["--concurrency", "0"], "0 is not in 1..=65535"),
        (vec!["--keep", "identities"], "--replay-blocked"),
        (vec!["--split-by-age"], "--historical"),
        (vec!["--as-new", "--same-ids"], "cannot be used with"),
        (vec!["--historcal"], "a similar argument exists: '--historical'"),
    ] {
        let mut command = mparticle();
        command.arg("upload").args(&options).arg(&file);
        run(command).await.with_code(2).complains(&[wanted]);
    }
    assert_eq!(folder.names(), ["in.jsonl", "secrets"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_client_does_not_pass_batches_for_delivered() {
    let (folder, emulator) = (Folder::new(), emulator().await);
    let file = folder.write("in.jsonl", batch(1));
    let mut command = upload(&emulator);
    command.arg(&file).env("MPARTICLE_DISABLED", "1");
    run(command).await.with_code(2).complains(&["MPARTICLE_DISABLED is set", "hint: --check"]);
    assert_eq!(folder.names(), ["in.jsonl"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_are_read_from_a_file() {
    let (folder, emulator) = (Folder::new(), emulator().await);
    let (key, secret) = (crate::process::KEY, crate::process::SECRET);
    let credentials = folder.write(
        "secrets",
        format!("# comment\nexport MPARTICLE_API_KEY=\"{key}\"\nMPARTICLE_API_SECRET = {secret}\n"),
    );
    let mut command = mparticle();
    command.arg("upload").arg("--credentials").arg(credentials);
    command.args(["--base-url", emulator.base_url()]).arg(folder.write("in.jsonl", batch(1)));
    run(command).await.with_code(0);
    assert_eq!(emulator.batches().len(), 1);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_cannot_be_written_is_named_before_anything_is_sent() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, emulator) = (Folder::new(), emulator().await);
    let file = folder.write("in.jsonl", batch(1));
    fs::create_dir(folder.path("closed")).unwrap();
    fs::set_permissions(folder.path("closed"), fs::Permissions::from_mode(0o500)).unwrap();
    let checkpoint = folder.path("closed/c");
    if fs::write(&checkpoint, "").is_ok() {
        println!("skipped: this user may write everywhere");
        return;
    }
    let options = ["--checkpoint", checkpoint.to_str().unwrap()];
    let ended = upload_file(&emulator, &file, &options).await.with_code(2);
    ended.complains(&["closed/c: ", "hint: --checkpoint names another file"]);
    assert!(emulator.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_the_upload_and_the_next_run_loses_nothing() {
    let (folder, emulator) = (Folder::new(), emulator().await);
    let Some(disk) = std::env::var_os("MPARTICLE_SMALL_DISK") else {
        println!("skipped: MPARTICLE_SMALL_DISK is not set");
        return;
    };
    let disk = tempfile::tempdir_in(disk).unwrap();
    let filler = disk.path().join("filler");
    fs::write(&filler, vec![0; 10_000_000]).unwrap();
    let oops = |number: usize| format!("{{oops {number} {}", "x".repeat(1000));
    let file = folder.write("in.jsonl", lines((0..5000).map(oops)) + &batch(1));
    let failed = disk.path().join("failed.jsonl");
    let options = ["--failed", failed.to_str().unwrap()];
    let ended = upload_file(&emulator, &file, &options).await.with_code(1);
    ended.prints(&["Stopped: the failed file cannot be written: "]);

    fs::remove_file(&filler).unwrap();
    let ended = upload_file(&emulator, &file, &options).await.with_code(1);
    ended.prints(&["Delivered 1 batch"]);
    let kept = json_lines(&failed);
    let kept: HashSet<_> = kept.iter().map(|line| line["failed"]["line"].as_u64()).collect();
    let lost: Vec<u64> = (1..=5000).filter(|number| !kept.contains(&Some(*number))).collect();
    assert!(lost.is_empty(), "{} are lost: {:?}", lost.len(), lost.first());

    // The same with the checkpoint.
    let mut filler = fs::File::create(filler).unwrap();
    while filler.write_all(&[0; 4096]).is_ok() {}
    let file = folder.write("another.jsonl", lines((0..5000).map(batch)));
    let checkpoint = disk.path().join("c");
    let options = ["--checkpoint", checkpoint.to_str().unwrap()];
    let ended = upload_file(&emulator, &file, &options).await;
    assert!(matches!(ended.code, Some(1 | 2)), "{ended:?}");
    assert!((ended.err + &ended.out).contains("No space left on device"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_something_that_can_be_uploaded() {
    let emulator = emulator().await;
    for input in ["", "\n\n", "[]"] {
        let command = upload(&emulator);
        run_with_input(command, input).await.with_code(0).prints(&["Delivered 0 batches"]);
    }
    assert!(emulator.requests().is_empty());
}
