//! `mparticle emulator`, with requests as programs in other languages send them.

use crate::process::{Ended, end, mparticle, run, start};
use crate::{Folder, batch, json_lines};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command};
use std::time::Duration;

/// An emulator that runs as a process. Dropping it kills the process.
struct Emulator {
    child: Option<Child>,
    out: BufReader<ChildStdout>,
    url: String,
    http: reqwest::Client,
}

impl Emulator {
    /// Starts an emulator that accepts all credentials, on a free port.
    fn start(options: &[&str]) -> Self {
        let mut command = mparticle();
        command.args(["emulator", "--port", "0"]).args(options);
        Self::start_command(&mut command)
    }

    fn start_command(command: &mut Command) -> Self {
        let mut child = start(command);
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let url = line.split_once("listening on ").unwrap().1.split_once("/v2;").unwrap().0;
        // reqwest needs a provider, though the emulator has no TLS.
        _ = rustls::crypto::ring::default_provider().install_default();
        // Each request has a connection of its own, because a fault may close any.
        let http = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0);
        Self { url: url.to_owned(), child: Some(child), out, http: http.build().unwrap() }
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url)).timeout(Duration::from_secs(10))
    }

    /// Uploads a body. Returns the status, or `None` without a response.
    async fn upload(&self, path: &str, body: impl Into<String>) -> Option<StatusCode> {
        let request = self.request(Method::POST, path).basic_auth("key", Some("secret"));
        let request = request.header("content-type", "application/json").body(body.into());
        request.send().await.ok().map(|response| response.status())
    }

    async fn text(&self, path: &str) -> String {
        let response = self.request(Method::GET, path).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        response.text().await.unwrap()
    }

    async fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.text(path).await).unwrap()
    }

    async fn set_faults(&self, faults: &Value) -> StatusCode {
        let request = self.request(Method::POST, "/faults").body(faults.to_string());
        request.send().await.unwrap().status()
    }

    /// Ends the process as Ctrl-C does.
    #[cfg(unix)]
    async fn interrupt(mut self) -> Ended {
        let child = self.child.take().unwrap();
        crate::process::signal(&child, "-INT");
        let mut ended = end(child).await;
        self.out.read_to_string(&mut ended.out).unwrap();
        ended
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

/// A request of an official SDK, as the tests of the emulator recorded it.
#[derive(Clone, Deserialize)]
struct Recorded {
    path: String,
    headers: BTreeMap<String, String>,
    body: String,
}

fn recorded(text: &str) -> Vec<Recorded> {
    let recording: Value = serde_json::from_str(text).unwrap();
    serde_json::from_value(recording["requests"].clone()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_sdks_reach_it() {
    let mut command = mparticle();
    command.args(["emulator", "--port", "0"]);
    command.env("MPARTICLE_API_KEY", "key").env("MPARTICLE_API_SECRET", "secret");
    let emulator = Emulator::start_command(&mut command);
    let requests = [
        recorded(include_str!("../emulator/recorded/python.json")),
        recorded(include_str!("../emulator/recorded/node.json")),
    ]
    .concat();
    let mut statuses = BTreeMap::new();
    for recorded in &requests {
        let mut request = emulator.request(Method::POST, &recorded.path);
        for (name, value) in &recorded.headers {
            if !["connection", "content-length"].contains(&name.as_str()) {
                request = request.header(name, value);
            }
        }
        let response = request.body(recorded.body.clone()).send().await.unwrap();
        *statuses.entry(response.status().as_u16()).or_insert(0) += 1;
    }
    // The refused ones are those that tests/emulator/sdks.rs lists.
    assert_eq!(statuses, BTreeMap::from([(202, 24), (400, 14)]));
    let shown = emulator.json("/requests").await;
    let shown = shown.as_array().unwrap();
    assert_eq!(shown.len(), requests.len());
    assert_eq!(shown[0]["user_agent"], "mParticle Python client/0.16.0");
    let refused: Vec<_> = shown.iter().filter(|request| request["status"] == 400).collect();
    assert!(refused.iter().all(|request| request["message"].is_string()), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_are_checked_if_there_are_any() {
    let emulator = Emulator::start(&[]);
    assert_eq!(emulator.upload("/v2/events", batch(1)).await.unwrap(), 202);
    let missing = emulator.request(Method::POST, "/v2/events").body(batch(1));
    assert_eq!(missing.send().await.unwrap().status(), 401);

    let folder = Folder::new();
    let file = folder.write("keys", "MPARTICLE_API_KEY=key\nMPARTICLE_API_SECRET=other\n");
    let emulator = Emulator::start(&["--credentials", file.to_str().unwrap()]);
    assert_eq!(emulator.upload("/v2/events", batch(1)).await.unwrap(), 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn violations_duplicates_and_unprocessed_batches_are_marked() {
    let emulator = Emulator::start(&[]);
    let good = r#"{"environment":"development","mpid":1,"source_request_id":"a"}"#;
    assert_eq!(emulator.upload("/v2/events", good).await.unwrap(), 202);
    assert_eq!(emulator.upload("/v2/events", good).await.unwrap(), 202);
    assert_eq!(emulator.upload("/v2/events", "{}").await.unwrap(), 400);
    let list = format!("[{},{}]", batch(2), batch(3));
    assert_eq!(emulator.upload("/v2/bulkevents/historical", list).await.unwrap(), 202);
    let marked = r#"{"environment":"development","mpid":4,"timestamp_unixtime_ms":1700000000}"#;
    assert_eq!(emulator.upload("/v2/events", marked).await.unwrap(), 202);

    let requests = emulator.json("/requests").await;
    let batch = |request: usize| &requests[request]["batches"][0];
    assert_eq!([batch(0)["duplicate"].clone(), batch(1)["duplicate"].clone()], [false, true]);
    let message = requests[2]["message"].as_str().unwrap();
    assert!(message.contains("environment"), "{message}");
    let reason = batch(3)["unprocessed"].as_str().unwrap();
    assert!(reason.contains("timestamp"), "{reason}");

    let mpids = |json: &Value| -> Vec<i64> {
        json.as_array().unwrap().iter().map(|batch| batch["mpid"].as_i64().unwrap()).collect()
    };
    assert_eq!(mpids(&emulator.json("/batches").await), [1, 4]);
    let violations = emulator.json("/violations").await;
    let found = &violations[violations.as_array().unwrap().len() - 1];
    assert_eq!(found["pointer"], "/timestamp_unixtime_ms");
    assert_eq!((&found["request"], &found["batch"]), (&json!(4), &json!(0)));

    let page = emulator.text("/").await;
    assert!(page.contains("duplicate") && page.contains("not processed"), "{page}");
    assert!(page.contains("<code>/timestamp_unixtime_ms</code>"), "{page}");
    let cleared = emulator.request(Method::DELETE, "/requests").send().await.unwrap();
    assert_eq!(cleared.status(), 204);
    assert_eq!(emulator.json("/requests").await, json!([]));
    assert!(emulator.text("/").await.contains("No request has arrived yet."));
    // Nothing is known of the id that was accepted before.
    assert_eq!(emulator.upload("/v2/events", good).await.unwrap(), 202);
    assert_eq!(emulator.json("/requests").await[0]["batches"][0]["duplicate"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_are_set_by_options_and_by_requests() {
    let emulator = Emulator::start(&["--fault", "503:100%"]);
    assert_eq!(emulator.upload("/v2/events", batch(1)).await.unwrap(), 503);
    assert_eq!(emulator.json("/faults").await, json!(["503:100%"]));

    for (faults, status) in [
        (json!(["429:100%"]), Some(StatusCode::TOO_MANY_REQUESTS)),
        (json!(["close:100%"]), None),
        (json!(["lost:100%"]), None),
        (json!([]), Some(StatusCode::ACCEPTED)),
    ] {
        assert_eq!(emulator.set_faults(&faults).await, 204);
        assert_eq!(emulator.upload("/v2/events", batch(1)).await, status, "{faults}");
    }
    for wrong in [json!(["503"]), json!(["503:60%", "429:60%"]), json!({}), json!(["teapot:1%"])] {
        assert_eq!(emulator.set_faults(&wrong).await, 400, "{wrong}");
    }
    let statuses: Vec<_> = emulator.json("/requests").await.as_array().unwrap().clone();
    let statuses: Vec<_> = statuses.iter().map(|request| request["status"].clone()).collect();
    assert_eq!(json!(statuses), json!([503, 429, null, null, 202]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_of_the_requests_fails() {
    let emulator = Emulator::start(&["--fault", "503:50%"]);
    let mut refused = 0;
    for _ in 0..100 {
        let status = emulator.upload("/v2/events", batch(1)).await.unwrap();
        refused += usize::from(status == 503);
    }
    // Outside this range once in 10^9 runs.
    assert!((20..=80).contains(&refused), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_limit_and_a_latency_apply() {
    let emulator = Emulator::start(&["--rate", "2", "--latency", "200ms"]);
    let start = std::time::Instant::now();
    let list = format!("[{},{}]", batch(1), batch(2));
    assert_eq!(emulator.upload("/v2/bulkevents", list.as_str()).await.unwrap(), 202);
    assert!(start.elapsed() >= Duration::from_millis(200));
    assert_eq!(emulator.upload("/v2/bulkevents", list).await.unwrap(), 429);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn each_request_is_a_line_of_the_output_and_of_the_log() {
    let folder = Folder::new();
    let log = folder.path("requests.jsonl");
    let emulator = Emulator::start(&["--log", log.to_str().unwrap()]);
    let escape = batch(1).replace(r#""event_name":"e""#, "\"event_name\":\"\\u001b[31mred\"");
    let escape = escape.replace(r#""mpid":1"#, "\"user_identities\":{\"email\":\"\\u001b[2J\"}");
    emulator.upload("/v2/events", escape).await.unwrap();
    emulator.upload("/v2/bulkevents", format!("[{},{}]", batch(2), batch(3))).await.unwrap();
    emulator.upload("/v2/events", "oops").await.unwrap();
    // `interrupt` checks that no escape code was printed.
    let ended = emulator.interrupt().await.with_code(0);
    ended.prints(&[
        " 202 POST /v2/events  email \u{fffd}[2J: custom_event ",
        " 202 POST /v2/bulkevents  2 batches, 2 events",
        " 400 POST /v2/events\n  refused: the body is not the JSON of a batch",
    ]);
    let logged = json_lines(&log);
    assert_eq!(logged.len(), 3);
    assert_eq!(logged[1]["batches"][1]["batch"]["mpid"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_latest_thousand_requests_are_remembered() {
    let emulator = Emulator::start(&[]);
    for user in 0..1_003 {
        assert_eq!(emulator.upload("/v2/events", batch(user)).await.unwrap(), 202);
    }
    let batches = emulator.json("/batches").await;
    assert_eq!(batches.as_array().unwrap().len(), 1_000);
    assert_eq!(batches[0]["mpid"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_started_says_why() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (options, message) in [
        (["--port", &port], "--port 0 a free one"),
        (["--fault", "503"], "such as 503:5%"),
        (["--latency", "20"], "such as 20ms"),
        (["--rate", "0"], "--rate"),
        (["--log", "/nowhere/log"], "/nowhere/log"),
        (["--credentials", "/nowhere/keys"], "/nowhere/keys"),
        (["--secret", "s"], "unexpected argument '--secret'"),
    ] {
        let mut command = mparticle();
        command.arg("emulator").args(options);
        run(command).await.with_code(2).complains(&[message]);
    }
    let mut command = mparticle();
    command.args(["emulator", "--fault", "503:60%", "--fault", "429:60%"]);
    run(command).await.with_code(2).complains(&["make 120 %"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_shows_what_arrived() {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let Some(browser) = names.iter().find(|name| {
        Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success())
    }) else {
        println!("skipped: there is no Chromium to show the page");
        return;
    };
    let emulator = Emulator::start(&[]);
    let script = batch(1).replace(r#""event_name":"e""#, r#""event_name":"<b id=x>Ordered</b>""#);
    emulator.upload("/v2/events", script).await.unwrap();
    emulator.upload("/v2/events", "{}").await.unwrap();
    let folder = Folder::new();
    let mut command = Command::new(browser);
    command.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
    ]);
    command.arg(format!("--user-data-dir={}", folder.path("profile").display()));
    command.args(["--virtual-time-budget=1000", "--dump-dom"]).arg(format!("{}/", emulator.url));
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let document = String::from_utf8(output.stdout).unwrap();
    for text in ["2 requests", "mpid 1", "&lt;b id=x&gt;Ordered&lt;/b&gt;", "class=\"refused\""] {
        assert!(document.contains(text), "no {text:?} in {document}");
    }
    assert!(!document.contains("<b id="), "{document}");
}
