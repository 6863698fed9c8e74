//! Tests of `upload_all` during outages: all batches arrive, memory does not grow, and no batch is pulled during an
//! outage.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test may panic")]

mod log;
mod wire;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{Request, Response, StatusCode};
use log::Log;
use mparticle_client::models::{Batch, CustomEvent, CustomEventType, Environment, UserIdentities};
use mparticle_client::testing::{Answer, Emulator};
use mparticle_client::transport::{
    ResponseBody, SendFuture, Transport, TransportError, TransportErrorKind,
};
use mparticle_client::{
    Client, Credentials, ErrorKind, FailedBatch, RetryPolicy, Stopped, Validation,
};
use std::collections::HashSet;
use std::fs;
use std::io::{self, BufReader, ErrorKind as IoErrorKind, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use tokio::time::Instant;
use wire::{ACCEPTED, is_run_again, read_request, run_again};

const MANY: usize = 1_000_000;

const MINUTE: Duration = Duration::from_secs(60);

fn batch(number: usize) -> Batch {
    Batch::new(Environment::Development)
        .with_source_request_id(number.to_string())
        .with_user_identities(UserIdentities::new().with_customer_id(number.to_string()))
        .with_event(CustomEvent::new("Signed up", CustomEventType::Other))
}

/// Accepts requests, except during one outage.
#[derive(Clone, Debug)]
struct Server(Arc<ServerState>);

#[derive(Debug)]
struct ServerState {
    /// The number of requests after which the outage begins.
    healthy_requests: usize,
    outage: Duration,
    accepted: AtomicUsize,
    refused: AtomicUsize,
    began: Mutex<Option<Instant>>,
    /// The resident memory shortly after the beginning and at the end of the outage, in bytes.
    resident: Mutex<Option<(usize, usize)>>,
}

impl Server {
    fn new(healthy_requests: usize, outage: Duration) -> Self {
        Self(Arc::new(ServerState {
            healthy_requests,
            outage,
            accepted: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
            began: Mutex::new(None),
            resident: Mutex::new(None),
        }))
    }

    fn client(&self) -> Client {
        Client::builder(Credentials::new("key", "secret"))
            .transport(self.clone())
            .validation(Validation::Off)
            .retry(RetryPolicy::default().with_jitter_seed(7))
            .build()
            .unwrap()
    }

    /// Returns the time since the outage began, or `None` before and after it.
    fn outage(&self) -> Option<Duration> {
        let began = (*self.0.began.lock().unwrap())?;
        Some(began.elapsed()).filter(|elapsed| *elapsed < self.0.outage)
    }
}

impl Transport for Server {
    fn send(&self, _: Request<Bytes>) -> SendFuture<'_> {
        let state = &self.0;
        if state.accepted.load(Ordering::SeqCst) >= state.healthy_requests {
            state.began.lock().unwrap().get_or_insert_with(Instant::now);
        }
        let result = if let Some(outage) = self.outage() {
            state.refused.fetch_add(1, Ordering::SeqCst);
            // Batches are still pulled at the instant at which the outage begins.
            if let Some(now) = resident_memory().filter(|_| !outage.is_zero()) {
                let mut resident = state.resident.lock().unwrap();
                *resident = Some((resident.map_or(now, |(first, _)| first), now));
            }
            let refused = io::Error::from(IoErrorKind::ConnectionRefused);
            Err(TransportError::new(TransportErrorKind::Connect, refused))
        } else {
            state.accepted.fetch_add(1, Ordering::SeqCst);
            let mut response = Response::new(ResponseBody::empty());
            *response.status_mut() = StatusCode::ACCEPTED;
            Ok(response)
        };
        Box::pin(std::future::ready(result))
    }
}

/// The resident memory of this process in bytes, on Linux.
fn resident_memory() -> Option<usize> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: usize = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

#[test]
fn during_an_outage_amid_a_million_batches_nothing_is_pulled_and_memory_does_not_grow() {
    // The memory of other tests must not be measured.
    if is_run_again() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        return runtime.block_on(outage_amid_many_batches());
    }
    let test = "during_an_outage_amid_a_million_batches_nothing_is_pulled_and_memory_does_not_grow";
    let shown = run_again(test, []);
    shown.lines().filter(|line| line.contains("MB")).for_each(|line| println!("{line}"));
}

