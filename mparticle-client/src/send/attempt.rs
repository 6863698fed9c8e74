//! One exchange with the server: first the head of the response, which determines the next step, then its body.

use crate::transport::{ResponseBody, Transport, TransportError, TransportErrorKind};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http::{Request, Response, StatusCode};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The maximum number of bytes of a response body that are read.
const BODY_BYTES: usize = 64 * 1024;
/// The time limit for reading the body of a 2xx response. Its content is not used, but the connection can be reused
/// once the body has been read.
const DRAIN_TIME: Duration = Duration::from_secs(1);
/// The time limit for reading the body of any other response. Only the status determines the next step.
const READ_TIME: Duration = Duration::from_secs(5);

/// Sends a request and waits for the head of the response, until `deadline`.
pub(super) async fn exchange(
    transport: &dyn Transport,
    request: Request<Bytes>,
    deadline: Instant,
) -> Result<Response<ResponseBody>, TransportError> {
    // The I/O driver can now report that the server has closed an idle connection, which is then not used again.
    tokio::task::yield_now().await;
    timeout_at(deadline, transport.send(request))
        .await
        .map_err(|elapsed| TransportError::new(TransportErrorKind::Timeout, elapsed))?
}

/// Reads the beginning of a body. A body that is too slow, too long or broken is truncated.
pub(super) async fn read_body(
    mut body: ResponseBody,
    status: StatusCode,
    deadline: Instant,
) -> Bytes {
    let time = if status.is_success() { DRAIN_TIME } else { READ_TIME };
    let mut beginning = BytesMut::new();
    let read = async {
        while let Some(Ok(piece)) = body.next().await {
            let free = BODY_BYTES - beginning.len();
            match piece.get(..free) {
                Some(fitting) => return beginning.extend_from_slice(fitting),
                None => beginning.extend_from_slice(&piece),
            }
        }
    };
    let _ = timeout_at(deadline.min(Instant::now() + time), read).await;
    beginning.freeze()
}
