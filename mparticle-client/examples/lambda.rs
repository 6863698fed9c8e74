//! A handler for AWS Lambda and other platforms that freeze a process between invocations.
//!
//! ```console
//! cargo run --example lambda
//! ```
//!
//! 1. The process builds one queue when it starts. All invocations use it.
//! 2. The handler calls `try_send` for each event. This does not wait.
//! 3. The handler calls `flush` before it returns, because a frozen process sends nothing.
//!
//! A loop in `main` takes the place of the Lambda runtime. The handler and the worker of the queue run in a Tokio runtime
//! that runs only during an invocation. The emulator is not frozen.

mod support;

use mparticle_client::Client;
use mparticle_client::models::{Batch, CustomEvent, CustomEventType, Environment, UserIdentities};
use mparticle_client::queue::Queue;
use std::thread::sleep;
use std::time::Duration;
use support::{Destination, Failure};
use tokio::runtime::{Builder, Runtime};

/// The time to deliver the events of an invocation. It must be less than what is left of the timeout of the function.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);

/// The code of the function.
async fn handler(queue: &Queue, customer_id: &str) -> Result<String, Failure> {
    for event in ["Order placed", "Order confirmed"] {
        let batch = Batch::new(Environment::Development)
            .with_user_identities(UserIdentities::new().with_customer_id(customer_id))
            .with_event(CustomEvent::new(event, CustomEventType::Transaction));
        queue.try_send(batch)?;
    }
    let report = queue.flush(FLUSH_TIMEOUT).await;
    Ok(format!("{} batches delivered, {} pending", report.delivered, report.pending))
}

/// The code that runs when the process starts.
///
/// A function on Lambda calls `build().await`, which runs the worker on a thread of its own.
async fn start(client: &Client) -> Result<Queue, Failure> {
    let (queue, worker) = client.queue().build_with_worker().await?;
    tokio::spawn(worker);
    Ok(queue)
}

fn main() -> Result<(), Failure> {
    support::init_logging();
    let emulator_runtime = Runtime::new()?;
    let destination = emulator_runtime.block_on(Destination::from_env())?;

    let function = Builder::new_current_thread().enable_all().build()?;
    let client = destination.client_builder().build()?;
    let queue = function.block_on(start(&client))?;
    for customer_id in ["42", "43", "44"] {
        let response = function.block_on(handler(&queue, customer_id))?;
        println!("Invocation for customer {customer_id}: {response}.");
        sleep(Duration::from_millis(100)); // The process is frozen.
    }
    destination.print_received();
    Ok(())
}
