//! `mparticle relay`: delivers the batches of a feed in NATS JetStream.

mod metrics;
mod server;

use crate::client::Destination;
use crate::failure::Failure;
use crate::output;
use crate::runtime::{interrupt, runtime};
use mparticle_client::BatchResult;
use mparticle_client::jetstream::{Feed, JetStream};
use mparticle_client::relay::{Relay, RelayState, RelayStats};
use server::Server;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

const NATS_URL: &str = "NATS_URL";

const EXAMPLES: &str = "\
Examples:
  mparticle relay --feed web-prod
  mparticle relay --nats nats://a:4222,nats://b:4222 --feed web-prod --listen 0.0.0.0:9090
  mparticle relay --feed web-prod --max-batches 27 --credentials /etc/mparticle/credentials

Endpoints with --listen:
  GET /health   200 if the relay delivers or another one may, and 503 otherwise
  GET /metrics  counts in the text format of Prometheus";

/// Deliver the batches of a feed in NATS `JetStream`
///
/// Any number of relays can run for a feed. One delivers, and the others wait. Ctrl-C and SIGTERM end the relay after the
/// requests in flight.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{}", crate::EXIT_STATUS))]
pub(crate) struct Arguments {
    /// The NATS servers, separated by commas. By default those of `NATS_URL`, where a password is not visible to others
    #[arg(long, value_name = "URL,...", value_delimiter = ',')]
    nats: Vec<String>,
    /// A file with root certificates for TLS, in addition to those of the system
    #[arg(long, value_name = "FILE")]
    nats_ca: Option<PathBuf>,
    /// The name of the feed
    #[arg(long, value_name = "NAME")]
    feed: String,
    /// The number of requests in flight
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..))]
    concurrency: u16,
    /// The maximum number of batches in a request. A tenth of the rate limit is a good value
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=100))]
    max_batches: u16,
    /// The time after which another relay takes over, the same for all programs of the feed
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=60))]
    lease: u64,
    /// The number of servers that store each batch. By default that of the stream, or 1 if it is created
    #[arg(long, value_name = "N")]
    replicas: Option<usize>,
    /// The maximum size of the feed. By default that of the stream, or 1 GiB if it is created
    #[arg(long, value_name = "BYTES")]
    max_bytes: Option<u64>,
    /// The address on which to answer GET /health and /metrics, such as 127.0.0.1:9090
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// How long the requests in flight may take at the end
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    shutdown_timeout: u64,
    #[command(flatten)]
    destination: Destination,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    runtime()?.block_on(relay(arguments))?;
    Ok(ExitCode::SUCCESS)
}

async fn relay(arguments: &Arguments) -> Result<(), Failure> {
    let client = arguments.destination.builder()?.build()?;
    let feed = arguments.feed().await?;
    let relay = client
        .relay(feed.clone())
        .concurrency(arguments.concurrency.into())
        .max_batches(arguments.max_batches.into())
        .on_outcome(note_undelivered)
        .start()
        .await?;
    let relay = Arc::new(relay);
    let mut serving = JoinSet::new();
    if let Some(address) = arguments.listen {
        let listener = TcpListener::bind(address)
            .await
            .map_err(|error| Failure::new(format!("cannot listen on {address}: {error}")))?;
        let bound = listener.local_addr().unwrap_or(address);
        output::note(format_args!("listening on http://{bound}"));
        let server = Server::new(feed, Arc::clone(&relay), client.rate_limiter());
        serving.spawn(Arc::new(server).serve(listener));
    }
    watch(&relay).await;
    serving.shutdown().await;
    output::note("stopping; a second Ctrl-C ends at once");
    tokio::select! {
        stats = relay.shutdown(Duration::from_secs(arguments.shutdown_timeout)) => {
            output::note(format_args!("{} batches delivered", stats.delivered));
        }
        () = interrupt() => {
            output::note("ended at once");
            std::process::exit(130);
        }
    }
    Ok(())
}

/// Prints changes of the state until the process is told to end.
async fn watch(relay: &Relay) {
    let changes = async {
        let mut tick = interval(Duration::from_millis(200));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last = None;
        loop {
            tick.tick().await;
            let stats = relay.stats();
            if last != Some(stats.state) {
                last = Some(stats.state);
                output::note(state_line(&stats));
            }
        }
    };
    tokio::select! {
        () = changes => {}
        () = interrupt() => {}
    }
}

fn state_line(stats: &RelayStats) -> String {
    let cause = stats.last_error.as_ref().map(|error| format!(": {error:#}")).unwrap_or_default();
    match stats.state {
        RelayState::Active => "active".to_owned(),
        RelayState::Standby => format!("standby{cause}"),
        RelayState::Paused { .. } => format!("paused for a minute{cause}"),
        _ => "stopped".to_owned(),
    }
}

fn note_undelivered(result: &BatchResult) {
    if !result.is_delivered() {
        let id = result.source_request_id();
        match result.error() {
            Some(error) => output::note(format_args!("dead letter {id}: {error}")),
            None => output::note(format_args!("dead letter {id}: expired")),
        }
    }
}

impl Arguments {
    async fn feed(&self) -> Result<Feed, Failure> {
        let mut servers = self.nats.clone();
        if servers.is_empty() {
            let variable = std::env::var(NATS_URL).unwrap_or_default();
            let named = variable.split(',').map(str::trim).filter(|server| !server.is_empty());
            servers.extend(named.map(str::to_owned));
        }
        if servers.is_empty() {
            let failure = Failure::new("no NATS server is given");
            return Err(failure.with_hint(format!("set {NATS_URL}, or pass --nats")));
        }
        let mut connection = JetStream::builder(servers);
        if let Some(path) = &self.nats_ca {
            connection = connection.root_certificates(path);
        }
        let lease = Duration::from_secs(self.lease);
        let mut feed = connection.connect().await?.feed(&self.feed).lease(lease);
        if let Some(replicas) = self.replicas {
            feed = feed.replicas(replicas);
        }
        if let Some(bytes) = self.max_bytes {
            feed = feed.max_bytes(bytes);
        }
        Ok(feed.ensure().await?)
    }
}
