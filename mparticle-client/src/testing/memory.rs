//! The in-memory transport of the emulator.

use super::reply::{Action, Disconnect};
use super::service::{MAX_BODY, Service};
use crate::transport::{ResponseBody, SendFuture, Transport, TransportError, TransportErrorKind};
use bytes::Bytes;
use http::{Request, Response};
use std::fmt;
use std::future::pending;
use std::sync::Arc;

/// A [`Transport`] that passes requests to an emulator in memory.
///
/// [`Emulator::transport`](super::Emulator::transport) returns it.
#[derive(Clone)]
pub struct InMemory(Arc<Service>);

impl InMemory {
    pub(super) fn new(service: Arc<Service>) -> Self {
        Self(service)
    }

    async fn respond(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<ResponseBody>, TransportError> {
        let answer = self.0.next_answer();
        let request = if answer.reads_body() { request } else { request.map(|_| Bytes::new()) };
        let action = if request.body().len() > MAX_BODY {
            Action::payload_too_large()
        } else {
            self.0.respond(answer, request).await
        };
        match action {
            Action::Respond(response) => {
                Ok(response.map(|body| ResponseBody::from_stream(body.into_stream())))
            }
            Action::Disconnect(disconnect) => Err(interrupted(&disconnect)),
            Action::Hang => pending().await,
        }
    }
}

fn interrupted(disconnect: &Disconnect) -> TransportError {
    let cause = match disconnect {
        Disconnect::Close => "the emulator closed the connection, as scripted",
        Disconnect::Reset => "the emulator reset the connection, as scripted",
        Disconnect::SendRaw(_) => "the emulator sent raw bytes, as scripted",
    };
    TransportError::new(TransportErrorKind::Interrupted, cause)
}

impl Transport for InMemory {
    fn send(&self, request: Request<Bytes>) -> SendFuture<'_> {
        Box::pin(self.respond(request))
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

    /// Returns the body of an answer up to `limit` bytes, and whether it was aborted.
    async fn body(answer: Answer, limit: usize) -> (String, bool) {
        let emulator = Emulator::in_memory();
        emulator.script([answer]);
        let request = Request::post("http://localhost/v2/events").body(Bytes::new()).unwrap();
        let mut body = emulator.transport().send(request).await.unwrap().into_body();
        let mut text = String::new();
        while text.len() < limit {
            match body.next().await {
                None => break,
                Some(Ok(chunk)) => text += std::str::from_utf8(&chunk).unwrap(),
                Some(Err(_)) => return (text, true),
            }
        }
        (text, false)
    }

    #[tokio::test(start_paused = true)]
    async fn bodies_are_sent_as_scripted() {
        let interval = Duration::from_secs(2);
        let answer = || Answer::status(503).body("body");
        let start = Instant::now();
        for (answer, aborted, seconds) in [
            (answer(), false, 0),
            (answer().truncated(), true, 0),
            (answer().reset_in_body(), true, 0),
            (answer().header("content-length", "50"), true, 0),
            (answer().dripping(interval), false, 8),
        ] {
            let shown = format!("{answer:?}");
            let found = body(answer, usize::MAX).await;
            assert_eq!(found, ("body".to_owned(), aborted), "{shown}");
            assert_eq!(start.elapsed().as_secs(), seconds, "{shown}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_endless_body_takes_time() {
        let start = Instant::now();
        let (text, aborted) = body(Answer::status(503).body("body").endless(), 1 << 20).await;
        assert!(text.starts_with("body  ") && !aborted);
        assert!(start.elapsed() >= Duration::from_millis(60));
    }

    #[tokio::test]
    async fn an_error_response_has_a_message() {
        let (text, _) = body(Answer::normal(), usize::MAX).await;
        let expected = r#"{"errors":[{"code":"UNAUTHORIZED","message":"the authorization header is missing"}]}"#;
        assert_eq!(text, expected);
    }
}
