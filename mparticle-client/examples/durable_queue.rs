//! Demonstrates a queue that survives a crash of the process during an outage of mParticle.
//!
//! ```console
//! cargo run --example durable_queue
//! ```
//!
//! The program starts itself as a service that cannot reach mParticle, and kills the service (`kill -9`) after its queue
//! has accepted 100 batches. Then it creates a queue with the same spool, which delivers the batches with their original
//! ids.
//!
//! `durable_queue FOLDER` runs only the service. It sends 100 batches through a queue with a spool in the folder, together
//! with batches that an earlier run has left there, and stops after 10 seconds at the latest. The destination is read
//! from the environment.

mod support;

use mparticle_client::models::{
    Batch, CustomEvent, CustomEventType, Environment, UnixMillis, UserIdentities,
};
use mparticle_client::{Client, queue::Queue};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use std::{env, io};
use support::{Destination, Failure};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

const BATCHES: u32 = 100;

/// The destination of the service that is killed: a port on which no server listens.
const UNREACHABLE_URL: &str = "http://127.0.0.1:9";

#[tokio::main]
async fn main() -> Result<(), Failure> {
    support::init_logging();
    if let Some(folder) = folder_argument()? {
        let destination = Destination::from_env().await?;
        let queue = open(&destination.client_builder().build()?, &folder).await?;
        send(&queue).await?;
        return close(&queue).await;
    }
    let folder = env::temp_dir().join(format!("mparticle-durable-queue-{}", std::process::id()));
    run_and_kill(&folder).await?;
    let destination = Destination::from_env().await?;
    let queue = open(&destination.client_builder().build()?, &folder).await?;
    close(&queue).await?;
    destination.print_received();
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

/// Returns the folder on the command line. Refuses options, which would otherwise create folders of that name.
fn folder_argument() -> io::Result<Option<PathBuf>> {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    match arguments.as_slice() {
        [] => Ok(None),
        [folder] if !folder.as_encoded_bytes().starts_with(b"-") => Ok(Some(folder.into())),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "usage: durable_queue [FOLDER]")),
    }
}

async fn open(client: &Client, folder: &Path) -> Result<Queue, Failure> {
    let queue = client.queue().spool(folder).build().await?;
    println!("The spool held {} batches.", queue.recovery().recovered);
    if let Some(damage) = &queue.recovery().damage {
        println!(
            "The spool was damaged: {damage}; {} records are lost.",
            queue.recovery().unreadable
        );
    }
    Ok(queue)
}

async fn send(queue: &Queue) -> Result<(), Failure> {
    for customer in 0..BATCHES {
        // The batch is on disk when `send` returns.
        queue.send(order_placed(customer)).await?;
    }
    println!("{BATCHES} batches accepted.");
    Ok(())
}

async fn close(queue: &Queue) -> Result<(), Failure> {
    let report = queue.shutdown(Duration::from_secs(10)).await;
    // The report counts from the call of `shutdown`. The statistics include batches that were delivered before it.
    let delivered = queue.stats().delivered;
    println!("{delivered} batches delivered, {} left in the spool.", report.left_in_spool);
    Ok(())
}

/// Starts this program as a service that cannot reach mParticle, and kills it after it has accepted its batches.
async fn run_and_kill(folder: &PathBuf) -> Result<(), Failure> {
    let mut service = Command::new(env::current_exe()?)
        .arg(folder)
        .env("MPARTICLE_API_KEY", "key")
        .env("MPARTICLE_API_SECRET", "secret")
        .env("MPARTICLE_BASE_URL", UNREACHABLE_URL)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(output) = service.stdout.take() {
        let mut lines = BufReader::new(output).lines();
        while let Some(line) = lines.next_line().await? {
            println!("  service: {line}");
            if line.ends_with("accepted.") {
                break;
            }
        }
    }
    service.kill().await?;
    println!("The service was killed.\n");
    Ok(())
}

fn order_placed(customer: u32) -> Batch {
    Batch::new(Environment::Development)
        .with_user_identities(UserIdentities::new().with_customer_id(customer.to_string()))
        .with_event(
            CustomEvent::new("Order placed", CustomEventType::Transaction)
                .with_timestamp_unixtime_ms(UnixMillis::now()),
        )
}
