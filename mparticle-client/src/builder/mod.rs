//! From settings to a client.

mod checks;
mod environment;

use crate::base_url::PlainHttp;
use crate::encoding::Encoder;
use crate::models::{DataPlanContext, Environment};
use crate::send::{BodyLog, Delivery, InFlight, RequestSender, SenderSettings};
use crate::transport::Transport;
use crate::transport::https::{Connections, Proxies};
use crate::transport::tls::{Identity, TlsSettings, Trust};
use crate::{Client, Credentials, Error, Pod, RateLimiter, RetryPolicy, Timeouts, Validation};
use checks::config_error;
use std::sync::Arc;
use std::time::Duration;

/// What the client calls itself unless told otherwise.
const USER_AGENT: &str = concat!("mparticle-client-rust/", env!("CARGO_PKG_VERSION"));

/// Describes a [`Client`]; made by [`Client::builder`].
///
/// Nothing is checked before [`build`](Self::build), which reports all mistakes together. `Debug` shows no secret.
#[derive(Clone, Debug)]
pub struct ClientBuilder {
    credentials: Credentials,
    destination: Destination,
    plain_http: PlainHttp,
    timeouts: Timeouts,
    retry: RetryPolicy,
    rate_limiter: RateLimiter,
    encoder: Encoder,
    user_agent: String,
    headers: Vec<(String, HiddenText)>,
    tls: TlsSettings,
    connections: Connections,
    transport: Option<Arc<dyn Transport>>,
    body_log: BodyLog,
    max_in_flight: usize,
    delivery: Delivery,
}

#[derive(Clone, Debug)]
enum Destination {
    Pod(Pod),
    BaseUrl(HiddenText),
}

/// A text that may hold a secret.
#[derive(Clone)]
struct HiddenText(String);

impl std::fmt::Debug for HiddenText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("..")
    }
}

impl ClientBuilder {
    pub(crate) fn new(credentials: Credentials) -> Self {
        let timeouts = Timeouts::default();
        Self {
            credentials,
            destination: Destination::Pod(Pod::default()),
            plain_http: PlainHttp::default(),
            timeouts,
            retry: RetryPolicy::default(),
            rate_limiter: RateLimiter::default(),
            encoder: Encoder::default(),
            user_agent: USER_AGENT.to_owned(),
            headers: Vec::new(),
            tls: TlsSettings::default(),
            connections: Connections {
                connect_timeout: timeouts.connect,
                pool_max_idle: None,
                pool_idle_timeout: Duration::from_secs(90),
                proxies: Proxies::FromEnvironment,
            },
            transport: None,
            body_log: BodyLog::default(),
            max_in_flight: 64,
            delivery: Delivery::default(),
        }
    }

    /// Sends to a pod, [`Pod::Us1`] unless set. Overrides [`base_url`](Self::base_url).
    #[must_use]
    pub fn pod(mut self, pod: Pod) -> Self {
        self.destination = Destination::Pod(pod);
        self
    }

