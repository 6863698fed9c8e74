//! Producers, relays and servers that are killed and stopped, while mParticle answers a tenth of the requests with faults.
//!
//! The test program starts itself as the producers and relays. `MPARTICLE_FLEET_SECONDS` makes longer runs, and
//! `MPARTICLE_FLEET_SEED` repeats one.

use crate::server::{NatsServer, is_recent};
use crate::support::{LEASE, SECOND, batch, log, until_empty};
use fastrand::Rng;
use mparticle_client::jetstream::{Feed, JetStream, Producer};
use mparticle_client::relay::RelayState;
use mparticle_client::testing::{Answer, Emulator, RateLimit};
use mparticle_client::{Client, Credentials};
use std::collections::{HashMap, HashSet};
use std::env;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::time::sleep;

const CHILD: &str = "FLEET_TEST_CHILD";
const SERVERS: &str = "FLEET_TEST_SERVERS";
const BASE_URL: &str = "FLEET_TEST_BASE_URL";
const FIRST: &str = "FLEET_TEST_FIRST";

/// The number of batches that one producer process can send, and the number of its users.
const NUMBERS: usize = 1_000_000;
const USERS: usize = 20;

async fn connect() -> Feed {
    let servers = env::var(SERVERS).unwrap();
    loop {
        let Ok(jetstream) = JetStream::connect(servers.split(',')).await else {
            sleep(SECOND / 10).await;
            continue;
        };
        match jetstream.feed("chaos").lease(LEASE).ensure().await {
            Ok(feed) => return feed,
            Err(error) => eprintln!("{error:#}"),
        }
        sleep(SECOND / 10).await;
    }
}

/// The process of a producer or of a relay. It runs until it is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    if env::var_os(CHILD).is_some() {
        log();
    }
    match env::var(CHILD).as_deref() {
        Ok("producer") => produce_endlessly(&connect().await).await,
        Ok("relay") => relay_endlessly(connect().await).await,
        _ => {}
    }
}

async fn produce_endlessly(feed: &Feed) {
    let first: usize = env::var(FIRST).unwrap().parse().unwrap();
    let producer = Producer::builder(feed.clone()).build();
    for chunk in 0.. {
        let sends = (0..25).map(|place| {
            let number = first + 25 * chunk + place;
            let mut batch = batch(number, USERS).with_mpid(user(number));
            if number % 500 == 37 {
                // mParticle refuses a batch without an environment.
                batch.environment = None;
            }
            producer.send(batch)
        });
        for sent in futures_util::future::join_all(sends).await {
            match sent {
                Ok(id) => println!("\nstored {id}"),
                Err(error) => eprintln!("{error:#}"),
            }
        }
        sleep(SECOND / 10).await;
    }
}

/// Each process has users of its own.
fn user(number: usize) -> i64 {
    i64::try_from(number / NUMBERS * NUMBERS + number % USERS).unwrap()
}

async fn relay_endlessly(feed: Feed) {
    let client = Client::builder(Credentials::new("key", "secret"));
    let client = client.base_url(env::var(BASE_URL).unwrap()).build().unwrap();
    let relay = client.relay(feed).concurrency(8).start().await.unwrap();
    while relay.stats().state != RelayState::Stopped {
        sleep(60 * SECOND).await;
    }
}

/// A child process that is started again when it is killed.
struct Worker {
    role: &'static str,
    process: Child,
    output: Option<JoinHandle<()>>,
}

struct Fleet {
    servers: String,
    base_url: String,
    stored: Sender<String>,
    producers: usize,
}

impl Fleet {
    fn start(&mut self, role: &'static str) -> Worker {
        if role == "producer" {
            self.producers += 1;
        }
        let mut process = Command::new(env::current_exe().unwrap())
            .args(["--exact", "chaos::child", "--nocapture"])
            .env(CHILD, role)
            .env(SERVERS, &self.servers)
            .env(BASE_URL, &self.base_url)
            .env(FIRST, (self.producers * NUMBERS).to_string())
            .stdout(Stdio::piped())
            .stderr(if env::var_os("RUST_LOG").is_some() {
                Stdio::inherit()
            } else {
                Stdio::null()
            })
            .spawn()
            .unwrap();
        let (stdout, stored) = (process.stdout.take().unwrap(), self.stored.clone());
        let output = std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if let Some(id) = line.strip_prefix("stored ") {
                    stored.send(id.to_owned()).unwrap();
                }
            }
        });
        Worker { role, process, output: Some(output) }
    }
}

impl Worker {
    /// Kills the process, and waits until its output was read.
    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.output.take().unwrap().join().unwrap();
    }

    fn signal(&self, signal: &str) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }
}

