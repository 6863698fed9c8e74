//! Many concurrent uploads in a process that may open few files.
//!
//! The test program runs itself with a lower limit. The server stays in this process, so that its descriptors do not
//! count.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod wire;

use futures_util::future::join_all;
use std::env;
use std::fs;
use std::io::{BufReader, Write};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;
use wire::{ACCEPTED, Server, batch, builder, read_request};

/// Where the child sends to. Without it, the test `child` does nothing.
const BASE_URL: &str = "DESCRIPTORS_TEST_BASE_URL";
const UPLOADS: &str = "DESCRIPTORS_TEST_UPLOADS";
const MAX_IN_FLIGHT: &str = "DESCRIPTORS_TEST_MAX_IN_FLIGHT";

/// How many sockets this process has open. `None` if the system does not tell.
fn open_sockets() -> Option<usize> {
    let links = fs::read_dir("/proc/self/fd").ok()?.map_while(Result::ok);
    let targets = links.filter_map(|link| fs::read_link(link.path()).ok());
    Some(targets.filter(|target| target.to_string_lossy().starts_with("socket:")).count())
}

#[test]
fn child() {
    let Ok(base_url) = env::var(BASE_URL) else { return };
    let uploads: usize = env::var(UPLOADS).unwrap().parse().unwrap();
    let mut builder = builder(base_url);
    if let Ok(requests) = env::var(MAX_IN_FLIGHT) {
        builder = builder.max_in_flight(requests.parse().unwrap());
    }
    let client = builder.build().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    // The runtime may have sockets of its own.
    let before = open_sockets();
    runtime.block_on(async {
        let upload = || {
            let client = client.clone();
            tokio::spawn(async move { client.upload_events(&batch()).await })
        };
        for result in join_all((0..uploads).map(|_| upload())).await {
            result.unwrap().unwrap();
        }
        // Connections return to the pool, or are closed, in the background.
        tokio::time::sleep(Duration::from_millis(200)).await;
    });
    match (before, open_sockets()) {
        (Some(before), Some(after)) => {
            let kept = after - before;
            println!("{kept} sockets are open after {uploads} uploads");
            assert!(kept <= 16, "{kept} sockets are open");
        }
        _ => println!("skipped: this system does not list the open sockets of a process"),
    }
}

/// A server that counts requests and connections.
struct CountingServer {
    server: Server,
    requests: Arc<AtomicUsize>,
    in_flight: Arc<Peak>,
    open: Arc<Peak>,
}

/// A number that rises and falls, and its maximum.
#[derive(Default)]
struct Peak {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Peak {
    fn rise(&self) {
        self.most.fetch_max(self.now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
    }

    fn fall(&self) {
        self.now.fetch_sub(1, Ordering::SeqCst);
    }

    fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }
}

impl CountingServer {
    fn start() -> Self {
        let requests = Arc::new(AtomicUsize::new(0));
        let (in_flight, open) = (Arc::new(Peak::default()), Arc::new(Peak::default()));
        let counters = (Arc::clone(&requests), Arc::clone(&in_flight), Arc::clone(&open));
        let server = Server::start(move |mut stream, _| {
            let (requests, in_flight, open) = &counters;
            open.rise();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            while read_request(&mut reader).is_some() {
                in_flight.rise();
                requests.fetch_add(1, Ordering::SeqCst);
                // Requests overlap.
                thread::sleep(Duration::from_millis(2));
                in_flight.fall();
                if stream.write_all(ACCEPTED).is_err() {
                    break;
                }
            }
            open.fall();
        });
        Self { server, requests, in_flight, open }
    }

    /// Runs uploads in a child process that may open 256 files.
    fn serve(&self, uploads: usize, max_in_flight: Option<usize>) {
        let mut command = Command::new("sh");
        command
            .args(["-c", r#"ulimit -n 256 && exec "$0" "$@""#])
            .arg(env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture"])
            .env(BASE_URL, self.server.base_url())
            .env(UPLOADS, uploads.to_string())
            .env_remove(MAX_IN_FLIGHT);
        if let Some(requests) = max_in_flight {
            command.env(MAX_IN_FLIGHT, requests.to_string());
        }
        let output = command.output().unwrap();
        let shown = [output.stdout, output.stderr].concat();
        let shown = String::from_utf8_lossy(&shown);
        assert!(output.status.success(), "{shown}");
        assert!(shown.contains("1 passed"), "{shown}");
        for line in shown.lines().filter(|line| line.contains("sockets")) {
            println!("{line}");
        }
        println!(
            "at most {} requests and {} connections at a time, {} connections in all",
            self.in_flight.most(),
            self.open.most(),
            self.server.connections()
        );
        assert_eq!(self.requests.load(Ordering::SeqCst), uploads, "every upload is one request");
    }
}

#[test]
fn ten_thousand_concurrent_uploads_succeed_in_a_process_with_256_descriptors() {
    let server = CountingServer::start();
    server.serve(10_000, None);
    assert!((8..=64).contains(&server.in_flight.most()), "{}", server.in_flight.most());
    // Connections that are idle or being closed count as well.
    assert!(server.open.most() <= 128, "{}", server.open.most());
}

#[test]
fn requests_and_connections_are_bounded_by_max_in_flight() {
    let server = CountingServer::start();
    server.serve(300, Some(3));
    assert_eq!(server.in_flight.most(), 3);
    // A connection may be opened just before another one becomes idle.
    assert!(server.open.most() <= 5, "{}", server.open.most());
}
