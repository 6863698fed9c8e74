//! The blocking client, called from threads, from tasks and inside other executors.
#![cfg(feature = "blocking")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod wire;

use mparticle_client::blocking::Client;
use mparticle_client::models::{Batch, CustomEvent, CustomEventType, Environment};
use mparticle_client::{Error, ErrorKind, RetryPolicy};
use std::collections::HashSet;
use std::io::Write;
use std::thread;
use std::time::{Duration, SystemTime};
use tokio::runtime::{Builder, Runtime};
use wire::{ACCEPTED, Server, batch, builder, read_request};

fn client(server: &Server) -> Client {
    let retry = RetryPolicy::default().with_base_delay(Duration::from_millis(1));
    builder(server.base_url()).retry(retry).build_blocking().unwrap()
}

/// Uploads with each method, and returns the number of requests.
fn upload_by_each_method(client: &Client) -> usize {
    assert_eq!(client.upload_events(&batch()).unwrap().attempts(), 1);
    assert_eq!(client.bulk_upload_events(&[batch()]).unwrap().attempts(), 1);
    assert_eq!(client.bulk_upload_historical_events(&[old_batch()]).unwrap().attempts(), 1);
    let report = client.upload_all((0..3).map(|_| batch())).run().unwrap();
    assert_eq!((report.delivered(), report.requests()), (3, 1));
    4
}

fn old_batch() -> Batch {
    let long_ago = SystemTime::now() - Duration::from_secs(40 * 24 * 60 * 60);
    let event = CustomEvent::new("Signed up", CustomEventType::Navigation)
        .with_timestamp_unixtime_ms(long_ago);
    Batch::new(Environment::Production).with_event(event)
}

fn runtimes() -> [Runtime; 2] {
    [Builder::new_current_thread(), Builder::new_multi_thread()]
        .map(|mut builder| builder.worker_threads(2).enable_all().build().unwrap())
}

#[test]
fn a_thread_can_call_every_method() {
    let server = Server::accepting();
    let requests = upload_by_each_method(&client(&server));
    let paths = server
        .requests()
        .into_iter()
        .map(|request| request.head.split_whitespace().nth(1).unwrap().to_owned());
    assert_eq!(
        paths.collect::<Vec<_>>(),
        ["/v2/events", "/v2/bulkevents", "/v2/bulkevents/historical", "/v2/bulkevents"]
    );
    assert_eq!(server.requests().len(), requests);
}

#[test]
fn many_threads_can_call_it_at_the_same_time() {
    const THREADS: usize = 16;
    const UPLOADS: usize = 20;
    let server = Server::accepting();
    let shared = client(&server);
    let ids = thread::scope(|scope| {
        let threads = (0..THREADS).map(|_| {
            scope.spawn(|| {
                let upload = |_| {
                    let receipt = shared.upload_events(&batch()).unwrap();
                    receipt.source_request_ids()[0].clone()
                };
                (0..UPLOADS).map(upload).collect::<Vec<_>>()
            })
        });
        let threads = threads.collect::<Vec<_>>();
        threads.into_iter().flat_map(|it| it.join().unwrap()).collect::<HashSet<_>>()
    });
    assert_eq!(ids.len(), THREADS * UPLOADS);
    assert_eq!(server.requests().len(), THREADS * UPLOADS);
    // There can be more connections than threads, because one returns to the pool a moment after the answer.
    assert!(server.connections() <= 4 * THREADS, "{}", server.connections());
}

