//! Which servers the client trusts, tested with a TLS server and a private root certificate.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod wire;

use mparticle_client::{ClientBuilder, Error, ErrorKind, RetryPolicy};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, date_time_ymd,
};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{
    RootCertStore, ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion,
};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use wire::{Request, Server, accept_requests, batch, builder, drain, everything_shown};

static AUTHORITIES: AtomicUsize = AtomicUsize::new(0);

/// A certificate authority.
struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key.
struct Signed {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        // The names differ, so that an issuer is not found by name alone.
        let name = format!("private root {}", AUTHORITIES.fetch_add(1, Ordering::SeqCst));
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn sign(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Signed {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        Signed { certificate: params.signed_by(&key, &self.0).unwrap(), key }
    }

    /// Returns a certificate for a server at 127.0.0.1.
    fn server(&self) -> Signed {
        self.sign("127.0.0.1", |_| {})
    }

    fn client(&self) -> Signed {
        self.sign("client.example.com", |params| {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        })
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    fn store(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        Arc::new(roots)
    }
}

impl Signed {
    fn chain(&self) -> Vec<CertificateDer<'static>> {
        vec![self.certificate.der().clone()]
    }

    fn key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::try_from(self.key.serialize_der()).unwrap()
    }
}

fn serve(config: ServerConfig) -> Server {
    let config = Arc::new(config);
    Server::recording(move |stream, _, record| serve_tls(stream, Arc::clone(&config), record))
}

fn serve_tls(stream: TcpStream, config: Arc<ServerConfig>, record: &dyn Fn(Request)) {
    let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
    accept_requests(&mut stream, record);
    // Closing a socket with unread data would reset the connection and discard an alert.
    let _ = stream.sock.shutdown(std::net::Shutdown::Write);
    drain(&mut stream.sock);
}

