#![doc = include_str!("../README.md")]

pub use mparticle_models as models;
use reqwest::{Url, header::CONTENT_TYPE, header::HeaderMap, redirect::Policy};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use std::{net::IpAddr, sync::Arc, time::Duration};

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a batch was not uploaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The base URL, the credentials or TLS cannot be used.
    #[error("client cannot be set up: {0}")]
    Config(Cause),
    /// The batch cannot be written as JSON; a number in it may not be finite.
    #[error("batch cannot be written as JSON: {0}")]
    Invalid(#[from] serde_json::Error),
    /// No answer came within a minute; the batch may have arrived all the same.
    #[error("no answer from mParticle")]
    Transport(#[source] Cause),
    /// mParticle answered with this status and a body that begins like this.
    #[error("mParticle answered with status {0}: {1}")]
    Refused(u16, String),
}

/// Uploads batches to one base URL with one pair of credentials.
#[derive(Clone, Debug)]
pub struct Client(reqwest::Client, Url, HeaderMap);

impl Client {
    /// A client for a base URL such as `https://s2s.us1.mparticle.com`; a `/v2` may follow.
    /// # Errors
    /// [`Error::Config`], also for a URL that is neither `https` nor that of a loopback host.
    pub fn new(base_url: &str, key: &str, secret: &str) -> Result<Self, Error> {
        Self::connect(base_url, key, secret).map_err(Error::Config)
    }

    /// Uploads one batch, once, and returns the status; 202 means accepted, not yet processed.
    /// # Errors
    /// Any [`Error`] but [`Error::Config`].
    pub async fn upload_events(&self, batch: &models::Batch) -> Result<u16, Error> {
        let Self(http, url, headers) = self;
        let request = http.post(url.clone()).headers(headers.clone());
        let sent = request.body(batch.to_vec()?).send().await;
        let mut response = sent.map_err(|error| Error::Transport(error.into()))?;
        let status = response.status().as_u16();
        if response.status().is_success() {
            return Ok(status);
        }
        let body = response.chunk().await.ok().flatten().unwrap_or_default();
        Err(Error::Refused(status, String::from_utf8_lossy(&body).into_owned()))
    }

    fn connect(url: &str, key: &str, secret: &str) -> Result<Self, Cause> {
        let mut url = Url::parse(url)?;
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let loopback = host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
        let has_credentials = !url.username().is_empty() || url.password().is_some();
        if has_credentials || !(url.scheme() == "https" || url.scheme() == "http" && loopback) {
            return Err("base URL has to be https, or http to loopback, without credentials".into());
        }
        let path = url.path().trim_end_matches('/');
        url.set_path(&format!("{}/v2/events", path.trim_end_matches("/v2")));
        let roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let http = reqwest::Client::builder().tls_backend_preconfigured(tls);
        let http = http.timeout(Duration::from_secs(60)).redirect(Policy::none());
        let http = if loopback { http.no_proxy() } else { http }.build()?;
        // The request as a pattern: reqwest marks its credentials as sensitive, so Debug hides them.
        let request = http.post(url).basic_auth(key, Some(secret));
        let request = request.header(CONTENT_TYPE, "application/json").build()?;
        Ok(Self(http, request.url().clone(), request.headers().clone()))
    }
}
