//! Disabled clients send nothing, but check and encode every batch.
#![allow(clippy::large_futures, clippy::unwrap_used, reason = "a test may panic")]

mod log;
mod wire;

use log::Log;
use mparticle_client::models::{Batch, CustomEvent, CustomEventType, Environment};
use mparticle_client::{
    BatchResult, Client, ClientBuilder, Credentials, ErrorKind, FailedBatch, Outcome, Validation,
};
use std::io::ErrorKind as IoErrorKind;
use std::net::{Ipv4Addr, TcpListener};
use wire::{batch, is_run_again, run_again};

/// A port that must not receive connections.
struct Port(TcpListener);

impl Port {
    fn listen() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    fn base_url(&self) -> String {
        format!("http://{}", self.0.local_addr().unwrap())
    }

    fn builder(&self) -> ClientBuilder {
        Client::builder(Credentials::new("", "")).base_url(self.base_url()).disabled()
    }

    #[track_caller]
    fn assert_untouched(&self) {
        let error = self.0.accept().unwrap_err();
        assert_eq!(error.kind(), IoErrorKind::WouldBlock, "{error}");
    }
}

/// Returns an event that is larger than the maximum size of a batch.
fn huge_event() -> CustomEvent {
    CustomEvent::new("Signed up", CustomEventType::Other)
        .with_custom_attribute("fill", "x".repeat(300_000))
}

/// Returns a batch that violates a rule.
fn invalid_batch() -> Batch {
    batch().with_user_attribute("a".repeat(257), "b")
}

fn assert_discarded(result: &BatchResult) {
    assert!(matches!(result.outcome(), Outcome::Discarded), "{result:?}");
    assert!(!result.is_delivered(), "discarded is not delivered");
}

#[tokio::test]
async fn every_method_returns_a_discarded_receipt() {
    let port = Port::listen();
    let client = port.builder().build().unwrap();
    let other = client.with_credentials(&Credentials::new("", "")).unwrap();
    for client in [client, other] {
        let mine = batch().with_source_request_id("mine");
        let old = CustomEvent::new("Signed up", CustomEventType::Other)
            .with_timestamp_unixtime_ms(mparticle_client::models::UnixMillis::from_millis(1));
        let old = Batch::new(Environment::Production).with_event(old);
        let receipts = [
            client.upload_events(&mine).await.unwrap(),
            client.bulk_upload_events(&[mine.clone(), batch()]).await.unwrap(),
            client.bulk_upload_historical_events(&[old]).await.unwrap(),
        ];
        assert_eq!(receipts[0].source_request_ids(), ["mine"]);
        assert_eq!(receipts[1].source_request_ids().len(), 2);
        for receipt in receipts {
            assert!(receipt.is_discarded());
            assert_eq!((receipt.status(), receipt.attempts()), (None, 0));
        }
        let mut outcomes = 0;
        let report = client
            .upload_all((0..250).map(|_| batch()))
            .on_outcome(|result| {
                assert_discarded(result);
                outcomes += 1;
            })
            .await;
        assert_eq!((report.given(), report.discarded(), report.delivered()), (250, 250, 0));
        assert!(report.failed().is_empty() && report.stopped().is_none(), "{report:?}");
        assert_eq!(outcomes, 250);
    }
    port.assert_untouched();
}

