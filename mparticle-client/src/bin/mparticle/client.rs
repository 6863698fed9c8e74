//! The client that a command line and the environment describe.

use crate::failure::Failure;
use mparticle_client::{Client, ClientBuilder, Credentials, Pod};
use std::path::{Path, PathBuf};

const KEY: &str = "MPARTICLE_API_KEY";
const SECRET: &str = "MPARTICLE_API_SECRET";

/// Where to send to, and with which credentials.
#[derive(clap::Args)]
#[command(next_help_heading = "Destination")]
pub(crate) struct Destination {
    /// The data centre of the account: us1, us2, eu1 or au1. By default that of `MPARTICLE_POD`, or us1
    #[arg(long, conflicts_with = "base_url", value_parser = parse_pod)]
    pod: Option<Pod>,
    /// The URL to send to instead, such as that of an emulator. By default that of `MPARTICLE_BASE_URL`
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// A file with the lines `MPARTICLE_API_KEY=...` and `MPARTICLE_API_SECRET=...`. By default the environment
    #[arg(long, value_name = "FILE")]
    credentials: Option<PathBuf>,
}

impl Destination {
    pub(crate) fn builder(&self) -> Result<ClientBuilder, Failure> {
        if is_disabled() {
            let failure = Failure::new("MPARTICLE_DISABLED is set, and nothing would be sent");
            return Err(failure.with_hint("--check reads everything and sends nothing"));
        }
        let mut builder = match &self.credentials {
            Some(path) => with_environment(Client::builder(read_credentials(path)?))?,
            None => ClientBuilder::from_env().map_err(|error| {
                Failure::from(error)
                    .with_hint(format!("set {KEY} and {SECRET}, or name a file with --credentials"))
            })?,
        };
        if let Some(pod) = self.pod {
            builder = builder.pod(pod);
        }
        if let Some(url) = &self.base_url {
            builder = builder.base_url(url);
        }
        Ok(builder)
    }
}

/// Whether the environment disables clients. What a disabled client discards must not pass for delivered.
fn is_disabled() -> bool {
    let value = std::env::var("MPARTICLE_DISABLED").unwrap_or_default();
    !matches!(value.trim().to_ascii_lowercase().as_str(), "" | "0" | "false")
}

fn parse_pod(text: &str) -> Result<Pod, String> {
    text.parse().map_err(|_| "the pods are us1, us2, eu1 and au1".to_owned())
}

/// Applies the variables of the environment that name the destination.
fn with_environment(builder: ClientBuilder) -> Result<ClientBuilder, Failure> {
    match (variable("MPARTICLE_BASE_URL"), variable("MPARTICLE_POD")) {
        (Some(url), _) => Ok(builder.base_url(url)),
        (None, Some(pod)) => {
            let pod =
                parse_pod(&pod).map_err(|why| Failure::new(format!("MPARTICLE_POD: {why}")))?;
            Ok(builder.pod(pod))
        }
        (None, None) => Ok(builder),
    }
}

/// Returns the credentials of a file or of the environment, if there are any.
pub(crate) fn credentials(file: Option<&Path>) -> Result<Option<Credentials>, Failure> {
    if let Some(path) = file {
        return read_credentials(path).map(Some);
    }
    match (variable(KEY), variable(SECRET)) {
        (Some(key), Some(secret)) => Ok(Some(Credentials::new(key, secret))),
        (None, None) => Ok(None),
        _ => Err(Failure::new(format!("only one of {KEY} and {SECRET} is set"))),
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Reads lines of the form `NAME=value`. Messages quote no values.
fn read_credentials(path: &Path) -> Result<Credentials, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::of_file(path, &error))?;
    let value = |name: &str| {
        let mut values = text.lines().filter_map(|line| {
            let (found, value) = line.trim_start_matches("export ").split_once('=')?;
            (found.trim() == name).then(|| value.trim().trim_matches(['"', '\'']).to_owned())
        });
        values
            .next_back()
            .ok_or_else(|| Failure::new(format!("{} has no line {name}=...", path.display())))
    };
    Ok(Credentials::new(value(KEY)?, value(SECRET)?))
}
