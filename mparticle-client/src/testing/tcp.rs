//! The emulator's server on a loopback socket.

use super::reply::{Action, BodyAborted, Disconnect};
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

type Body = StreamBody<BoxStream<'static, Result<Frame<Bytes>, BodyAborted>>>;
type BoxError = Box<dyn Error + Send + Sync>;

/// A listening socket and its connections. Dropping it closes them.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) address: SocketAddr,
    task: JoinHandle<()>,
}

/// How a connection ends once the HTTP server has finished with it. It is set before each response is sent.
type PlannedDisconnect = Arc<Mutex<Disconnect>>;

impl Server {
    pub(super) async fn start(service: Arc<Service>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        Ok(Self { address, task: tokio::spawn(accept(listener, service)) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The task owns the connections, which are closed with it.
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
                // Most likely there is no free file descriptor, until another connection is closed.
                Err(_) => sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Serves one connection. Errors are ignored, because the client or a script caused them.
async fn serve(stream: TcpStream, service: Arc<Service>) {
    let _ = stream.set_nodelay(true);
    let planned = PlannedDisconnect::new(Mutex::new(Disconnect::Close));
    let http_service = service_fn(|request| {
        Box::pin(respond(request, Arc::clone(&service), Arc::clone(&planned)))
    });
    let mut connection = http1::Builder::new()
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(stream), http_service);
    let _ = poll_fn(|context| connection.poll_without_shutdown(context)).await;
    let stream = connection.into_parts().io.into_inner();
    let disconnect = std::mem::replace(&mut *lock(&planned), Disconnect::Close);
    let _ = end(stream, disconnect).await;
}

async fn end(mut stream: TcpStream, disconnect: Disconnect) -> io::Result<()> {
    match disconnect {
        Disconnect::Close => stream.shutdown().await,
        // Closing a socket with a linger time of zero resets the connection.
        Disconnect::Reset => stream.set_zero_linger(),
        Disconnect::SendRaw(bytes) => {
            stream.write_all(&bytes).await?;
            stream.shutdown().await
        }
    }
}

/// Answers one request. After an error hyper ends the connection without a response.
async fn respond(
    request: Request<Incoming>,
    service: Arc<Service>,
    planned: PlannedDisconnect,
) -> Result<Response<Body>, BoxError> {
    let answer = service.next_answer();
    let (head, incoming) = request.into_parts();
    let action = if answer.reads_body() {
        match Limited::new(incoming, MAX_BODY).collect().await {
            Ok(body) => service.respond(answer, Request::from_parts(head, body.to_bytes())).await,
            Err(error) if error.is::<LengthLimitError>() => Action::payload_too_large(),
            Err(error) => return Err(error),
        }
    } else {
        service.respond(answer, Request::from_parts(head, Bytes::new())).await
    };
    match action {
        Action::Respond(response) => {
            *lock(&planned) = response.body().disconnect();
            Ok(response.map(|body| {
                StreamBody::new(body.into_stream().map(|chunk| chunk.map(Frame::data)).boxed())
            }))
        }
        Action::Disconnect(disconnect) => {
            *lock(&planned) = disconnect;
            Err("no response, as scripted".into())
        }
        Action::Hang => pending().await,
    }
}

fn lock(planned: &PlannedDisconnect) -> MutexGuard<'_, Disconnect> {
    planned.lock().unwrap_or_else(PoisonError::into_inner)
}