#[tokio::test]
async fn batches_are_checked_and_encoded() {
    let port = Port::listen();
    let client = port.builder().validation(Validation::Strict).build().unwrap();
    let error = client.upload_events(&invalid_batch()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    let error =
        client.upload_events(&batch().with_user_attribute("a", f64::NAN)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    let lenient = port.builder().validation(Validation::Off).build().unwrap();
    let error = lenient.upload_events(&batch().with_event(huge_event())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
    let error = client.bulk_upload_events(&vec![batch(); 101]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");

    let bad = [batch(), invalid_batch(), batch().with_event(huge_event()), batch()];
    let report = client.upload_all(bad).await;
    assert_eq!((report.given(), report.discarded()), (4, 2), "{report:?}");
    let failed: Vec<_> = report.failed().iter().map(FailedBatch::position).collect();
    assert_eq!(failed, [1, 2], "{report:?}");
    port.assert_untouched();
}

#[tokio::test]
async fn a_client_that_is_not_disabled_needs_credentials() {
    for credentials in [Credentials::new("", ""), Credentials::new("", "secret")] {
        let error = Client::builder(credentials).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        assert!(error.to_string().contains("API key"), "{error}");
    }
}

#[tokio::test]
async fn building_a_disabled_client_logs_one_warning_and_uploads_log_none() {
    let (log, _guard) = Log::capture();
    let port = Port::listen();
    let client = port.builder().build().unwrap();
    client.upload_events(&batch()).await.unwrap();
    _ = client.clone().upload_all([batch(), batch()]).await;
    let text = log.text();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains(" WARN ") && text.contains("the client is disabled"), "{text}");
}

#[test]
fn an_environment_variable_disables_the_client() {
    const TEST: &str = "an_environment_variable_disables_the_client";
    if is_run_again() {
        match Client::from_env() {
            Ok(client) => {
                let receipt = pollster::block_on(client.upload_events(&batch())).unwrap();
                println!("discarded: {}", receipt.is_discarded());
            }
            Err(error) => println!("not built: {error}"),
        }
        return;
    }
    let port = Port::listen();
    let run = |disabled: &str, with_key: bool| {
        let mut variables = vec![
            ("MPARTICLE_DISABLED", disabled.into()),
            ("MPARTICLE_BASE_URL", port.base_url().into()),
        ];
        if with_key {
            variables.push(("MPARTICLE_API_KEY", "key".into()));
            variables.push(("MPARTICLE_API_SECRET", "secret".into()));
        }
        run_again(TEST, variables)
    };
    for (disabled, with_key) in [("1", false), ("true", false), ("TRUE", false), ("1", true)] {
        let shown = run(disabled, with_key);
        assert!(shown.contains("discarded: true"), "{disabled}: {shown}");
    }
    for (disabled, wanted) in [
        ("0", "MPARTICLE_API_KEY is not set"),
        ("false", "MPARTICLE_API_KEY is not set"),
        ("", "MPARTICLE_API_KEY is not set"),
        ("yes", "MPARTICLE_DISABLED"),
    ] {
        let shown = run(disabled, false);
        assert!(shown.contains("not built: ") && shown.contains(wanted), "{disabled}: {shown}");
    }
    port.assert_untouched();
}

#[cfg(feature = "blocking")]
#[test]
fn a_blocking_client_discards_as_well() {
    let port = Port::listen();
    let client = port.builder().validation(Validation::Strict).build_blocking().unwrap();
    assert!(client.upload_events(&batch()).unwrap().is_discarded());
    assert!(client.bulk_upload_events(&[batch(), batch()]).unwrap().is_discarded());
    let error = client.upload_events(&invalid_batch()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    let report = client.upload_all((0..150).map(|_| batch())).run().unwrap();
    assert_eq!((report.given(), report.discarded(), report.delivered()), (150, 150, 0));
    port.assert_untouched();
}

#[cfg(feature = "queue")]
mod queue {
    use super::{Port, assert_discarded, batch, invalid_batch};
    use mparticle_client::queue::{Queue, Stats};
    use mparticle_client::{ErrorKind, Validation};
    use std::time::Duration;

    const SOON: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(20);

    /// Sends batches to a queue, and checks their outcomes.
    async fn discards(queue: Queue) {
        let handles: Vec<_> = (0..150).map(|_| queue.try_send(batch()).unwrap()).collect();
        let error = queue.try_send(invalid_batch()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        for handle in handles {
            assert_discarded(&handle.await);
        }
        drop(queue.send(batch()).await.unwrap());
        let report = queue.shutdown(LONG).await;
        assert!(report.is_complete(), "{report:?}");
        let stats = queue.stats();
        let Stats { accepted, delivered, discarded, pending, .. } = stats;
        assert_eq!((accepted, delivered, discarded, pending), (151, 0, 151, 0), "{stats:?}");
        assert_eq!((stats.rejected, stats.expired, stats.dropped), (0, 0, 0), "{stats:?}");
    }

    #[tokio::test]
    async fn a_queue_discards_and_its_counters_add_up() {
        let port = Port::listen();
        let client = port.builder().validation(Validation::Strict).build().unwrap();
        discards(client.queue().flush_every(SOON).build().await.unwrap()).await;
        port.assert_untouched();
    }

    #[cfg(feature = "spool")]
    #[tokio::test]
    async fn a_queue_creates_no_spool() {
        let port = Port::listen();
        let client = port.builder().validation(Validation::Strict).build().unwrap();
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("spool");
        let queue = client.queue().flush_every(SOON).spool(&folder).build().await.unwrap();
        assert!(queue.recovery().is_clean(), "{:?}", queue.recovery());
        discards(queue).await;
        assert!(!folder.exists());
        port.assert_untouched();
    }
}
