//! A server that loses replies, and counts what it accepted by id.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How many times each id was accepted, and what was lost.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) ids: HashMap<String, u32>,
    /// The number of events under each id.
    pub(crate) events: HashMap<String, usize>,
    /// Ids that were received with different numbers of events.
    pub(crate) mismatches: Vec<String>,
    pub(crate) requests: u64,
    pub(crate) lost_replies: u64,
    /// Batches that were received again.
    pub(crate) repeated: u64,
}

#[derive(Clone)]
struct Shared {
    seen: Arc<Mutex<Seen>>,
    /// One of so many replies is lost. Zero loses none.
    loses_one_of: u64,
    latency: Duration,
}

#[derive(Deserialize)]
struct Batch {
    source_request_id: String,
    events: Vec<serde::de::IgnoredAny>,
}

/// Starts a server that accepts everything. Returns its URL and what it has seen.
pub(crate) async fn start(loses_one_of: u64, latency: Duration) -> (String, Arc<Mutex<Seen>>) {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let shared = Shared { seen: Arc::clone(&seen), loses_one_of, latency };
    let router = Router::new().route("/v2/bulkevents", post(accept)).with_state(shared);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, seen)
}

async fn accept(State(shared): State<Shared>, body: Bytes) -> Result<StatusCode, StatusCode> {
    let batches: Vec<Batch> = serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    tokio::time::sleep(shared.latency).await;
    let is_lost = {
        let mut seen = shared.seen.lock().unwrap();
        seen.requests += 1;
        for Batch { source_request_id, events } in batches {
            let known = seen.events.insert(source_request_id.clone(), events.len());
            if known.is_some_and(|known| known != events.len()) {
                seen.mismatches.push(source_request_id.clone());
            }
            let count = seen.ids.entry(source_request_id).or_default();
            *count += 1;
            let is_repeated = *count > 1;
            seen.repeated += u64::from(is_repeated);
        }
        let is_lost = shared.loses_one_of > 0 && seen.requests % shared.loses_one_of == 0;
        seen.lost_replies += u64::from(is_lost);
        is_lost
    };
    if is_lost { Err(StatusCode::GATEWAY_TIMEOUT) } else { Ok(StatusCode::ACCEPTED) }
}