#[tokio::test]
async fn it_can_be_called_and_dropped_in_a_current_thread_runtime() {
    let server = Server::accepting();
    let client = client(&server);
    upload_by_each_method(&client);
    // The timers of the caller still work.
    tokio::time::sleep(Duration::from_millis(1)).await;
    upload_by_each_method(&client);
    drop(client);
    tokio::time::sleep(Duration::from_millis(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_can_be_called_and_dropped_in_a_multi_thread_runtime() {
    let server = Server::accepting();
    let shared = client(&server);
    upload_by_each_method(&shared);
    tokio::task::block_in_place(|| upload_by_each_method(&shared));
    let moved = shared.clone();
    tokio::task::spawn_blocking(move || upload_by_each_method(&moved)).await.unwrap();
    let tasks = (0..8).map(|_| {
        let client = shared.clone();
        tokio::spawn(async move { upload_by_each_method(&client) })
    });
    let tasks = tasks.collect::<Vec<_>>();
    drop(shared);
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(server.requests().len(), 11 * 4);
}

#[tokio::test(start_paused = true)]
async fn paused_time_of_the_caller_has_no_effect() {
    let server = Server::accepting();
    upload_by_each_method(&client(&server));
}

#[test]
fn it_can_be_called_inside_other_executors() {
    let server = Server::accepting();
    let client = client(&server);
    pollster::block_on(async { upload_by_each_method(&client) });
    for runtime in runtimes() {
        runtime.block_on(async { pollster::block_on(async { upload_by_each_method(&client) }) });
        tokio::task::LocalSet::new().block_on(&runtime, async { upload_by_each_method(&client) });
    }
}

#[test]
fn it_outlives_the_runtime_in_which_it_was_built_and_used() {
    let server = Server::accepting();
    for runtime in runtimes() {
        let client = runtime.block_on(async {
            let client = client(&server);
            upload_by_each_method(&client);
            client
        });
        drop(runtime);
        upload_by_each_method(&client);
    }
}

#[test]
fn an_exhausted_cooperative_budget_of_the_calling_task_has_no_effect() {
    const UPLOADS: usize = 300;
    let server = Server::accepting();
    for runtime in runtimes() {
        let client = client(&server);
        // A task is polled once, and uses up its budget of 128 steps.
        let task = runtime.spawn(async move {
            while tokio::task::coop::has_budget_remaining() {
                tokio::task::consume_budget().await;
                if !tokio::task::coop::has_budget_remaining() {
                    break;
                }
            }
            for _ in 0..UPLOADS {
                client.upload_events(&batch()).unwrap();
            }
        });
        runtime.block_on(task).unwrap();
    }
    assert_eq!(server.requests().len(), 2 * UPLOADS);
}

#[test]
fn upload_all_can_borrow_from_the_caller() {
    let server = Server::accepting();
    let client = client(&server);
    let names = ["a", "b", "c"].map(str::to_owned);
    let mut seen = 0;
    let batches = names.iter().map(|name| {
        let event = CustomEvent::new(name.as_str(), CustomEventType::Navigation);
        Batch::new(Environment::Production).with_event(event)
    });
    let report = client.upload_all(batches).concurrency(2).on_outcome(|_| seen += 1).run().unwrap();
    assert!(report.is_complete());
    assert_eq!((report.given(), seen), (3, 3));
    let body = String::from_utf8(server.requests()[0].body.clone()).unwrap();
    assert!(names.iter().all(|name| body.contains(&format!("\"{name}\""))), "{body}");
}

#[test]
fn an_upload_can_be_called_in_on_outcome() {
    let server = Server::accepting();
    let client = client(&server);
    let report = client
        .upload_all([batch()])
        .on_outcome(|_| drop(client.upload_events(&batch()).unwrap()))
        .run()
        .unwrap();
    assert_eq!(report.delivered(), 1);
    assert_eq!(server.requests().len(), 2);
}

/// Returns the parts of an error that are the same in every run.
fn stable_parts(error: &Error) -> impl PartialEq + std::fmt::Debug + use<> {
    (
        error.kind(),
        error.to_string(),
        error.status(),
        error.attempts(),
        (error.is_retryable(), error.may_have_been_sent()),
        error.body().map(<[u8]>::to_vec),
        error.request().is_some(),
    )
}

#[test]
fn errors_are_the_same_as_those_of_the_asynchronous_client() {
    for (answer, kind) in [
        (&b"HTTP/1.1 400 B\r\ncontent-length: 2\r\n\r\nno"[..], ErrorKind::Rejected),
        (b"HTTP/1.1 401 U\r\ncontent-length: 0\r\n\r\n", ErrorKind::Unauthorized),
        (b"HTTP/1.1 429 S\r\nretry-after: 3600\r\n\r\n", ErrorKind::RateLimited),
        (b"HTTP/1.1 503 S\r\ncontent-length: 0\r\n\r\n", ErrorKind::Server),
        (b"garbage\r\n\r\n", ErrorKind::Transport),
        (b"", ErrorKind::Timeout),
    ] {
        let server = Server::start(move |mut stream, _| {
            while read_request(&mut stream).is_some() {
                let _ = stream.write_all(answer);
            }
        });
        let [runtime, _] = runtimes();
        let asynchronous = server.with_short_timeouts().build().unwrap();
        let blocking = server.with_short_timeouts().build_blocking().unwrap();
        let expected = runtime.block_on(asynchronous.upload_events(&batch())).unwrap_err();
        let error = blocking.upload_events(&batch()).unwrap_err();
        assert_eq!(error.kind(), kind);
        assert_eq!(stable_parts(&error), stable_parts(&expected));
    }
    // Errors before anything is sent.
    let server = Server::accepting();
    let [runtime, _] = runtimes();
    let asynchronous = server.with_short_timeouts().build().unwrap();
    let blocking = server.with_short_timeouts().build_blocking().unwrap();
    for batches in [vec![], vec![batch(); 101]] {
        let expected = runtime.block_on(asynchronous.bulk_upload_events(&batches)).unwrap_err();
        assert_eq!(
            stable_parts(&blocking.bulk_upload_events(&batches).unwrap_err()),
            stable_parts(&expected)
        );
    }
    assert_eq!(server.connections(), 0);
    let error = builder("ftp://x").build_blocking().unwrap_err();
    assert_eq!(stable_parts(&error), stable_parts(&builder("ftp://x").build().unwrap_err()));
}

#[test]
fn a_failed_request_is_resent_with_the_same_bytes() {
    let server = Server::recording(|mut stream, earlier, record| {
        while let Some(request) = read_request(&mut stream) {
            record(request);
            let refusal = b"HTTP/1.1 400 B\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
            let _ = stream.write_all(if earlier == 0 { refusal } else { ACCEPTED });
            if earlier == 0 {
                return;
            }
        }
    });
    let client = client(&server);
    let error = client.upload_events(&batch()).unwrap_err();
    client.resend(error.into_request().unwrap()).unwrap();
    let [first, second] = server.requests().try_into().unwrap();
    assert_eq!(first.body, second.body);
}

/// Returns how many threads of this process drive a client.
#[cfg(target_os = "linux")]
fn driving_threads() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let names =
        tasks.filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).ok());
    // The kernel keeps 15 characters of `mparticle-client`.
    names.filter(|name| name.trim() == "mparticle-clien").count()
}

#[cfg(target_os = "linux")]
#[test]
fn the_background_thread_ends_with_the_last_clone() {
    if !wire::is_run_again() {
        // In its own process, without the threads of other tests.
        wire::run_again("the_background_thread_ends_with_the_last_clone", []);
        return;
    }
    let wait_for = |count| {
        let enough = (0..200).any(|_| {
            thread::sleep(Duration::from_millis(10));
            driving_threads() == count
        });
        assert!(enough, "{} threads instead of {count}", driving_threads());
    };
    let server = Server::accepting();
    wait_for(0);
    let first = client(&server);
    let clones = vec![first.clone(); 10];
    first.upload_events(&batch()).unwrap();
    wait_for(1);
    drop(first);
    thread::sleep(Duration::from_millis(50));
    assert_eq!(driving_threads(), 1);
    clones[0].upload_events(&batch()).unwrap();
    let pending = clones[0].upload_all([batch()]);
    drop(clones);
    assert_eq!(pending.run().unwrap().delivered(), 1);
    wait_for(0);
}
