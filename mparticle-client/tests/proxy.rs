//! Requests through a proxy, and who decides about that.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod wire;

use mparticle_client::{ClientBuilder, Error, ErrorKind, RetryPolicy, Timeouts};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::env;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use wire::{
    Request, Server, accept_requests, batch, builder, close, everything_shown, is_run_again,
    read_head, run_again,
};

/// No name server knows it.
const HOST: &str = "events.example.invalid";
/// user-of-proxy:word-of-proxy
const PROXY_PAIR: &str = "Basic dXNlci1vZi1wcm94eTp3b3JkLW9mLXByb3h5";
/// key-of-the-wire:secret-of-the-wire
const PAIR: &str = "Basic a2V5LW9mLXRoZS13aXJlOnNlY3JldC1vZi10aGUtd2lyZQ==";

static ENDLESS: [u8; 100_000] = [b'x'; 100_000];

fn with_credentials(proxy: &Server) -> String {
    format!("http://user-of-proxy:word-of-proxy@{}", proxy.address())
}

fn unencrypted() -> ClientBuilder {
    builder(format!("http://{HOST}")).danger_allow_plain_http().retry(RetryPolicy::never())
}

fn encrypted() -> ClientBuilder {
    builder(format!("https://{HOST}")).retry(RetryPolicy::never())
}

fn assert_no_credentials(text: &str) {
    for secret in ["user-of-proxy", "word-of-proxy", PROXY_PAIR, wire::SECRET, PAIR] {
        let secret = secret.trim_start_matches("Basic ");
        assert!(!text.contains(secret), "{secret}: {text}");
    }
}

/// A proxy that makes a tunnel to a TLS server inside of it, and the certificate of that.
fn tunnel() -> (Server, String) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed([HOST.to_owned()]).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![cert.der().clone()],
            PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap(),
        )
        .unwrap();
    let config = Arc::new(config);
    let server = Server::recording(move |mut stream, _, record| {
        let Some(head) = read_head(&mut stream) else { return };
        record(Request { head, body: Vec::new() });
        stream.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").unwrap();
        let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        accept_requests(&mut StreamOwned::new(connection, stream), record);
    });
    (server, cert.pem())
}

#[tokio::test]
async fn plain_http_goes_to_the_proxy_in_absolute_form() {
    let proxy = Server::accepting();
    let builder = unencrypted().proxy(with_credentials(&proxy));
    assert_no_credentials(&format!("{builder:?} {builder:#?}"));
    let client = builder.build().unwrap();
    assert_no_credentials(&format!("{client:?} {client:#?}"));
    client.upload_events(&batch()).await.unwrap();
    client.upload_events(&batch()).await.unwrap();
    let requests = proxy.requests();
    assert_eq!((requests.len(), proxy.connections()), (2, 1));
    for Request { head, .. } in requests {
        let line = format!("POST http://{HOST}/v2/events HTTP/1.1\r\n");
        assert!(head.starts_with(&line), "{head}");
        assert!(head.contains(&format!("host: {HOST}\r\n")), "{head}");
        assert!(head.contains(&format!("proxy-authorization: {PROXY_PAIR}\r\n")), "{head}");
        assert!(head.contains(&format!("\r\nauthorization: {PAIR}\r\n")), "{head}");
    }
}

#[tokio::test]
async fn https_goes_through_a_tunnel_that_sees_no_credentials_of_ours() {
    let (proxy, certificate) = tunnel();
    let client = encrypted()
        .proxy(with_credentials(&proxy))
        .add_root_certificates(certificate)
        .build()
        .unwrap();
    client.upload_events(&batch()).await.unwrap();
    client.upload_events(&batch()).await.unwrap();
    let [connect, first, second] = proxy.requests().try_into().unwrap();
    assert!(connect.head.starts_with(&format!("CONNECT {HOST}:443 HTTP/1.1\r\n")));
    let head = connect.head.to_lowercase();
    assert!(head.contains("\r\nproxy-authorization: basic "), "{head}");
    assert!(connect.head.contains(PROXY_PAIR), "{}", connect.head);
    assert!(!connect.head.contains(PAIR), "{}", connect.head);
    for request in [first, second] {
        let head = request.head;
        assert!(head.starts_with("POST /v2/events HTTP/1.1\r\n"), "{head}");
        assert!(head.contains(PAIR), "{head}");
        assert!(!head.to_lowercase().contains("proxy-"), "{head}");
    }
}

#[tokio::test]
async fn in_a_tunnel_the_server_has_to_be_trusted_too() {
    let (proxy, _) = tunnel();
    let client = encrypted().proxy(proxy.base_url()).build().unwrap();
    let error = client.upload_events(&batch()).await.unwrap_err();
    assert!(!error.is_retryable(), "{error:?}");
    assert!(format!("{error:#}").contains("UnknownIssuer"), "{error:#}");
    assert_eq!(proxy.requests().len(), 1, "the tunnel alone");
}

