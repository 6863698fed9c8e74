//! What an observer learns, and when.

use super::{BAD, Server, batch, concurrency, scripted, upload};
use crate::upload_all::{FailedBatch, Options, UploadObserver, max_batches};
use crate::{Error, Outcome};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Records what it was told.
#[derive(Default)]
struct Log<'a> {
    delivered: Vec<usize>,
    failed: Vec<FailedBatch>,
    outages: Vec<bool>,
    /// The number of requests and results at each checkpoint.
    checkpoints: Vec<(usize, usize)>,
    /// Returns how many requests the server has received.
    received: Option<Box<dyn Fn() -> usize + Send + 'a>>,
}

impl UploadObserver for Log<'_> {
    fn delivered(&mut self, position: usize, outcome: &Outcome) {
        assert!(matches!(outcome, Outcome::Delivered(_)));
        self.delivered.push(position);
    }

    fn failed(&mut self, batch: FailedBatch) {
        self.failed.push(batch);
    }

    fn checkpoint(&mut self, requests: usize) {
        if let Some(received) = &self.received {
            assert_eq!(received(), requests, "a request was sent before the checkpoint");
        }
        self.checkpoints.push((requests, self.delivered.len() + self.failed.len()));
    }

    fn outage(&mut self, cause: Option<&Error>) {
        self.outages.push(cause.is_some());
    }
}

fn observed<'a>(log: &'a mut Log<'_>, options: Options<'a>) -> Options<'a> {
    Options { observer: Some(Box::new(log)), ..options }
}

#[tokio::test(start_paused = true)]
async fn every_result_is_reported_before_the_next_request_is_sent() {
    let server = scripted(|_, _| None);
    let received = || server.requests.load(Ordering::Relaxed);
    let mut log = Log { received: Some(Box::new(received)), ..Log::default() };
    let report = upload(&server, (0..250).map(batch), observed(&mut log, concurrency(1))).await;
    assert_eq!(report.delivered(), 250);
    assert_eq!(log.delivered, (0..250).collect::<Vec<_>>());
    assert_eq!(log.checkpoints, [(1, 100), (2, 200), (3, 250)]);
    assert!(log.outages.is_empty());
}

#[tokio::test(start_paused = true)]
async fn failed_batches_go_to_the_observer_and_not_to_the_report() {
    let server = Server::reliable();
    let batches = (0..10).map(|number| {
        let batch = batch(number);
        if number == 3 { batch.with_user_attribute(BAD, true) } else { batch }
    });
    let mut log = Log::default();
    let report = upload(&server, batches, observed(&mut log, Options::default())).await;
    assert_eq!((report.delivered(), report.failed_count()), (9, 1));
    assert!(report.failed().is_empty() && !report.is_complete());
    let [failed] = log.failed.as_slice() else { panic!("{} failed", log.failed.len()) };
    assert_eq!((failed.position(), failed.was_given_back()), (3, false));
}

#[tokio::test(start_paused = true)]
async fn batches_without_a_result_are_marked_as_given_back() {
    let server = scripted(|number, _| (number > 0).then_some(401));
    let mut log = Log::default();
    let report = upload(&server, (0..1000).map(batch), observed(&mut log, concurrency(1))).await;
    assert_eq!(log.delivered.len() + log.failed.len(), report.given());
    assert!(!log.failed.is_empty() && log.failed.iter().all(FailedBatch::was_given_back));
    assert_eq!(log.checkpoints.last(), Some(&(2, report.given())));
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_reported_when_it_begins_and_when_it_ends() {
    let server = scripted(|_, time| {
        let outage = Duration::from_millis(50)..Duration::from_secs(60);
        outage.contains(&time).then_some(503)
    });
    let mut log = Log::default();
    let report = upload(&server, (0..2000).map(batch), observed(&mut log, concurrency(1))).await;
    assert_eq!(report.delivered(), 2000);
    assert_eq!(log.outages, [true, false]);
}

#[test]
fn a_request_holds_no_more_batches_than_a_second_allows() {
    for (rate, expected) in
        [(None, 100), (Some(270.0), 100), (Some(100.0), 100), (Some(50.5), 50), (Some(0.1), 1)]
    {
        assert_eq!(max_batches(rate), expected, "{rate:?}");
    }
}
