//! Test servers that read and write raw bytes. Each connection has a thread of its own.
#![allow(dead_code, reason = "each test program uses a part of it")]

use mparticle_client::models::{Batch, CustomEvent, CustomEventType, Environment};
use mparticle_client::{Client, ClientBuilder, Credentials, Error, RetryPolicy, Timeouts};
use std::env;
use std::error::Error as _;
use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

pub(crate) const KEY: &str = "key-of-the-wire";
pub(crate) const SECRET: &str = "secret-of-the-wire";

/// The response to an accepted request.
pub(crate) const ACCEPTED: &[u8] = b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n";

const AGAIN: &str = "WIRE_TEST_IS_RUN_AGAIN";

/// A listening socket that accepts no more connections after it was dropped.
pub(crate) struct Server {
    address: SocketAddr,
    accepted: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<Request>>>,
    stopped: Arc<AtomicBool>,
}

/// A request as it was received.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The request line and the headers.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Server {
    /// Starts a server that calls a function for every connection, with the number of earlier connections.
    pub(crate) fn start(serve: impl Fn(TcpStream, usize) + Send + Sync + 'static) -> Self {
        Self::recording(move |stream, earlier, _| serve(stream, earlier))
    }

    /// Starts a server whose function is also given a function that records a request.
    pub(crate) fn recording(
        serve: impl Fn(TcpStream, usize, &dyn Fn(Request)) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            accepted: Arc::default(),
            requests: Arc::default(),
            stopped: Arc::default(),
        };
        let (accepted, stopped) = (Arc::clone(&server.accepted), Arc::clone(&server.stopped));
        let requests = Arc::clone(&server.requests);
        let serve = Arc::new(serve);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let stream = stream.unwrap();
                // A thread that waits for its connection ends soon after the test.
                let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
                let _ = stream.set_write_timeout(Some(Duration::from_secs(5)));
                let _ = stream.set_nodelay(true);
                let earlier = accepted.fetch_add(1, Ordering::SeqCst);
                let (serve, requests) = (Arc::clone(&serve), Arc::clone(&requests));
                thread::spawn(move || {
                    let record = |request| {
                        requests.lock().unwrap_or_else(PoisonError::into_inner).push(request);
                    };
                    serve(stream, earlier, &record);
                });
            }
        });
        server
    }

    /// Starts a server that accepts and records every request.
    pub(crate) fn accepting() -> Self {
        Self::recording(|mut stream, _, record| accept_requests(&mut stream, record))
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the base URL of the server, without TLS.
    pub(crate) fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the number of connections that were accepted.
    pub(crate) fn connections(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// Returns the recorded requests.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns a builder for a client of this server with short timeouts and without retries.
    pub(crate) fn with_short_timeouts(&self) -> ClientBuilder {
        let timeouts = Timeouts::default()
            .with_connect(Duration::from_secs(2))
            .with_attempt(Duration::from_millis(300))
            .with_overall(Duration::from_secs(2));
        builder(self.base_url()).timeouts(timeouts).retry(RetryPolicy::never())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread, which waits for a connection.
        let _ = TcpStream::connect(self.address);
    }
}

/// Returns a builder for a client with the key and secret of these tests.
pub(crate) fn builder(base_url: impl Into<String>) -> ClientBuilder {
    Client::builder(Credentials::new(KEY, SECRET)).base_url(base_url)
}

pub(crate) fn batch() -> Batch {
    let event = CustomEvent::new("Signed up", CustomEventType::Navigation);
    Batch::new(Environment::Production).with_event(event)
}

/// Reads a request. Returns `None` if the connection ends before the request does.
pub(crate) fn read_request(stream: &mut impl Read) -> Option<Request> {
    let head = read_head(stream)?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().unwrap())
    });
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).ok()?;
    Some(Request { head, body })
}

/// Reads the head of a request, up to and including the empty line.
pub(crate) fn read_head(stream: &mut impl Read) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.extend(byte);
    }
    String::from_utf8(head).ok()
}

/// Accepts requests until the connection ends.
pub(crate) fn accept_requests(stream: &mut (impl Read + Write), record: &dyn Fn(Request)) {
    while let Some(request) = read_request(stream) {
        record(request);
        if stream.write_all(ACCEPTED).is_err() {
            return;
        }
    }
}

/// Reads until the client closes the connection. Closing a socket with unread data would reset the connection.
pub(crate) fn drain(stream: &mut impl Read) {
    let mut buffer = [0; 4096];
    while matches!(stream.read(&mut buffer), Ok(1..)) {}
}

/// Closes a connection without resetting it.
pub(crate) fn close(mut stream: TcpStream) {
    let _ = stream.shutdown(Shutdown::Write);
    drain(&mut stream);
}

/// Returns everything that an error and its causes show in `Display` and `Debug`.
pub(crate) fn everything_shown(error: &Error) -> String {
    let mut shown = format!("{error}\n{error:?}\n{error:#?}");
    let mut cause = error.source();
    while let Some(source) = cause {
        shown = format!("{shown}\n{source}\n{source:?}");
        cause = source.source();
    }
    shown
}

/// Runs a test of this program again in a process of its own, and returns its output.
///
/// The process has these environment variables, and no other variable of this crate or of proxies.
pub(crate) fn run_again<'a>(
    test: &str,
    variables: impl IntoIterator<Item = (&'a str, OsString)>,
) -> String {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]);
    for (name, _) in env::vars_os() {
        let upper = name.to_string_lossy().to_uppercase();
        if upper.ends_with("_PROXY") || upper.starts_with("MPARTICLE_") {
            command.env_remove(name);
        }
    }
    command.env_remove("REQUEST_METHOD").env_remove("RUST_BACKTRACE");
    let output = command.env(AGAIN, "1").envs(variables).output().unwrap();
    let shown = [output.stdout, output.stderr].concat();
    let shown = String::from_utf8_lossy(&shown).into_owned();
    assert!(output.status.success(), "{shown}");
    assert!(shown.contains("1 passed"), "{test} is the name of a test: {shown}");
    shown
}

/// Whether this process was started by [`run_again`].
pub(crate) fn is_run_again() -> bool {
    env::var_os(AGAIN).is_some()
}
