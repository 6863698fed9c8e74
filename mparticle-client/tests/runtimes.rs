//! Tests of runtimes that cannot send, runtimes that end, and transports that panic.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test may panic")]

use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, Response};
use mparticle_client::models::{Batch, Environment};
use mparticle_client::testing::{Answer, Emulator};
use mparticle_client::transport::{ResponseBody, SendFuture, Transport};
use mparticle_client::{Client, Credentials, Error, ErrorKind, Stopped};
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};

fn batch() -> Batch {
    Batch::new(Environment::Development)
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// Starts the emulator on its own runtime.
fn emulator() -> (Runtime, Emulator) {
    let runtime = runtime();
    let emulator = runtime.block_on(Emulator::start()).unwrap();
    (runtime, emulator)
}

#[track_caller]
fn assert_config_error(error: &Error, missing: &str) {
    assert_eq!(error.kind(), ErrorKind::Config, "{error:?}");
    assert!(error.to_string().contains(missing), "{error}");
    assert!(!error.is_retryable() && !error.may_have_been_sent(), "{error:?}");
}

/// Uploads with each method. All uploads fail because the runtime lacks a driver.
async fn fails_for_lack_of(missing: &str, client: &Client) {
    let error = client.upload_events(&batch()).await.unwrap_err();
    assert_config_error(&error, missing);
    assert!(error.request().is_some(), "the request can be sent elsewhere");
    let error = client.bulk_upload_events(&[batch(), batch()]).await.unwrap_err();
    assert_config_error(&error, missing);
    let batches = (0..3).map(|number| batch().with_source_request_id(number.to_string()));
    let report = client.upload_all(batches).await;
    assert_eq!(report.stopped(), Some(Stopped::Closed), "{report:?}");
    assert_config_error(report.stop_error().unwrap(), missing);
    assert_eq!((report.given(), report.delivered()), (report.failed().len(), 0), "{report:?}");
    assert!(report.failed().iter().all(|failed| !failed.error().may_have_been_sent()));
}

#[test]
fn the_error_names_what_the_runtime_lacks() {
    let (_runtime, emulator) = emulator();
    let client = emulator.client_builder().build().unwrap();
    let without_timers = Builder::new_current_thread().enable_io().build().unwrap();
    without_timers.block_on(fails_for_lack_of("enable_time", &client));
    let without_io = Builder::new_current_thread().enable_time().build().unwrap();
    without_io.block_on(fails_for_lack_of("enable_io", &client));
    pollster::block_on(fails_for_lack_of("there is no Tokio runtime", &client));
    assert_eq!(emulator.requests().len(), 0);

    // The failures have no effect on later uploads.
    runtime().block_on(client.upload_events(&batch())).unwrap();
}

/// Panics for some requests, then accepts.
#[derive(Debug)]
struct Panicking {
    panics: usize,
    at: PanicsAt,
    requests: AtomicUsize,
}

#[derive(Clone, Copy, Debug)]
enum PanicsAt {
    Call,
    Poll,
    Body,
}

impl Transport for Panicking {
    fn send(&self, _: Request<Bytes>) -> SendFuture<'_> {
        let panics = self.requests.fetch_add(1, Ordering::SeqCst) < self.panics;
        match self.at {
            PanicsAt::Call if panics => panic!("the transport panics when it is called"),
            PanicsAt::Poll if panics => Box::pin(async { panic!("the transport panics") }),
            PanicsAt::Body if panics => Box::pin(async {
                let body = futures_util::stream::poll_fn(|_| -> std::task::Poll<Option<_>> {
                    panic!("the body panics")
                });
                Ok(accepted(ResponseBody::from_stream::<_, std::io::Error>(body)))
            }),
            _ => Box::pin(async { Ok(accepted(ResponseBody::empty())) }),
        }
    }
}

fn accepted(body: ResponseBody) -> Response<ResponseBody> {
    let mut response = Response::new(body);
    *response.status_mut() = http::StatusCode::ACCEPTED;
    response
}

fn client_over(transport: impl Transport) -> Client {
    Client::builder(Credentials::new("key", "secret"))
        .transport(transport)
        .max_in_flight(1)
        .build()
        .unwrap()
}

