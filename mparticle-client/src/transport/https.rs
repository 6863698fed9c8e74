//! The client's own transport: HTTP/1.1 over TLS by `reqwest`.

use super::{ResponseBody, SendFuture, Transport, TransportError, TransportErrorKind};
use bytes::Bytes;
use http::Request;
use reqwest::redirect::Policy;
use reqwest::{Client, Proxy};
use rustls::ClientConfig;
use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// How connections are made and kept.
#[derive(Clone, Debug)]
pub(crate) struct Connections {
    pub(crate) connect_timeout: Duration,
    /// Idle connections that are kept; `None` for any number.
    pub(crate) pool_max_idle: Option<usize>,
    pub(crate) pool_idle_timeout: Duration,
    pub(crate) proxies: Proxies,
}

/// Whether requests go through a proxy.
#[derive(Clone)]
pub(crate) enum Proxies {
    /// As `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` say.
    FromEnvironment,
    /// To the server itself.
    Direct,
    /// Through the proxy of this URL.
    Through(String),
}

impl Proxies {
    /// Whether a proxy is given that no request would go through: `reqwest` ignores those whose scheme it does not know,
    /// and sends to the server itself.
    pub(crate) fn would_be_ignored(&self) -> bool {
        let Self::Through(url) = self else { return false };
        let scheme = url.split_once("://").map(|(scheme, _)| scheme.trim().to_ascii_lowercase());
        scheme.is_some_and(|scheme| scheme != "http" && scheme != "https")
    }
}

/// A proxy's URL may hold a password.
impl std::fmt::Debug for Proxies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::FromEnvironment => "FromEnvironment",
            Self::Direct => "Direct",
            Self::Through(_) => "Through(..)",
        })
    }
}

#[derive(Debug)]
pub(crate) struct HttpsTransport {
    http: Client,
    /// What it was made of, to make another.
    connections: Connections,
    tls: ClientConfig,
}

impl HttpsTransport {
    pub(crate) fn new(
        connections: &Connections,
        tls: ClientConfig,
    ) -> Result<Self, reqwest::Error> {
        let mut builder = Client::builder()
            .tls_backend_preconfigured(tls.clone())
            .redirect(Policy::none())
            .referer(false)
            .connect_timeout(connections.connect_timeout)
            .pool_idle_timeout(connections.pool_idle_timeout);
        if let Some(connections) = connections.pool_max_idle {
            builder = builder.pool_max_idle_per_host(connections);
        }
        builder = match &connections.proxies {
            Proxies::FromEnvironment => builder,
            Proxies::Direct => builder.no_proxy(),
            Proxies::Through(url) => builder.proxy(Proxy::all(url)?),
        };
        Ok(Self { http: builder.build()?, connections: connections.clone(), tls })
    }
}

impl Transport for HttpsTransport {
    fn send(&self, request: Request<Bytes>) -> SendFuture<'_> {
        Box::pin(async move {
            let request = request.try_into().map_err(|error: reqwest::Error| {
                TransportError::new(TransportErrorKind::Unsendable, error)
            })?;
            let answer = self.http.execute(request).await.map_err(failure)?;
            Ok(http::Response::<reqwest::Body>::from(answer).map(ResponseBody::from_body))
        })
    }

    fn for_another_runtime(&self) -> Option<Arc<dyn Transport>> {
        // What could be made once can be made again.
        let another = Self::new(&self.connections, self.tls.clone()).ok()?;
        Some(Arc::new(another))
    }
}

fn failure(error: reqwest::Error) -> TransportError {
    let kind = if error.is_builder() {
        TransportErrorKind::Unsendable
    } else if is_about_trust(&error) {
        // In TLS 1.3 a server refuses our certificate after the connection was made, yet before it reads a request.
        TransportErrorKind::Untrusted
    } else if error.is_connect() {
        TransportErrorKind::Connect
    } else if error.is_timeout() {
        TransportErrorKind::Timeout
    } else {
        TransportErrorKind::Interrupted
    };
    TransportError::new(kind, error.without_url())
}

/// Whether a certificate was refused, theirs or ours, which no second attempt changes.
fn is_about_trust(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.downcast_ref::<rustls::Error>().is_some_and(refuses_certificate) {
            return true;
        }
        cause = match error.downcast_ref::<io::Error>() {
            // It hides what it was made of from `source`; it may be made of another I/O error.
            Some(error) => error.get_ref().map(|inside| -> &(dyn Error + 'static) { inside }),
            None => error.source(),
        };
    }
    false
}

fn refuses_certificate(error: &rustls::Error) -> bool {
    use rustls::AlertDescription as Alert;
    match error {
        rustls::Error::InvalidCertificate(_) => true,
        rustls::Error::AlertReceived(alert) => matches!(
            alert,
            Alert::AccessDenied
                | Alert::BadCertificate
                | Alert::CertificateExpired
                | Alert::CertificateRequired
                | Alert::CertificateRevoked
                | Alert::CertificateUnknown
                // What servers say in TLS 1.2 when they ask for a certificate and get none.
                | Alert::HandshakeFailure
                | Alert::UnknownCA
                | Alert::UnsupportedCertificate
        ),
        _ => false,
    }
}
