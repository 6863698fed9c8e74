//! The connection to the NATS servers.

use super::errors::failed;
use super::feed::FeedBuilder;
use crate::{Error, ErrorKind};
use async_nats::jetstream::Context;
use async_nats::jetstream::context::ContextBuilder;
use async_nats::{ConnectErrorKind, ConnectOptions, ServerAddr};
use percent_encoding::percent_decode_str;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// The time in which a server has to answer.
pub(super) const ANSWER_TIME: Duration = Duration::from_secs(5);

/// A connection to the servers of a NATS cluster with JetStream.
///
/// Clones share the connection. A broken connection is established again, to any of the servers.
#[derive(Clone)]
pub struct JetStream {
    pub(super) context: Context,
}

/// Configures a connection. Returned by [`JetStream::builder`].
#[derive(Clone, Default)]
#[must_use = "a builder does nothing until `connect` is called"]
pub struct JetStreamBuilder {
    servers: Vec<String>,
    client_certificate: Option<(PathBuf, PathBuf)>,
    root_certificates: Option<PathBuf>,
}

impl JetStream {
    /// Connects to the first of these servers that responds. The other servers of the cluster become known then.
    ///
    /// A server is given as `nats://host:4222` or, with TLS, `tls://host:4222`. A URL can contain a user and a password,
    /// or a token as the user. They apply to all servers.
    ///
    /// # Errors
    /// - [`Config`](ErrorKind::Config): no server is given, a URL is invalid, or a server does not accept the
    ///   credentials.
    /// - [`Storage`](ErrorKind::Storage): no server can be reached.
    pub async fn connect(
        servers: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Self, Error> {
        Self::builder(servers).connect().await
    }

    /// Returns a builder for a connection with further settings.
    pub fn builder(servers: impl IntoIterator<Item = impl Into<String>>) -> JetStreamBuilder {
        let servers = servers.into_iter().map(Into::into).collect();
        JetStreamBuilder { servers, ..JetStreamBuilder::default() }
    }

    /// Returns a builder for a feed, which contains the batches for one key of mParticle.
    ///
    /// The name consists of ASCII letters, digits, `-` and `_`. The streams of the feed have the names `mp-NAME`,
    /// `mp-NAME-dead` and `KV_mp-NAME`.
    pub fn feed(&self, name: impl Into<String>) -> FeedBuilder {
        FeedBuilder::new(self.clone(), name.into())
    }
}

impl JetStreamBuilder {
    /// Sets the PEM files of a client certificate and its key, with which the servers authenticate this program.
    pub fn client_certificate(
        mut self,
        certificate: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
    ) -> Self {
        self.client_certificate = Some((certificate.into(), key.into()));
        self
    }

    /// Adds the root certificates in a PEM file to those of the operating system.
    pub fn root_certificates(mut self, path: impl Into<PathBuf>) -> Self {
        self.root_certificates = Some(path.into());
        self
    }

    /// Connects to the first of the servers that responds.
    ///
    /// # Errors
    /// - [`Config`](ErrorKind::Config): no server is given, a URL is invalid, a file cannot be read, or a server does not
    ///   accept the credentials.
    /// - [`Storage`](ErrorKind::Storage): no server can be reached.
    pub async fn connect(self) -> Result<JetStream, Error> {
        let servers = addresses(&self.servers)?;
        let mut options = ConnectOptions::new().name("mparticle-client").retain_servers_order();
        if let Some(user) = servers.iter().find_map(ServerAddr::username) {
            let password = servers.iter().find_map(ServerAddr::password);
            options = match password {
                Some(password) => options.user_and_password(decoded(user), decoded(password)),
                None => options.token(decoded(user)),
            };
        }
        if let Some((certificate, key)) = self.client_certificate {
            options = options.add_client_certificate(certificate, key);
        }
        if let Some(path) = self.root_certificates {
            options = options.add_root_certificates(path);
        }
        let client = options.connect(servers).await.map_err(|error| match error.kind() {
            ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
                let message = "the NATS server does not accept the credentials";
                Error::new(ErrorKind::Config, message).with_source(error)
            }
            ConnectErrorKind::Tls | ConnectErrorKind::ServerParse => {
                let message = format!("the connection to NATS cannot be configured: {error}");
                Error::new(ErrorKind::Config, message).with_source(error)
            }
            _ => failed("no NATS server can be reached", error),
        })?;
        if !client.is_server_compatible(2, 11, 0) {
            let version = client.server_info().version;
            tracing::warn!(
                version,
                "this version of the NATS server can lose acknowledged batches"
            );
        }
        let context = ContextBuilder::new().timeout(ANSWER_TIME).build(client);
        Ok(JetStream { context })
    }
}

/// Decodes a part of a URL.
fn decoded(part: &str) -> String {
    percent_decode_str(part).decode_utf8_lossy().into_owned()
}

fn addresses(servers: &[String]) -> Result<Vec<ServerAddr>, Error> {
    if servers.is_empty() {
        return Err(Error::new(ErrorKind::Config, "no NATS server is given"));
    }
    // The URL may contain a password. The error does not quote it.
    let address = |(number, url): (usize, &String)| {
        url.parse::<ServerAddr>().map_err(|error| {
            let message = format!("the URL of NATS server {} is not valid", number + 1);
            Error::new(ErrorKind::Config, message).with_source(error)
        })
    };
    servers.iter().enumerate().map(address).collect()
}

impl fmt::Debug for JetStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JetStream").finish_non_exhaustive()
    }
}

/// Omits the servers, whose URLs may contain passwords.
impl fmt::Debug for JetStreamBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JetStreamBuilder")
            .field("servers", &self.servers.len())
            .finish_non_exhaustive()
    }
}