#[tokio::test]
async fn a_proxy_that_makes_no_tunnel_is_an_error_by_which_nothing_was_sent() {
    for answer in [
        &b"HTTP/1.1 407 Who are you\r\ncontent-length: 0\r\n\r\n"[..],
        b"HTTP/1.1 502 Bad Gateway\r\n\r\nword-of-proxy",
        b"HTTP/1.1 301 Elsewhere\r\nlocation: http://127.0.0.1:1/\r\n\r\n",
        b"garbage\r\n\r\n",
        b"",
        // A head without end.
        &ENDLESS,
    ] {
        let proxy = Server::start(move |mut stream, _| {
            let _ = read_head(&mut stream);
            let _ = stream.write_all(answer);
            close(stream);
        });
        let client = encrypted().proxy(with_credentials(&proxy)).build().unwrap();
        let error = client.upload_events(&batch()).await.unwrap_err();
        assert_failed_before_sending(&error);
        assert_eq!(proxy.connections(), 1);
    }
}

fn assert_failed_before_sending(error: &Error) {
    assert_eq!(error.kind(), ErrorKind::Transport, "{error:?}");
    assert!(!error.may_have_been_sent(), "{error:?}");
    assert!(error.status().is_none(), "{error:?}");
    assert_no_credentials(&everything_shown(error));
}

#[tokio::test]
async fn a_proxy_that_is_silent_is_waited_for_as_long_as_for_a_connection() {
    let proxy = Server::start(|mut stream, _| wire::drain(&mut stream));
    let timeouts = Timeouts::default().with_connect(Duration::from_millis(200));
    let client = encrypted().proxy(with_credentials(&proxy)).timeouts(timeouts).build().unwrap();
    let start = Instant::now();
    let error = client.upload_events(&batch()).await.unwrap_err();
    assert!(start.elapsed() < Duration::from_millis(1500), "{:?}", start.elapsed());
    assert_failed_before_sending(&error);
}

#[test]
fn a_proxy_that_cannot_be_used_is_a_mistake_in_the_configuration() {
    for url in [
        "",
        "http://",
        "http://user-of-proxy:word-of-proxy@",
        "http://user-of-proxy:word-of-proxy@host:port",
        "ftp://user-of-proxy:word-of-proxy@proxy.example.com",
        "http://user-of-proxy:word-of-proxy@ho st",
    ] {
        let error = builder("https://example.com").proxy(url).build().expect_err(url);
        assert_eq!(error.kind(), ErrorKind::Config, "{url}");
        assert!(error.to_string().contains("proxy"), "{url}: {error}");
        assert_no_credentials(&everything_shown(&error));
    }
}

