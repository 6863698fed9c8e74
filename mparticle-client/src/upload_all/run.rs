//! The loop that feeds the dispatcher from a source.

use super::intake::Intake;
use super::outcomes::Outcomes;
use super::{Options, UploadReport};
use crate::RetryPolicy;
use crate::dispatch::{Dispatch, DispatchSettings, Event, Halt, SendOnce};
use crate::encoding::{Encoder, MAX_BATCHES};
use crate::models::Batch;
use crate::send::check_runtime;
use futures_core::Stream;
use futures_util::StreamExt;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// The time for which pulled batches wait for others while the source has none ready. It is long enough for a source
/// that reads the next page from a database, and too short to be noticed.
const LINGER: Duration = Duration::from_millis(100);

pub(super) async fn run<S: SendOnce>(
    sender: S,
    encoder: Arc<Encoder>,
    source: impl Stream<Item = Box<Batch>> + Send,
    retry: RetryPolicy,
    options: Options<'_>,
) -> UploadReport {
    let Options { endpoint, concurrency, max_wait, stop_after_failures, on_outcome } = options;
    let mut outcomes = Outcomes::new(endpoint, stop_after_failures, on_outcome);
    if let Err(error) = check_runtime().await {
        outcomes.halted(Halt::Refused(error));
        return outcomes.into_report(0, Duration::ZERO);
    }
    let started = Instant::now();
    let settings = DispatchSettings {
        endpoint,
        concurrency: concurrency.max(1),
        max_batches: MAX_BATCHES,
        linger: LINGER,
        max_wait: Some(max_wait),
        retry,
        clock: Arc::new(SystemTime::now),
    };
    let mut dispatch = Dispatch::new(sender, settings);
    let intake = Intake::new(encoder, endpoint);
    let mut source = pin!(source);
    let mut source_has_ended = false;
    loop {
        let pulls = !source_has_ended && !outcomes.has_stopped();
        if !pulls {
            dispatch.complete();
        }
        if !pulls && dispatch.is_empty() {
            break;
        }
        tokio::select! {
            biased;
            event = dispatch.next() => match event {
                Some(Event::Settled { document, result }) => outcomes.settle(document, result),
                Some(Event::Halted(halt)) => outcomes.halted(halt),
                None => break,
            },
            next = source.next(), if pulls && dispatch.wants_more() => match next {
                Some(batch) => {
                    for document in intake.encode(batch, SystemTime::now(), &mut outcomes) {
                        dispatch.push(document);
                    }
                    // Otherwise, a source that is always ready would keep the thread from polling the requests.
                    tokio::task::coop::consume_budget().await;
                }
                None => source_has_ended = true,
            },
        }
    }
    let requests = dispatch.requests();
    for unsettled in dispatch.into_unsettled() {
        outcomes.give_back(unsettled);
    }
    outcomes.into_report(requests, started.elapsed())
}