async fn outage_amid_many_batches() {
    let server = Server::new(MANY / 200, MINUTE);
    let (pulled, pulled_in_outage) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let source = (0..MANY).map(|number| {
        let pulled = pulled.fetch_add(1, Ordering::SeqCst) + 1;
        // The failure may not be known at the instant at which the outage begins.
        if server.outage().is_some_and(|elapsed| !elapsed.is_zero()) {
            pulled_in_outage.fetch_add(1, Ordering::SeqCst);
        }
        let accepted = 100 * server.0.accepted.load(Ordering::SeqCst);
        assert!(pulled <= accepted + 2_000, "{pulled} were pulled, {accepted} accepted");
        batch(number)
    });
    let start = Instant::now();
    let report = server.client().upload_all(source).await;
    assert!(report.is_complete(), "{report:?}");
    assert_eq!((report.given(), report.delivered()), (MANY, MANY));
    assert_eq!(server.0.accepted.load(Ordering::SeqCst), MANY / 100);
    assert!((MINUTE..2 * MINUTE).contains(&start.elapsed()), "{:?}", start.elapsed());
    assert_eq!(pulled_in_outage.load(Ordering::SeqCst), 0);
    let refused = server.0.refused.load(Ordering::SeqCst);
    assert!((2..50).contains(&refused), "{refused} requests were refused");
    let resident = *server.0.resident.lock().unwrap();
    if let Some((first, last)) = resident {
        let [first, last] = [first, last].map(|bytes| bytes / 1024);
        println!(
            "{first} KB soon after the begin of the outage, {last} KB at its end (4 MB more allowed)"
        );
        assert!(last <= first + 4 * 1024, "{first} KB grew to {last} KB");
    }
}

#[tokio::test(start_paused = true)]
async fn during_an_outage_nothing_is_pulled_from_a_slow_source() {
    // More batches can always be pulled, because only a few wait.
    const BATCHES: usize = 5_000;
    let server = Server::new(10, MINUTE);
    let pulled_in_outage = AtomicUsize::new(0);
    let source = stream::iter(0..BATCHES).then(|number| {
        if server.outage().is_some_and(|elapsed| elapsed > Duration::from_millis(1)) {
            pulled_in_outage.fetch_add(1, Ordering::SeqCst);
        }
        async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            batch(number)
        }
    });
    let report = server.client().upload_all_stream(source).await;
    assert!(report.is_complete(), "{report:?}");
    assert_eq!((report.given(), report.delivered()), (BATCHES, BATCHES));
    assert!(report.elapsed() > MINUTE, "{:?}", report.elapsed());
    // One batch may have been pulled before.
    let pulled = pulled_in_outage.load(Ordering::SeqCst);
    assert!(pulled <= 1, "{pulled} batches were pulled");
}

