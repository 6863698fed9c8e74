//! The CPU time of uploads, compared with a floor: `reqwest` that posts encoded bytes.
//!
//! The time of all threads is measured. The server runs in another process. The ratios are printed last.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run has to fail")]

mod cpu;
#[path = "../common/sample.rs"]
mod sample;
#[path = "../common/sink.rs"]
mod sink;

use bytes::Bytes;
use cpu::CpuTime;
use criterion::{BatchSize, Criterion};
use mparticle_client::{Client, Credentials, Validation};
use serde_json::Value;
use std::fs;
use std::future::IntoFuture;
use std::path::{Path, PathBuf};
use tokio::runtime::{Builder, Runtime};

/// The number of batches in a bulk request.
const BULK: usize = 100;
/// The number of batches in an `upload_all`.
const MANY: usize = 2_000;

struct Bench {
    /// Drives uploads on the calling thread.
    current: Target,
    /// Runs uploads as tasks on two threads.
    workers: Target,
    server: sink::Process,
}

/// A runtime, and clients whose connections belong to it.
struct Target {
    runtime: Runtime,
    client: Client,
    http: reqwest::Client,
}

impl Target {
    fn new(runtime: Runtime, base_url: &str) -> Self {
        let client = Client::builder(Credentials::new("some-key", "some-secret"))
            .base_url(base_url)
            .validation(Validation::Warn)
            .build()
            .unwrap();
        let http = reqwest::Client::builder().no_proxy();
        let http = http.tls_backend_preconfigured(tls()).build().unwrap();
        Self { runtime, client, http }
    }
}

impl Bench {
    fn new() -> Self {
        let server = sink::Process::start().unwrap();
        let current = Builder::new_current_thread().enable_all().build().unwrap();
        let workers = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let current = Target::new(current, &server.url);
        let workers = Target::new(workers, &server.url);
        Self { current, workers, server }
    }

    fn run(&self, criterion: &mut Criterion<CpuTime>) {
        let Target { runtime, client, .. } = &self.current;
        let batch = sample::batch(0);
        let batches: Vec<_> = (0..BULK).map(sample::batch).collect();
        let body = Bytes::from(batch.to_vec().unwrap());
        let bulk_body = Bytes::from(serde_json::to_vec(&batches).unwrap());

        let mut single = criterion.benchmark_group("single");
        single.bench_function("client", |bencher| {
            bencher.iter(|| runtime.block_on(client.upload_events(&batch)).unwrap());
        });
        single.bench_function("floor", |bencher| {
            bencher.iter(|| runtime.block_on(self.post(&self.current, "/v2/events", &body)));
        });
        single.finish();

        let workers = &self.workers.runtime;
        let mut task = criterion.benchmark_group("task");
        task.bench_function("client", |bencher| {
            bencher.iter(|| {
                let (client, batch) = (self.workers.client.clone(), batch.clone());
                let task = async move { client.upload_events(&batch).await.unwrap() };
                workers.block_on(workers.spawn(task)).unwrap()
            });
        });
        task.bench_function("floor", |bencher| {
            bencher.iter(|| {
                let task = workers.spawn(self.post(&self.workers, "/v2/events", &body));
                workers.block_on(task).unwrap();
            });
        });
        task.finish();

        let mut bulk = criterion.benchmark_group("bulk");
        bulk.bench_function("client", |bencher| {
            bencher.iter(|| runtime.block_on(client.bulk_upload_events(&batches)).unwrap());
        });
        bulk.bench_function("floor", |bencher| {
            bencher
                .iter(|| runtime.block_on(self.post(&self.current, "/v2/bulkevents", &bulk_body)));
        });
        bulk.bench_function("encoding", |bencher| {
            bencher.iter(|| serde_json::to_vec(&batches).unwrap());
        });
        bulk.finish();

        let many: Vec<_> = (0..MANY).map(sample::batch).collect();
        let mut upload_all = criterion.benchmark_group("upload_all");
        upload_all.sample_size(20);
        upload_all.bench_function("client", |bencher| {
            let upload = |batches| {
                let upload = client.upload_all::<Vec<_>>(batches).into_future();
                assert!(runtime.block_on(upload).is_complete());
            };
            bencher.iter_batched(|| many.clone(), upload, BatchSize::LargeInput);
        });
        upload_all.bench_function("bulk", |bencher| {
            let upload = |batches: Vec<_>| {
                for hundred in batches.chunks(BULK) {
                    runtime.block_on(client.bulk_upload_events(hundred)).unwrap();
                }
            };
            bencher.iter_batched(|| many.clone(), upload, BatchSize::LargeInput);
        });
        upload_all.finish();
    }

    fn post(
        &self,
        target: &Target,
        path: &str,
        body: &Bytes,
    ) -> impl Future<Output = ()> + Send + use<> {
        let request = target
            .http
            .post(format!("{}{path}", self.server.url))
            .basic_auth("some-key", Some("some-secret"))
            .header("content-type", "application/json")
            .body(body.clone());
        async move {
            let response = request.send().await.unwrap();
            let status = response.status();
            response.bytes().await.unwrap();
            assert_eq!(status, 202);
        }
    }
}

/// Returns the TLS configuration of `reqwest`, which has no default here.
fn tls() -> rustls::ClientConfig {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth()
}

/// Returns the median CPU time in nanoseconds of a finished benchmark.
fn median(folder: &Path, group: &str, function: &str) -> Option<f64> {
    let estimates = fs::read(folder.join(group).join(function).join("new/estimates.json")).ok()?;
    serde_json::from_slice::<Value>(&estimates).ok()?.pointer("/median/point_estimate")?.as_f64()
}

fn main() {
    sink::serve_if_child().unwrap();
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("upload-benchmark");
    let criterion = Criterion::default().with_measurement(CpuTime);
    let mut criterion = criterion.output_directory(&folder).configure_from_args();
    Bench::new().run(&mut criterion);
    criterion.final_summary();

    let time = |group, function| median(&folder, group, function).map(|time| time / 1000.0);
    for (group, what, aim) in
        [("single", "one batch", 1.2), ("task", "one batch, in a task of two workers", 1.5)]
    {
        if let (Some(client), Some(floor)) = (time(group, "client"), time(group, "floor")) {
            let ratio = client / floor;
            println!(
                "{what}: {client:.1} µs of CPU, floor {floor:.1} µs, ratio {ratio:.3}, aim at most {aim}"
            );
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "the numbers are small")]
    let each = |time: f64, batches: usize| time / batches as f64;
    let bulk = |function| time("bulk", function).map(|time| each(time, BULK));
    if let (Some(client), Some(floor), Some(encoding)) =
        (bulk("client"), bulk("floor"), bulk("encoding"))
    {
        println!(
            "bulk of {BULK}, for each batch: {client:.2} µs of CPU, floor {floor:.2} µs, \
             encoding alone {encoding:.2} µs, aim at most 2.5 µs"
        );
    }
    let many = |function| time("upload_all", function).map(|time| each(time, MANY));
    if let (Some(all), Some(bulk)) = (many("client"), many("bulk")) {
        let ratio = all / bulk;
        println!(
            "upload_all of {MANY}, for each batch: {all:.2} µs of CPU, in bulk requests {bulk:.2} µs, ratio {ratio:.2}, aim at most 1.5"
        );
    }
}
