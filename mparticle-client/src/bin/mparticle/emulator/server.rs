//! The HTTP server: the page and the JSON endpoints. All other requests are for the emulator.

use super::fault::Fault;
use super::journal::{Journal, Request, error_message};
use super::page;
use crate::http_server::{BoxError, Reply, reply, serve};
use bytes::Bytes;
use futures_util::TryStreamExt;
use http::header::{ALLOW, HeaderValue, LOCATION};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use jiff::Timestamp;
use mparticle_client::testing::Emulator;
use mparticle_client::transport::Transport;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpListener;

/// A body of more bytes is refused. The limit of the API is far below.
const MAX_BODY: usize = 10 * 1024 * 1024;

/// What the requests share.
pub(super) struct Server {
    emulator: Emulator,
    journal: Mutex<Journal>,
    faults: Mutex<Vec<String>>,
    on_request: Box<dyn Fn(&Request) + Send + Sync>,
}

impl Server {
    /// Creates a server that passes each request to `on_request` when it has been answered.
    pub(super) fn new(
        emulator: Emulator,
        journal: Journal,
        on_request: impl Fn(&Request) + Send + Sync + 'static,
    ) -> Self {
        let (journal, faults) = (Mutex::new(journal), Mutex::default());
        Self { emulator, journal, faults, on_request: Box::new(on_request) }
    }

    pub(super) fn set_faults(&self, faults: Vec<Fault>) {
        *lock(&self.faults) = faults.iter().map(ToString::to_string).collect();
        self.emulator.set_faults(faults.into_iter().map(Fault::share_and_answer));
    }

    /// Serves connections until the future is dropped.
    pub(super) async fn serve(self: Arc<Self>, listener: TcpListener) {
        serve(listener, move |request| Arc::clone(&self).respond(request)).await;
    }

    /// Answers a request. An error closes the connection.
    async fn respond(self: Arc<Self>, request: http::Request<Incoming>) -> Result<Reply, BoxError> {
        let (head, body) = request.into_parts();
        let body = Limited::new(body, MAX_BODY).collect().await?.to_bytes();
        match self.own(&head, &body) {
            Some(reply) => Ok(reply),
            None => self.emulate(http::Request::from_parts(head, body)).await,
        }
    }

    /// Answers a request for the page or a JSON endpoint. Returns `None` for other requests.
    fn own(&self, head: &Parts, body: &[u8]) -> Option<Reply> {
        let ok = |json: &Value| json_reply(StatusCode::OK, json);
        Some(match (&head.method, head.uri.path()) {
            (&Method::GET, "/") => self.page(head.uri.query() == Some("reload")),
            (&Method::GET, "/requests") => {
                ok(&self.journal().requests().map(Request::json).collect())
            }
            (&Method::DELETE, "/requests") => {
                self.clear();
                empty(StatusCode::NO_CONTENT)
            }
            (&Method::POST, "/clear") => {
                self.clear();
                with_header(empty(StatusCode::SEE_OTHER), LOCATION, "/")
            }
            (&Method::GET, "/batches") => ok(&self.journal().batches_json()),
            (&Method::GET, "/violations") => ok(&self.journal().violations_json()),
            (&Method::GET, "/faults") => ok(&json!(*lock(&self.faults))),
            (&Method::POST, "/faults") => self.change_faults(body),
            (_, "/" | "/batches" | "/violations") => not_allowed("GET"),
            (_, "/requests") => not_allowed("GET, DELETE"),
            (_, "/faults") => not_allowed("GET, POST"),
            _ => return None,
        })
    }

    /// Passes a request to the emulator, and adds it to the journal.
    async fn emulate(&self, request: http::Request<Bytes>) -> Result<Reply, BoxError> {
        let (head, body) = request.into_parts();
        let entry = Request::new(&head, &body, Timestamp::now());
        let pending = Pending { server: self, entry: Some(entry) };
        let request = http::Request::from_parts(head, body.clone());
        let (head, answer) = self.emulator.transport().send(request).await?.into_parts();
        let answer = answer.try_collect::<Vec<_>>().await?.concat();
        pending.answered(head.status, &answer, &body);
        Ok(Response::from_parts(head, Full::from(answer)))
    }

    fn record(&self, request: Request) {
        let request = self.journal().add(request);
        (self.on_request)(&request);
    }

    fn page(&self, reloads: bool) -> Reply {
        let faults = lock(&self.faults).clone();
        let html = page::html(&self.journal(), &faults, reloads);
        reply(StatusCode::OK, "text/html; charset=utf-8", html)
    }

    fn clear(&self) {
        self.journal().clear();
        self.emulator.clear();
    }

    /// Replaces the faults with those of a JSON list of texts.
    fn change_faults(&self, body: &[u8]) -> Reply {
        let texts: Result<Vec<String>, _> = serde_json::from_slice(body);
        let texts = texts.map_err(|_| "expected a JSON list, such as [\"503:5%\"]".to_owned());
        let faults = texts.and_then(|texts| {
            let faults: Vec<Fault> =
                texts.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
            Fault::check_shares(&faults)?;
            Ok(faults)
        });
        match faults {
            Ok(faults) => {
                self.set_faults(faults);
                empty(StatusCode::NO_CONTENT)
            }
            Err(message) => json_reply(StatusCode::BAD_REQUEST, &json!({ "error": message })),
        }
    }

    fn journal(&self) -> MutexGuard<'_, Journal> {
        lock(&self.journal)
    }
}

/// A request that is being answered. Dropping it records a request without an answer.
struct Pending<'s> {
    server: &'s Server,
    entry: Option<Request>,
}

impl Pending<'_> {
    fn answered(mut self, status: StatusCode, answer: &[u8], body: &Bytes) {
        if let Some(entry) = self.entry.take() {
            let unprocessed = self.server.emulator.unprocessed();
            let message = error_message(answer);
            self.server.record(entry.answered(status, message, body, &unprocessed));
        }
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if let Some(entry) = self.entry.take() {
            self.server.record(entry);
        }
    }
}

fn empty(status: StatusCode) -> Reply {
    let mut reply = Response::new(Full::default());
    *reply.status_mut() = status;
    reply
}

fn not_allowed(allowed: &'static str) -> Reply {
    with_header(empty(StatusCode::METHOD_NOT_ALLOWED), ALLOW, allowed)
}

fn json_reply(status: StatusCode, json: &Value) -> Reply {
    reply(status, "application/json", format!("{json:#}\n"))
}

fn with_header(mut reply: Reply, name: http::HeaderName, value: &'static str) -> Reply {
    reply.headers_mut().insert(name, HeaderValue::from_static(value));
    reply
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
