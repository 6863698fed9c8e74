//! Answers `GET /health` and `GET /metrics`.

use super::metrics::{health, metrics};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use mparticle_client::RateLimiter;
use mparticle_client::jetstream::{Feed, FeedStats};
use mparticle_client::relay::Relay;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

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
        let mut connections = JoinSet::new();
        loop {
            while connections.try_join_next().is_some() {}
            match listener.accept().await {
                Ok((stream, _)) => {
                    connections.spawn(Arc::clone(&self).serve_connection(stream));
                }
                // Most likely there is no free file descriptor, until another connection is closed.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }

    /// Serves one connection. Errors are ignored, because the client caused them.
    async fn serve_connection(self: Arc<Self>, stream: TcpStream) {
        let service = service_fn(|request| self.respond(request));
        let mut server = http1::Builder::new();
        _ = server.timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await;
    }

    async fn respond(
        &self,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let stats = self.relay.stats();
        Ok(match (request.method(), request.uri().path()) {
            (&Method::GET, "/health") => {
                let (is_healthy, text) = health(&stats, self.feed_stats().await.is_some());
                let unavailable = StatusCode::SERVICE_UNAVAILABLE;
                reply(if is_healthy { StatusCode::OK } else { unavailable }, text)
            }
            (&Method::GET, "/metrics") => {
                let rate = self.limiter.snapshot().batches_per_second;
                reply(StatusCode::OK, metrics(&stats, self.feed_stats().await, rate))
            }
            (&Method::GET, _) => reply(StatusCode::NOT_FOUND, "/health and /metrics\n"),
            _ => reply(StatusCode::METHOD_NOT_ALLOWED, "GET is allowed\n"),
        })
    }

    /// Returns the content of the feed, unless the NATS servers do not answer.
    async fn feed_stats(&self) -> Option<FeedStats> {
        timeout(ANSWER_TIME, self.feed.stats()).await.ok()?.ok()
    }
}

fn reply(status: StatusCode, text: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut reply = Response::new(Full::from(text.into()));
    *reply.status_mut() = status;
    let content_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    reply.headers_mut().insert(CONTENT_TYPE, content_type);
    reply
}
