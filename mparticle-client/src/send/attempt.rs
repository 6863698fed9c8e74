//! One exchange with the server.

use crate::error::Answer;
use crate::transport::{ResponseBody, Transport, TransportError, TransportErrorKind};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http::Request;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How much of a response's body is read.
const BODY_BYTES: usize = 64 * 1024;
/// How long the body of a 2xx is waited for, so that the connection can be used again. It tells nothing.
const DRAIN_TIME: Duration = Duration::from_secs(1);
/// How long the body of another status is waited for. The status alone decides what happens next.
const READ_TIME: Duration = Duration::from_secs(5);

/// Sends a request and reads the answer, or gives up at `until`.
///
/// Once a head has arrived, the attempt has an answer: a body that is late, too long or broken is cut.
pub(crate) async fn attempt(
    transport: &dyn Transport,
    request: Request<Bytes>,
    until: Instant,
) -> Result<Answer, TransportError> {
    let response = timeout_at(until, transport.send(request))
        .await
        .map_err(|elapsed| TransportError::new(TransportErrorKind::Timeout, elapsed))??;
    let (head, mut body) = response.into_parts();
    let patience = if head.status.is_success() { DRAIN_TIME } else { READ_TIME };
    let mut beginning = BytesMut::new();
    let end = until.min(Instant::now() + patience);
    // Whether it ended, broke or took too long: what was read until then is what there is.
    let _ = timeout_at(end, read(&mut body, &mut beginning)).await;
    Ok(Answer { status: head.status, headers: head.headers, body: beginning.freeze() })
}

/// Reads until the body ends or breaks, or there is enough of it.
async fn read(body: &mut ResponseBody, beginning: &mut BytesMut) {
    while let Some(Ok(piece)) = body.next().await {
        let room = BODY_BYTES - beginning.len();
        match piece.get(..room) {
            Some(fitting) => return beginning.extend_from_slice(fitting),
            None => beginning.extend_from_slice(&piece),
        }
    }
}
