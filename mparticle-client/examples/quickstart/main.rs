//! Uploads one batch: to mParticle when its variables are set, else to a sink inside this process.

mod sink;

use std::env;
use std::error::Error;
use std::process::ExitCode;

use mparticle_client::Client;
use mparticle_client::models::{
    Batch, CustomEvent, CustomEventType, Environment, UnixMillis, UserIdentities,
};
use sink::Sink;

const VARIABLES: [&str; 3] = ["MPARTICLE_BASE_URL", "MPARTICLE_API_KEY", "MPARTICLE_API_SECRET"];

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", with_causes(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let batch = Batch::new(Environment::Development)
        .with_user_identities(
            UserIdentities::new().with_customer_id("42").with_email("a@example.com"),
        )
        .with_user_attribute("plan", "gold")
        .with_event(
            CustomEvent::new("Signed up", CustomEventType::Navigation)
                .with_timestamp_unixtime_ms(UnixMillis::now())
                .with_custom_attribute("foo", "bar"),
        );
    for violation in batch.validate() {
        eprintln!("warning: {violation}");
    }

    let values = VARIABLES.map(|name| env::var(name).ok().filter(|value| !value.is_empty()));
    match &values {
        [Some(base_url), Some(key), Some(secret)] => {
            let status = Client::new(base_url, key, secret)?.upload_events(&batch).await?;
            println!("{base_url} answered {status}: the batch is accepted");
        }
        [None, None, None] => {
            let sink = Sink::start("202 Accepted", "")?;
            println!("{} are not set, so {} plays mParticle.\n", VARIABLES.join(", "), sink.url);
            let status = Client::new(&sink.url, "key", "secret")?.upload_events(&batch).await?;
            let received = sink.received.recv()?;
            println!("It received:\n\n{}{}\n", received.head, received.body);
            println!("It answered {status}: the batch is accepted.");
        }
        _ => return Err(format!("set all of {} or none", VARIABLES.join(", ")).into()),
    }
    Ok(())
}

/// An error and what caused it, in one line.
fn with_causes(error: &dyn Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", with_causes(cause)),
        None => error.to_string(),
    }
}
