//! A queue that survives a crash: it is killed while mParticle is away, and started again.
//!
//! ```console
//! cargo run --example durable_queue
//! ```
//!
//! The program starts itself as a service that cannot reach mParticle, and kills it (`kill -9`) when it has accepted 100
//! batches. Then it makes a queue with the same spool, which delivers them under the ids that they had.
//!
//! `durable_queue FOLDER` is that service alone: it sends 100 batches from a spool in the folder, together with what an
//! earlier run has left there, to where the environment says, and stops after 10 seconds at the latest.

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

/// Where the service that is killed sends to: a port on which nobody listens.
const NOWHERE: &str = "http://127.0.0.1:9";

#[tokio::main]
async fn main() -> Result<(), Failure> {
    support::start_log();
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

/// The folder on the command line. An option is refused, since a folder of that name would be made.
fn folder_argument() -> io::Result<Option<PathBuf>> {
    let words: Vec<_> = env::args_os().skip(1).collect();
    match words.as_slice() {
        [] => Ok(None),
        [folder] if !folder.as_encoded_bytes().starts_with(b"-") => Ok(Some(folder.into())),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "usage: durable_queue [FOLDER]")),
    }
}

async fn open(client: &Client, folder: &Path) -> Result<Queue, Failure> {
    let queue = client.queue().spool(folder).build().await?;
    println!("The spool held {} batches.", queue.recovery().recovered);
    if let Some(damage) = &queue.recovery().damage {
        println!("It was damaged: {damage}; {} records are lost.", queue.recovery().unreadable);
    }
    Ok(queue)
}

async fn send(queue: &Queue) -> Result<(), Failure> {
    for customer in 0..BATCHES {
        // On disk when this returns.
        queue.send(order_placed(customer)).await?;
    }
    println!("{BATCHES} batches accepted.");
    Ok(())
}

async fn close(queue: &Queue) -> Result<(), Failure> {
    let report = queue.shutdown(Duration::from_secs(10)).await;
    // The report counts from the call of `shutdown`, and what was found may have been delivered before.
    let delivered = queue.stats().delivered;
    println!("{delivered} batches delivered, {} left in the spool.", report.left_in_spool);
    Ok(())
}

/// Starts this program as a service without mParticle, and kills it when it has accepted its batches.
async fn run_and_kill(folder: &PathBuf) -> Result<(), Failure> {
    let mut service = Command::new(env::current_exe()?)
        .arg(folder)
        .env("MPARTICLE_API_KEY", "key")
        .env("MPARTICLE_API_SECRET", "secret")
        .env("MPARTICLE_BASE_URL", NOWHERE)
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
    println!("The service is killed.\n");
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
