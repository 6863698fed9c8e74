//! What an adaptor is to do with a request: the scripted answer, joined with that of normal service.

use super::answer::{Answer, BodyCourse, ScriptedAct};
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use http::header::{CONTENT_LENGTH, HeaderValue};
use http::{Response, StatusCode};
use std::fmt;
use std::time::Duration;

/// What is done, after a wait.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) delay: Duration,
    pub(super) act: Act,
}

#[derive(Debug)]
pub(super) enum Act {
    Respond(Response<Content>),
    Break(Ending),
    Hang,
}

/// How a connection ends.
#[derive(Debug)]
pub(super) enum Ending {
    Close,
    Reset,
    Raw(Bytes),
}

/// A body and the way it is sent.
#[derive(Debug)]
pub(super) struct Content {
    bytes: Bytes,
    course: BodyCourse,
}

/// Why a body ends before its announced length.
#[derive(Debug)]
pub(super) struct BodyBroken;

/// How many bytes more than it sends a body that breaks off announces.
const MISSING: usize = 1000;

/// The piece that an endless body repeats.
static SPACES: [u8; 16 * 1024] = [b' '; 16 * 1024];

impl Reply {
    /// Joins a scripted answer with that of normal service, if that took part.
    pub(super) fn new(answer: Answer, normal: Option<Response<Bytes>>) -> Self {
        let Answer { act, headers, body, mut course, delay, mistake, .. } = answer;
        if let Some(mistake) = mistake {
            return Self::immediate(status_alone(
                StatusCode::INTERNAL_SERVER_ERROR,
                mistake.into(),
            ));
        }
        let mut response = match act {
            ScriptedAct::Normal => normal.unwrap_or_default(),
            ScriptedAct::Status(status) => status_alone(status, Bytes::new()),
            ScriptedAct::Hang => return Self { delay, act: Act::Hang },
            ScriptedAct::Close => return Self { delay, act: Act::Break(Ending::Close) },
            ScriptedAct::Raw(bytes) => return Self { delay, act: Act::Break(Ending::Raw(bytes)) },
            ScriptedAct::Reset | ScriptedAct::ResetAtHead => {
                return Self { delay, act: Act::Break(Ending::Reset) };
            }
        };
        if let Some(body) = body {
            *response.body_mut() = body;
        }
        announce_length(&mut response, course);
        for (name, _) in &headers {
            response.headers_mut().remove(name);
            if name == CONTENT_LENGTH {
                // It may be too great; the body breaks off then.
                course = course.breaking_off();
            }
        }
        for (name, value) in headers {
            response.headers_mut().append(name, value);
        }
        Self { delay, act: Act::Respond(response.map(|bytes| Content { bytes, course })) }
    }

    /// A response that nothing delays.
    pub(super) fn immediate(mut response: Response<Bytes>) -> Self {
        announce_length(&mut response, BodyCourse::Whole);
        let content = response.map(|bytes| Content { bytes, course: BodyCourse::Whole });
        Self { delay: Duration::ZERO, act: Act::Respond(content) }
    }

    /// The answer to a body that is too long to be read.
    pub(super) fn too_large() -> Self {
        Self::immediate(status_alone(StatusCode::PAYLOAD_TOO_LARGE, Bytes::new()))
    }

    /// The status that is answered; none if the connection ends or hangs without one.
    pub(super) fn status(&self) -> Option<StatusCode> {
        match &self.act {
            Act::Respond(response) => Some(response.status()),
            Act::Break(_) | Act::Hang => None,
        }
    }
}

impl Content {
    /// How the connection ends if the body breaks off.
    pub(super) fn ending(&self) -> Ending {
        match self.course {
            BodyCourse::Reset => Ending::Reset,
            _ => Ending::Close,
        }
    }

    /// The body as it is sent, piece by piece.
    pub(super) fn into_stream(self) -> BoxStream<'static, Result<Bytes, BodyBroken>> {
        let bytes = self.bytes;
        match self.course {
            BodyCourse::Whole => whole(bytes).boxed(),
            BodyCourse::Truncated | BodyCourse::Reset => {
                whole(bytes).chain(stream::once(break_off())).boxed()
            }
            BodyCourse::Dripping(every) => drip(bytes, every).boxed(),
            BodyCourse::Endless => whole(bytes).chain(endless()).boxed(),
        }
    }
}

fn status_alone(status: StatusCode, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

fn announce_length(response: &mut Response<Bytes>, course: BodyCourse) {
    let length = match course {
        BodyCourse::Whole | BodyCourse::Dripping(_) => response.body().len(),
        BodyCourse::Truncated | BodyCourse::Reset => response.body().len() + MISSING,
        BodyCourse::Endless => return,
    };
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
}

fn whole(bytes: Bytes) -> impl futures_core::Stream<Item = Result<Bytes, BodyBroken>> + Send {
    stream::iter((!bytes.is_empty()).then_some(Ok(bytes)))
}

/// Lets what came before be flushed, then fails.
async fn break_off() -> Result<Bytes, BodyBroken> {
    tokio::task::yield_now().await;
    Err(BodyBroken)
}

fn drip(
    bytes: Bytes,
    every: Duration,
) -> impl futures_core::Stream<Item = Result<Bytes, BodyBroken>> + Send {
    stream::unfold(bytes, move |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        tokio::time::sleep(every).await;
        Some((Ok(rest.split_to(1)), rest))
    })
}

/// It waits between pieces, lest it leave no time for anything else; paused time would stand still.
fn endless() -> impl futures_core::Stream<Item = Result<Bytes, BodyBroken>> + Send {
    stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_millis(1)).await;
        Some((Ok(Bytes::from_static(&SPACES)), ()))
    })
}

impl fmt::Display for BodyBroken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body broke off as scripted")
    }
}

impl std::error::Error for BodyBroken {}
