//! `mparticle relay`: delivery, health and metrics, a refusal of the credentials, and the end.

use crate::nats_server::NatsServer;
use crate::process::{KEY, SECRET, emulator, end, mparticle, run, signal, start};
use mparticle_client::jetstream::{JetStream, Producer};
use mparticle_client::models::{Batch, Environment};
use mparticle_client::testing::Answer;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;
use tokio::time::{sleep, timeout};

fn relay(base_url: &str) -> Command {
    let mut command = mparticle();
    command.arg("relay").env("MPARTICLE_API_KEY", KEY).env("MPARTICLE_API_SECRET", SECRET);
    command.env("MPARTICLE_BASE_URL", base_url).env_remove("NATS_URL");
    command.args(["--feed", "web"]);
    command
}

/// Returns the status and the body of a response.
fn get(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// Waits until a path is answered with a text.
async fn until(address: &str, path: &'static str, status: u16, text: &str) {
    let wanted = async {
        loop {
            let address = address.to_owned();
            let answer = tokio::task::spawn_blocking(move || get(&address, path)).await.unwrap();
            if answer.0 == status && answer.1.contains(text) {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(Duration::from_secs(30), wanted).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_delivers_and_tells_how_it_is_until_it_is_terminated() {
    let Some(nats) = NatsServer::start() else { return };
    let emulator = emulator().await;
    emulator.script([Answer::status(401)]);
    let mut command = relay(emulator.base_url());
    command.env("NATS_URL", nats.url()).args(["--listen", "127.0.0.1:0"]);
    let mut child = start(&mut command);
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    let address = first.strip_prefix("listening on http://").unwrap().to_owned();
    until(&address, "/health", 200, "active\n").await;
    until(&address, "/nowhere", 404, "/metrics").await;

    let jetstream = JetStream::connect([nats.url()]).await.unwrap();
    let feed = jetstream.feed("web").ensure().await.unwrap();
    let producer = Producer::builder(feed.clone()).build();
    producer.send(Batch::new(Environment::Development).with_mpid(1)).await.unwrap();
    until(&address, "/health", 503, "paused\n").await;
    until(&address, "/metrics", 200, "\nmparticle_relay_paused 1\n").await;
    until(&address, "/metrics", 200, "\nmparticle_relay_feed_pending 1\n").await;
    // Another relay takes over.
    let mut other = start(relay(emulator.base_url()).args(["--nats", &nats.url()]));
    emulator.wait_for_batches(1).await;
    until(&address, "/metrics", 200, "\nmparticle_relay_feed_pending 0\n").await;
    signal(&other, "-TERM");
    let mut text = String::new();
    other.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(text.contains("1 batches delivered"), "{text}");
    assert!(other.wait().unwrap().success());

    signal(&child, "-TERM");
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert!(rest.iter().any(|line| line.starts_with("paused for a minute: ")), "{rest:?}");
    assert!(rest.iter().any(|line| line == "0 batches delivered"), "{rest:?}");
    end(child).await.with_code(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_without_nats_or_with_a_wrong_feed_says_so() {
    run(relay("http://127.0.0.1:1")).await.with_code(2).complains(&["NATS_URL"]);
    let mut nobody = relay("http://127.0.0.1:1");
    nobody.args(["--nats", "nats://u:s-0815@127.0.0.1:1"]);
    run(nobody).await.with_code(2).complains(&["no NATS server can be reached"]);
    let Some(nats) = NatsServer::start() else { return };
    let mut command = relay("http://127.0.0.1:1");
    command.args(["--nats", &nats.url(), "--feed", "a.b"]);
    run(command).await.with_code(2).complains(&["--feed"]);
    let mut command = relay("http://127.0.0.1:1");
    command.args(["--nats", &nats.url(), "--replicas", "9"]);
    run(command).await.with_code(2).complains(&["replicas must be from 1 to 5"]);
}
