//! The emulator on a loopback socket.

use super::reply::{Act, BodyBroken, Ending, Reply};
use super::service::{MAX_BODY, Service};
use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt};
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, LengthLimitError, Limited, StreamBody};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::error::Error;
use std::future::{pending, poll_fn};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;

type Body = StreamBody<BoxStream<'static, Result<Frame<Bytes>, BodyBroken>>>;
type Cause = Box<dyn Error + Send + Sync>;

/// A listening socket and its connections, which end when it is dropped.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) address: SocketAddr,
    task: JoinHandle<()>,
}

/// What a connection does once HTTP has ended on it; it is set before the answer is given.
type PlannedEnding = Arc<Mutex<Ending>>;

impl Server {
    pub(super) async fn start(service: Arc<Service>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        Ok(Self { address, task: tokio::spawn(accept(listener, service)) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The task owns the connections, so they end with it.
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, service: Arc<Service>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(stream, Arc::clone(&service)));
                }
                // Out of file descriptors, most likely; others will be closed.
                Err(_) => sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Serves one connection. Failures are those of the client's side, or scripted ones.
async fn serve(stream: TcpStream, service: Arc<Service>) {
    let _ = stream.set_nodelay(true);
    let ending = PlannedEnding::new(Mutex::new(Ending::Close));
    let respond =
        service_fn(|request| Box::pin(respond(request, Arc::clone(&service), Arc::clone(&ending))));
    let mut connection = http1::Builder::new()
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(stream), respond);
    let _ = poll_fn(|context| connection.poll_without_shutdown(context)).await;
    let stream = connection.into_parts().io.into_inner();
    let ending = std::mem::replace(&mut *lock(&ending), Ending::Close);
    let _ = end(stream, ending).await;
}

async fn end(mut stream: TcpStream, ending: Ending) -> io::Result<()> {
    match ending {
        Ending::Close => stream.shutdown().await,
        // Closing a socket that lingers for no time resets the connection.
        Ending::Reset => stream.set_zero_linger(),
        Ending::Raw(bytes) => {
            stream.write_all(&bytes).await?;
            stream.shutdown().await
        }
    }
}

/// An error makes hyper give up the connection without an answer.
async fn respond(
    request: Request<Incoming>,
    service: Arc<Service>,
    ending: PlannedEnding,
) -> Result<Response<Body>, Cause> {
    let answer = service.next_answer();
    let (head, incoming) = request.into_parts();
    let act = if answer.reads_body() {
        match Limited::new(incoming, MAX_BODY).collect().await {
            Ok(body) => service.respond(answer, Request::from_parts(head, body.to_bytes())).await,
            Err(error) if error.is::<LengthLimitError>() => Reply::too_large().act,
            Err(error) => return Err(error),
        }
    } else {
        service.respond(answer, Request::from_parts(head, Bytes::new())).await
    };
    match act {
        Act::Respond(response) => {
            *lock(&ending) = response.body().ending();
            Ok(response.map(|content| {
                StreamBody::new(content.into_stream().map(|piece| piece.map(Frame::data)).boxed())
            }))
        }
        Act::Break(planned) => {
            *lock(&ending) = planned;
            Err("no answer, as scripted".into())
        }
        Act::Hang => pending().await,
    }
}

fn lock(ending: &PlannedEnding) -> MutexGuard<'_, Ending> {
    ending.lock().unwrap_or_else(PoisonError::into_inner)
}
