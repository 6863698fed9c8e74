//! Answers uploads with arbitrary status codes and headers. An upload ends within its time limit, whatever the headers say.
//!
//! The first byte of an input selects the status code. Each further line is the value of a header whose name its first
//! byte selects.
#![no_main]

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use libfuzzer_sys::fuzz_target;
use mparticle_client::models::{Batch, Environment};
use mparticle_client::transport::{ResponseBody, SendFuture, Transport};
use mparticle_client::{Client, Credentials};
use std::time::Duration;
use tokio::time::Instant;

const STATUSES: [u16; 6] = [202, 400, 401, 408, 429, 503];

const HEADERS: [&str; 5] = [
    "retry-after",
    "date",
    "x-mp-rate-limit-exceeded",
    "x-mp-rate-limit-percentage-used",
    "content-length",
];

/// Gives every request the same answer.
#[derive(Debug)]
struct Answer(Vec<u8>);

impl Answer {
    fn response(&self) -> Response<ResponseBody> {
        let mut response = Response::new(ResponseBody::empty());
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        let status = STATUSES[usize::from(*first) % STATUSES.len()];
        *response.status_mut() = StatusCode::from_u16(status).expect("the status codes are valid");
        for line in rest.split(|byte| *byte == b'\n') {
            let Some((first, value)) = line.split_first() else { continue };
            let name = HEADERS[usize::from(*first) % HEADERS.len()];
            if let Ok(value) = HeaderValue::from_bytes(value) {
                response.headers_mut().append(HeaderName::from_static(name), value);
            }
        }
        response
    }
}

impl Transport for Answer {
    fn send(&self, _request: Request<Bytes>) -> SendFuture<'_> {
        Box::pin(std::future::ready(Ok(self.response())))
    }
}

fuzz_target!(|input: &[u8]| {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime starts");
    runtime.block_on(async {
        let client = Client::builder(Credentials::new("key", "secret"))
            .transport(Answer(input.to_vec()))
            .build()
            .expect("the settings are valid");
        let start = Instant::now();
        for _ in 0..2 {
            let _ = client.upload_events(&Batch::new(Environment::Development)).await;
        }
        assert!(start.elapsed() <= 2 * Duration::from_secs(61), "an upload exceeds its time limit");
    });
});