fn with_versions(server: &Signed, versions: &[&'static SupportedProtocolVersion]) -> ServerConfig {
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(server.chain(), server.key())
        .unwrap()
}

fn plain(server: &Signed) -> ServerConfig {
    with_versions(server, &[&TLS12, &TLS13])
}

/// Returns the configuration of a server that requests a client certificate.
fn mutual(authority: &Authority, versions: &[&'static SupportedProtocolVersion]) -> ServerConfig {
    let provider = Arc::new(ring::default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(authority.store(), Arc::clone(&provider))
            .build()
            .unwrap();
    let server = authority.server();
    ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(server.chain(), server.key())
        .unwrap()
}

fn client_of(server: &Server) -> ClientBuilder {
    builder(format!("https://{}", server.address()))
        .retry(RetryPolicy::default().with_base_delay(Duration::from_millis(1)))
}

async fn accepted(server: &Server, builder: ClientBuilder) {
    let receipt = builder.build().unwrap().upload_events(&batch()).await.unwrap();
    assert_eq!(receipt.attempts(), 1);
    let [Request { head, .. }] = server.requests().try_into().unwrap();
    assert!(head.starts_with("POST /v2/events HTTP/1.1\r\n"), "{head}");
}

/// Asserts that the upload fails at the first attempt because of a certificate, and returns the error.
async fn rejected(server: &Server, builder: ClientBuilder) -> Error {
    let error = builder.build().unwrap().upload_events(&batch()).await.unwrap_err();
    let shown = everything_shown(&error);
    assert_eq!(error.kind(), ErrorKind::Transport, "{shown}");
    assert!(!error.is_retryable(), "{shown}");
    assert!(!error.may_have_been_sent(), "{shown}");
    assert_eq!(error.attempts(), 1, "{shown}");
    assert_eq!(server.connections(), 1, "there is no retry: {shown}");
    assert_eq!(server.requests().len(), 0, "{shown}");
    assert!(error.request().is_some());
    assert!(
        error.to_string().contains("certificate of the server or client was rejected"),
        "{error}"
    );
    error
}

#[tokio::test]
async fn an_added_root_certificate_is_trusted() {
    let authority = Authority::new();
    let server = serve(plain(&authority.server()));
    accepted(&server, client_of(&server).add_root_certificates(authority.pem())).await;
}

#[tokio::test]
async fn every_certificate_of_every_added_file_is_trusted() {
    let [first, second, third] = [Authority::new(), Authority::new(), Authority::new()];
    let bundle = format!("{}\n{}", second.pem(), third.pem());
    for authority in [&first, &second, &third] {
        let server = serve(plain(&authority.server()));
        let builder = client_of(&server)
            .add_root_certificates(first.pem())
            .add_root_certificates(bundle.clone())
            .only_added_root_certificates();
        accepted(&server, builder).await;
    }
}

#[tokio::test]
async fn an_unknown_root_certificate_is_rejected_without_a_retry() {
    let authority = Authority::new();
    let server = serve(plain(&authority.server()));
    let error = rejected(&server, client_of(&server)).await;
    assert!(format!("{error:#}").contains("certificate: UnknownIssuer"), "{error:#}");
}

#[test]
fn trusting_only_added_root_certificates_without_any_is_a_configuration_error() {
    let new = || builder("https://127.0.0.1:1").only_added_root_certificates();
    let error = new().build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("no root certificate was added"), "{error}");
    new().add_root_certificates(Authority::new().pem()).build().unwrap();
    new().danger_accept_invalid_certificates().build().unwrap();
}

#[tokio::test]
async fn another_root_certificate_is_not_sufficient() {
    let authority = Authority::new();
    let server = serve(plain(&authority.server()));
    let builder = client_of(&server).add_root_certificates(Authority::new().pem());
    rejected(&server, builder).await;
}

#[tokio::test]
async fn a_certificate_for_another_host_is_rejected() {
    let authority = Authority::new();
    let server = serve(plain(&authority.sign("other.example.com", |_| {})));
    let builder = client_of(&server).add_root_certificates(authority.pem());
    let error = rejected(&server, builder).await;
    assert!(format!("{error:#}").contains("not valid for name"), "{error:#}");
}

#[tokio::test]
async fn a_certificate_outside_its_validity_period_is_rejected() {
    for (begin, end, wanted) in [(2001, 2002, "expired"), (2900, 2901, "not valid yet")] {
        let authority = Authority::new();
        let server = serve(plain(&authority.sign("127.0.0.1", |params| {
            params.not_before = date_time_ymd(begin, 1, 1);
            params.not_after = date_time_ymd(end, 1, 1);
        })));
        let builder = client_of(&server).add_root_certificates(authority.pem());
        let error = rejected(&server, builder).await;
        assert!(format!("{error:#}").contains(wanted), "{error:#}");
    }
}

#[tokio::test]
async fn a_client_certificate_is_rejected_for_a_server() {
    let authority = Authority::new();
    let server = serve(plain(&authority.sign("127.0.0.1", |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    })));
    rejected(&server, client_of(&server).add_root_certificates(authority.pem())).await;
}

#[tokio::test]
async fn any_certificate_is_accepted_if_verification_is_disabled() {
    let authority = Authority::new();
    for versions in [&[&TLS12], &[&TLS13]] {
        let certificate = authority.sign("other.example.com", |params| {
            params.not_after = date_time_ymd(2002, 1, 1);
        });
        let server = serve(with_versions(&certificate, versions));
        accepted(&server, client_of(&server).danger_accept_invalid_certificates()).await;
    }
}

#[tokio::test]
async fn signatures_are_verified_even_if_verification_of_certificates_is_disabled() {
    let authority = Authority::new();
    for version in [&TLS12, &TLS13] {
        let stolen = authority.server();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(StolenCertificate(
                stolen.chain(),
                authority.client().key(),
            )));
        let server = serve(config);
        let builder = client_of(&server).danger_accept_invalid_certificates();
        let error = builder.build().unwrap().upload_events(&batch()).await.unwrap_err();
        assert_eq!(server.requests().len(), 0);
        assert!(!error.may_have_been_sent(), "{error:?}");
    }
}

