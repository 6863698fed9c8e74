//! The arguments of `mparticle upload`, and what they mean.

use crate::client::Destination;
use crate::failure::Failure;
use crate::input::given_back::GivenBack;
use crate::input::{Mapping, PlanOptions, Source};
use mparticle_client::models::Environment;
use mparticle_client::models::data_plan::{Linter, Rules};
use mparticle_client::{Client, Credentials, Validation};
use std::path::PathBuf;
use std::time::Duration;

const EXAMPLES: &str = r#"A line of JSON Lines is one of:
  a batch:
    {"user_identities":{"customer_id":"42"},"events":[{"event_type":"custom_event","data":{"event_name":"Signed up","custom_event_type":"other"}}]}
  an event and its user; consecutive events of one user become one batch:
    {"user":{"user_identities":{"customer_id":"42"}},"event":{"event_type":"screen_view","data":{"screen_name":"Home"}}}

Examples:
  mparticle upload events.jsonl
  mparticle upload --check --plan shop.json events.jsonl.gz
  mparticle upload --historical --split-by-age --rate 100 2025-*.jsonl.zst
  mparticle upload --csv customers.toml customers.csv
  cat events.json | mparticle upload --pod eu1 --checkpoint events.checkpoint -
  mparticle upload events.jsonl.failed.jsonl

A mapping for --csv:
  [columns]
  customer = "user_identities.customer_id"
  plan = "user_attributes.plan"
  ordered_at = { to = "event.timestamp_unixtime_ms", type = "time" }
  total = { to = "event.custom_attributes.total", type = "number" }
  [fixed]
  "event.event_type" = "custom_event"
  "event.event_name" = "Ordered"
  "event.custom_event_type" = "transaction"
The types are text, number, boolean, seconds (since 1970) and time (as in 2026-01-31T12:00:00Z).

If a run is interrupted, run the command again to continue. See the guide of the crate, page `command`.
"#;

/// Upload batches and events from files or standard input
#[derive(clap::Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
#[command(after_long_help = format!("{EXAMPLES}\n{}", crate::EXIT_STATUS), after_help = "`--help` has examples.")]
pub(crate) struct Arguments {
    /// JSON Lines, JSON arrays or CSV, also compressed with gzip or zstd. `-` is standard input
    #[arg(value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// The environment of batches that have none
    #[arg(long, value_enum, default_value = "production")]
    environment: EnvironmentName,
    /// Read CSV, with the columns that this file maps to fields
    #[arg(long, value_name = "MAPPING")]
    csv: Option<PathBuf>,
    /// Send to the endpoint for historical data. Events that are less than 72 hours old fail
    #[arg(long)]
    historical: bool,
    /// Send events that are less than 72 hours old to the usual endpoint, and others to the historical one
    #[arg(long, requires = "historical")]
    split_by_age: bool,
    /// Send nothing, and print what would fail
    #[arg(long)]
    pub(super) check: bool,
    /// Do not send batches that mParticle would refuse, or that do not follow the data plan
    #[arg(long)]
    strict: bool,
    /// The number of requests in flight
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    concurrency: u16,
    /// The maximum number of batches per second
    #[arg(long, value_name = "N", value_parser = positive)]
    rate: Option<f64>,
    /// Stop once N batches or lines have failed
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    stop_after: Option<u64>,
    /// Stop if nothing is accepted for this time
    #[arg(long, value_name = "SECONDS", default_value_t = 3600, value_parser = clap::value_parser!(u64).range(1..))]
    max_wait: u64,
    /// The file that records what was delivered. By default FILE.checkpoint, and none for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "check")]
    pub(super) checkpoint: Option<PathBuf>,
    /// The file for what failed. By default FILE.failed.jsonl
    #[arg(long, value_name = "FILE", conflicts_with = "check")]
    pub(super) failed: Option<PathBuf>,
    /// A name on which the ids depend, such as the date of a daily export. By default the first 64 KiB of the file
    #[arg(long, value_name = "NAME")]
    pub(super) namespace: Option<String>,
    /// Print the summary as JSON
    #[arg(long)]
    pub(super) json: bool,
    /// The time between two lines about the progress, if standard error is not a terminal
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    progress_every: u64,
    #[command(flatten)]
    plan: PlanOptions,
    #[command(flatten)]
    destination: Destination,
    #[command(flatten)]
    given_back: GivenBack,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum EnvironmentName {
    Production,
    Development,
}

/// What happens to events of different ages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Age {
    Any,
    Historical { recent: Recent },
}

/// What happens to events that are not historical.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recent {
    Send,
    Report,
}

/// The options that all inputs share.
pub(super) struct Options {
    pub(super) environment: Environment,
    pub(super) age: Age,
    pub(super) strict: bool,
    pub(super) concurrency: usize,
    pub(super) stop_after: Option<u64>,
    pub(super) max_wait: Duration,
    pub(super) given_back: GivenBack,
    pub(super) linter: Option<Linter>,
    pub(super) progress_every: Duration,
}

impl Arguments {
    pub(super) fn options(&self) -> Result<Options, Failure> {
        let recent = if self.split_by_age { Recent::Send } else { Recent::Report };
        Ok(Options {
            environment: match self.environment {
                EnvironmentName::Production => Environment::Production,
                EnvironmentName::Development => Environment::Development,
            },
            age: if self.historical { Age::Historical { recent } } else { Age::Any },
            strict: self.strict,
            concurrency: usize::from(self.concurrency),
            stop_after: self.stop_after,
            max_wait: Duration::from_secs(self.max_wait),
            given_back: self.given_back.clone(),
            linter: self.plan.linter(Rules::platform())?,
            progress_every: Duration::from_secs(self.progress_every),
        })
    }

    pub(super) fn sources(&self) -> Result<Vec<Source>, Failure> {
        let sources = Source::from_arguments(&self.files)?;
        if sources.len() > 1 && (self.checkpoint.is_some() || self.failed.is_some()) {
            let message = "--checkpoint and --failed are for a single input";
            return Err(Failure::new(message).with_hint("upload the inputs one by one"));
        }
        Ok(sources)
    }

    pub(super) fn mapping(&self) -> Result<Option<Mapping>, Failure> {
        self.csv.as_deref().map(Mapping::read).transpose()
    }

    pub(super) fn client(&self) -> Result<Client, Failure> {
        let builder = if self.check {
            Client::builder(Credentials::new("", "")).disabled()
        } else {
            self.destination.builder()?
        };
        let concurrency = usize::from(self.concurrency);
        // The command checks batches itself, and counts what it finds.
        let builder = builder.validation(Validation::Off).max_in_flight(concurrency.max(64));
        let builder = builder.pool_max_idle(concurrency);
        let builder = match self.rate {
            Some(rate) => builder.max_rate(rate),
            None => builder,
        };
        Ok(builder.build()?)
    }
}

fn positive(text: &str) -> Result<f64, String> {
    let number: Option<f64> = text.parse().ok();
    number.filter(|n| *n > 0.0 && n.is_finite()).ok_or_else(|| "expected a positive number".into())
}