    /// Sends to another place, such as a partner's feed, a proxy of your own, or a server for tests.
    ///
    /// `https://example.com`, with or without a trailing slash or `/v2`; `http://` is for loopback addresses. Overrides
    /// [`pod`](Self::pod).
    #[must_use]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.destination = Destination::BaseUrl(HiddenText(url.into()));
        self
    }

    /// Lets the base URL be `http://` with any host. Whoever sees the traffic sees the credentials and the data.
    #[must_use]
    pub fn danger_allow_plain_http(mut self) -> Self {
        self.plain_http = PlainHttp::ToAnyHost;
        self
    }

    /// How long uploads may take; see [`Timeouts`] for what holds unless set.
    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self.connections.connect_timeout = timeouts.connect;
        self
    }

    /// How often and when failed attempts are repeated; see [`RetryPolicy`] for what holds unless set.
    #[must_use]
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Shares a rate limiter with other clients of the same key. Clones of a client share it in any case.
    #[must_use]
    pub fn rate_limiter(mut self, gate: RateLimiter) -> Self {
        self.rate_limiter = gate;
        self
    }

    /// Sets how many requests may be in flight at a time, over all clones of the client; 64 unless set.
    ///
    /// Further uploads wait for a place. Each request in flight has a connection of its own, so this also bounds the
    /// number of connections. [`build`](Self::build) refuses zero.
    #[must_use]
    pub fn max_in_flight(mut self, requests: usize) -> Self {
        self.max_in_flight = requests;
        self
    }

    /// What to do about violations of mParticle's limits and rules; [`Validation::Warn`] unless set.
    #[must_use]
    pub fn validation(mut self, validation: Validation) -> Self {
        self.encoder.validation = validation;
        self
    }

    /// The environment of batches that name none.
    #[must_use]
    pub fn environment(mut self, environment: Environment) -> Self {
        self.encoder.environment = Some(environment);
        self
    }

    /// The data plan of batches that name none.
    #[must_use]
    pub fn data_plan(mut self, data_plan: DataPlanContext) -> Self {
        self.encoder.data_plan = Some(data_plan);
        self
    }

    /// The `User-Agent` header; the name and version of this crate unless set.
    #[must_use]
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// A header for every request; of several of one name the last counts. Those that the client itself needs cannot be
    /// set.
    #[must_use]
    pub fn default_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), HiddenText(value.into())));
        self
    }

    /// Trusts the certificates of a PEM file, too, beside Mozilla's root certificates.
    #[must_use]
    pub fn add_root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.tls.extra_roots.push(pem.into());
        self
    }

    /// Trusts the certificates that were added and no others.
    #[must_use]
    pub fn only_added_root_certificates(mut self) -> Self {
        self.tls.trust = Trust::GivenRootsAlone;
        self
    }

    /// Identifies the client to the server by a certificate chain and its private key, both PEM.
    #[must_use]
    pub fn client_identity(
        mut self,
        certificates: impl Into<Vec<u8>>,
        private_key: impl Into<Vec<u8>>,
    ) -> Self {
        let (certificates, private_key) = (certificates.into(), private_key.into());
        self.tls.identity = Some(Identity { certificates, private_key });
        self
    }

    /// Accepts any certificate of any server. Whoever can stand in the way gets the credentials and the data.
    #[must_use]
    pub fn danger_accept_invalid_certificates(mut self) -> Self {
        self.tls.trust = Trust::Anyone;
        self
    }

    /// Sends through an HTTP proxy. Unset, `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` decide, save for
    /// loopback addresses.
    #[must_use]
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.connections.proxies = Proxies::Through(url.into());
        self
    }

    /// Sends through no proxy, whatever the environment says.
    #[must_use]
    pub fn no_proxy(mut self) -> Self {
        self.connections.proxies = Proxies::Direct;
        self
    }

    /// How many idle connections are kept; any number unless set.
    #[must_use]
    pub fn pool_max_idle(mut self, connections: usize) -> Self {
        self.connections.pool_max_idle = Some(connections);
        self
    }

    /// How long an idle connection is kept; 90 seconds unless set.
    #[must_use]
    pub fn pool_idle_timeout(mut self, timeout: Duration) -> Self {
        self.connections.pool_idle_timeout = timeout;
        self
    }

    /// Sends by another transport. What was said of TLS, proxies and connections does not hold for it.
    #[must_use]
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// Logs the body of each request at TRACE, personal data included. Not for production.
    #[must_use]
    pub fn danger_trace_bodies(mut self) -> Self {
        self.body_log = BodyLog::AtTrace;
        self
    }

    /// Makes the client. It connects when it first sends.
    ///
    /// # Errors
    /// Of kind [`Config`](crate::ErrorKind::Config), with every mistake in its message.
    pub fn build(self) -> Result<Client, Error> {
        let mut problems = self.credentials.problems();
        let base_url = self.checked_base_url(&mut problems);
        let headers = self.checked_headers(&mut problems);
        self.check_times(&mut problems);
        if self.max_in_flight == 0 {
            problems.push("max_in_flight is zero: no request could ever be sent".to_owned());
        }
        let tls = self.tls.configure().map_err(|found| problems.extend(found)).ok();
        let (Some(base_url), Some(tls)) = (base_url, tls) else {
            return Err(config_error(&problems));
        };
        let transport = match self.transport {
            Some(transport) => Some(transport),
            None => self
                .connections
                .for_base_url(&base_url)
                .connect(tls)
                .map_err(|problem| problems.push(problem))
                .ok(),
        };
        let Some(transport) = transport.filter(|_| problems.is_empty()) else {
            return Err(config_error(&problems));
        };
        let sender = RequestSender::new(SenderSettings {
            transport,
            base_url,
            headers,
            timeouts: self.timeouts,
            policy: self.retry,
            rate_limiter: self.rate_limiter,
            in_flight: Arc::new(InFlight::new(self.max_in_flight)),
            body_log: self.body_log,
            delivery: self.delivery,
        });
        Ok(Client::new(self.encoder, sender))
    }

    /// Makes a client without `async`, with a background thread of its own (feature `blocking`).
    ///
    /// # Errors
    /// Of kind [`Config`](crate::ErrorKind::Config), with every mistake in its message.
    #[cfg(feature = "blocking")]
    pub fn build_blocking(self) -> Result<crate::blocking::Client, Error> {
        crate::blocking::Client::new(self.build()?)
    }
}
