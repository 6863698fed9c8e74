//! The settings of a client, and how it is built from them.

mod checks;
mod connections;
mod environment;

use crate::base_url::PlainHttp;
use crate::encoding::Encoder;
use crate::models::{DataPlanContext, Environment};
use crate::send::{BodyLog, Delivery, InFlight, RequestSender, SenderSettings};
use crate::settings::Sensitive;
use crate::transport::https::ConnectionSettings;
use crate::transport::proxy::ProxySource;
use crate::transport::tls::TlsSettings;
use crate::transport::{NoTransport, Transport};
use crate::{Client, Credentials, Error, Pod, RateLimiter, RetryPolicy, Timeouts, Validation};
use checks::config_error;
use connections::https_transport;
use std::sync::Arc;
use std::time::Duration;

/// The default value of the `User-Agent` header.
const USER_AGENT: &str = concat!("mparticle-client-rust/", env!("CARGO_PKG_VERSION"));

/// The default number of idle connections that are kept.
const POOL_MAX_IDLE: usize = 16;

/// The default time for which an idle connection is kept. Servers and load balancers usually close idle connections
/// after 60 seconds or more, some after 30 seconds.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// Configures and builds a [`Client`]. Returned by [`Client::builder`].
///
/// If a setting is set more than once, the last value takes effect. [`build`](Self::build) checks the settings and
/// reports all mistakes in one error. `Debug` output contains no secrets.
///
/// # Examples
/// ```
/// use mparticle_client::models::Environment;
/// use mparticle_client::{Client, Credentials, Pod, Timeouts, Validation};
/// use std::time::Duration;
///
/// # fn main() -> Result<(), mparticle_client::Error> {
/// let client = Client::builder(Credentials::new("your-key", "your-secret"))
///     .pod(Pod::Eu1)
///     .environment(Environment::Production)
///     .validation(Validation::Strict)
///     .timeouts(Timeouts::default().with_overall(Duration::from_secs(30)))
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ClientBuilder {
    credentials: Credentials,
    destination: Destination,
    plain_http: PlainHttp,
    timeouts: Timeouts,
    retry: RetryPolicy,
    rate_limiter: RateLimiter,
    max_rate: Option<f64>,
    encoder: Encoder,
    user_agent: String,
    headers: Vec<(String, Sensitive)>,
    tls: TlsSettings,
    connections: ConnectionSettings,
    proxy: ProxySource,
    transport: Option<Arc<dyn Transport>>,
    body_log: BodyLog,
    max_in_flight: usize,
    delivery: Delivery,
}

