//! The loop that keeps batches moving.

use super::flight::Flight;
use super::intake::Intake;
use super::ledger::Ledger;
use super::{Deliver, Options, Stopped, UploadReport};
use crate::encoding::Encoder;
use crate::models::Batch;
use crate::order::Order;
use futures_core::Stream;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::pin::pin;
use std::time::SystemTime;
use tokio::runtime::Handle;
use tokio::time::Instant;

pub(super) async fn run<D, S>(
    deliver: D,
    encoder: Encoder,
    source: S,
    options: Options<'_>,
) -> UploadReport
where
    D: Deliver,
    S: Stream<Item = Batch> + Send,
{
    let Options { endpoint, concurrency, max_rate_limit_wait, stop_after_failures, on_outcome } =
        options;
    let started = Instant::now();
    // Boxed at once: a batch takes almost 3 kB, too much to be moved from hand to hand.
    let mut source = pin!(source.map(Box::new));
    let mut source_has_ended = false;
    let mut ledger = Ledger::new(stop_after_failures, on_outcome);
    // Timers and sockets would panic without one.
    if Handle::try_current().is_err() {
        ledger.stop(Stopped::Closed);
    }
    let mut intake = Intake::new(encoder, endpoint);
    let mut waiting = Order::default();
    let mut in_flight = FuturesUnordered::new();
    loop {
        let pulls = !source_has_ended && !ledger.has_stopped();
        if !pulls {
            intake.flush(&mut waiting);
        }
        if let Some(error) = ledger.halted().cloned() {
            for (turn, sealed) in waiting.take_all() {
                Flight::new(turn, endpoint, sealed).abandon(&error, &mut ledger);
            }
        }
        while in_flight.len() < concurrency {
            let Some((turn, sealed)) = waiting.next_ready() else { break };
            let flight = Flight::new(turn, endpoint, sealed);
            ledger.request();
            in_flight.push(flight.send(&deliver, max_rate_limit_wait));
        }
        // A chunk waits only for one in flight, so when none is, none waits.
        if in_flight.is_empty() && !pulls {
            break;
        }
        let pulls = pulls && waiting.len() < concurrency;
        let due = intake.due();
        tokio::select! {
            biased;
            Some(landed) = in_flight.next() => {
                let mut flight = landed.settle(&mut ledger);
                if let Some(error) = ledger.halted().cloned() {
                    flight.abandon(&error, &mut ledger);
                }
                if flight.goes_on() {
                    ledger.request();
                    in_flight.push(flight.send(&deliver, max_rate_limit_wait));
                } else {
                    waiting.ended(&flight.turn);
                }
            }
            next = source.next(), if pulls => match next {
                Some(batch) => {
                    intake.take(batch, SystemTime::now(), &mut waiting, &mut ledger);
                    // Else a source that is always ready would keep the thread from the requests.
                    tokio::task::coop::consume_budget().await;
                }
                None => source_has_ended = true,
            },
            () = wait_until(due), if pulls => intake.flush(&mut waiting),
            // Cannot be: with nothing in flight nothing waits, so there is room.
            else => source_has_ended = true,
        }
    }
    let mut report = ledger.into_report();
    report.elapsed = started.elapsed();
    report
}

/// Waits for a moment, or for ever.
async fn wait_until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
