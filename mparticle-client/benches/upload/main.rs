//! What an upload costs beside the floor, which is `reqwest` posting bytes that are ready.
//!
//! Measured is the CPU time of the thread that uploads; the server has a thread of its own. The ratios come last.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run has to fail")]

mod cpu;
#[path = "../common/sample.rs"]
mod sample;
#[path = "../common/sink.rs"]
mod sink;

use bytes::Bytes;
use cpu::CpuTime;
use criterion::Criterion;
use mparticle_client::{Client, Credentials, Validation};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// Batches in a bulk request.
const BULK: usize = 100;
const SINGLE_AIM: f64 = 1.25;
const BULK_AIM: Duration = Duration::from_micros(3);

struct Bench {
    runtime: Runtime,
    client: Client,
    http: reqwest::Client,
    base_url: String,
}

impl Bench {
    fn new() -> Self {
        let base_url = sink::start().unwrap();
        let client = Client::builder(Credentials::new("some-key", "some-secret"))
            .base_url(&base_url)
            .validation(Validation::Warn)
            .build()
            .unwrap();
        let http = reqwest::Client::builder().no_proxy();
        let http = http.tls_backend_preconfigured(tls()).build().unwrap();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        Self { runtime, client, http, base_url }
    }

    fn run(&self, criterion: &mut Criterion<CpuTime>) {
        let batch = sample::batch(0);
        let batches: Vec<_> = (0..BULK).map(sample::batch).collect();
        let body = Bytes::from(batch.to_vec().unwrap());
        let bulk_body = Bytes::from(serde_json::to_vec(&batches).unwrap());

        let mut single = criterion.benchmark_group("single");
        single.bench_function("client", |bencher| {
            bencher.iter(|| self.runtime.block_on(self.client.upload_events(&batch)).unwrap());
        });
        single.bench_function("floor", |bencher| bencher.iter(|| self.post("/v2/events", &body)));
        single.finish();

        let mut bulk = criterion.benchmark_group("bulk");
        bulk.bench_function("client", |bencher| {
            bencher
                .iter(|| self.runtime.block_on(self.client.bulk_upload_events(&batches)).unwrap());
        });
        bulk.bench_function("floor", |bencher| {
            bencher.iter(|| self.post("/v2/bulkevents", &bulk_body));
        });
        bulk.bench_function("encoding", |bencher| {
            bencher.iter(|| serde_json::to_vec(&batches).unwrap());
        });
        bulk.finish();
    }

    fn post(&self, path: &str, body: &Bytes) {
        let request = self
            .http
            .post(format!("{}{path}", self.base_url))
            .basic_auth("some-key", Some("some-secret"))
            .header("content-type", "application/json")
            .body(body.clone());
        let status = self.runtime.block_on(async {
            let response = request.send().await.unwrap();
            let status = response.status();
            response.bytes().await.unwrap();
            status
        });
        assert_eq!(status, 202);
    }
}

/// `reqwest` takes no other default here.
fn tls() -> rustls::ClientConfig {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth()
}

/// The median CPU time in nanoseconds that a finished benchmark has left behind.
fn median(folder: &Path, group: &str, function: &str) -> Option<f64> {
    let estimates = fs::read(folder.join(group).join(function).join("new/estimates.json")).ok()?;
    serde_json::from_slice::<Value>(&estimates).ok()?.pointer("/median/point_estimate")?.as_f64()
}

fn main() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("upload-benchmark");
    let criterion = Criterion::default().with_measurement(CpuTime);
    let mut criterion = criterion.output_directory(&folder).configure_from_args();
    Bench::new().run(&mut criterion);
    criterion.final_summary();

    let time = |group, function| median(&folder, group, function).map(|time| time / 1000.0);
    if let (Some(client), Some(floor)) = (time("single", "client"), time("single", "floor")) {
        let ratio = client / floor;
        println!(
            "single upload: {client:.1} µs of CPU, floor {floor:.1} µs, ratio {ratio:.3}, aim at most {SINGLE_AIM}"
        );
    }
    if let (Some(client), Some(floor), Some(encoding)) =
        (time("bulk", "client"), time("bulk", "floor"), time("bulk", "encoding"))
    {
        #[allow(clippy::cast_precision_loss, reason = "a hundred")]
        let [client, floor, encoding] = [client, floor, encoding].map(|time| time / BULK as f64);
        let aim = BULK_AIM.as_micros();
        println!(
            "bulk of {BULK}, for each batch: {client:.2} µs of CPU, floor {floor:.2} µs, \
             encoding alone {encoding:.2} µs, aim at most {aim} µs"
        );
    }
}
