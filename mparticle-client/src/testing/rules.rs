//! The checks that decide whether the Events API accepts a request, and the response if it does not.

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

const MAX_REQUEST_BYTES: usize = 256_000;
const MAX_BATCH_BYTES: usize = 128_000;
const MAX_BATCHES: usize = 100;

/// The settings of the checks.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    /// The only valid credentials, or `None` if all are valid.
    pub(super) credentials: Option<Credentials>,
    pub(super) bad_batches: BadBatches,
}

/// The batches of a request that passed the checks.
#[derive(Debug, Default)]
pub(super) struct CheckedBatches {
    pub(super) valid: Vec<ReceivedBatch>,
    pub(super) unprocessed: Vec<UnprocessedBatch>,
}

/// The response to a request that failed a check.
#[derive(Debug)]
pub(super) struct ErrorResponse {
    status: StatusCode,
    message: String,
}

impl Rules {
    /// Checks a request. `now` is the time from which the age of historical events is measured.
    pub(super) fn check(
        &self,
        request: &Request<Bytes>,
        now: SystemTime,
    ) -> Result<CheckedBatches, ErrorResponse> {
        let endpoint = endpoint_of_path(request.uri().path())?;
        if request.method() != Method::POST {
            let message = format!("the method is {}, not POST", request.method());
            return Err(ErrorResponse::new(StatusCode::METHOD_NOT_ALLOWED, message));
        }
        self.check_authorization(request.headers())?;
        check_content_type(request.headers())?;
        self.check_body(endpoint, request.body(), now)
    }

    fn check_authorization(&self, headers: &HeaderMap) -> Result<(), ErrorResponse> {
        let unauthorized = |message: &str| ErrorResponse::new(StatusCode::UNAUTHORIZED, message);
        let given = headers
            .get(AUTHORIZATION)
            .ok_or_else(|| unauthorized("the authorization header is missing"))?;
        if !is_basic(given) {
            return Err(unauthorized("the authorization header does not use basic authentication"));
        }
        let Some(credentials) = &self.credentials else { return Ok(()) };
        let forbidden =
            || ErrorResponse::new(StatusCode::FORBIDDEN, "the key or the secret is not valid");
        let expected = credentials.authorization().map_err(|_| forbidden())?;
        let given = basic_credentials(given);
        if given == basic_credentials(&expected) { Ok(()) } else { Err(forbidden()) }
    }

    fn check_body(
        &self,
        endpoint: Endpoint,
        body: &Bytes,
        now: SystemTime,
    ) -> Result<CheckedBatches, ErrorResponse> {
        if body.len() > MAX_REQUEST_BYTES {
            let length = body.len();
            return Err(ErrorResponse::bad_request(format!(
                "the request has {length} bytes, more than {MAX_REQUEST_BYTES}"
            )));
        }
        if endpoint == Endpoint::Events {
            let batch =
                parse_batch(endpoint, body.clone(), "").map_err(ErrorResponse::bad_request)?;
            return Ok(CheckedBatches { valid: vec![batch], ..CheckedBatches::default() });
        }
        let mut batches = CheckedBatches::default();
        for (index, raw) in split_list(body)?.into_iter().enumerate() {
            match parse_batch(endpoint, raw.clone(), &format!("/{index}")) {
                Ok(batch) => batches.add(batch, now),
                Err(reason) => match self.bad_batches {
                    BadBatches::RefuseRequest => return Err(ErrorResponse::bad_request(reason)),
                    BadBatches::DropSilently => {
                        let id = serde_json::from_slice(&raw).ok().as_ref().and_then(request_id);
                        batches.unprocessed.push(UnprocessedBatch { id, endpoint, raw, reason });
                    }
                },
            }
        }
        Ok(batches)
    }
}

impl CheckedBatches {
    /// Adds a well-formed batch, which the historical endpoint may leave unprocessed.
    fn add(&mut self, batch: ReceivedBatch, now: SystemTime) {
        let historical = batch.endpoint == Endpoint::HistoricalBulkEvents;
        match historical.then(|| historical::unprocessed_reason(&batch.json, now)).flatten() {
            None => self.valid.push(batch),
            Some(reason) => {
                let ReceivedBatch { id, endpoint, raw, .. } = batch;
                self.unprocessed.push(UnprocessedBatch { id, endpoint, raw, reason });
            }
        }
    }
}

impl ErrorResponse {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// Returns the response, with a body in the format that is documented for 400.
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

fn endpoint_of_path(path: &str) -> Result<Endpoint, ErrorResponse> {
    [Endpoint::Events, Endpoint::BulkEvents, Endpoint::HistoricalBulkEvents]
        .into_iter()
        .find(|endpoint| path.strip_prefix("/v2") == Some(endpoint.path()))
        .ok_or_else(|| {
            ErrorResponse::new(
                StatusCode::NOT_FOUND,
                format!("`{path}` is not a path of the Events API"),
            )
        })
}

/// Returns the part after the scheme if the scheme is `Basic`.
fn basic_credentials(value: &HeaderValue) -> Option<&[u8]> {
    let (scheme, credentials) = value.as_bytes().split_at_checked("Basic ".len())?;
    scheme.eq_ignore_ascii_case(b"Basic ").then_some(credentials)
}

fn is_basic(value: &HeaderValue) -> bool {
    basic_credentials(value)
        .and_then(|credentials| STANDARD.decode(credentials).ok())
        .is_some_and(|decoded| decoded.contains(&b':'))
}

fn check_content_type(headers: &HeaderMap) -> Result<(), ErrorResponse> {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let message = format!("the content type is `{value}`, not `application/json`");
    Err(ErrorResponse::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message))
}

/// Splits the list of a bulk request into its elements, each byte for byte.
fn split_list(body: &Bytes) -> Result<Vec<Bytes>, ErrorResponse> {
    let elements: Vec<&RawValue> = serde_json::from_slice(body).map_err(|error| {
        ErrorResponse::bad_request(not_json("the body", "a list of batches", &error))
    })?;
    match elements.len() {
        0 => Err(ErrorResponse::bad_request("the request has no batch")),
        count if count > MAX_BATCHES => Err(ErrorResponse::bad_request(format!(
            "the request has {count} batches, more than {MAX_BATCHES}"
        ))),
        _ => Ok(elements.iter().map(|raw| body.slice_ref(raw.get().as_bytes())).collect()),
    }
}

/// Parses and validates a batch. The error names locations relative to the body, in which the batch is at `pointer`.
fn parse_batch(endpoint: Endpoint, raw: Bytes, pointer: &str) -> Result<ReceivedBatch, String> {
    if raw.len() > MAX_BATCH_BYTES {
        let location = schema::describe_location(pointer);
        return Err(format!("{location} has {} bytes, more than {MAX_BATCH_BYTES}", raw.len()));
    }
    let json: Value = serde_json::from_slice(&raw)
        .map_err(|error| not_json(&schema::describe_location(pointer), "a batch", &error))?;
    schema::validate(&json, pointer)?;
    Ok(ReceivedBatch { id: request_id(&json), endpoint, json, raw })
}

fn request_id(batch: &Value) -> Option<String> {
    batch.get("source_request_id").and_then(Value::as_str).map(str::to_owned)
}

/// Returns the message for `subject`. It omits the message of serde, which may quote values.
fn not_json(subject: &str, expected: &str, error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    format!("{subject} is not the JSON of {expected}, at line {line}, column {column}")
}
