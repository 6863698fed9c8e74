//! The built-in transport: HTTP/1.1 over TLS, implemented with `reqwest`.

use super::proxy::ProxyUrl;
use super::{ResponseBody, SendFuture, Transport, TransportError, TransportErrorKind};
use bytes::Bytes;
use http::Request;
use reqwest::Client;
use reqwest::redirect::Policy;
use rustls::ClientConfig;
use std::error::Error;
use std::io;
use std::iter::successors;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How connections are opened and kept.
#[derive(Clone, Debug)]
pub(crate) struct ConnectionSettings {
    pub(crate) connect_timeout: Duration,
    /// The maximum number of idle connections.
    pub(crate) pool_max_idle: usize,
    /// How long an idle connection is kept.
    pub(crate) pool_idle_timeout: Duration,
}

#[derive(Debug)]
pub(crate) struct HttpsTransport {
    http: Client,
    /// The arguments of [`new`](Self::new), kept to create a copy for another runtime.
    settings: ConnectionSettings,
    proxy: Option<ProxyUrl>,
    tls: ClientConfig,
}

impl HttpsTransport {
    /// Creates a transport that sends through `proxy`, or directly if that is `None`.
    pub(crate) fn new(
        settings: ConnectionSettings,
        proxy: Option<ProxyUrl>,
        tls: ClientConfig,
    ) -> reqwest::Result<Self> {
        let builder = Client::builder()
            .tls_backend_preconfigured(tls.clone())
            .redirect(Policy::none())
            .referer(false)
            .connect_timeout(settings.connect_timeout)
            .pool_max_idle_per_host(settings.pool_max_idle)
            .pool_idle_timeout(expressible(settings.pool_idle_timeout));
        let builder = match &proxy {
            Some(proxy) => builder.proxy(proxy.for_all_requests()?),
            // `reqwest` would read the environment otherwise.
            None => builder.no_proxy(),
        };
        Ok(Self { http: builder.build()?, settings, proxy, tls })
    }
}

impl Transport for HttpsTransport {
    fn send(&self, request: Request<Bytes>) -> SendFuture<'_> {
        Box::pin(async move {
            let request = request.try_into().map_err(|error: reqwest::Error| {
                TransportError::new(TransportErrorKind::Unsendable, error.without_url())
            })?;
            let response = self.http.execute(request).await.map_err(transport_error)?;
            Ok(http::Response::<reqwest::Body>::from(response).map(ResponseBody::from_body))
        })
    }

    fn for_another_runtime(&self) -> Option<Arc<dyn Transport>> {
        // It does not fail, because the same arguments were accepted before.
        let copy = Self::new(self.settings.clone(), self.proxy.clone(), self.tls.clone()).ok()?;
        Some(Arc::new(copy))
    }
}

/// Returns `None` for a time that lies beyond what an `Instant` can express, at which the pool's timer would panic.
fn expressible(timeout: Duration) -> Option<Duration> {
    Instant::now().checked_add(timeout).map(|_| timeout)
}

fn transport_error(error: reqwest::Error) -> TransportError {
    TransportError::new(kind_of(&error), error.without_url())
}

fn kind_of(error: &reqwest::Error) -> TransportErrorKind {
    if error.is_builder() {
        TransportErrorKind::Unsendable
    } else if causes(error).any(is_certificate_rejection) {
        // In TLS 1.3 a server rejects the client's certificate when the handshake is complete on the client's side, but
        // before the server reads the request.
        TransportErrorKind::Untrusted
    } else if causes(error).any(is_proxy_authentication_required) {
        TransportErrorKind::ProxyAuthenticationRequired
    } else if error.is_connect() {
        // A timeout while the connection is opened is both `is_connect` and `is_timeout`.
        TransportErrorKind::Connect
    } else if error.is_timeout() {
        TransportErrorKind::Timeout
    } else {
        TransportErrorKind::Interrupted
    }
}

/// Returns an error and its causes.
fn causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> + 'a {
    successors(Some(error), |&error| match error.downcast_ref::<io::Error>() {
        // `source` of an I/O error skips the error that it wraps.
        Some(error) => error.get_ref().map(|inner| -> &(dyn Error + 'static) { inner }),
        None => error.source(),
    })
}

/// Whether a proxy answered CONNECT with status 407.
///
/// The type of the error is private to `hyper-util`, therefore it is recognized by its text.
fn is_proxy_authentication_required(error: &(dyn Error + 'static)) -> bool {
    error.to_string() == "tunnel error: proxy authorization required"
}

/// Whether the certificate of the server or of the client was rejected, which another attempt does not change.
fn is_certificate_rejection(error: &(dyn Error + 'static)) -> bool {
    use rustls::AlertDescription as Alert;
    match error.downcast_ref() {
        Some(rustls::Error::InvalidCertificate(_)) => true,
        Some(rustls::Error::AlertReceived(alert)) => matches!(
            alert,
            Alert::AccessDenied
                | Alert::BadCertificate
                | Alert::CertificateExpired
                | Alert::CertificateRequired
                | Alert::CertificateRevoked
                | Alert::CertificateUnknown
                // The alert of a TLS 1.2 server that requests a certificate and receives none.
                | Alert::HandshakeFailure
                | Alert::UnknownCA
                | Alert::UnsupportedCertificate
        ),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_that_no_clock_can_express_is_none() {
        assert_eq!(expressible(Duration::MAX), None);
        for timeout in [Duration::ZERO, Duration::from_secs(20), Duration::from_secs(1 << 32)] {
            assert_eq!(expressible(timeout), Some(timeout));
        }
    }
}
