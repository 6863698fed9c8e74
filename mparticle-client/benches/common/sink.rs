//! A minimal server: it reads requests, answers with status 202, and stores nothing.
#![allow(dead_code, reason = "each benchmark starts it in one way")]

use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;

/// The variable that is set in the process of the server.
const SERVES: &str = "BENCHMARK_SERVES";

/// A server in its own process, whose CPU time is not measured. Dropping it ends the process.
pub(crate) struct Process {
    child: Child,
    pub(crate) url: String,
}

impl Process {
    /// Starts this program again. Its `main` has to call [`serve_if_child`] first.
    pub(crate) fn start() -> io::Result<Self> {
        let mut command = Command::new(env::current_exe()?);
        let mut child = command.env(SERVES, "1").stdout(Stdio::piped()).spawn()?;
        let mut url = String::new();
        if let Some(stdout) = &mut child.stdout {
            BufReader::new(stdout).read_line(&mut url)?;
        }
        Ok(Self { child, url: url.trim().to_owned() })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves until the process is killed, if [`Process::start`] has started it.
pub(crate) fn serve_if_child() -> io::Result<()> {
    if env::var_os(SERVES).is_some() {
        println!("{}", start()?);
        loop {
            thread::park();
        }
    }
    Ok(())
}

const ANSWER: &[u8] = b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n";

/// Starts the server on threads of this process and returns its URL.
pub(crate) fn start() -> io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}", listener.local_addr()?);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || serve(stream));
        }
    });
    Ok(url)
}

fn serve(stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::with_capacity(512 * 1024, stream);
    let mut line = String::new();
    let mut body = Vec::new();
    let mut length = 0;
    while reader.read_line(&mut line)? > 0 {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or_default();
        } else if line == "\r\n" {
            body.resize(length, 0);
            reader.read_exact(&mut body)?;
            writer.write_all(ANSWER)?;
            length = 0;
        }
        line.clear();
    }
    Ok(())
}