/// A process does not outlive a test that fails.
impl Drop for Worker {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

fn seconds() -> u64 {
    env::var("MPARTICLE_FLEET_SECONDS").map_or(5, |seconds| seconds.parse().unwrap())
}

fn seed() -> u64 {
    let seed = env::var("MPARTICLE_FLEET_SEED").map(|seed| seed.parse().unwrap());
    let seed = seed.unwrap_or_else(|_| Rng::new().u64(..));
    println!("MPARTICLE_FLEET_SEED={seed}");
    seed
}

fn random_answer(rng: &mut Rng) -> Answer {
    match rng.u32(0..1_000) {
        0..30 => Answer::status(503),
        30..60 => Answer::status(500).after_processing(),
        60..80 => Answer::close(),
        80..100 => Answer::close().after_processing(),
        _ => Answer::normal(),
    }
}

/// Kills, stops and starts for some time. Returns the ids that were stored.
async fn run(
    servers: &mut [NatsServer],
    emulator: &Emulator,
    rng: &mut Rng,
    stops: bool,
) -> (Feed, Receiver<String>) {
    let urls = NatsServer::urls(servers);
    let jetstream = JetStream::connect(urls.clone()).await.unwrap();
    let replicas = if servers.len() > 1 { 3 } else { 1 };
    let feed = loop {
        // A cluster first has to elect a leader.
        match jetstream.feed("chaos").lease(LEASE).replicas(replicas).ensure().await {
            Ok(feed) => break feed,
            Err(error) => println!("{error:#}"),
        }
        sleep(SECOND / 2).await;
    };
    let (stored, ids) = channel();
    let base_url = emulator.base_url().to_owned();
    let mut fleet = Fleet { servers: urls.join(","), base_url, stored, producers: 0 };
    let mut workers: Vec<Worker> = ["relay", "producer", "relay", "producer", "relay"]
        .into_iter()
        .map(|role| fleet.start(role))
        .collect();
    let end = Instant::now() + Duration::from_secs(seconds());
    let mut next_server = Instant::now() + Duration::from_secs(3);
    while Instant::now() < end {
        sleep(Duration::from_millis(rng.u64(300..2_000))).await;
        let place = rng.usize(0..workers.len());
        if stops && workers[place].role == "relay" && rng.bool() {
            workers[place].signal("-STOP");
            sleep(LEASE + Duration::from_millis(rng.u64(500..2_000))).await;
            workers[place].signal("-CONT");
        } else {
            let role = workers[place].role;
            workers.swap_remove(place).kill();
            workers.push(fleet.start(role));
        }
        if Instant::now() >= next_server {
            let server = rng.usize(0..servers.len());
            servers[server].kill_and_start();
            next_server = Instant::now() + Duration::from_millis(rng.u64(4_000..9_000));
        }
    }
    // The relay of this process delivers the rest.
    workers.iter_mut().for_each(Worker::kill);
    let client = Client::builder(Credentials::new("key", "secret")).base_url(emulator.base_url());
    let client = client.build().unwrap();
    let relay = client.relay(feed.clone()).start().await.unwrap();
    let watch = async {
        loop {
            sleep(10 * SECOND).await;
            let (state, pending) = (relay.stats().state, feed.stats().await);
            println!("{state:?} {:?} {pending:?}", client.rate_limiter());
        }
    };
    tokio::select! {
        () = until_empty(&feed, 120 * SECOND) => {}
        () = watch => {}
    }
    drop(relay);
    (feed, ids)
}

/// Checks that every stored batch was accepted or is a dead letter, that repeated batches have the same bytes, and that
/// the batches of each user were first accepted in order.
async fn check(emulator: &Emulator, feed: &Feed, stored: Receiver<String>) {
    let letters = feed.dead_letters().list(usize::MAX).await.unwrap();
    let dead: HashSet<String> =
        letters.into_iter().map(|letter| letter.source_request_id).collect();
    assert!(dead.iter().all(|id| id.parse::<usize>().unwrap() % 500 == 37), "{dead:?}");
    let batches = emulator.batches();
    let accepted: HashMap<&str, _> =
        batches.iter().map(|batch| (batch.id.as_deref().unwrap(), &batch.raw)).collect();
    let mut count = 0;
    let mut missing = Vec::new();
    for id in stored.try_iter() {
        count += 1;
        if !accepted.contains_key(id.as_str()) && !dead.contains(&id) {
            missing.push(id);
        }
    }
    let repeats = emulator.duplicates();
    for repeat in &repeats {
        assert_eq!(accepted[repeat.id.as_deref().unwrap()], &repeat.raw);
    }
    let mut last = HashMap::new();
    let mut violations = 0;
    for batch in &batches {
        let number: usize = batch.id.as_deref().unwrap().parse().unwrap();
        let earlier = last.insert(user(number), number);
        violations += usize::from(earlier.is_some_and(|earlier| earlier > number));
    }
    println!(
        "{count} stored, {} accepted, {} lost, {violations} out of order, {} repeats, {} dead letters",
        batches.len(),
        missing.len(),
        repeats.len(),
        dead.len(),
    );
    assert_eq!((missing, violations), (Vec::new(), 0));
    assert!(count > 100);
}

async fn chaos(mut servers: Vec<NatsServer>, stops: bool) {
    log();
    let mut rng = Rng::with_seed(seed());
    let credentials = Credentials::new("key", "secret");
    // What was held up by a kill is sent faster than the limit.
    let limit = RateLimit::per_second(1_000);
    let emulator = Emulator::builder().credentials(credentials).latency(SECOND / 50);
    let emulator = emulator.rate_limit(limit).start().await.unwrap();
    emulator.script((0..200_000).map(|_| random_answer(&mut rng)));
    let (feed, stored) = run(&mut servers, &emulator, &mut rng, stops).await;
    check(&emulator, &feed, stored).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_of_producers_relays_and_the_server_lose_nothing_and_keep_the_order() {
    let Some(server) = NatsServer::start() else { return };
    chaos(vec![server], false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn relays_that_are_stopped_for_longer_than_their_lease_lose_nothing_and_keep_the_order() {
    let Some(server) = NatsServer::start() else { return };
    chaos(vec![server], true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_whose_servers_are_killed_loses_nothing_and_keeps_the_order() {
    if !is_recent() {
        println!("skipped: the cluster needs a nats-server of version 2.11 or later");
        return;
    }
    let Some(servers) = NatsServer::cluster() else { return };
    chaos(servers.into(), true).await;
}
