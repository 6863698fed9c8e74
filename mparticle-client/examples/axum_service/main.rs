//! A web service that reports events without slowing its answers.
//!
//! ```console
//! cargo run --example axum_service
//! curl -X POST http://127.0.0.1:3000/customers/42/signup
//! ```
//!
//! `PORT` is the port to listen on. `--self-test` makes three requests to the service and stops it. `MPARTICLE_SPOOL` is a
//! folder in which batches are kept until they are delivered, so that they survive a crash.
//!
//! A handler gives its batch to the queue and answers. The queue is bounded: while mParticle cannot be reached for long,
//! the service drops batches, and says so, rather than run out of memory. When it is asked to stop (Ctrl-C, SIGTERM) it
//! answers the requests it has begun, gives the queue ten seconds to deliver what is pending, and ends. With a spool,
//! the next run delivers the rest.

mod self_test;
#[path = "../support/mod.rs"]
mod support;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use mparticle_client::models::{
    Batch, CustomEvent, CustomEventType, Environment, UnixMillis, UserIdentities,
};
use mparticle_client::queue::{BatchResult, Outcome, Queue};
use std::env;
use std::time::Duration;
use support::{Destination, Failure};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// How long requests that were begun may take when the service stops. Together with what the queue takes it has to be
/// less than the platform allows: Kubernetes kills after 30 seconds.
const REQUESTS: Duration = Duration::from_secs(10);

/// How long the queue may take to deliver what is pending when the service stops.
const GRACE: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> Result<(), Failure> {
    support::start_log();
    let destination = Destination::from_env().await?;
    let mut builder = destination.client_builder().build()?.queue().on_outcome(report_loss);
    if let Some(folder) = env::var_os("MPARTICLE_SPOOL").filter(|folder| !folder.is_empty()) {
        builder = builder.spool(folder);
    }
    let queue = builder.build().await?;
    println!("{} batches of an earlier run are pending.", queue.stats().recovered);

    let self_test = env::args().any(|argument| argument == "--self-test");
    let port = match env::var("PORT") {
        Ok(port) => port.parse()?,
        Err(_) if self_test => 0, // any
        Err(_) => 3000,
    };
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let address = listener.local_addr()?;
    println!("Listening at http://{address}");

    let (stop, stopping) = oneshot::channel::<()>();
    let service =
        Router::new().route("/customers/{id}/signup", post(sign_up)).with_state(queue.clone());
    let server =
        axum::serve(listener, service).with_graceful_shutdown(async { _ = stopping.await });
    let server = tokio::spawn(server.into_future());
    if self_test {
        self_test::make_three_requests(address).await?;
    } else {
        asked_to_stop().await?;
    }
    drop(stop);
    // A client that is slow or gone must not keep the queue from delivering.
    match timeout(REQUESTS, server).await {
        Ok(ended) => ended??,
        Err(_) => eprintln!("requests are still under way; they are cut off"),
    }

    let report = queue.shutdown(GRACE).await;
    let (delivered, total) = (report.delivered, queue.stats().delivered);
    println!("Stopped; {total} batches delivered, {delivered} of them at the end.");
    println!("{} are left in the spool, {} dropped.", report.left_in_spool, report.dropped);
    destination.print_received();
    Ok(())
}

async fn sign_up(State(queue): State<Queue>, Path(customer_id): Path<String>) -> StatusCode {
    let batch = Batch::new(Environment::Development)
        .with_user_identities(UserIdentities::new().with_customer_id(customer_id))
        .with_event(
            CustomEvent::new("Signed up", CustomEventType::Navigation)
                .with_timestamp_unixtime_ms(UnixMillis::now()),
        );
    if let Err(refused) = queue.try_send(batch) {
        eprintln!("a batch is dropped: {refused}");
    }
    StatusCode::CREATED
}

/// Says what was not delivered. A service that must not lose it stores `settled.into_requests()`.
fn report_loss(settled: &BatchResult) {
    match settled.outcome() {
        Outcome::Delivered(_) | Outcome::LeftInSpool => {}
        other => eprintln!("batch {} is lost: {other:?}", settled.source_request_id()),
    }
}

/// Waits for Ctrl-C or, where there is such a thing, SIGTERM.
async fn asked_to_stop() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            result = tokio::signal::ctrl_c() => result,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
