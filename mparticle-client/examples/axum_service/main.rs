//! A web service that reports events without slowing its answers.
//!
//! ```console
//! cargo run --example axum_service
//! curl -X POST http://127.0.0.1:3000/customers/42/signup
//! ```
//!
//! `PORT` is the port to listen on. `--self-test` makes three requests to the service and stops it.
//!
//! A handler puts its batch into a channel and answers. One task takes from the channel whatever has come together and
//! uploads it. The channel is bounded: while mParticle cannot be reached, the service drops batches, and says so, rather
//! than run out of memory. When the service is asked to stop, it answers the requests it has begun, uploads what is
//! left in the channel, and ends.

mod self_test;
#[path = "../support/mod.rs"]
mod support;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use mparticle_client::Client;
use mparticle_client::models::{
    Batch, CustomEvent, CustomEventType, Environment, UnixMillis, UserIdentities,
};
use std::env;
use support::{Destination, Failure};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::sync::oneshot;

/// How many batches may wait.
const CAPACITY: usize = 10_000;

/// How many batches are uploaded at a time.
const AT_A_TIME: usize = 400;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    support::start_log();
    let destination = Destination::from_env().await?;
    let client = destination.client_builder().build()?;
    let (sender, receiver) = mpsc::channel(CAPACITY);
    let uploads = tokio::spawn(upload(client, receiver));

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
    let service = Router::new().route("/customers/{id}/signup", post(sign_up)).with_state(sender);
    let server =
        axum::serve(listener, service).with_graceful_shutdown(async { _ = stopping.await });
    let server = tokio::spawn(server.into_future());
    if self_test {
        self_test::make_three_requests(address).await?;
    } else {
        asked_to_stop().await?;
    }
    drop(stop);
    server.await??;

    // The service and with it every sender is gone, so the task ends when the channel is empty.
    let delivered = uploads.await?;
    println!("Stopped; {delivered} batches delivered.");
    destination.print_received();
    Ok(())
}

async fn sign_up(
    State(events): State<Sender<Batch>>,
    Path(customer_id): Path<String>,
) -> StatusCode {
    let batch = Batch::new(Environment::Development)
        .with_user_identities(UserIdentities::new().with_customer_id(customer_id))
        .with_event(
            CustomEvent::new("Signed up", CustomEventType::Navigation)
                .with_timestamp_unixtime_ms(UnixMillis::now()),
        );
    if events.try_send(batch).is_err() {
        eprintln!("a batch is dropped: {CAPACITY} are waiting");
    }
    StatusCode::CREATED
}

/// Uploads what comes through the channel until all senders are gone; returns how many batches were delivered.
async fn upload(client: Client, mut batches: Receiver<Batch>) -> usize {
    let mut delivered = 0;
    let mut waiting = Vec::with_capacity(AT_A_TIME);
    while batches.recv_many(&mut waiting, AT_A_TIME).await > 0 {
        let mut waiting = waiting.drain(..);
        let report = client.upload_all(&mut waiting).await;
        delivered += report.delivered();
        // A service that must not lose anything stores these batches, and those that `waiting` still holds.
        for failed in report.into_failed() {
            eprintln!("batch {} is lost: {}", failed.source_request_id(), failed.error());
        }
        // When mParticle refuses the credentials, no more batches are taken.
        for _ in waiting {
            eprintln!("a batch is lost: mParticle refuses the credentials");
        }
    }
    delivered
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