/// Uploads as the variables say that [`run_again`] sets.
fn upload_again() {
    let mut builder = builder(env::var("WIRE_BASE_URL").unwrap())
        .danger_allow_plain_http()
        .retry(RetryPolicy::never());
    match env::var("WIRE_PROXY").unwrap().as_str() {
        "as the environment says" => {}
        "none" => builder = builder.no_proxy(),
        url => builder = builder.proxy(url),
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let result = runtime.block_on(builder.build().unwrap().upload_events(&batch()));
    println!("result: {result:?}");
}

#[test]
fn the_environment_names_a_proxy_unless_the_builder_does() {
    if is_run_again() {
        return upload_again();
    }
    let remote = format!("http://{HOST}");
    let remote_tls = format!("https://{HOST}");
    let as_it_says = "as the environment says";
    for (what, base_url, choice, variables, used) in [
        ("HTTP_PROXY", &remote, as_it_says, &["HTTP_PROXY"][..], true),
        ("http_proxy", &remote, as_it_says, &["http_proxy"], true),
        ("ALL_PROXY", &remote, as_it_says, &["ALL_PROXY"], true),
        ("HTTPS_PROXY with https", &remote_tls, as_it_says, &["HTTPS_PROXY"], true),
        ("ALL_PROXY with https", &remote_tls, as_it_says, &["ALL_PROXY"], true),
        ("HTTPS_PROXY with http", &remote, as_it_says, &["HTTPS_PROXY"], false),
        ("no variable", &remote, as_it_says, &[], false),
        ("no_proxy()", &remote, "none", &["HTTP_PROXY", "ALL_PROXY"], false),
        ("no_proxy() with https", &remote_tls, "none", &["HTTPS_PROXY", "ALL_PROXY"], false),
        ("NO_PROXY", &remote, as_it_says, &["HTTP_PROXY", "NO_PROXY=example.invalid"], false),
        ("NO_PROXY=*", &remote, as_it_says, &["HTTP_PROXY", "NO_PROXY=*"], false),
        ("another NO_PROXY", &remote, as_it_says, &["HTTP_PROXY", "NO_PROXY=ample.invalid"], true),
    ] {
        let proxy = Server::recording(|mut stream, _, record| {
            let Some(head) = read_head(&mut stream) else { return };
            record(Request { head, body: Vec::new() });
            close(stream);
        });
        let mut set: Vec<(&str, OsString)> =
            vec![("WIRE_BASE_URL", base_url.into()), ("WIRE_PROXY", choice.into())];
        set.extend(variables.iter().map(|variable| match variable.split_once('=') {
            Some((name, value)) => (name, value.into()),
            None => (*variable, with_credentials(&proxy).into()),
        }));
        let shown = run_again("the_environment_names_a_proxy_unless_the_builder_does", set);
        assert!(shown.contains("result: Err"), "{what}: {shown}");
        assert_no_credentials(&shown);
        assert_eq!(proxy.requests().len(), usize::from(used), "{what}: {shown}");
    }
}

#[test]
fn a_proxy_of_the_builder_counts_more_than_that_of_the_environment() {
    if is_run_again() {
        return upload_again();
    }
    let [wanted, other] = [Server::accepting(), Server::accepting()];
    let shown = run_again(
        "a_proxy_of_the_builder_counts_more_than_that_of_the_environment",
        [
            ("WIRE_BASE_URL", format!("http://{HOST}").into()),
            ("WIRE_PROXY", with_credentials(&wanted).into()),
            ("HTTP_PROXY", with_credentials(&other).into()),
            ("ALL_PROXY", with_credentials(&other).into()),
        ],
    );
    assert!(shown.contains("result: Ok"), "{shown}");
    assert_eq!((wanted.requests().len(), other.connections()), (1, 0));
}

#[test]
fn proxies_of_the_environment_do_not_count_for_this_machine() {
    if is_run_again() {
        return upload_again();
    }
    let [server, proxy] = [Server::accepting(), Server::accepting()];
    let port = server.address().port();
    for (uploads, host) in [(1, "127.0.0.1"), (2, "localhost"), (3, "LOCALHOST")] {
        let variables = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"];
        let variables = variables.map(|name| (name, OsString::from(with_credentials(&proxy))));
        let shown = run_again(
            "proxies_of_the_environment_do_not_count_for_this_machine",
            variables.into_iter().chain([
                ("WIRE_BASE_URL", format!("http://{host}:{port}").into()),
                ("WIRE_PROXY", "as the environment says".into()),
            ]),
        );
        assert!(shown.contains("result: Ok"), "{host}: {shown}");
        assert_eq!((server.requests().len(), proxy.connections()), (uploads, 0), "{host}");
    }
}

#[tokio::test]
async fn a_proxy_of_the_builder_counts_for_this_machine_too() {
    let [server, proxy] = [Server::accepting(), Server::accepting()];
    let client = builder(server.base_url()).proxy(proxy.base_url()).build().unwrap();
    client.upload_events(&batch()).await.unwrap();
    assert_eq!((server.connections(), proxy.requests().len()), (0, 1));
}

/// Everything that is logged, by `tracing` and by `log`.
#[derive(Clone, Default)]
struct Logs(Arc<Mutex<String>>);

impl tracing::Subscriber for Logs {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        span.record(&mut self.clone());
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, values: &tracing::span::Record<'_>) {
        values.record(&mut self.clone());
    }

    fn event(&self, event: &tracing::Event<'_>) {
        event.record(&mut self.clone());
    }

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

impl tracing::field::Visit for Logs {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        writeln!(self.0.lock().unwrap(), "{}: {value:?}", field.name()).unwrap();
    }
}

impl log::Log for Logs {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        writeln!(self.0.lock().unwrap(), "{}: {}", record.target(), record.args()).unwrap();
    }

    fn flush(&self) {}
}

#[test]
fn no_log_shows_the_credentials_of_a_proxy() {
    if is_run_again() {
        let logs = Logs::default();
        log::set_boxed_logger(Box::new(logs.clone())).unwrap();
        log::set_max_level(log::LevelFilter::Trace);
        tracing::subscriber::with_default(logs.clone(), upload_again);
        println!("{}", logs.0.lock().unwrap());
        return;
    }
    for scheme in ["http", "https"] {
        for broken in [true, false] {
            let proxy = Server::recording(move |mut stream, _, record| {
                if broken {
                    let _ = read_head(&mut stream);
                    close(stream);
                } else {
                    accept_requests(&mut stream, record);
                }
            });
            let shown = run_again(
                "no_log_shows_the_credentials_of_a_proxy",
                [
                    ("WIRE_BASE_URL", format!("{scheme}://{HOST}").into()),
                    ("WIRE_PROXY", with_credentials(&proxy).into()),
                ],
            );
            assert!(shown.contains("reqwest") && shown.contains("source_request_ids"), "{shown}");
            assert_eq!(proxy.connections(), 1);
            assert_no_credentials(&shown);
        }
    }
}
