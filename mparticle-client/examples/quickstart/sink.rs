//! A server on a loopback address that hands out what it receives and always gives the same answer.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::thread;

/// The server. It runs as long as the process.
pub(crate) struct Sink {
    /// Its base URL.
    pub(crate) url: String,
    /// Every request, in order.
    pub(crate) received: Receiver<Received>,
}

/// A request.
pub(crate) struct Received {
    /// The request line and the headers, up to and including the empty line.
    pub(crate) head: String,
    /// The body.
    pub(crate) body: String,
}

impl Sink {
    /// Starts a server that answers with this status, such as `202 Accepted`, and body.
    pub(crate) fn start(status: &str, body: &str) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}", listener.local_addr()?);
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
        );
        let (sender, received) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if let Ok(request) = serve(stream, &answer) {
                    let _ = sender.send(request);
                }
            }
        });
        Ok(Self { url, received })
    }
}

fn serve(stream: TcpStream, answer: &str) -> io::Result<Received> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok());
    let mut body = String::new();
    reader.by_ref().take(length.unwrap_or(0)).read_to_string(&mut body)?;
    reader.into_inner().write_all(answer.as_bytes())?;
    Ok(Received { head, body })
}
