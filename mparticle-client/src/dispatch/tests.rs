//! Tests of a dispatcher by itself. The tests of `upload_all` cover the rest.

use super::{Dispatch, DispatchSettings, Document, DocumentResult, Event, Halt, SendOnce};
use crate::encoding::BatchJson;
use crate::error::Answer;
use crate::send::{Expiry, status_error};
use crate::{EncodedRequest, Endpoint, Error, ErrorKind, Receipt, RetryPolicy};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use tokio::time::{Instant, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

/// A server with a latency of a tenth of a second. It responds with the given statuses, then accepts everything.
#[derive(Clone, Default)]
struct Server {
    statuses: Arc<Mutex<Vec<u16>>>,
    /// The ids of the documents of each request.
    requests: Arc<Mutex<Vec<Vec<String>>>>,
}

impl Server {
    fn answering(statuses: impl IntoIterator<Item = u16>) -> Self {
        let mut statuses: Vec<u16> = statuses.into_iter().collect();
        statuses.reverse();
        Self { statuses: Arc::new(Mutex::new(statuses)), ..Self::default() }
    }

    fn requests(&self) -> Vec<Vec<String>> {
        self.requests.lock().unwrap().clone()
    }
}

impl SendOnce for Server {
    async fn send_once(self, request: EncodedRequest, _: Option<Expiry>) -> Result<Receipt, Error> {
        let ids = request.source_request_ids().to_vec();
        self.requests.lock().unwrap().push(ids);
        let status = self.statuses.lock().unwrap().pop().unwrap_or(202);
        sleep(SECOND / 10).await;
        let status = StatusCode::from_u16(status).unwrap();
        if !status.is_success() {
            let answer = Answer { status, headers: HeaderMap::new(), body: Bytes::new() };
            // One of the statuses has a `Retry-After`.
            let retry_after = (status == StatusCode::GATEWAY_TIMEOUT).then_some(40 * SECOND);
            return Err(status_error(answer, retry_after));
        }
        Ok(Receipt { status: Some(status), ..Receipt::discarded(request.shared_ids()) })
    }
}

fn dispatch(server: &Server, max_wait: Option<Duration>) -> Dispatch<Server, u32> {
    let settings = DispatchSettings {
        endpoint: Endpoint::BulkEvents,
        concurrency: 2,
        max_batches: 3,
        linger: SECOND,
        max_wait,
        retry: RetryPolicy::default().with_jitter_seed(7),
        clock: Arc::new(SystemTime::now),
    };
    Dispatch::new(server.clone(), settings)
}

fn push(dispatch: &mut Dispatch<Server, u32>, documents: impl IntoIterator<Item = (u32, u64)>) {
    for (tag, user) in documents {
        let source_request_id = tag.to_string();
        let encoded = BatchJson { source_request_id, bytes: Bytes::from_static(b"{}") };
        dispatch.push(Document { encoded, users: vec![user], expires_at: None, tag });
    }
}

/// Returns the tags of the next results, and whether they were accepted.
async fn results(dispatch: &mut Dispatch<Server, u32>, number: usize) -> Vec<(u32, bool)> {
    let mut results = Vec::new();
    while results.len() < number {
        match dispatch.next().await {
            Some(Event::Settled { document, result }) => {
                let is_accepted = matches!(result, DocumentResult::Accepted(_));
                results.push((document.tag, is_accepted));
            }
            Some(Event::Halted(halt)) => panic!("{halt:?}"),
            None => panic!("it is halted"),
        }
    }
    results
}

#[tokio::test(start_paused = true)]
async fn a_document_waits_until_the_result_of_an_earlier_one_of_its_user_is_known() {
    // The first request fails and is repeated. Documents of other users are not delayed.
    let server = Server::answering([503, 202]);
    let mut dispatch = dispatch(&server, None);
    push(&mut dispatch, [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (6, 1), (7, 7)]);
    dispatch.complete();
    let results = results(&mut dispatch, 8).await;
    assert!(results.iter().all(|(_, accepted)| *accepted));
    let place = |id: &str| {
        let requests = server.requests();
        let found =
            requests.iter().enumerate().filter(|(_, ids)| ids.iter().any(|other| other == id));
        found.map(|(place, _)| place).collect::<Vec<_>>()
    };
    assert_eq!(place("0").len(), 2, "it was repeated");
    assert!(place("6")[0] > place("0")[1]);
    assert!(dispatch.is_empty());
}

#[tokio::test(start_paused = true)]
async fn dropping_the_future_of_next_loses_nothing() {
    let server = Server::answering([202, 503, 400, 202, 429]);
    let mut dispatch = dispatch(&server, None);
    push(&mut dispatch, (0..50).map(|tag| (tag, u64::from(tag % 7))));
    dispatch.complete();
    let mut tags = Vec::new();
    while !dispatch.is_empty() {
        match timeout(SECOND / 70, dispatch.next()).await {
            Ok(Some(Event::Settled { document, result })) => {
                assert!(matches!(result, DocumentResult::Accepted(_)));
                tags.push(document.tag);
            }
            Ok(_) => panic!("it is halted"),
            Err(_) => {}
        }
    }
    tags.sort_unstable();
    assert_eq!(tags, (0..50).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn during_an_outage_one_request_at_a_time_is_tried() {
    let server = Server::answering([503; 20]);
    let mut dispatch = dispatch(&server, None);
    push(&mut dispatch, (0..11).map(|tag| (tag, u64::from(tag))));
    dispatch.complete();
    assert!(dispatch.wants_more());
    assert!(timeout(60 * SECOND, dispatch.next()).await.is_err());
    assert!(!dispatch.wants_more());
    let first: Vec<_> = server.requests().iter().map(|ids| ids[0].clone()).collect();
    // Two were in flight. Then two new ones, then each of the four in turn.
    assert!(first.len() > 6, "{first:?}");
    assert_eq!(first[..6], ["0", "3", "6", "9", "0", "3"]);
    let results = results(&mut dispatch, 11).await;
    assert!(results.iter().all(|(_, accepted)| *accepted));
}

#[tokio::test(start_paused = true)]
async fn during_an_outage_a_retry_after_is_waited_for() {
    let server = Server::answering([504, 504]);
    let mut dispatch = dispatch(&server, None);
    push(&mut dispatch, [(0, 0)]);
    dispatch.complete();
    let start = Instant::now();
    assert_eq!(results(&mut dispatch, 1).await, [(0, true)]);
    assert!(start.elapsed() >= 80 * SECOND && start.elapsed() < 82 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn after_a_halt_requests_in_flight_are_settled_and_the_rest_is_returned_in_order() {
    let server = Server::answering([401, 202]);
    let mut dispatch = dispatch(&server, None);
    push(&mut dispatch, (0..12).map(|tag| (tag, u64::from(tag))));
    let Some(Event::Halted(Halt::Refused(error))) = dispatch.next().await else { panic!() };
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert_eq!(results(&mut dispatch, 3).await, [(3, true), (4, true), (5, true)]);
    assert!(dispatch.next().await.is_none());
    assert_eq!(server.requests().len(), 2);
    let left: Vec<_> =
        dispatch.into_unsettled().iter().map(|unsettled| unsettled.document.tag).collect();
    assert_eq!(left, [0, 1, 2, 6, 7, 8, 9, 10, 11]);
}

#[tokio::test(start_paused = true)]
async fn the_time_without_an_acceptance_counts_only_while_there_is_something_to_send() {
    let server = Server::answering([202, 503]);
    let mut dispatch = dispatch(&server, Some(60 * SECOND));
    push(&mut dispatch, [(0, 0)]);
    assert_eq!(results(&mut dispatch, 1).await, [(0, true)]);
    assert!(timeout(3_600 * SECOND, dispatch.next()).await.is_err(), "there is nothing to send");
    push(&mut dispatch, [(1, 1)]);
    assert_eq!(results(&mut dispatch, 1).await, [(1, true)]);
}
