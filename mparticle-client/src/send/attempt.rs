//! One exchange with the server: first the head of the response, which decides what happens next, then its body.

use crate::transport::{ResponseBody, Transport, TransportError, TransportErrorKind};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http::{Request, Response, StatusCode};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How much of a response's body is read.
const BODY_BYTES: usize = 64 * 1024;
/// How long the body of a 2xx is waited for, so that the connection can be used again. Its content does not matter.
const DRAIN_TIME: Duration = Duration::from_secs(1);
/// How long the body of another status is waited for. The status alone decides what happens next.
const READ_TIME: Duration = Duration::from_secs(5);

/// Sends a request and waits for the head of the response, until `deadline`.
pub(super) async fn exchange(
    transport: &dyn Transport,
    request: Request<Bytes>,
    deadline: Instant,
) -> Result<Response<ResponseBody>, TransportError> {
    // Lets the I/O driver report that the server has closed an idle connection, so that it is not used again.
    tokio::task::yield_now().await;
    timeout_at(deadline, transport.send(request))
        .await
        .map_err(|elapsed| TransportError::new(TransportErrorKind::Timeout, elapsed))?
}

/// Reads the beginning of a body. A body that is late, too long or broken is cut.
pub(super) async fn read_body(
    mut body: ResponseBody,
    status: StatusCode,
    deadline: Instant,
) -> Bytes {
    let time = if status.is_success() { DRAIN_TIME } else { READ_TIME };
    let mut beginning = BytesMut::new();
    let read = async {
        while let Some(Ok(piece)) = body.next().await {
            let room = BODY_BYTES - beginning.len();
            match piece.get(..room) {
                Some(fitting) => return beginning.extend_from_slice(fitting),
                None => beginning.extend_from_slice(&piece),
            }
        }
    };
    let _ = timeout_at(deadline.min(Instant::now() + time), read).await;
    beginning.freeze()
}
