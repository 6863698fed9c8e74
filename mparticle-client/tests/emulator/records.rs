//! The records of an emulator.

use crate::wire::{
    BULK, EVENTS, address, basic, batch, builder, connect, exchange, in_memory, list, post,
};
use mparticle_client::Endpoint;
use mparticle_client::testing::{Answer, Emulator};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

#[tokio::test]
async fn requests_are_recorded_completely_and_in_order() {
    let emulator = builder().start().await.unwrap();
    let before = Instant::now();
    exchange(&emulator, &post(EVENTS, batch("a"))).await;
    in_memory(&emulator, post(BULK, "oops")).await.unwrap();
    let requests = emulator.requests();
    let paths: Vec<_> = requests.iter().map(|request| request.path.as_str()).collect();
    assert_eq!(paths, [EVENTS, BULK]);
    assert_eq!(requests[0].method, "POST");
    assert_eq!(requests[0].body, batch("a"));
    assert_eq!(requests[0].headers["authorization"], basic("key:secret"));
    assert_eq!(requests[0].headers["host"], "localhost");
    assert_eq!(requests[1].body, "oops");
    assert!(before <= requests[0].at && requests[0].at <= requests[1].at);
}

#[tokio::test]
async fn batches_are_recorded_byte_for_byte() {
    let emulator = builder().in_memory();
    let spaced = r#"{ "environment" : "production", "mpid": 1 }"#;
    let body = format!(" [ {spaced} , {} ] ", batch("b"));
    in_memory(&emulator, post(BULK, body)).await.unwrap();
    let batches = emulator.batches();
    assert_eq!(batches[0].raw, spaced);
    assert_eq!((batches[0].id.as_deref(), batches[1].id.as_deref()), (None, Some("b")));
    assert_eq!(batches[0].endpoint, Endpoint::BulkEvents);
    assert_eq!(batches[0].json["mpid"], 1);
}

