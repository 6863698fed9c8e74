//! An upload that is killed again and again, to a server that loses replies.

use crate::process::{run, start, upload_to};
use crate::{Folder, batch, event};
use std::io::Write;
use std::time::Duration;
use std::{env, fs};

/// The number of requests in flight, and of batches in a request.
const IN_FLIGHT: u64 = 4;
const BATCHES: u64 = 100;

/// The number of batches. `MPARTICLE_UPLOAD_BATCHES` sets another one, for a long run.
fn count() -> i64 {
    let count = env::var("MPARTICLE_UPLOAD_BATCHES").ok().map(|count| count.parse().unwrap());
    count.unwrap_or_else(|| {
        println!("20,000 batches; MPARTICLE_UPLOAD_BATCHES sets another number");
        20_000
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn each_batch_is_delivered_and_a_kill_repeats_only_what_was_in_flight() {
    let (folder, count) = (Folder::new(), count());
    let is_long = count > 20_000;
    let file = folder.path("in.jsonl");
    let mut writer = std::io::BufWriter::new(fs::File::create(&file).unwrap());
    for user in 0..count {
        // The two events of a user become one batch, also if a run begins between them.
        let lines = match user % 2 {
            0 => batch(user),
            _ => format!("{}\n{}", event(user, "a"), event(user, "b")),
        };
        writeln!(writer, "{lines}").unwrap();
    }
    writer.flush().unwrap();
    let (url, seen) = crate::server::start(50, Duration::from_millis(20)).await;

    let mut kills = 0;
    let mut rng = fastrand::Rng::with_seed(7);
    let ended = loop {
        let mut command = upload_to(&url);
        let mut child = start(command.arg(&file));
        let life = if is_long { rng.u64(2000..5000) } else { rng.u64(100..400) };
        tokio::time::sleep(Duration::from_millis(life)).await;
        if child.try_wait().unwrap().is_some() {
            break crate::process::end(child).await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        assert!(kills < 200, "the upload makes no progress");
    };
    ended.with_code(0);
    let seen = seen.lock().unwrap();
    println!(
        "{kills} kills: {} batches accepted, {} requests, {} replies lost, {} batches repeated",
        seen.ids.len(),
        seen.requests,
        seen.lost_replies,
        seen.repeated
    );
    assert!(kills > 2, "the upload was too fast to be killed");
    assert_eq!(i64::try_from(seen.ids.len()).unwrap(), count);
    assert_eq!(seen.mismatches, Vec::<String>::new());
    let events: usize = seen.events.values().sum();
    assert_eq!(i64::try_from(events).unwrap(), count + count / 2);
    let most = (kills * IN_FLIGHT + seen.lost_replies) * BATCHES;
    assert!(seen.repeated <= most, "{} repeated, at most {most}", seen.repeated);
    assert_eq!(folder.names(), ["in.jsonl", "in.jsonl.checkpoint"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_complete_sends_nothing_again() {
    let folder = Folder::new();
    let file = folder.write("in.jsonl", crate::lines((0..500).map(batch)));
    let (url, seen) = crate::server::start(0, Duration::ZERO).await;
    for expected in ["Delivered 500 batches", "500 records skipped"] {
        let mut command = upload_to(&url);
        command.arg(&file);
        run(command).await.with_code(0).prints(&[expected]);
    }
    assert_eq!(seen.lock().unwrap().requests, 5);
}
