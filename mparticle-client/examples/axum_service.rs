//! A web service that sends events without delaying its responses.
//!
//! ```console
//! cargo run --example axum_service
//! curl -X POST http://127.0.0.1:3000/customers/42/signup
//! ```
//!
//! 1. `main` builds one queue and passes it to the handlers.
//! 2. A handler calls `try_send`, which never waits, and responds.
//! 3. The queue sends the batches from its own thread, and waits during outages of mParticle. It is bounded: if it is
//!    full, `try_send` returns the batch, and the service drops it and logs that.
//! 4. On Ctrl-C or SIGTERM, `main` stops the server, and then calls `shutdown`, which delivers the pending batches.
//!
//! Set `MPARTICLE_SPOOL` to a folder to keep the batches on disk until they are delivered. They then survive a crash, and
//! the next run delivers them. Set `PORT` to choose the port.

mod support;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use mparticle_client::models::{Batch, CustomEvent, CustomEventType, Environment, UserIdentities};
use mparticle_client::queue::{BatchResult, Outcome, Queue};
use std::env;
use std::time::Duration;
use support::{Destination, Failure};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// The time for the requests in progress when the service stops.
///
/// The sum of both timeouts must be less than the time that the platform allows, such as 30 seconds on Kubernetes.
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

    let service =
        Router::new().route("/customers/{id}/signup", post(sign_up)).with_state(queue.clone());
    let port = env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("Listening at http://{}", listener.local_addr()?);
    let (stop, stopped) = oneshot::channel::<()>();
    let server = axum::serve(listener, service).with_graceful_shutdown(async { _ = stopped.await });
    let server = tokio::spawn(server.into_future());

    stop_signal().await?;
    drop(stop);
    // A slow client of the service must not use up the time of the queue.
    match timeout(REQUEST_TIMEOUT, server).await {
        Ok(ended) => ended??,
        Err(_) => eprintln!("some requests did not complete in time"),
    }
    let report = queue.shutdown(QUEUE_TIMEOUT).await;
    println!("Stopped; {} batches delivered.", queue.stats().delivered);
    println!("{} are left in the spool, {} dropped.", report.left_in_spool, report.dropped);
    destination.print_received();
    Ok(())
}

async fn sign_up(State(queue): State<Queue>, Path(customer_id): Path<String>) -> StatusCode {
    let batch = Batch::new(Environment::Development)
        .with_user_identities(UserIdentities::new().with_customer_id(customer_id))
        .with_event(CustomEvent::new("Signed up", CustomEventType::Navigation));
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
