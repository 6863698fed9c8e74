//! Requests for the tests, and a minimal HTTP client that gives access to the bytes of a response.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use mparticle_client::testing::{Emulator, EmulatorBuilder};
use mparticle_client::transport::{ResponseBody, Transport, TransportError};
use mparticle_client::{Credentials, Endpoint};
use std::fmt::Write;
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) const EVENTS: &str = "/v2/events";
pub(crate) const BULK: &str = "/v2/bulkevents";
pub(crate) const HISTORICAL: &str = "/v2/bulkevents/historical";

/// Returns a builder for an emulator that accepts the credentials of [`post`].
pub(crate) fn builder() -> EmulatorBuilder {
    Emulator::builder().credentials(Credentials::new("key", "secret"))
}

/// Returns the `Authorization` header for `key:secret`.
pub(crate) fn basic(credentials: &str) -> String {
    format!("Basic {}", STANDARD.encode(credentials))
}

/// Returns a request with valid headers.
pub(crate) fn post(path: &str, body: impl Into<Bytes>) -> Request<Bytes> {
    Request::post(format!("http://localhost{path}"))
        .header("authorization", basic("key:secret"))
        .header("content-type", "application/json; charset=utf-8")
        .body(body.into())
        .unwrap()
}

/// Returns a minimal batch with an id.
pub(crate) fn batch(id: &str) -> String {
    format!(r#"{{"environment":"production","source_request_id":"{id}"}}"#)
}

pub(crate) fn list(batches: &[String]) -> String {
    format!("[{}]", batches.join(","))
}

pub(crate) fn path(endpoint: Endpoint) -> String {
    format!("/v2{endpoint}")
}

/// What was received over a socket.
pub(crate) struct Received {
    pub(crate) bytes: Vec<u8>,
    /// How the connection ended: closed or reset.
    pub(crate) end: io::Result<()>,
}

impl Received {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub(crate) fn status(&self) -> u16 {
        self.text().split(' ').nth(1).unwrap().parse().unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let text = self.text();
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        let mut fields = head.lines().skip(1).filter_map(|line| line.split_once(": "));
        fields
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.to_owned())
    }

    fn head(&self) -> (StatusCode, HeaderMap) {
        let text = self.text();
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        let fields = head.lines().skip(1).map(|line| line.split_once(": ").unwrap());
        let headers = fields.map(|(name, value)| {
            (HeaderName::try_from(name).unwrap(), HeaderValue::try_from(value).unwrap())
        });
        (StatusCode::from_u16(self.status()).unwrap(), headers.collect())
    }

    pub(crate) fn body(&self) -> String {
        self.text().split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    pub(crate) fn was_reset(&self) -> bool {
        self.end.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::ConnectionReset)
    }
}

pub(crate) async fn connect(emulator: &Emulator) -> TcpStream {
    TcpStream::connect(address(emulator)).await.unwrap()
}

pub(crate) fn address(emulator: &Emulator) -> &str {
    emulator.base_url().strip_prefix("http://").unwrap().strip_suffix("/v2").unwrap()
}

/// Returns the bytes of a request that asks the server to close the connection.
pub(crate) fn bytes_of(request: &Request<Bytes>) -> Vec<u8> {
    let path = request.uri().path();
    let length = request.body().len();
    let mut text = format!("{} {path} HTTP/1.1\r\nhost: localhost\r\n", request.method());
    write!(text, "content-length: {length}\r\nconnection: close\r\n").unwrap();
    for (name, value) in request.headers() {
        write!(text, "{name}: {}\r\n", value.to_str().unwrap()).unwrap();
    }
    [text.as_bytes(), b"\r\n", request.body()].concat()
}

/// Sends a request over a new connection and reads until the connection ends.
pub(crate) async fn exchange(emulator: &Emulator, request: &Request<Bytes>) -> Received {
    let mut stream = connect(emulator).await;
    // The server may have reset the connection without reading. What it sent is checked below.
    let _ = stream.write_all(&bytes_of(request)).await;
    let mut bytes = Vec::new();
    let end = stream.read_to_end(&mut bytes).await.map(|_| ());
    Received { bytes, end }
}

/// Sends a request in memory.
pub(crate) async fn in_memory(
    emulator: &Emulator,
    request: Request<Bytes>,
) -> Result<Response<ResponseBody>, TransportError> {
    emulator.transport().send(request).await
}

/// The two ways to send a request to an emulator.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Via {
    Tcp,
    Memory,
}

impl Via {
    pub(crate) const BOTH: [Self; 2] = [Self::Tcp, Self::Memory];

    /// Sends a request, and returns status and headers of the answer.
    pub(crate) async fn send(
        self,
        emulator: &Emulator,
        request: Request<Bytes>,
    ) -> (StatusCode, HeaderMap) {
        match self {
            Self::Tcp => exchange(emulator, &request).await.head(),
            Self::Memory => {
                let (head, _) = in_memory(emulator, request).await.unwrap().into_parts();
                (head.status, head.headers)
            }
        }
    }
}
