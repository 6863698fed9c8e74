//! Recordings of the requests that mParticle's own SDKs send, and how they are made.

use crate::wire::builder;
use bytes::Bytes;
use http::Request;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST};
use mparticle_client::testing::ReceivedRequest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;
use tokio::time::timeout;

/// The requests of one SDK.
#[derive(Deserialize, Serialize)]
pub(crate) struct Recording {
    /// The versions of the SDK, of its HTTP library and of the interpreter.
    sdk: String,
    pub(crate) requests: Vec<RecordedRequest>,
}

/// A request as the emulator received it.
#[derive(Deserialize, Serialize)]
pub(crate) struct RecordedRequest {
    /// The name of the request in the script.
    pub(crate) name: String,
    path: String,
    /// All headers except `Host`, by their names in lower case.
    headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Recording {
    pub(crate) fn read(sdk: &str) -> Self {
        let text = std::fs::read_to_string(folder().join(format!("{sdk}.json"))).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    fn write(&self, sdk: &str) {
        let text = serde_json::to_string_pretty(self).unwrap() + "\n";
        std::fs::write(folder().join(format!("{sdk}.json")), text).unwrap();
    }
}

impl RecordedRequest {
    fn new(name: &str, request: &ReceivedRequest) -> Self {
        let headers = request.headers.iter().filter(|(name, _)| *name != HOST);
        Self {
            name: name.to_owned(),
            path: request.path.clone(),
            headers: headers
                .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                .collect(),
            body: String::from_utf8(request.body.to_vec()).unwrap(),
        }
    }

    /// Returns the request, without the headers that the test client sets itself.
    pub(crate) fn request(&self) -> Request<Bytes> {
        let mut request = Request::post(format!("http://localhost{}", self.path));
        for (name, value) in &self.headers {
            if name != CONTENT_LENGTH.as_str() && name != CONNECTION.as_str() {
                request = request.header(name, value);
            }
        }
        request.body(self.body.clone().into()).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/emulator/recorded")
}

#[tokio::test]
#[ignore = "runs mParticle's SDKs, which recorded/README.md says how to install"]
async fn record_the_official_sdks() {
    record("python3", "record.py").await.write("python");
    record("node", "record.js").await.write("node");
}

/// Runs a script against an emulator.
async fn record(interpreter: &str, script: &str) -> Recording {
    let emulator = builder().start().await.unwrap();
    let script = Command::new(interpreter)
        .arg(folder().join(script))
        .env("EMULATOR_URL", emulator.base_url())
        .env("EMULATOR_KEY", "key")
        .env("EMULATOR_SECRET", "secret")
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let output =
        timeout(Duration::from_secs(60), script.wait_with_output()).await.unwrap().unwrap();
    assert!(output.status.success());
    let output = String::from_utf8(output.stdout).unwrap();
    let mut lines = output.lines();
    let sdk = lines.next().unwrap().to_owned();
    let names: Vec<_> = lines.collect();
    let requests = emulator.requests();
    assert_eq!(names.len(), requests.len(), "{names:?}");
    let requests = names.iter().zip(&requests);
    let requests = requests.map(|(name, request)| RecordedRequest::new(name, request)).collect();
    Recording { sdk, requests }
}
