//! Sends requests with one pair of credentials.

use super::admission::Admission;
use super::budget::RetryBudget;
use super::expiry::Expiry;
use super::in_flight::InFlight;
use super::stall::StallLog;
use super::task;
use super::upload::Upload;
use crate::base_url::BaseUrl;
use crate::error::AttemptStats;
use crate::rate_limiter::RateLimiter;
use crate::transport::Transport;
use crate::{Credentials, EncodedRequest, Error, ErrorKind, Receipt, RetryPolicy, Timeouts};
use http::{HeaderMap, header};
use std::sync::{Arc, Mutex, Once};
use tokio::time::Instant;
use tracing::{Instrument, debug, debug_span};

/// The settings of a [`RequestSender`].
#[derive(Clone, Debug)]
pub(crate) struct SenderSettings {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) base_url: BaseUrl,
    /// The headers of every request, including the credentials.
    pub(crate) headers: HeaderMap,
    pub(crate) timeouts: Timeouts,
    pub(crate) policy: RetryPolicy,
    pub(crate) rate_limiter: RateLimiter,
    pub(crate) in_flight: Arc<InFlight>,
    pub(crate) body_log: BodyLog,
    pub(crate) delivery: Delivery,
}

/// Whether bodies are logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum BodyLog {
    #[default]
    Never,
    AtTrace,
}

/// Whether requests are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Delivery {
    #[default]
    Enabled,
    /// Every request is discarded.
    Disabled,
}

/// Sends requests with one pair of credentials.
#[derive(Debug)]
pub(crate) struct RequestSender {
    pub(super) settings: SenderSettings,
    pub(super) budget: RetryBudget,
    pub(super) jitter: Mutex<fastrand::Rng>,
    pub(super) stall_log: StallLog,
    /// Logs once that mParticle accepts requests with a status that it does not document.
    pub(super) undocumented_status: Once,
}

impl RequestSender {
    pub(crate) fn new(settings: SenderSettings) -> Self {
        let seed = settings.policy.jitter_seed;
        let jitter = seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed);
        Self {
            settings,
            budget: RetryBudget::default(),
            jitter: Mutex::new(jitter),
            stall_log: StallLog::default(),
            undocumented_status: Once::new(),
        }
    }

    /// Returns a sender for other credentials. It has its own rate limiter and retry budget, and shares the
    /// connections.
    pub(crate) fn with_credentials(&self, credentials: &Credentials) -> Result<Self, Error> {
        let mut settings = self.settings.clone();
        if settings.delivery == Delivery::Enabled {
            let problems = credentials.problems();
            let refused = |why: &str| Error::new(ErrorKind::Config, format!("credentials: {why}"));
            if !problems.is_empty() {
                return Err(refused(&problems.join("; ")));
            }
            let authorization =
                credentials.authorization().map_err(|_| refused("not valid in a header"))?;
            settings.headers.insert(header::AUTHORIZATION, authorization);
        }
        settings.rate_limiter = RateLimiter::default();
        Ok(Self::new(settings))
    }

    /// Returns a sender with connections for another runtime. It shares the rate limiter, but not the retry budget.
    #[cfg(feature = "queue")]
    pub(crate) fn for_another_runtime(&self) -> Self {
        let mut settings = self.settings.clone();
        if let Some(transport) = settings.transport.for_another_runtime() {
            settings.transport = transport;
            settings.in_flight = Arc::new(InFlight::new(settings.in_flight.limit()));
        }
        Self::new(settings)
    }

    pub(crate) fn rate_limiter(&self) -> RateLimiter {
        self.settings.rate_limiter.clone()
    }

    pub(crate) fn retry_policy(&self) -> RetryPolicy {
        self.settings.policy
    }

    /// Whether every request is discarded.
    pub(crate) fn is_disabled(&self) -> bool {
        self.settings.delivery == Delivery::Disabled
    }

    /// Sends a request until mParticle accepts it or a further attempt is useless.
    pub(crate) async fn send(self: &Arc<Self>, request: EncodedRequest) -> Result<Receipt, Error> {
        self.run(request, Upload::send).await
    }

    /// Sends a request once, as soon as the rate limiter allows. There is no time limit, but the request may expire.
    pub(crate) async fn send_once(
        self: &Arc<Self>,
        request: EncodedRequest,
        expiry: Option<Expiry>,
    ) -> Result<Receipt, Error> {
        self.run(request, |upload| upload.send_once(expiry)).await
    }

    /// Runs an upload as a task, and adds the request to its error.
    async fn run<F>(
        self: &Arc<Self>,
        request: EncodedRequest,
        upload: impl FnOnce(Upload) -> F,
    ) -> Result<Receipt, Error>
    where
        F: Future<Output = Result<Receipt, Error>> + Send + 'static,
    {
        if self.is_disabled() {
            return Ok(Receipt::discarded(request.shared_ids()));
        }
        let span = debug_span!(
            "upload",
            endpoint = %request.endpoint(),
            batches = request.source_request_ids().len(),
            bytes = request.body().len(),
        );
        span.in_scope(|| debug!(source_request_ids = ?request.source_request_ids(), "uploading"));
        let start = Instant::now();
        let admission = Arc::new(Admission::default());
        let context = Upload::new(Arc::clone(self), request.clone(), Arc::clone(&admission), start);
        let task = upload(context).instrument(span.clone());
        let result = match task::run(Arc::clone(&admission), task).await {
            Ok(result) => result,
            Err(error) => {
                let attempts = admission.entries();
                // A runtime without timers or I/O cannot send.
                let may_have_been_sent = attempts > 0 && error.kind() != ErrorKind::Config;
                let elapsed = start.elapsed();
                Err(error.with_stats(AttemptStats { attempts, elapsed, may_have_been_sent }))
            }
        };
        result.map_err(|error| {
            let (kind, attempts) = (error.kind(), error.attempts());
            span.in_scope(|| debug!(?kind, attempts, "upload failed: {error:#}"));
            error.with_request(request)
        })
    }
}
