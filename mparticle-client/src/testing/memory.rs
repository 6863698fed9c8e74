//! The emulator without a socket.

use super::reply::{Act, Ending, Reply};
use super::service::{MAX_BODY, Service};
use crate::transport::{ResponseBody, SendFuture, Transport, TransportError, TransportErrorKind};
use bytes::Bytes;
use http::{Request, Response};
use std::fmt;
use std::future::pending;
use std::sync::Arc;

/// Hands requests to an emulator in memory; see [`Emulator::transport`](super::Emulator::transport).
#[derive(Clone)]
pub struct InMemory(Arc<Service>);

impl InMemory {
    pub(super) fn new(service: Arc<Service>) -> Self {
        Self(service)
    }

    async fn answer(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<ResponseBody>, TransportError> {
        let answer = self.0.next_answer();
        let request = if answer.reads_body() { request } else { request.map(|_| Bytes::new()) };
        let act = if request.body().len() > MAX_BODY {
            Reply::too_large().act
        } else {
            self.0.respond(answer, request).await
        };
        match act {
            Act::Respond(response) => {
                Ok(response.map(|content| ResponseBody::from_stream(content.into_stream())))
            }
            Act::Break(ending) => Err(interrupted(&ending)),
            Act::Hang => pending().await,
        }
    }
}

fn interrupted(ending: &Ending) -> TransportError {
    let cause = match ending {
        Ending::Close => "the emulator closed the connection, as scripted",
        Ending::Reset => "the emulator reset the connection, as scripted",
        Ending::Raw(_) => "the emulator sent raw bytes, as scripted",
    };
    TransportError::new(TransportErrorKind::Interrupted, cause)
}

impl Transport for InMemory {
    fn send(&self, request: Request<Bytes>) -> SendFuture<'_> {
        Box::pin(self.answer(request))
    }
}

impl fmt::Debug for InMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InMemory")
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Answer, Emulator};
    use crate::transport::Transport;
    use bytes::Bytes;
    use futures_util::StreamExt;
    use http::Request;
    use std::time::Duration;
    use tokio::time::Instant;

    /// The body of an answer, up to so many bytes, and whether it then broke off.
    async fn body(answer: Answer, limit: usize) -> (String, bool) {
        let emulator = Emulator::in_memory();
        emulator.script([answer]);
        let request = Request::post("http://localhost/v2/events").body(Bytes::new()).unwrap();
        let mut body = emulator.transport().send(request).await.unwrap().into_body();
        let mut text = String::new();
        while text.len() < limit {
            match body.next().await {
                None => break,
                Some(Ok(piece)) => text += std::str::from_utf8(&piece).unwrap(),
                Some(Err(_)) => return (text, true),
            }
        }
        (text, false)
    }

    #[tokio::test(start_paused = true)]
    async fn bodies_go_the_scripted_way() {
        let every = Duration::from_secs(2);
        let answer = || Answer::status(503).body("body");
        let start = Instant::now();
        for (answer, broken, seconds) in [
            (answer(), false, 0),
            (answer().truncated(), true, 0),
            (answer().reset_in_body(), true, 0),
            (answer().header("content-length", "50"), true, 0),
            (answer().dripping(every), false, 8),
        ] {
            let shown = format!("{answer:?}");
            let found = body(answer, usize::MAX).await;
            assert_eq!(found, ("body".to_owned(), broken), "{shown}");
            assert_eq!(start.elapsed().as_secs(), seconds, "{shown}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_endless_body_takes_time() {
        let start = Instant::now();
        let (text, broken) = body(Answer::status(503).body("body").endless(), 1 << 20).await;
        assert!(text.starts_with("body  ") && !broken);
        assert!(start.elapsed() >= Duration::from_millis(60));
    }

    #[tokio::test]
    async fn a_refusal_says_why() {
        let (text, _) = body(Answer::normal(), usize::MAX).await;
        let expected = r#"{"errors":[{"code":"UNAUTHORIZED","message":"the authorization header is missing"}]}"#;
        assert_eq!(text, expected);
    }
}