#[derive(Clone, Debug)]
enum Destination {
    Pod(Pod),
    BaseUrl(Sensitive),
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
            max_rate: None,
            encoder: Encoder::default(),
            user_agent: USER_AGENT.to_owned(),
            headers: Vec::new(),
            tls: TlsSettings::default(),
            connections: ConnectionSettings {
                connect_timeout: timeouts.connect,
                pool_max_idle: POOL_MAX_IDLE,
                pool_idle_timeout: POOL_IDLE_TIMEOUT,
            },
            proxy: ProxySource::Environment,
            transport: None,
            body_log: BodyLog::default(),
            max_in_flight: 64,
            delivery: Delivery::default(),
        }
    }

    /// Sets the pod to which requests are sent. The default is [`Pod::Us1`].
    ///
    /// Overrides [`base_url`](Self::base_url).
    #[must_use]
    pub fn pod(mut self, pod: Pod) -> Self {
        self.destination = Destination::Pod(pod);
        self
    }

    /// Sets the URL to which requests are sent, such as the URL of a partner feed, of your own relay or of a test
    /// server.
    ///
    /// The URL may have any path. `/v2` is appended unless the path ends with it: `https://inbound.mparticle.com/s2s`,
    /// `https://inbound.mparticle.com/s2s/` and `https://inbound.mparticle.com/s2s/v2` are equivalent. The scheme
    /// `http` is accepted for `localhost` and loopback addresses only. Overrides [`pod`](Self::pod).
    ///
    /// Building the client fails in each of these cases:
    /// - the URL is malformed, contains white space or a byte order mark, or begins or ends with a quotation mark;
    /// - the scheme is neither `https` nor an accepted `http`;
    /// - the URL contains credentials, a query or a fragment;
    /// - the path ends with another version, such as `/v1`, or with the path of an endpoint, such as `/v2/events`;
    /// - the path contains `//`, a dot segment (`.` or `..`), a backslash, or an encoded slash or backslash.
    #[must_use]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.destination = Destination::BaseUrl(Sensitive(url.into()));
        self
    }

    /// Accepts the scheme `http` in the [base URL](Self::base_url) for any host.
    ///
    /// Anyone who can read the network traffic can then read the credentials and the data.
    #[must_use]
    pub fn danger_allow_plain_http(mut self) -> Self {
        self.plain_http = PlainHttp::AnyHost;
        self
    }

    /// Sets the time limits of uploads. The default is [`Timeouts::default`].
    ///
    /// Building the client fails if a time limit is zero.
    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self.connections.connect_timeout = timeouts.connect;
        self
    }

    /// Sets how failed attempts are retried. The default is [`RetryPolicy::default`].
    #[must_use]
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// Sets the rate limiter. Use this to share the rate limiter of another client with the same API key.
    ///
    /// By default, each client has its own rate limiter, which its clones share.
    #[must_use]
    pub fn rate_limiter(mut self, rate_limiter: RateLimiter) -> Self {
        self.rate_limiter = rate_limiter;
        self
    }

    /// Sets the maximum number of batches per second. By default there is none.
    ///
    /// Use it where several programs share the rate limit of mParticle. Requests wait for their turn. The rate is a ceiling:
    /// after a 429 the client sends at the rate that mParticle accepts, if that is lower. A request of 100 batches counts
    /// 100. [`upload_all`](Client::upload_all) makes requests of fewer batches if the rate is below 100.
    ///
    /// All clients that share the [rate limiter](Self::rate_limiter) share the maximum.
    ///
    /// Building the client fails if the value is not a positive number.
    #[must_use]
    pub fn max_rate(mut self, batches_per_second: f64) -> Self {
        self.max_rate = Some(batches_per_second);
        self
    }

    /// Sets the maximum number of requests in flight, over all clones of the client. The default is 64.
    ///
    /// Further uploads wait until a request has ended. Each request in flight has its own connection. A few more
    /// connections may be open while the connections that exceed [`pool_max_idle`](Self::pool_max_idle) are being
    /// closed. A client that keeps many requests in flight saves handshakes if both settings have the same value.
    ///
    /// Building the client fails if the number is zero.
    #[must_use]
    pub fn max_in_flight(mut self, requests: usize) -> Self {
        self.max_in_flight = requests;
        self
    }

    /// Disables the client: batches are checked and encoded as usual, but nothing is ever sent.
    ///
    /// Use this if a program must run without mParticle, for example on a developer's machine. Every upload returns a
    /// receipt for which [`Receipt::is_discarded`](crate::Receipt::is_discarded) returns `true`. The outcome of every
    /// batch in a queue or in [`upload_all`](Client::upload_all) is [`Outcome::Discarded`](crate::Outcome::Discarded).
    /// Credentials are neither needed nor checked, no socket is opened, and a queue opens no spool folder.
    /// [`build`](Self::build) logs one warning.
    ///
    /// [`Client::from_env`] does the same if `MPARTICLE_DISABLED` is `1` or `true`.
    ///
    /// # Examples
    /// ```
    /// # use mparticle_client::models::{Batch, Environment};
    /// # use mparticle_client::{Client, Credentials};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), mparticle_client::Error> {
    /// let client = Client::builder(Credentials::new("", "")).disabled().build()?;
    /// let receipt = client.upload_events(&Batch::new(Environment::Development)).await?;
    /// assert!(receipt.is_discarded());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn disabled(mut self) -> Self {
        self.delivery = Delivery::Disabled;
        self
    }

    /// Sets how the client handles violations of mParticle's limits and rules. The default is [`Validation::Warn`].
    #[must_use]
    pub fn validation(mut self, validation: Validation) -> Self {
        self.encoder.validation = validation;
        self
    }

    /// Compares each batch with a version of a data plan before it is sent. By default, batches are not compared.
    ///
    /// This applies to every way of sending a batch: single and bulk uploads, [`upload_all`](Client::upload_all), the
    /// queue and the blocking client. A batch whose `context.data_plan` names another plan or version is not compared.
    /// A batch without a context is compared. The linter does not set the context; [`data_plan`](Self::data_plan) does,
    /// after the comparison. Use the same plan for both.
    ///
    /// Log lines and error messages contain kinds and JSON pointers of findings, but no values. The guide to
    /// [data plans](crate::guide::data_plans) describes what a linter finds.
    ///
    /// # Examples
    /// ```
    /// use mparticle_client::models::data_plan::{DataPlanFile, Linter, Rules};
    /// use mparticle_client::models::{Batch, CustomEvent, CustomEventType, Environment};
    /// use mparticle_client::testing::Emulator;
    /// use mparticle_client::{ErrorKind, OnFinding};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let plan = DataPlanFile::from_str(r#"{ "data_points": [] }"#)?;
    /// let linter = Linter::new(&plan.select(None, None)?, Rules::platform());
    /// let client = Emulator::in_memory()
    ///     .client_builder()
    ///     .lint(linter, OnFinding::Reject)
    ///     .build()?;
    ///
    /// let event = CustomEvent::new("Signed up", CustomEventType::Other);
    /// let batch = Batch::new(Environment::Development).with_event(event);
    /// let error = client.upload_events(&batch).await.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Invalid);
    /// assert_eq!(error.pointer(), Some("/events/0"));
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "data-plan")]
    #[must_use]
    pub fn lint(
        mut self,
        linter: impl Into<Arc<crate::models::data_plan::Linter>>,
        on_finding: crate::OnFinding,
    ) -> Self {
        let linter = linter.into();
        self.encoder.linting = Some(crate::encoding::lint::Linting { linter, on_finding });
        self
    }

    /// Sets the environment of batches that have none. By default, such batches are sent without an environment.
    #[must_use]
    pub fn environment(mut self, environment: Environment) -> Self {
        self.encoder.environment = Some(environment);
        self
    }

    /// Sets the data plan of batches that have none. By default, such batches are sent without a data plan.
    #[must_use]
    pub fn data_plan(mut self, data_plan: DataPlanContext) -> Self {
        self.encoder.data_plan = Some(data_plan);
        self
    }

    /// Sets the `User-Agent` header. The default is `mparticle-client-rust/` followed by the version of this crate.
    ///
    /// Building the client fails if the value contains a character that a header cannot contain.
    #[must_use]
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// Adds a header to every request. If a header is set more than once, the last value wins.
    ///
    /// Building the client fails if the name or the value is not valid in a header, or if the name is reserved:
    /// `authorization`, `connection`, `content-encoding`, `content-length`, `content-type`, `expect`, `host`,
    /// `transfer-encoding` and `user-agent`.
    #[must_use]
    pub fn default_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), Sensitive(value.into())));
        self
    }

    /// Sends requests through another [`Transport`].
    ///
    /// The settings for TLS, proxies and connections do not apply to this transport. By default, the client uses its
    /// own HTTPS transport.
    #[must_use]
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// Logs the body of each request, which contains personal data, at level TRACE.
    ///
    /// Do not use this in production. By default, bodies are not logged.
    #[must_use]
    pub fn danger_trace_bodies(mut self) -> Self {
        self.body_log = BodyLog::AtTrace;
        self
    }

    /// Builds the client. It opens no connection before the first upload.
    ///
    /// # Errors
    /// - [`Config`](crate::ErrorKind::Config): a setting or the credentials are invalid. The message lists every
    ///   mistake and quotes no value that may be secret.
    pub fn build(mut self) -> Result<Client, Error> {
        let mut problems = Vec::new();
        if self.delivery == Delivery::Disabled {
            self.transport = Some(Arc::new(NoTransport));
        } else {
            problems = self.credentials.problems();
        }
        let base_url = self.checked_base_url(&mut problems);
        let headers = self.checked_headers(&mut problems);
        self.check_timeouts(&mut problems);
        if self.max_in_flight == 0 {
            problems.push("max_in_flight is zero: no request could ever be sent".to_owned());
        }
        if self.max_rate.is_some_and(|rate| !(rate > 0.0 && rate.is_finite())) {
            problems.push("max_rate is not a positive number".to_owned());
        }
        let tls = self.tls.configure().map_err(|found| problems.extend(found)).ok();
        let proxy = self.checked_proxy(base_url.as_ref(), &mut problems);
        let (Some(base_url), Some(tls), true) = (base_url, tls, problems.is_empty()) else {
            return Err(config_error(&problems));
        };
        let transport = match self.transport {
            Some(transport) => transport,
            None => https_transport(self.connections, proxy, tls)?,
        };
        if let Some(rate) = self.max_rate {
            self.rate_limiter.set_ceiling(rate);
        }
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
        if self.delivery == Delivery::Disabled {
            tracing::warn!("the client is disabled: it discards every batch");
        }
        Ok(Client::new(self.encoder, sender))
    }

    /// Builds a client whose methods block the calling thread (feature `blocking`). The client starts a background
    /// thread.
    ///
    /// # Errors
    /// - [`Config`](crate::ErrorKind::Config): a setting or the credentials are invalid, as for [`build`](Self::build),
    ///   or the background thread cannot be started.
    #[cfg(feature = "blocking")]
    pub fn build_blocking(self) -> Result<crate::blocking::Client, Error> {
        crate::blocking::Client::new(self.build()?)
    }
}
