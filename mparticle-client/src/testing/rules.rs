//! Which requests the Events API takes: a function of the request alone.

use super::received::{ReceivedBatch, UnprocessedBatch};
use super::{BadBatches, historical, schema};
use crate::{Credentials, Endpoint};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ALLOW, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::time::SystemTime;

const MAX_REQUEST: usize = 256_000;
const MAX_BATCH: usize = 128_000;
const MAX_BATCHES: usize = 100;

/// What the checks depend on beside the request.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) credentials: Credentials,
    pub(super) bad_batches: BadBatches,
}

/// What a request holds that passed the checks.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) batches: Vec<ReceivedBatch>,
    pub(super) unprocessed: Vec<UnprocessedBatch>,
}

/// Why a request is refused.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    message: String,
}

impl Rules {
    pub(super) fn check(
        &self,
        request: &Request<Bytes>,
        now: SystemTime,
    ) -> Result<Contents, Refusal> {
        let endpoint = endpoint(request.uri().path())?;
        if request.method() != Method::POST {
            let message = format!("the method is {}, not POST", request.method());
            return Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, message));
        }
        self.check_authorization(request.headers())?;
        check_content_type(request.headers())?;
        self.contents(endpoint, request.body(), now)
    }

    fn check_authorization(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let unauthorized = |message: &str| Refusal::new(StatusCode::UNAUTHORIZED, message);
        let given = headers
            .get(AUTHORIZATION)
            .ok_or_else(|| unauthorized("the authorization header is missing"))?;
        if !is_basic(given) {
            return Err(unauthorized(
                "the authorization header is not that of basic authentication",
            ));
        }
        let forbidden =
            || Refusal::new(StatusCode::FORBIDDEN, "the key or the secret is not valid");
        let expected = self.credentials.authorization().map_err(|_| forbidden())?;
        let given = encoded_pair(given);
        if given == encoded_pair(&expected) { Ok(()) } else { Err(forbidden()) }
    }

    fn contents(
        &self,
        endpoint: Endpoint,
        body: &Bytes,
        now: SystemTime,
    ) -> Result<Contents, Refusal> {
        if body.len() > MAX_REQUEST {
            let length = body.len();
            return Err(Refusal::bad(format!(
                "the request has {length} bytes, more than {MAX_REQUEST}"
            )));
        }
        if endpoint == Endpoint::Events {
            let batch = batch(endpoint, body.clone(), "").map_err(Refusal::bad)?;
            return Ok(Contents { batches: vec![batch], ..Contents::default() });
        }
        let mut contents = Contents::default();
        for (index, raw) in elements(body)?.into_iter().enumerate() {
            match batch(endpoint, raw.clone(), &format!("/{index}")) {
                Ok(batch) => contents.sort(batch, now),
                Err(reason) => match self.bad_batches {
                    BadBatches::RefuseRequest => return Err(Refusal::bad(reason)),
                    BadBatches::DropSilently => {
                        let id = serde_json::from_slice(&raw).ok().as_ref().and_then(id);
                        contents.unprocessed.push(UnprocessedBatch { id, endpoint, raw, reason });
                    }
                },
            }
        }
        Ok(contents)
    }
}

impl Contents {
    /// Puts a batch where it belongs: the historical endpoint answers 202 to what it does not process.
    fn sort(&mut self, batch: ReceivedBatch, now: SystemTime) {
        let historical = batch.endpoint == Endpoint::HistoricalBulkEvents;
        match historical.then(|| historical::objection(&batch.json, now)).flatten() {
            None => self.batches.push(batch),
            Some(reason) => {
                let ReceivedBatch { id, endpoint, raw, .. } = batch;
                self.unprocessed.push(UnprocessedBatch { id, endpoint, raw, reason });
            }
        }
    }
}

impl Refusal {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// The answer, its body in the shape that is documented for 400.
    pub(super) fn into_response(self) -> Response<Bytes> {
        let reason = self.status.canonical_reason().unwrap_or_default();
        let code = reason.to_ascii_uppercase().replace(' ', "_");
        let body = json!({ "errors": [{ "code": code, "message": self.message }] });
        let mut response = Response::new(Bytes::from(body.to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(ALLOW, HeaderValue::from_static("POST"));
        }
        response
    }
}

fn endpoint(path: &str) -> Result<Endpoint, Refusal> {
    [Endpoint::Events, Endpoint::BulkEvents, Endpoint::HistoricalBulkEvents]
        .into_iter()
        .find(|endpoint| path.strip_prefix("/v2") == Some(endpoint.path()))
        .ok_or_else(|| {
            Refusal::new(StatusCode::NOT_FOUND, format!("`{path}` is not a path of the Events API"))
        })
}

/// What follows the scheme, if that is `Basic`.
fn encoded_pair(value: &HeaderValue) -> Option<&[u8]> {
    let (scheme, pair) = value.as_bytes().split_at_checked("Basic ".len())?;
    scheme.eq_ignore_ascii_case(b"Basic ").then_some(pair)
}

fn is_basic(value: &HeaderValue) -> bool {
    encoded_pair(value)
        .and_then(|pair| STANDARD.decode(pair).ok())
        .is_some_and(|pair| pair.contains(&b':'))
}

fn check_content_type(headers: &HeaderMap) -> Result<(), Refusal> {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let message = format!("the content type is `{value}`, not `application/json`");
    Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message))
}

/// The elements of a bulk request, each byte for byte.
fn elements(body: &Bytes) -> Result<Vec<Bytes>, Refusal> {
    let elements: Vec<&RawValue> = serde_json::from_slice(body)
        .map_err(|error| Refusal::bad(not_json("the body", "a list of batches", &error)))?;
    match elements.len() {
        0 => Err(Refusal::bad("the request has no batch")),
        count if count > MAX_BATCHES => {
            Err(Refusal::bad(format!("the request has {count} batches, more than {MAX_BATCHES}")))
        }
        _ => Ok(elements.iter().map(|raw| body.slice_ref(raw.get().as_bytes())).collect()),
    }
}

/// Reads one batch that stands at a place of the body.
fn batch(endpoint: Endpoint, raw: Bytes, place: &str) -> Result<ReceivedBatch, String> {
    if raw.len() > MAX_BATCH {
        return Err(format!("`{place}` has {} bytes, more than {MAX_BATCH}", raw.len()));
    }
    let json: Value = serde_json::from_slice(&raw)
        .map_err(|error| not_json(&format!("`{place}`"), "a batch", &error))?;
    schema::check(&json, place)?;
    Ok(ReceivedBatch { id: id(&json), endpoint, json, raw })
}

fn id(batch: &Value) -> Option<String> {
    batch.get("source_request_id").and_then(Value::as_str).map(str::to_owned)
}

/// The message of serde may quote data, so it is left out.
fn not_json(what: &str, expected: &str, error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    format!("{what} is not the JSON of {expected}, at line {line}, column {column}")
}