/// A server on one port that closes everything after some requests, and listens again after a pause.
fn server_with_an_outage(
    requests: usize,
    pause: Duration,
) -> (String, Arc<Mutex<HashSet<String>>>, Arc<AtomicBool>) {
    let ids = Arc::new(Mutex::new(HashSet::new()));
    let had_outage = Arc::new(AtomicBool::new(false));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let (received, over) = (Arc::clone(&ids), Arc::clone(&had_outage));
    thread::spawn(move || {
        let streams = Arc::new(Mutex::new(Vec::new()));
        let left = Arc::new(AtomicUsize::new(requests));
        let serve = |stream: TcpStream| {
            streams.lock().unwrap().push(stream.try_clone().unwrap());
            let (left, received) = (Arc::clone(&left), Arc::clone(&received));
            thread::spawn(move || serve_requests(&stream, &left, &received, address));
        };
        for stream in listener.incoming() {
            if left.load(Ordering::SeqCst) == 0 {
                break;
            }
            serve(stream.unwrap());
        }
        drop(listener);
        for stream in streams.lock().unwrap().drain(..) {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
        over.store(true, Ordering::SeqCst);
        thread::sleep(pause);
        left.store(usize::MAX, Ordering::SeqCst);
        let listener = TcpListener::bind(address).unwrap();
        listener.incoming().for_each(|stream| serve(stream.unwrap()));
    });
    (format!("http://{address}"), ids, had_outage)
}

/// Accepts as many requests as are left. The last one wakes the listener.
fn serve_requests(
    stream: &TcpStream,
    left: &AtomicUsize,
    received: &Mutex<HashSet<String>>,
    address: std::net::SocketAddr,
) {
    let (mut reader, mut writer) = (BufReader::new(stream), stream);
    while let Some(request) = read_request(&mut reader) {
        let take = |left: usize| left.checked_sub(1);
        match left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take) {
            Err(_) => return,
            Ok(1) => drop(TcpStream::connect(address)),
            Ok(_) => {}
        }
        let batches: Vec<serde_json::Value> = serde_json::from_slice(&request.body).unwrap();
        let ids = batches.iter().map(|batch| batch["source_request_id"].as_str().unwrap());
        received.lock().unwrap().extend(ids.map(str::to_owned));
        if writer.write_all(ACCEPTED).is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn a_server_that_is_restarted_on_its_port_receives_everything() {
    const BATCHES: usize = 20_000;
    let (base_url, received, had_outage) =
        server_with_an_outage(BATCHES / 200, Duration::from_secs(2));
    let retry = RetryPolicy::default().with_max_delay(Duration::from_millis(200));
    let client = wire::builder(base_url).retry(retry).build().unwrap();
    let report = client.upload_all((0..BATCHES).map(batch)).await;
    assert!(report.is_complete(), "{report:?}");
    assert_eq!((report.given(), report.delivered()), (BATCHES, BATCHES));
    assert!(had_outage.load(Ordering::SeqCst));
    assert!(report.elapsed() >= Duration::from_secs(2), "{:?}", report.elapsed());
    let expected: HashSet<String> = (0..BATCHES).map(|number| number.to_string()).collect();
    assert!(*received.lock().unwrap() == expected);
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_longer_than_max_wait_stops_the_upload_and_the_rest_can_be_uploaded_later() {
    const BATCHES: usize = 5_000;
    for accepted in [0, 10] {
        let emulator = Emulator::in_memory();
        let client = emulator.client_builder().build().unwrap();
        emulator.script(vec![Answer::normal(); accepted]);
        emulator.always(Answer::status(429).retry_after(3_600));
        let start = Instant::now();
        let report = client.upload_all((0..BATCHES).map(batch)).max_wait(2 * MINUTE).await;
        assert_eq!(report.stopped(), Some(Stopped::NothingAccepted), "{report:?}");
        assert_eq!(report.stop_error().unwrap().kind(), ErrorKind::RateLimited);
        let late = Duration::from_secs(1);
        assert!(
            (2 * MINUTE..2 * MINUTE + late).contains(&start.elapsed()),
            "{:?}",
            start.elapsed()
        );
        assert_eq!(report.delivered(), 100 * accepted);
        let given = report.given();
        let failed = report.into_failed();
        println!("after {accepted} accepted requests {} batches come back", failed.len());
        assert!(failed.len() <= 1_200, "{}", failed.len());
        assert!(failed.iter().all(|failed| failed.error().kind() == ErrorKind::RateLimited));
        let positions: Vec<_> = failed.iter().map(FailedBatch::position).collect();
        assert!(positions.is_sorted(), "{positions:?}");
        assert_eq!(failed.len() + 100 * accepted, given);

        // As documented, the returned batches are uploaded first, then the rest of the source.
        emulator.always(Answer::normal());
        let rest = failed.into_iter().flat_map(FailedBatch::into_batches);
        let client = emulator.client_builder().build().unwrap();
        let report = client.upload_all(rest.chain((given..BATCHES).map(batch))).await;
        assert!(report.is_complete(), "{report:?}");
        emulator.assert_exactly_once((0..BATCHES).map(|number| number.to_string()));
        assert_eq!(emulator.duplicates().len(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_logged_once_at_each_end() {
    let (log, _guard) = Log::capture();
    let server = Server::new(10, Duration::from_secs(155));
    let report = server.client().upload_all((0..3_000).map(batch)).await;
    assert!(report.is_complete(), "{report:?}");
    assert!(report.elapsed() >= Duration::from_secs(155), "{:?}", report.elapsed());
    let text = log.text();
    let lines: Vec<_> = text.lines().collect();
    let [stalled, recovered] = lines.as_slice() else { panic!("two lines are expected:\n{text}") };
    assert!(stalled.contains(" WARN ") && stalled.contains("delivery is stalled"), "{text}");
    assert!(stalled.contains("no connection"), "{text}");
    assert!(recovered.contains(" INFO ") && recovered.contains("delivery has recovered"), "{text}");
}
