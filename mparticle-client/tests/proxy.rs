//! Requests through a proxy, and how the proxy is chosen.
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

/// A host name that is never resolved.
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

/// Returns a proxy that opens a tunnel to a TLS server in the same process, and the certificate of that server.
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
async fn plain_http_requests_are_sent_to_the_proxy_in_absolute_form() {
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
async fn https_requests_go_through_a_tunnel_in_which_the_proxy_sees_no_credentials() {
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
async fn the_certificate_of_a_server_behind_a_tunnel_is_verified() {
    let (proxy, _) = tunnel();
    let client = encrypted().proxy(proxy.base_url()).build().unwrap();
    let error = client.upload_events(&batch()).await.unwrap_err();
    assert!(!error.is_retryable(), "{error:?}");
    assert!(format!("{error:#}").contains("UnknownIssuer"), "{error:#}");
    assert_eq!(proxy.requests().len(), 1, "only the tunnel");
}

#[tokio::test]
async fn nothing_was_sent_if_a_proxy_opens_no_tunnel() {
    for answer in [
        &b"HTTP/1.1 403 Forbidden\r\n\r\nword-of-proxy"[..],
        b"HTTP/1.1 502 Bad Gateway\r\n\r\nword-of-proxy",
        b"HTTP/1.1 301 Elsewhere\r\nlocation: http://127.0.0.1:1/\r\n\r\n",
        b"garbage\r\n\r\n",
        b"",
        // A head that does not end.
        &ENDLESS,
    ] {
        let proxy = answering_connect(answer);
        let client = encrypted().proxy(with_credentials(&proxy)).build().unwrap();
        let error = client.upload_events(&batch()).await.unwrap_err();
        assert_failed_before_sending(&error);
        assert!(error.is_retryable(), "{error:?}");
        assert_eq!(proxy.connections(), 1);
    }
}

/// Returns a proxy that answers every CONNECT request with the same bytes and closes the connection.
fn answering_connect(answer: &'static [u8]) -> Server {
    Server::start(move |mut stream, _| {
        let _ = read_head(&mut stream);
        let _ = stream.write_all(answer);
        close(stream);
    })
}

#[tokio::test]
async fn a_proxy_that_requires_credentials_is_not_tried_again() {
    let proxy = answering_connect(
        b"HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic realm=\"a\"\r\n\r\n",
    );
    for url in [proxy.base_url(), with_credentials(&proxy)] {
        let earlier = proxy.connections();
        let builder = encrypted().retry(fast_retries()).proxy(url);
        let error = builder.build().unwrap().upload_events(&batch()).await.unwrap_err();
        assert_failed_before_sending(&error);
        assert!(!error.is_retryable(), "{error:?}");
        assert_eq!(error.attempts(), 1, "{error:?}");
        assert_eq!(proxy.connections(), earlier + 1, "{error:?}");
        assert!(error.to_string().contains("the proxy requires credentials"), "{error}");
    }
}

#[tokio::test]
async fn a_proxy_that_opens_no_tunnel_for_another_reason_is_tried_again() {
    // `reqwest` reports no status but 407, so a 403 is retried like a 502.
    for answer in [
        &b"HTTP/1.1 403 Forbidden\r\n\r\n"[..],
        b"HTTP/1.1 502 Bad Gateway\r\n\r\n",
        b"HTTP/1.1 503 Service Unavailable\r\n\r\n",
    ] {
        let proxy = answering_connect(answer);
        let builder = encrypted().retry(fast_retries()).proxy(proxy.base_url());
        let error = builder.build().unwrap().upload_events(&batch()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RetriesExhausted, "{error:?}");
        assert!(!error.may_have_been_sent(), "{error:?}");
        assert_eq!(proxy.connections(), 3);
    }
}

fn fast_retries() -> RetryPolicy {
    RetryPolicy::default().with_max_attempts(3).with_base_delay(Duration::from_millis(1))
}

fn assert_failed_before_sending(error: &Error) {
    assert_eq!(error.kind(), ErrorKind::Transport, "{error:?}");
    assert!(!error.may_have_been_sent(), "{error:?}");
    assert!(error.status().is_none(), "{error:?}");
    assert_no_credentials(&everything_shown(error));
}

#[tokio::test]
async fn the_connect_timeout_includes_the_tunnel() {
    let proxy = Server::start(|mut stream, _| wire::drain(&mut stream));
    let timeouts = Timeouts::default().with_connect(Duration::from_millis(200));
    let client = encrypted().proxy(with_credentials(&proxy)).timeouts(timeouts).build().unwrap();
    let start = Instant::now();
    let error = client.upload_events(&batch()).await.unwrap_err();
    assert!(start.elapsed() < Duration::from_millis(1500), "{:?}", start.elapsed());
    assert_failed_before_sending(&error);
}

#[test]
fn a_proxy_url_that_cannot_be_used_is_a_configuration_error() {
    for url in [
        "",
        "http://",
        "socks5://user-of-proxy:word-of-proxy@proxy.example.com",
        "SOCKS5h://user-of-proxy:word-of-proxy@proxy.example.com",
        "\"http://user-of-proxy:word-of-proxy@proxy.example.com\"",
        "http://user-of-proxy:1#word-of-proxy@proxy.example.com",
        "http://user-of-proxy:word-of-proxy@",
        "http://user-of-proxy:word-of-proxy@host:port",
        "ftp://user-of-proxy:word-of-proxy@proxy.example.com",
        "http://user-of-proxy:word-of-proxy@ho st",
    ] {
        let error = builder("https://example.com").proxy(url).build().expect_err(url);
        assert_eq!(error.kind(), ErrorKind::Config, "{url}");
        assert!(error.to_string().contains("the proxy URL "), "{url}: {error}");
        assert_no_credentials(&everything_shown(&error));
    }
}

/// Uploads with the settings in the variables that [`run_again`] sets, and prints the result.
fn upload_again() {
    let mut builder = builder(env::var("WIRE_BASE_URL").unwrap())
        .danger_allow_plain_http()
        .timeouts(Timeouts::default().with_connect(Duration::from_secs(2)))
        .retry(RetryPolicy::never());
    match env::var("WIRE_PROXY").unwrap().as_str() {
        FROM_ENVIRONMENT => {}
        NONE => builder = builder.no_proxy(),
        url => builder = builder.proxy(url),
    }
    let client = match builder.build() {
        Ok(client) => client,
        Err(error) => return println!("not built: {}", everything_shown(&error)),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let result = runtime.block_on(client.upload_events(&batch()));
    println!("result: {result:?}");
}

/// A value of `WIRE_PROXY` with which the builder sets no proxy.
const FROM_ENVIRONMENT: &str = "from the environment";
/// A value of `WIRE_PROXY` with which the builder disables proxies.
const NONE: &str = "none";

/// Variables of the environment. The value [`PROXY`] stands for the URL of a proxy, with credentials.
type Variables = &'static [(&'static str, &'static str)];

const PROXY: &str = "proxy";
/// The URL of another proxy, which does not exist.
const UNUSED: &str = "http://127.0.0.1:1";

/// Uploads in a process with these variables, and asserts whether the proxy is used.
#[track_caller]
fn assert_uses_proxy(test: &str, base_url: &str, proxy: &str, variables: Variables, used: bool) {
    let server = Server::recording(|mut stream, _, record| {
        let Some(head) = read_head(&mut stream) else { return };
        record(Request { head, body: Vec::new() });
        close(stream);
    });
    let mut set: Vec<(&str, OsString)> =
        vec![("WIRE_BASE_URL", base_url.into()), ("WIRE_PROXY", proxy.into())];
    set.extend(variables.iter().map(|(name, value)| match *value {
        PROXY => (*name, with_credentials(&server).into()),
        value => (*name, value.into()),
    }));
    let shown = run_again(test, set);
    let what = format!("{base_url} {proxy} {variables:?}: {shown}");
    assert!(shown.contains("result: Err"), "{what}");
    assert_no_credentials(&shown);
    assert_eq!(server.requests().len(), usize::from(used), "{what}");
    for Request { head, .. } in server.requests() {
        assert!(head.contains(PROXY_PAIR), "{what}: {head}");
    }
}

#[test]
fn the_environment_determines_the_proxy_unless_the_builder_does() {
    if is_run_again() {
        return upload_again();
    }
    let test = "the_environment_determines_the_proxy_unless_the_builder_does";
    let remote = format!("http://{HOST}");
    let remote_tls = format!("https://{HOST}");
    let cases: [(&String, &str, Variables, bool); 20] = [
        (&remote, FROM_ENVIRONMENT, &[("HTTP_PROXY", PROXY)], true),
        (&remote, FROM_ENVIRONMENT, &[("http_proxy", PROXY)], true),
        (&remote, FROM_ENVIRONMENT, &[("ALL_PROXY", PROXY)], true),
        (&remote, FROM_ENVIRONMENT, &[("all_proxy", PROXY)], true),
        (&remote_tls, FROM_ENVIRONMENT, &[("HTTPS_PROXY", PROXY)], true),
        (&remote_tls, FROM_ENVIRONMENT, &[("https_proxy", PROXY)], true),
        (&remote_tls, FROM_ENVIRONMENT, &[("ALL_PROXY", PROXY)], true),
        (&remote, FROM_ENVIRONMENT, &[("HTTPS_PROXY", PROXY)], false),
        (&remote_tls, FROM_ENVIRONMENT, &[("HTTP_PROXY", PROXY)], false),
        (&remote, FROM_ENVIRONMENT, &[], false),
        (&remote, FROM_ENVIRONMENT, &[("HTTP_PROXY", PROXY), ("http_proxy", UNUSED)], true),
        (&remote, FROM_ENVIRONMENT, &[("HTTP_PROXY", PROXY), ("ALL_PROXY", UNUSED)], true),
        (&remote, FROM_ENVIRONMENT, &[("HTTP_PROXY", ""), ("ALL_PROXY", PROXY)], true),
        (&remote, FROM_ENVIRONMENT, &[("HTTP_PROXY", ""), ("http_proxy", PROXY)], false),
        (&remote, FROM_ENVIRONMENT, &[("HTTP_PROXY", PROXY), ("REQUEST_METHOD", "POST")], false),
        (&remote, FROM_ENVIRONMENT, &[("ALL_PROXY", PROXY), ("REQUEST_METHOD", "POST")], true),
        (&remote_tls, FROM_ENVIRONMENT, &[("HTTPS_PROXY", PROXY), ("REQUEST_METHOD", "")], true),
        (&remote, NONE, &[("HTTP_PROXY", PROXY), ("ALL_PROXY", PROXY)], false),
        (&remote_tls, NONE, &[("HTTPS_PROXY", PROXY), ("ALL_PROXY", PROXY)], false),
        (&remote, NONE, &[("HTTP_PROXY", "socks5://a")], false),
    ];
    for (base_url, proxy, variables, used) in cases {
        assert_uses_proxy(test, base_url, proxy, variables, used);
    }
}

#[test]
fn no_proxy_exempts_hosts_in_every_usual_form() {
    if is_run_again() {
        return upload_again();
    }
    let test = "no_proxy_exempts_hosts_in_every_usual_form";
    let by_name = format!("http://{HOST}");
    let by_name_and_port = format!("http://{HOST}:8080");
    // Reserved for documentation: requests to it fail or time out.
    let by_address = "http://192.0.2.1:1".to_owned();
    let cases: [(&String, Variables, bool); 14] = [
        (&by_name, &[("HTTP_PROXY", PROXY), ("NO_PROXY", "example.invalid")], false),
        (&by_name, &[("HTTP_PROXY", PROXY), ("no_proxy", "example.invalid")], false),
        (&by_name, &[("HTTP_PROXY", PROXY), ("NO_PROXY", ".example.invalid")], false),
        (&by_name, &[("HTTP_PROXY", PROXY), ("NO_PROXY", "*.EXAMPLE.invalid")], false),
        (&by_name, &[("HTTP_PROXY", PROXY), ("NO_PROXY", "a.com, Events.Example.Invalid")], false),
        (&by_name, &[("HTTP_PROXY", PROXY), ("NO_PROXY", "*")], false),
        (&by_name, &[("HTTP_PROXY", PROXY), ("NO_PROXY", "ample.invalid")], true),
        (&by_name, &[("HTTP_PROXY", PROXY), ("NO_PROXY", "example.invalid:80")], false),
        (&by_name, &[("HTTP_PROXY", PROXY), ("NO_PROXY", "example.invalid:443")], true),
        (&by_name_and_port, &[("HTTP_PROXY", PROXY), ("NO_PROXY", "example.invalid:8080")], false),
        (&by_name_and_port, &[("HTTP_PROXY", PROXY), ("NO_PROXY", "example.invalid:80")], true),
        (&by_address, &[("HTTP_PROXY", PROXY), ("NO_PROXY", "192.0.2.0/24")], false),
        (&by_address, &[("HTTP_PROXY", PROXY), ("NO_PROXY", "192.0.3.0/24")], true),
        // A variable that does not apply is not checked.
        (&by_name, &[("HTTP_PROXY", "socks5://a"), ("NO_PROXY", "*")], false),
    ];
    for (base_url, variables, used) in cases {
        assert_uses_proxy(test, base_url, FROM_ENVIRONMENT, variables, used);
    }
}

#[test]
fn a_variable_that_cannot_be_used_is_named_and_its_value_is_not_shown() {
    if is_run_again() {
        return upload_again();
    }
    for (base_url, name, value) in [
        (format!("https://{HOST}"), "HTTPS_PROXY", "socks5://user-of-proxy:word-of-proxy@a:1080"),
        (format!("https://{HOST}"), "https_proxy", "socks5h://user-of-proxy:word-of-proxy@a:1080"),
        (format!("https://{HOST}"), "ALL_PROXY", "socks4://user-of-proxy:word-of-proxy@a:1080"),
        (format!("http://{HOST}"), "all_proxy", "SOCKS5://user-of-proxy:word-of-proxy@a:1080"),
        (format!("http://{HOST}"), "HTTP_PROXY", "http://user-of-proxy:word-of-proxy@a:port"),
        (format!("http://{HOST}"), "http_proxy", "user-of-proxy:word-of-proxy@a:99999"),
        (format!("https://{HOST}"), "HTTPS_PROXY", "http://user-of-proxy:word-of-proxy@"),
        (format!("https://{HOST}"), "HTTPS_PROXY", "http://user-of-proxy:word-of-proxy@a b"),
        (format!("https://{HOST}"), "HTTPS_PROXY", "'http://user-of-proxy:word-of-proxy@a'"),
        (format!("https://{HOST}"), "HTTPS_PROXY", "ftp://user-of-proxy:word-of-proxy@a"),
    ] {
        let shown = run_again(
            "a_variable_that_cannot_be_used_is_named_and_its_value_is_not_shown",
            [
                ("WIRE_BASE_URL", base_url.into()),
                ("WIRE_PROXY", FROM_ENVIRONMENT.into()),
                (name, value.into()),
            ],
        );
        assert!(shown.contains("not built: invalid client configuration"), "{value}: {shown}");
        let expected = format!("the environment variable {name} ");
        assert!(shown.contains(&expected), "{value}: {shown}");
        assert_no_credentials(&shown);
    }
}

#[test]
fn a_proxy_of_the_builder_takes_precedence_over_the_environment() {
    if is_run_again() {
        return upload_again();
    }
    let [wanted, other] = [Server::accepting(), Server::accepting()];
    let shown = run_again(
        "a_proxy_of_the_builder_takes_precedence_over_the_environment",
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
fn proxies_of_the_environment_do_not_apply_to_loopback_addresses() {
    if is_run_again() {
        return upload_again();
    }
    let [server, proxy] = [Server::accepting(), Server::accepting()];
    let port = server.address().port();
    let mut uploads = 0;
    // A malformed value is not an error, because it is not used.
    for value in [with_credentials(&proxy), "socks5://user-of-proxy@a".to_owned()] {
        for host in ["127.0.0.1", "localhost", "LOCALHOST"] {
            let variables = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"];
            let variables = variables.map(|name| (name, OsString::from(&value)));
            let shown = run_again(
                "proxies_of_the_environment_do_not_apply_to_loopback_addresses",
                variables.into_iter().chain([
                    ("WIRE_BASE_URL", format!("http://{host}:{port}").into()),
                    ("WIRE_PROXY", FROM_ENVIRONMENT.into()),
                ]),
            );
            uploads += 1;
            assert!(shown.contains("result: Ok"), "{host}: {shown}");
            assert_eq!((server.requests().len(), proxy.connections()), (uploads, 0), "{host}");
        }
    }
}

#[tokio::test]
async fn a_proxy_of_the_builder_applies_to_loopback_addresses() {
    let [server, proxy] = [Server::accepting(), Server::accepting()];
    let client = builder(server.base_url()).proxy(proxy.base_url()).build().unwrap();
    client.upload_events(&batch()).await.unwrap();
    assert_eq!((server.connections(), proxy.requests().len()), (0, 1));
}

/// Everything that is logged with `tracing` or `log`.
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
