//! The counters of requests and batches.

use crate::Endpoint;
use bytes::Bytes;
use http::Request;
use serde::de::IgnoredAny;

/// The numbers of requests and batches that an emulator has processed; see
/// [`Emulator::counts`](super::Emulator::counts).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// All requests, except those whose body was not received completely or exceeds 10 MiB.
    pub requests: u64,
    /// The batches that were accepted, including [duplicates](super::Emulator::duplicates) and
    /// [unprocessed](super::Emulator::unprocessed) batches.
    ///
    /// A [bare](super::EmulatorBuilder::bare) emulator starts to count batches when its first rate limit is set.
    pub accepted_batches: u64,
    /// The requests that were answered 429, because of the rate limit or of a scripted answer.
    pub rate_limited_requests: u64,
}

/// Returns the number of batches in a request without checking them: the elements of the list for the bulk endpoints.
/// Everything else counts as one batch.
pub(super) fn count_batches(request: &Request<Bytes>) -> usize {
    let path = request.uri().path();
    let is_bulk = [Endpoint::BulkEvents, Endpoint::HistoricalBulkEvents]
        .iter()
        .any(|endpoint| path.ends_with(endpoint.path()));
    if !is_bulk {
        return 1;
    }
    // `IgnoredAny` has no size. The vector therefore only counts the elements.
    serde_json::from_slice::<Vec<IgnoredAny>>(request.body()).map_or(1, |elements| elements.len())
}

#[cfg(test)]
mod tests {
    use super::count_batches;
    use bytes::Bytes;
    use http::Request;

    #[test]
    fn batches_are_the_elements_of_a_bulk_request() {
        for (path, body, expected) in [
            ("/v2/events", "{}", 1),
            ("/v2/events", "[{},{}]", 1),
            ("/v2/bulkevents", r#"[{"a":[1,2]},{},7]"#, 3),
            ("/v2/bulkevents/historical", "[{},{}]", 2),
            ("/s2s/v2/bulkevents", "[{},{}]", 2),
            ("/v2/bulkevents", "[]", 0),
            ("/v2/bulkevents", "{}", 1),
            ("/v2/bulkevents", "[{},", 1),
        ] {
            let request = Request::post(path).body(Bytes::from_static(body.as_bytes())).unwrap();
            assert_eq!(count_batches(&request), expected, "{path} {body}");
        }
    }
}