/// A server that presents a certificate whose private key it does not have.
#[derive(Debug)]
struct StolenCertificate(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

impl rustls::server::ResolvesServerCert for StolenCertificate {
    fn resolve(
        &self,
        _: rustls::server::ClientHello<'_>,
    ) -> Option<Arc<rustls::sign::CertifiedKey>> {
        let key = ring::sign::any_supported_type(&self.1).unwrap();
        Some(Arc::new(rustls::sign::CertifiedKey::new(self.0.clone(), key)))
    }
}

#[tokio::test]
async fn tls_1_2_and_tls_1_3_are_supported() {
    let authority = Authority::new();
    for versions in [&[&TLS12], &[&TLS13]] {
        let server = serve(with_versions(&authority.server(), versions));
        accepted(&server, client_of(&server).add_root_certificates(authority.pem())).await;
    }
}

#[tokio::test]
async fn a_client_identity_is_sent_to_a_server_that_requests_it() {
    let authority = Authority::new();
    for versions in [&[&TLS12], &[&TLS13]] {
        let identity = authority.client();
        let server = serve(mutual(&authority, versions));
        let builder = client_of(&server)
            .add_root_certificates(authority.pem())
            .client_identity(identity.certificate.pem(), identity.key.serialize_pem());
        accepted(&server, builder).await;
    }
}

#[tokio::test]
async fn a_server_that_requests_an_identity_rejects_a_client_without_one() {
    let authority = Authority::new();
    for versions in [&[&TLS12], &[&TLS13]] {
        let server = serve(mutual(&authority, versions));
        let builder = client_of(&server).add_root_certificates(authority.pem());
        rejected(&server, builder).await;
    }
}

#[tokio::test]
async fn a_server_that_requests_an_identity_rejects_that_of_another_authority() {
    let authority = Authority::new();
    for versions in [&[&TLS12], &[&TLS13]] {
        let stranger = Authority::new().client();
        let server = serve(mutual(&authority, versions));
        let builder = client_of(&server)
            .add_root_certificates(authority.pem())
            .client_identity(stranger.certificate.pem(), stranger.key.serialize_pem());
        rejected(&server, builder).await;
    }
}

#[test]
fn malformed_pem_is_a_configuration_error() {
    let authority = Authority::new();
    let identity = authority.client();
    let (certificate, key) = (identity.certificate.pem(), identity.key.serialize_pem());
    let other_key = authority.client().key.serialize_pem();
    let broken_key = key.replace('\n', "\n!");
    let short_key = format!("{}\n", key.lines().take(2).collect::<Vec<_>>().join("\n"));
    let secret = key.lines().nth(1).unwrap();
    let new = || builder("https://127.0.0.1:1");
    for (what, builder, wanted) in [
        ("empty roots", new().add_root_certificates(""), "root certificates"),
        ("text", new().add_root_certificates("no PEM at all"), "root certificates"),
        ("bytes", new().add_root_certificates([0xff, 0, 0xfe]), "root certificates"),
        ("a key as a root", new().add_root_certificates(key.clone()), "root certificates"),
        (
            "an invalid root",
            new().add_root_certificates(
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            ),
            "root certificate",
        ),
        (
            "a truncated root",
            new().add_root_certificates("-----BEGIN CERTIFICATE-----\nAAAA\n"),
            "root certificates",
        ),
        ("no key", new().client_identity(certificate.clone(), ""), "private key"),
        ("no certificate", new().client_identity("", key.clone()), "client certificate"),
        ("an invalid key", new().client_identity(certificate.clone(), broken_key), "private key"),
        ("half a key", new().client_identity(certificate.clone(), short_key), "private key"),
        ("swapped", new().client_identity(key.clone(), certificate.clone()), "client certificate"),
        (
            "another key",
            new().client_identity(certificate.clone(), other_key),
            "client identity cannot be used",
        ),
        (
            "a key of no known type",
            new().client_identity(
                certificate.clone(),
                "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            ),
            "client identity cannot be used",
        ),
    ] {
        let shown = format!("{builder:?}");
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{what}");
        assert!(error.to_string().contains(wanted), "{what}: {error}");
        let shown = shown + &everything_shown(&error);
        assert!(!shown.contains(secret), "{what}: {shown}");
        assert!(!shown.contains("AAAA"), "{what}: {shown}");
    }
}

#[tokio::test]
async fn a_server_without_tls_receives_nothing_of_the_request() {
    let server = Server::recording(|mut stream, _, record| {
        let mut hello = [0; 16];
        let _ = std::io::Read::read(&mut stream, &mut hello);
        record(Request { head: String::new(), body: hello.to_vec() });
        let _ = std::io::Write::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n");
        let _ = stream.shutdown(std::net::Shutdown::Write);
        drain(&mut stream);
    });
    let client = client_of(&server).retry(RetryPolicy::never()).build().unwrap();
    let error = client.upload_events(&batch()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert!(!error.may_have_been_sent());
    assert!(error.status().is_none(), "its response is ignored");
    // The first bytes are those of a TLS handshake.
    assert_eq!(server.requests()[0].body[..2], [0x16, 0x03]);
}
