//! The loop that feeds the dispatcher from a source.

use super::intake::Intake;
use super::outcomes::Outcomes;
use super::{Options, UploadReport};
use crate::RetryPolicy;
use crate::dispatch::{Dispatch, DispatchSettings, Event, Halt, SendOnce};
use crate::encoding::Encoder;
use crate::models::Batch;
use crate::send::check_runtime;
use futures_core::Stream;
use futures_util::StreamExt;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::time::{Instant, interval};

/// The time for which pulled batches wait for others while the source has none ready. It is long enough for a source
/// that reads the next page from a database, and too short to be noticed.
const LINGER: Duration = Duration::from_millis(100);

/// How often an observer is told whether an outage has begun or ended.
const OBSERVE_EVERY: Duration = Duration::from_millis(200);

pub(super) async fn run<S: SendOnce>(
    sender: S,
    encoder: Arc<Encoder>,
    source: impl Stream<Item = Box<Batch>> + Send,
    retry: RetryPolicy,
    options: Options<'_>,
) -> UploadReport {
    let Options { endpoint, concurrency, max_batches, max_wait, .. } = options;
    let mut outcomes =
        Outcomes::new(endpoint, options.stop_after_failures, options.on_outcome, options.observer);
    if let Err(error) = check_runtime().await {
        outcomes.halted(Halt::Refused(error));
        return outcomes.into_report(0, Duration::ZERO);
    }
    let started = Instant::now();
    let settings = DispatchSettings {
        endpoint,
        concurrency: concurrency.max(1),
        max_batches,
        linger: LINGER,
        max_wait: Some(max_wait),
        retry,
        clock: Arc::new(SystemTime::now),
    };
    let mut dispatch = Dispatch::new(sender, settings);
    let intake = Intake::new(encoder, endpoint);
    let mut source = pin!(source);
    let mut source_has_ended = false;
    let mut look_at_outage = interval(OBSERVE_EVERY);
    loop {
        if !dispatch.has_events() {
            outcomes.checkpoint(dispatch.requests());
        }
        outcomes.outage(dispatch.outage());
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
            _ = look_at_outage.tick(), if outcomes.has_observer() => {}
        }
    }
    let requests = dispatch.requests();
    for unsettled in dispatch.into_unsettled() {
        outcomes.give_back(unsettled);
    }
    outcomes.checkpoint(requests);
    outcomes.into_report(requests, started.elapsed())
}
