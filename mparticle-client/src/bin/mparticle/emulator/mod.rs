//! `mparticle emulator`: an emulator of the Events API for SDKs in any language.

mod fault;
mod journal;
mod lines;
mod page;
mod server;

use crate::client;
use crate::failure::Failure;
use crate::output;
use crate::runtime::{interrupt, runtime};
use fault::Fault;
use journal::{Journal, Request};
use mparticle_client::testing::{Emulator, RateLimit};
use server::Server;
use std::fs::File;
use std::io::Write;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// How many requests are remembered.
const MAX_REQUESTS: usize = 1_000;

const EXAMPLES: &str = "\
Examples:
  mparticle emulator
  mparticle emulator --rate 270 --latency 20ms --log requests.jsonl
  mparticle emulator --port 9000 --fault 503:5% --fault lost:1%

Endpoints:
  http://localhost:8080/v2              the base URL for an SDK
  http://localhost:8080/                a page that shows what arrived
  GET /requests, /batches, /violations  the same as JSON
  DELETE /requests                      forgets what arrived
  GET or POST /faults                   a JSON list, such as [\"503:5%\"]";

/// Emulate the Events API, for tests of programs in any language
///
/// Requests are checked and answered as mParticle documents. The latest 1,000 are remembered. Credentials come from
/// `MPARTICLE_API_KEY` and `MPARTICLE_API_SECRET`, or from a file. Without them, every key and secret is accepted.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{}", crate::EXIT_STATUS))]
pub(crate) struct Arguments {
    /// The port to listen on. 0 is a free one
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// The address to listen on. Only this machine reaches the default
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    host: IpAddr,
    /// A file with the lines `MPARTICLE_API_KEY=...` and `MPARTICLE_API_SECRET=...`
    #[arg(long, value_name = "FILE")]
    credentials: Option<PathBuf>,
    /// Refuse more than this number of batches per second, with 429
    #[arg(long, value_name = "BATCHES")]
    rate: Option<NonZeroU32>,
    /// Answer a share of the requests with a status, such as `503:5%`, or with `hang`, `close` or `lost`: `lost`
    /// accepts the request and closes the connection without an answer
    #[arg(long = "fault", value_name = "ANSWER:SHARE")]
    faults: Vec<Fault>,
    /// The round-trip time of a request, such as `20ms` or `1.5s`
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "0ms")]
    latency: Duration,
    /// Append each request to a file, as a line of JSON
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    Fault::check_shares(&arguments.faults).map_err(Failure::new)?;
    let runtime = runtime()?;
    let ended = runtime.block_on(serve(arguments));
    // Requests that hang do not keep the process.
    runtime.shutdown_background();
    ended.map(|()| ExitCode::SUCCESS)
}

async fn serve(arguments: &Arguments) -> Result<(), Failure> {
    let log = arguments.log.as_deref().map(Log::open).transpose()?;
    let emulator = arguments.emulator()?;
    let (host, port) = (arguments.host, arguments.port);
    let listener = TcpListener::bind((host, port)).await.map_err(|error| {
        Failure::new(format!("cannot listen on port {port} of {host}: {error}"))
            .with_hint("--port chooses another port, and --port 0 a free one")
    })?;
    let address = listener.local_addr().map_err(|error| Failure::new(error.to_string()))?;
    output::print(format_args!(
        "listening on http://{address}/v2; http://{address}/ shows what arrives\n"
    ))?;
    let (failed, mut failure) = tokio::sync::mpsc::channel(1);
    let on_request = move |request: &Request| {
        let logged = log.as_ref().map_or(Ok(()), |log| log.append(request));
        if let Err(failure) = output::print(lines::of(request)).and(logged) {
            _ = failed.try_send(failure);
        }
    };
    let server = Arc::new(Server::new(emulator, Journal::new(MAX_REQUESTS), on_request));
    server.set_faults(arguments.faults.clone());
    tokio::select! {
        () = Arc::clone(&server).serve(listener) => Ok(()),
        Some(failure) = failure.recv() => Err(failure),
        () = interrupt() => Ok(()),
    }
}

impl Arguments {
    fn emulator(&self) -> Result<Emulator, Failure> {
        let mut builder = Emulator::builder().latency(self.latency).max_records(MAX_REQUESTS);
        builder = match client::credentials(self.credentials.as_deref())? {
            Some(credentials) => builder.credentials(credentials),
            None => builder.any_credentials(),
        };
        if let Some(rate) = self.rate {
            builder = builder.rate_limit(RateLimit::per_second(rate.get()));
        }
        Ok(builder.in_memory())
    }
}

/// The file of `--log`.
struct Log {
    path: PathBuf,
    file: File,
}

impl Log {
    fn open(path: &Path) -> Result<Self, Failure> {
        let file = File::options().create(true).append(true).open(path);
        let file = file.map_err(|error| Failure::of_file(path, &error))?;
        Ok(Self { path: path.to_owned(), file })
    }

    fn append(&self, request: &Request) -> Result<(), Failure> {
        let line = format!("{}\n", request.json());
        // One call, because lines of concurrent requests must not be mixed.
        (&self.file)
            .write_all(line.as_bytes())
            .map_err(|error| Failure::of_file(&self.path, &error))
    }
}

fn parse_duration(text: &str) -> Result<Duration, String> {
    let expected = || "expected milliseconds or seconds, such as 20ms or 1.5s".to_owned();
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 0.001),
        None => (text.strip_suffix('s').ok_or_else(expected)?, 1.0),
    };
    let number: f64 = number.parse().map_err(|_| expected())?;
    Duration::try_from_secs_f64(number * unit).map_err(|_| expected())
}

#[cfg(test)]
mod tests {
    use super::parse_duration;
    use std::time::Duration;

    #[test]
    fn a_latency_is_in_milliseconds_or_seconds() {
        assert_eq!(parse_duration("20ms").unwrap(), Duration::from_millis(20));
        assert_eq!(parse_duration("1.5s").unwrap(), Duration::from_millis(1500));
        for text in ["", "20", "ms", "-1s", "xs", "1e300s", "nans"] {
            parse_duration(text).unwrap_err();
        }
    }
}
