//! Answers `GET /health` and `GET /metrics`.

use super::metrics::{health, metrics};
use crate::http_server::{BoxError, Reply, reply, serve};
use http::{Method, Request, StatusCode};
use hyper::body::Incoming;
use mparticle_client::RateLimiter;
use mparticle_client::jetstream::{Feed, FeedStats};
use mparticle_client::relay::Relay;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::timeout;

/// The content type of the text format of Prometheus.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The time in which NATS has to answer before it counts as down.
const ANSWER_TIME: Duration = Duration::from_secs(2);

pub(super) struct Server {
    feed: Feed,
    relay: Arc<Relay>,
    limiter: RateLimiter,
}

impl Server {
    pub(super) fn new(feed: Feed, relay: Arc<Relay>, limiter: RateLimiter) -> Self {
        Self { feed, relay, limiter }
    }

    /// Serves connections until the future is dropped, which also ends the connections.
    pub(super) async fn serve(self: Arc<Self>, listener: TcpListener) {
        serve(listener, move |request| Arc::clone(&self).respond(request)).await;
    }

    async fn respond(self: Arc<Self>, request: Request<Incoming>) -> Result<Reply, BoxError> {
        let stats = self.relay.stats();
        Ok(match (request.method(), request.uri().path()) {
            (&Method::GET, "/health") => {
                let (is_healthy, text) = health(&stats, self.feed_stats().await.is_some());
                let unavailable = StatusCode::SERVICE_UNAVAILABLE;
                reply(if is_healthy { StatusCode::OK } else { unavailable }, TEXT, text)
            }
            (&Method::GET, "/metrics") => {
                let rate = self.limiter.snapshot().batches_per_second;
                reply(StatusCode::OK, TEXT, metrics(&stats, self.feed_stats().await, rate))
            }
            (&Method::GET, _) => reply(StatusCode::NOT_FOUND, TEXT, "/health and /metrics\n"),
            _ => reply(StatusCode::METHOD_NOT_ALLOWED, TEXT, "GET is allowed\n"),
        })
    }

    /// Returns the content of the feed, unless the NATS servers do not answer.
    async fn feed_stats(&self) -> Option<FeedStats> {
        timeout(ANSWER_TIME, self.feed.stats()).await.ok()?.ok()
    }
}
