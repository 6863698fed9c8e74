//! A real NATS server, on a free port and with a folder of its own.

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};
use tempfile::TempDir;

pub(crate) struct NatsServer {
    folder: TempDir,
    port: u16,
    arguments: Vec<String>,
    process: Child,
}

/// Returns the program, or prints that the test is skipped.
fn program() -> Option<PathBuf> {
    let named = env::var_os("NATS_SERVER").map(PathBuf::from);
    let program = named.clone().unwrap_or_else(|| "nats-server".into());
    let version = Command::new(&program).arg("--version").output();
    match version {
        Ok(_) => Some(program),
        Err(error) if named.is_some() => panic!("NATS_SERVER cannot be started: {error}"),
        Err(_) => {
            println!("skipped: there is no nats-server in PATH, and NATS_SERVER is not set");
            None
        }
    }
}

/// Whether the server is at least of version 2.11. Older ones lose acknowledged messages when a stream is full.
pub(crate) fn is_recent() -> bool {
    let Some(program) = program() else { return false };
    let version = Command::new(program).arg("--version").output().unwrap().stdout;
    let text = String::from_utf8(version).unwrap();
    let (_, version) = text.trim().rsplit_once('v').unwrap();
    let mut numbers = version.split('.').map(|part| part.parse::<u32>().unwrap_or_default());
    (numbers.next(), numbers.next()) >= (Some(2), Some(11))
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl NatsServer {
    pub(crate) fn start() -> Option<Self> {
        Self::start_with("")
    }

    /// Starts a server with further settings. Returns `None` if there is no server.
    pub(crate) fn start_with(config: &str) -> Option<Self> {
        Self::start_at(free_port(), config)
    }

    /// Starts three servers that form a cluster.
    pub(crate) fn cluster() -> Option<[Self; 3]> {
        let (ports, routes) = ([0; 3].map(|_| free_port()), [0; 3].map(|_| free_port()));
        let urls: Vec<_> = routes.iter().map(|port| format!("nats://127.0.0.1:{port}")).collect();
        let start = |index: usize| {
            let (listen, routes) = (routes[index], urls.join(", "));
            let config = format!(
                "server_name: s{index}\ncluster {{ name: c, listen: \"127.0.0.1:{listen}\", routes: [{routes}] }}\n"
            );
            Self::start_at(ports[index], &config)
        };
        Some([start(0)?, start(1)?, start(2)?])
    }

    fn start_at(port: u16, config: &str) -> Option<Self> {
        let program = program()?;
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store");
        let text = format!(
            "listen: \"127.0.0.1:{port}\"\njetstream {{ store_dir: \"{}\", max_file_store: 2GB }}\n{config}",
            store.display()
        );
        let path = folder.path().join("nats.conf");
        fs::write(&path, text).unwrap();
        let arguments =
            vec![program.display().to_string(), "-c".into(), path.display().to_string()];
        let process = spawn(&arguments);
        let server = Self { folder, port, arguments, process };
        server.wait_until_ready();
        Some(server)
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    pub(crate) fn urls(servers: &[Self]) -> Vec<String> {
        servers.iter().map(Self::url).collect()
    }

    /// Kills the server with SIGKILL, and starts it again with the same files.
    pub(crate) fn kill_and_start(&mut self) {
        self.kill();
        self.process = spawn(&self.arguments);
        self.wait_until_ready();
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub(crate) fn start_again(&mut self) {
        self.process = spawn(&self.arguments);
        self.wait_until_ready();
    }

    fn wait_until_ready(&self) {
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(start.elapsed() < Duration::from_secs(20), "{}", self.folder.path().display());
            thread::sleep(Duration::from_millis(20));
        }
    }
}

fn spawn(arguments: &[String]) -> Child {
    Command::new(&arguments[0])
        .args(&arguments[1..])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}
