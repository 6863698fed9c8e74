//! The settings for TLS, proxies and connections.

use super::ClientBuilder;
use super::checks::config_error;
use crate::base_url::BaseUrl;
use crate::settings::Sensitive;
use crate::transport::Transport;
use crate::transport::https::{ConnectionSettings, HttpsTransport};
use crate::transport::proxy::{self, ProxySource, ProxyUrl};
use crate::transport::tls::{ClientIdentity, ServerTrust};
use crate::{Endpoint, Error};
use std::sync::Arc;
use std::time::Duration;

impl ClientBuilder {
    /// Trusts the root certificates in a PEM file, in addition to Mozilla's root certificates.
    ///
    /// The file may contain several certificates, and this method may be called several times. Building the client
    /// fails if the file is not valid PEM or contains no certificate.
    #[must_use]
    pub fn add_root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.tls.added_roots.push(pem.into());
        self
    }

    /// Trusts only the root certificates passed to [`add_root_certificates`](Self::add_root_certificates).
    ///
    /// Building the client fails if none were added. Overrides
    /// [`danger_accept_invalid_certificates`](Self::danger_accept_invalid_certificates).
    #[must_use]
    pub fn only_added_root_certificates(mut self) -> Self {
        self.tls.trust = ServerTrust::AddedRootsOnly;
        self
    }

    /// Sets the certificate chain and private key, both in PEM form, with which the client authenticates to the server.
    ///
    /// By default, the client has no certificate. Building the client fails if either argument is not valid PEM, or if
    /// the key does not belong to the first certificate.
    #[must_use]
    pub fn client_identity(
        mut self,
        certificates: impl Into<Vec<u8>>,
        private_key: impl Into<Vec<u8>>,
    ) -> Self {
        let (certificates, private_key) = (certificates.into(), private_key.into());
        self.tls.identity = Some(ClientIdentity { certificates, private_key });
        self
    }

    /// Disables the verification of server certificates.
    ///
    /// Anyone who can intercept the connection can then read the credentials and the data. Overrides
    /// [`only_added_root_certificates`](Self::only_added_root_certificates).
    #[must_use]
    pub fn danger_accept_invalid_certificates(mut self) -> Self {
        self.tls.trust = ServerTrust::AnyCertificate;
        self
    }

    /// Sends every request through an HTTP proxy, including requests to loopback addresses.
    ///
    /// The URL is `http://` or `https://` followed by a host and a port, which is 80 or 443 unless set. It may contain
    /// a user name and a password: `http://user:password@proxy.example.com:3128`. Requests to an `https` base URL are
    /// sent through a tunnel, in which the proxy sees only the host name.
    ///
    /// By default, the environment variables `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` determine the
    /// proxy. The [guide](crate::guide::connections) describes these variables. They are read when the client is built,
    /// and do not apply to loopback addresses.
    ///
    /// Building the client fails if the URL, or a variable that applies to the base URL, is malformed or names a SOCKS
    /// proxy. Overrides [`no_proxy`](Self::no_proxy).
    #[must_use]
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = ProxySource::Url(Sensitive(url.into()));
        self
    }

    /// Sends every request directly and ignores the environment variables that name a proxy.
    ///
    /// Overrides [`proxy`](Self::proxy).
    #[must_use]
    pub fn no_proxy(mut self) -> Self {
        self.proxy = ProxySource::Disabled;
        self
    }

    /// Sets the maximum number of idle connections that are kept for later requests. The default is 16.
    ///
    /// Further connections are closed when they become idle. With zero, each request opens a new connection.
    #[must_use]
    pub fn pool_max_idle(mut self, connections: usize) -> Self {
        self.connections.pool_max_idle = connections;
        self
    }

    /// Sets the time for which an idle connection is kept. The default is 20 seconds.
    ///
    /// Servers and load balancers usually close idle connections after 60 seconds or more, some after 30 seconds. A
    /// request that is sent while the server closes the connection fails and has to be retried. The client should
    /// therefore close idle connections before the server does. Set a shorter time for a server that keeps idle
    /// connections for less than 20 seconds.
    #[must_use]
    pub fn pool_idle_timeout(mut self, timeout: Duration) -> Self {
        self.connections.pool_idle_timeout = timeout;
        self
    }

    /// Returns the proxy of the built-in transport, or `None` if the transport connects directly.
    ///
    /// The environment is not read if the base URL is invalid, because the base URL determines which variables apply.
    pub(super) fn checked_proxy(
        &self,
        base_url: Option<&BaseUrl>,
        problems: &mut Vec<String>,
    ) -> Option<ProxyUrl> {
        if self.transport.is_some() {
            return None;
        }
        let proxy = match &self.proxy {
            ProxySource::Disabled => return None,
            ProxySource::Url(Sensitive(url)) => {
                ProxyUrl::parse(url).map(Some).map_err(|problem| format!("the proxy URL {problem}"))
            }
            // A proxy on another host cannot reach the loopback addresses of this one.
            ProxySource::Environment => match base_url.filter(|url| !url.is_loopback()) {
                Some(url) => proxy::from_environment(url.uri(Endpoint::Events)),
                None => return None,
            },
        };
        proxy.unwrap_or_else(|problem| {
            problems.push(problem);
            None
        })
    }
}

/// Creates the built-in transport.
pub(super) fn https_transport(
    settings: ConnectionSettings,
    proxy: Option<ProxyUrl>,
    tls: rustls::ClientConfig,
) -> Result<Arc<dyn Transport>, Error> {
    match HttpsTransport::new(settings, proxy, tls) {
        Ok(transport) => Ok(Arc::new(transport)),
        Err(error) => {
            let error = error.without_url();
            Err(config_error(&[format!("the HTTP client cannot be created: {error}")]))
        }
    }
}
