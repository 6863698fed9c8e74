//! What a test tells the emulator to answer.

use bytes::Bytes;
use http::header::{LOCATION, RETRY_AFTER};
use http::{HeaderName, HeaderValue, StatusCode};
use std::time::Duration;

/// An answer, or a failure in place of one, that a test scripts.
///
/// One of the constructors says what happens, and methods refine it:
/// ```
/// # use mparticle_client::testing::Answer;
/// # use std::time::Duration;
/// let throttled = Answer::status(429).retry_after(2);
/// let lost = Answer::reset().after_processing(); // accepted, and the reply is lost
/// let not_json = Answer::status(400).body("{\"errors\":[");
/// let slow = Answer::normal().delayed(Duration::from_secs(3));
/// let half = Answer::status(503).body("sorry").truncated();
/// ```
/// Delays, dripping and endless bodies use tokio's timer, so paused time skips them; in memory too they need a tokio
/// runtime.
#[derive(Clone, Debug)]
pub struct Answer {
    pub(super) act: ScriptedAct,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Option<Bytes>,
    pub(super) course: BodyCourse,
    pub(super) delay: Duration,
    /// Whether batches are taken although the answer is not that of normal service.
    processed: bool,
    /// What is wrong with the answer itself.
    pub(super) mistake: Option<String>,
}

#[derive(Clone, Debug)]
pub(super) enum ScriptedAct {
    Normal,
    Status(StatusCode),
    Raw(Bytes),
    Hang,
    Close,
    Reset,
    ResetAtHead,
}

/// How the body of an answer is sent.
#[derive(Clone, Copy, Debug)]
pub(super) enum BodyCourse {
    Whole,
    /// More is announced than is sent, then the connection ends in good order.
    Truncated,
    /// More is announced than is sent, then the connection is reset.
    Reset,
    /// One byte at a time.
    Dripping(Duration),
    Endless,
}

impl BodyCourse {
    /// The same for a length that was announced by other hands.
    pub(super) fn breaking_off(self) -> Self {
        if matches!(self, Self::Whole) { Self::Truncated } else { self }
    }
}

impl Answer {
    /// What the emulator answers without a script: 202, or a status that tells what is wrong with the request.
    #[must_use]
    pub fn normal() -> Self {
        Self::new(ScriptedAct::Normal)
    }

    /// A status, whatever the request is.
    ///
    /// With a status of the 200s the emulator takes the batches as in normal service, with any other it does not, save
    /// with [`after_processing`](Self::after_processing). A number that is not between 200 and 999 is answered with 500
    /// and a body that says so.
    #[must_use]
    pub fn status(status: u16) -> Self {
        match StatusCode::from_u16(status) {
            Ok(code) if status >= 200 => Self::new(ScriptedAct::Status(code)),
            _ => Self::normal()
                .mistaken(format!("the scripted status {status} is not one of 200 to 999")),
        }
    }

    /// 307 to another place.
    #[must_use]
    pub fn redirect(location: &str) -> Self {
        Self::status(307).header(LOCATION.as_str(), location)
    }

    /// Never an answer; the connection stays open.
    #[must_use]
    pub fn hang() -> Self {
        Self::new(ScriptedAct::Hang)
    }

    /// No answer: the request is read and the connection closed in good order.
    #[must_use]
    pub fn close() -> Self {
        Self::new(ScriptedAct::Close)
    }

    /// No answer: the request is read and the connection reset.
    #[must_use]
    pub fn reset() -> Self {
        Self::new(ScriptedAct::Reset)
    }

    /// No answer: the connection is reset when the head of the request has arrived, before its body is read.
    #[must_use]
    pub fn reset_at_head() -> Self {
        Self::new(ScriptedAct::ResetAtHead)
    }

    /// These bytes in place of a response, then the connection is closed: for answers that are not HTTP.
    ///
    /// In memory it is a broken connection, since there is nothing that would read the bytes.
    #[must_use]
    pub fn raw(bytes: impl Into<Bytes>) -> Self {
        Self::new(ScriptedAct::Raw(bytes.into()))
    }

    /// The same with `Retry-After` in seconds.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        self.with(RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// The same with a header, which replaces one that normal service would set; several of one name are all sent.
    ///
    /// One that HTTP does not allow is answered with 500 and a body that says so.
    #[must_use]
    pub fn header(self, name: &str, value: &str) -> Self {
        match (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            (Ok(name), Ok(value)) => self.with(name, value),
            _ => self.mistaken(format!(
                "the scripted header `{name}`, or its value, is not one of HTTP"
            )),
        }
    }

    /// The same with a body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// The same after a wait. The request is processed when it arrives, and the answer comes late.
    #[must_use]
    pub fn delayed(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// The same, but the emulator takes the batches of the request as in normal service.
    ///
    /// Without effect on [`reset_at_head`](Self::reset_at_head), which does not read the batches.
    #[must_use]
    pub fn after_processing(mut self) -> Self {
        self.processed = true;
        self
    }

    /// The same, with `Content-Length` 1,000 bytes greater than the body, after which the connection is closed.
    #[must_use]
    pub fn truncated(mut self) -> Self {
        self.course = BodyCourse::Truncated;
        self
    }

    /// The same, with `Content-Length` 1,000 bytes greater than the body, after which the connection is reset.
    #[must_use]
    pub fn reset_in_body(mut self) -> Self {
        self.course = BodyCourse::Reset;
        self
    }

    /// The same, one byte of the body at a time, with a wait before each.
    #[must_use]
    pub fn dripping(mut self, every: Duration) -> Self {
        self.course = BodyCourse::Dripping(every);
        self
    }

    /// The same, with a body that goes on for ever after its given beginning: 16 KiB of spaces per millisecond.
    #[must_use]
    pub fn endless(mut self) -> Self {
        self.course = BodyCourse::Endless;
        self
    }

    /// Whether the batches of the request are taken as in normal service.
    pub(super) fn processes(&self) -> bool {
        match self.act {
            _ if self.mistake.is_some() => false,
            ScriptedAct::Normal => true,
            ScriptedAct::Status(status) if status.is_success() => true,
            ScriptedAct::ResetAtHead => false,
            _ => self.processed,
        }
    }

    /// Whether the body of the request is read.
    pub(super) fn reads_body(&self) -> bool {
        !matches!(self.act, ScriptedAct::ResetAtHead)
    }

    fn new(act: ScriptedAct) -> Self {
        Self {
            act,
            headers: Vec::new(),
            body: None,
            course: BodyCourse::Whole,
            delay: Duration::ZERO,
            processed: false,
            mistake: None,
        }
    }

    fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    fn mistaken(mut self, mistake: String) -> Self {
        self.mistake.get_or_insert(mistake);
        self
    }
}