#[test]
fn a_transport_that_panics_is_an_error_and_the_client_continues() {
    for at in [PanicsAt::Call, PanicsAt::Poll, PanicsAt::Body] {
        let client = client_over(Panicking { panics: 3, at, requests: AtomicUsize::new(0) });
        runtime().block_on(async {
            for _ in 0..3 {
                let error = client.upload_events(&batch()).await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Transport, "{at:?}: {error:?}");
                assert!(error.to_string().contains("panicked"), "{at:?}: {error}");
                assert!(error.may_have_been_sent() && error.attempts() == 1, "{at:?}: {error:?}");
                assert!(error.request().is_some(), "{at:?}");
            }
            // There is one place in flight, and it was released.
            let start = Instant::now();
            client.upload_events(&batch()).await.unwrap();
            assert!(start.elapsed() < Duration::from_secs(5), "{at:?}: {:?}", start.elapsed());
        });
    }
}

#[test]
fn a_transport_that_panics_stops_upload_all_and_every_batch_is_returned() {
    for at in [PanicsAt::Call, PanicsAt::Poll, PanicsAt::Body] {
        let transport = Panicking { panics: usize::MAX, at, requests: AtomicUsize::new(0) };
        let client = client_over(transport);
        let report = runtime().block_on(client.upload_all((0..250).map(|_| batch())).into_future());
        assert!(report.stopped().is_some(), "{at:?}: {report:?}");
        assert!(report.given() >= 100, "{at:?}: {report:?}");
        assert_eq!(report.failed().len(), report.given(), "{at:?}");
    }
}

/// Starts an upload in another runtime, and polls it once.
fn begin<F: Future>(runtime: &Runtime, upload: F) -> Pin<Box<F>> {
    let mut upload = Box::pin(upload);
    let context = runtime.enter();
    assert!((&mut upload).now_or_never().is_none());
    drop(context);
    upload
}

#[test]
fn uploads_whose_runtime_is_shut_down_end_and_delay_no_other() {
    type End = fn(Runtime);
    for end in [drop as End, Runtime::shutdown_background] {
        let (_runtime, emulator) = emulator();
        let client = emulator.client_builder().max_in_flight(1).build().unwrap();
        let batch = batch();
        emulator.script([Answer::hang()]);
        let mortal = runtime();
        let sending = begin(&mortal, client.upload_events(&batch));
        let waiting = begin(&mortal, client.upload_events(&batch));
        let other_waiting = begin(&mortal, client.bulk_upload_events(std::slice::from_ref(&batch)));
        pollster::block_on(emulator.wait_for_requests(1));
        end(mortal);
        for upload in [sending.boxed_local(), waiting.boxed_local(), other_waiting.boxed_local()] {
            let error = pollster::block_on(upload).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Closed, "{error:?}");
            assert!(error.to_string().contains("shut down"), "{error}");
            assert!(error.request().is_some());
        }
        runtime().block_on(client.upload_events(&batch)).unwrap();
        assert_eq!(emulator.batches().len(), 1);
    }
}

#[test]
fn uploads_that_wait_in_a_runtime_that_is_shut_down_delay_no_other() {
    let (_runtime, emulator) = emulator();
    let client = emulator.client_builder().build().unwrap();
    let batch = batch();
    emulator.script([Answer::status(429).retry_after(1)]);
    let mortal = runtime();
    let uploads: Vec<_> = (0..20).map(|_| begin(&mortal, client.upload_events(&batch))).collect();
    while client.rate_limiter().snapshot().closed_for.is_zero() {
        thread::sleep(Duration::from_millis(1));
    }
    mortal.shutdown_background();
    // The futures of the caller still exist, and are not polled.
    let start = Instant::now();
    runtime().block_on(client.upload_events(&batch)).unwrap();
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    for upload in uploads {
        assert_eq!(pollster::block_on(upload).unwrap_err().kind(), ErrorKind::Closed);
    }
}

#[test]
fn upload_all_whose_runtime_is_shut_down_returns_every_batch() {
    let (_runtime, emulator) = emulator();
    let client = emulator.client_builder().build().unwrap();
    emulator.always(Answer::hang());
    let mortal = runtime();
    let upload = client.upload_all((0..250).map(|_| batch()));
    let mut upload = upload.into_future();
    while emulator.requests().is_empty() {
        upload = begin(&mortal, upload);
        thread::sleep(Duration::from_millis(1));
    }
    mortal.shutdown_background();
    let report = pollster::block_on(upload);
    assert_eq!(report.stopped(), Some(Stopped::Closed), "{report:?}");
    assert_eq!(report.failed().len(), report.given());
}