#[tokio::test]
async fn a_batch_with_a_known_id_is_a_duplicate_at_every_endpoint() {
    let emulator = builder().in_memory();
    let send = |path, body| in_memory(&emulator, post(path, body));
    send(EVENTS, batch("a")).await.unwrap();
    let response = send(BULK, list(&[batch("b"), batch("a"), batch("b")])).await.unwrap();
    assert_eq!(response.status(), 202);
    let ids = |batches: Vec<mparticle_client::testing::ReceivedBatch>| {
        batches.into_iter().map(|batch| batch.id.unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(ids(emulator.batches()), ["a", "b"]);
    assert_eq!(ids(emulator.duplicates()), ["a", "b"]);
    emulator.assert_exactly_once(["a", "b"]);
    emulator.assert_exactly_once(&["b".to_owned(), "a".to_owned()]);
}

#[tokio::test]
async fn batches_without_an_id_are_all_accepted_and_reported_as_a_mismatch() {
    let emulator = builder().in_memory();
    for _ in 0..2 {
        in_memory(&emulator, post(EVENTS, r#"{"environment":"production"}"#)).await.unwrap();
    }
    assert_eq!(emulator.batches().len(), 2);
    let mismatch = emulator.check_exactly_once([""; 0]).unwrap_err();
    assert_eq!(mismatch.without_id, 2);
}

#[tokio::test]
async fn a_mismatch_lists_missing_altered_and_unexpected_ids() {
    let emulator = builder().in_memory();
    let altered = batch("altered").replace("production", "development");
    for body in [batch("good"), batch("good"), batch("altered"), altered, batch("extra")] {
        in_memory(&emulator, post(EVENTS, body)).await.unwrap();
    }
    let expected = ["good", "altered", "lost", "lost too"];
    let mismatch = emulator.check_exactly_once(expected).unwrap_err();
    assert_eq!(mismatch.missing, ["lost", "lost too"]);
    assert_eq!(mismatch.altered, ["altered"]);
    assert_eq!(mismatch.unexpected, ["extra"]);
    assert_eq!(
        mismatch.to_string(),
        "the emulator did not accept each expected batch exactly once\
         \n  missing (2): lost, lost too\
         \n  sent again with different bytes (1): altered\
         \n  not expected (1): extra"
    );
}

#[tokio::test]
async fn the_oldest_records_are_discarded_beyond_the_maximum() {
    let emulator = builder().max_records(2).in_memory();
    for id in ["a", "b", "c", "c", "b", "a"] {
        in_memory(&emulator, post(EVENTS, batch(id))).await.unwrap();
    }
    // "a" had been discarded, and is accepted again.
    let accepted: Vec<_> = emulator.batches().into_iter().map(|batch| batch.id).collect();
    assert_eq!(accepted, [Some("c".to_owned()), Some("a".to_owned())]);
    let duplicates: Vec<_> = emulator.duplicates().into_iter().map(|batch| batch.id).collect();
    assert_eq!(duplicates, [Some("c".to_owned()), Some("b".to_owned())]);
    assert_eq!((emulator.requests().len(), emulator.counts().requests), (2, 6));
}

#[tokio::test]
async fn an_emulator_without_records_accepts_batches_again() {
    let emulator = builder().in_memory();
    in_memory(&emulator, post(EVENTS, batch("a"))).await.unwrap();
    emulator.clear();
    assert_eq!((emulator.requests().len(), emulator.batches().len()), (0, 0));
    in_memory(&emulator, post(EVENTS, batch("a"))).await.unwrap();
    assert_eq!((emulator.batches().len(), emulator.duplicates().len()), (1, 0));
}

#[tokio::test]
#[should_panic(expected = "missing (1): lost")]
async fn the_assertion_panics_with_the_mismatch() {
    builder().in_memory().assert_exactly_once(["lost"]);
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_once_the_count_is_reached() {
    let emulator = builder().in_memory();
    let sender = emulator.clone();
    let sending = tokio::spawn(async move {
        sender.script([Answer::status(503)]);
        for id in ["a", "a", "b"] {
            sleep(Duration::from_secs(1)).await;
            in_memory(&sender, post(EVENTS, batch(id))).await.unwrap();
        }
    });
    let (start, hour) = (Instant::now(), Duration::from_secs(3600));
    assert_eq!(emulator.wait_for_requests(0).await.len(), 0);
    assert_eq!(timeout(hour, emulator.wait_for_requests(1)).await.unwrap().len(), 1);
    assert_eq!(start.elapsed(), Duration::from_secs(1));
    assert_eq!(timeout(hour, emulator.wait_for_batches(2)).await.unwrap().len(), 2);
    assert_eq!(start.elapsed(), Duration::from_secs(3));
    sending.await.unwrap();
}

#[tokio::test]
async fn dropping_the_last_clone_closes_socket_and_connections() {
    let emulator = builder().start().await.unwrap();
    let clone = emulator.clone();
    let address = address(&emulator).to_owned();
    drop(emulator);
    assert_eq!(exchange(&clone, &post(EVENTS, batch("a"))).await.status(), 202);

    let idle = connect(&clone).await;
    tokio::task::yield_now().await;
    drop(clone);
    timeout(Duration::from_secs(10), idle.readable()).await.unwrap().unwrap();
    assert_eq!(idle.try_read(&mut [0; 1]).ok(), Some(0));
    assert!(TcpStream::connect(address).await.is_err());
}

#[test]
fn in_memory_needs_no_runtime() {
    let emulator = Emulator::in_memory();
    let unauthorized = in_memory(&emulator, post(EVENTS, batch("a")));
    let response = futures_util::FutureExt::now_or_never(unauthorized).unwrap().unwrap();
    assert_eq!(response.status(), 403);
}

#[tokio::test]
async fn debug_output_contains_no_secrets_and_no_personal_data() {
    let emulator = builder().start().await.unwrap();
    in_memory(&emulator, post(EVENTS, batch("id").replace('}', r#","ip":"192.0.2.1"}"#)))
        .await
        .unwrap();
    let shown = format!(
        "{emulator:?} {:?} {:?} {:?} {:?} {:?}",
        builder(),
        emulator.transport(),
        emulator.requests(),
        emulator.requests()[0].headers,
        emulator.batches()
    );
    assert!(shown.contains("\"id\""));
    let pair = basic("key:secret");
    for hidden in ["secret", pair.trim_start_matches("Basic "), "192.0.2.1"] {
        assert!(!shown.contains(hidden), "{shown} contains {hidden}");
    }
}
