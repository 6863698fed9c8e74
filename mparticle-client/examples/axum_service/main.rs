//! A web service that sends events without delaying its responses.
//!
//! ```console
//! cargo run --example axum_service
//! curl -X POST http://127.0.0.1:3000/customers/42/signup
//! ```
//!
//! Set `PORT` to choose the port. Set `MPARTICLE_SPOOL` to a folder to keep batches on disk until they are delivered; they
//! then survive a crash. `--self-test` sends three requests to the service and stops it.
//!
//! A handler adds a batch to the queue and responds. The queue is bounded: during a long outage of mParticle, the service
//! drops batches and reports them instead of running out of memory. On Ctrl-C or SIGTERM the service completes the
//! requests in progress, gives the queue ten seconds to deliver the pending batches, and exits. With a spool, the next run
//! delivers the remaining batches.

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

/// The time for the requests in progress when the service stops.
///
/// The sum of both timeouts must be less than the time that the platform allows. Kubernetes kills a process after 30
/// seconds by default.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// The time for the queue to deliver the pending batches when the service stops.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> Result<(), Failure> {
    support::init_logging();
    let destination = Destination::from_env().await?;
    let mut builder = destination.client_builder().build()?.queue().on_outcome(log_loss);
    if let Some(folder) = env::var_os("MPARTICLE_SPOOL").filter(|folder| !folder.is_empty()) {
        builder = builder.spool(folder);
    }
    let queue = builder.build().await?;
    println!("{} batches of an earlier run are pending.", queue.stats().recovered);

    let self_test = env::args().any(|argument| argument == "--self-test");
    let port = match env::var("PORT") {
        Ok(port) => port.parse()?,
        Err(_) if self_test => 0, // any free port
        Err(_) => 3000,
    };
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let address = listener.local_addr()?;
    println!("Listening at http://{address}");

    let (stop, stopped) = oneshot::channel::<()>();
    let service =
        Router::new().route("/customers/{id}/signup", post(sign_up)).with_state(queue.clone());
    let server = axum::serve(listener, service).with_graceful_shutdown(async { _ = stopped.await });
    let server = tokio::spawn(server.into_future());
    if self_test {
        self_test::make_three_requests(address).await?;
    } else {
        stop_signal().await?;
    }
    drop(stop);
    // Slow clients of the service must not use up the time of the queue.
    match timeout(REQUEST_TIMEOUT, server).await {
        Ok(ended) => ended??,
        Err(_) => eprintln!("some requests did not complete in time and are aborted"),
    }

    let report = queue.shutdown(QUEUE_TIMEOUT).await;
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
    if let Err(error) = queue.try_send(batch) {
        eprintln!("a batch was dropped: {error}");
    }
    StatusCode::CREATED
}

/// Logs batches that were lost. A service that must not lose data stores `BatchResult::into_requests`.
fn log_loss(result: &BatchResult) {
    match result.outcome() {
        Outcome::Delivered(_) | Outcome::LeftInSpool => {}
        other => eprintln!("batch {} was lost: {other:?}", result.source_request_id()),
    }
}

/// Waits for Ctrl-C or, on Unix, SIGTERM.
async fn stop_signal() -> std::io::Result<()> {
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
