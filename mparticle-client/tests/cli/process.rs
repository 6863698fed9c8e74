//! The command as a process.

use mparticle_client::Credentials;
use mparticle_client::testing::{Emulator, EmulatorBuilder};
use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

pub(crate) const KEY: &str = "k-4711";
pub(crate) const SECRET: &str = "s-0815";

/// What a process printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let ended =
            Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) };
        for text in [&ended.out, &ended.err] {
            assert!(!text.contains(SECRET), "the secret leaks: {text}");
            assert!(!text.contains('\x1b'), "escape codes in a pipe: {text}");
        }
        ended
    }
}

impl Ended {
    /// Checks how the process ended, and returns it.
    #[track_caller]
    pub(crate) fn with_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub(crate) fn prints(&self, wanted: &[&str]) {
        for text in wanted {
            assert!(self.out.contains(text), "no {text:?} in:\n{}\n{}", self.out, self.err);
        }
    }

    #[track_caller]
    pub(crate) fn complains(&self, wanted: &[&str]) {
        for text in wanted {
            assert!(self.err.contains(text), "no {text:?} in:\n{}\n{}", self.err, self.out);
        }
    }
}

/// The command without any of the variables that it reads.
pub(crate) fn mparticle() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mparticle"));
    for variable in ["API_KEY", "API_SECRET", "BASE_URL", "POD", "DISABLED"] {
        command.env_remove(format!("MPARTICLE_{variable}"));
    }
    for variable in ["NO_COLOR", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        command.env_remove(variable);
    }
    command
}

/// `mparticle upload` to an emulator.
pub(crate) fn upload(emulator: &Emulator) -> Command {
    upload_to(emulator.base_url())
}

pub(crate) fn upload_to(base_url: &str) -> Command {
    let mut command = mparticle();
    command.arg("upload").env("MPARTICLE_API_KEY", KEY).env("MPARTICLE_API_SECRET", SECRET);
    command.env("MPARTICLE_BASE_URL", base_url);
    command
}

pub(crate) fn emulator_builder() -> EmulatorBuilder {
    Emulator::builder().credentials(Credentials::new(KEY, SECRET))
}

pub(crate) async fn emulator() -> Emulator {
    emulator_builder().start().await.unwrap()
}

/// Runs a process while this runtime keeps serving.
pub(crate) async fn run(mut command: Command) -> Ended {
    tokio::task::spawn_blocking(move || command.output().unwrap().into()).await.unwrap()
}

/// Uploads a file with options.
pub(crate) async fn upload_file(emulator: &Emulator, file: &Path, options: &[&str]) -> Ended {
    let mut command = upload(emulator);
    command.args(options).arg(file);
    run(command).await
}

/// Runs a process with some text as its standard input.
pub(crate) async fn run_with_input(mut command: Command, input: impl AsRef<[u8]>) -> Ended {
    let mut child = start(&mut command);
    let input = input.as_ref().to_vec();
    let mut pipe = child.stdin.take().unwrap();
    tokio::task::spawn_blocking(move || {
        // The process may end before it has read everything.
        let writing = std::thread::spawn(move || _ = pipe.write_all(&input));
        let ended = child.wait_with_output().unwrap().into();
        writing.join().unwrap();
        ended
    })
    .await
    .unwrap()
}

pub(crate) fn start(command: &mut Command) -> Child {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits for a process that was started.
pub(crate) async fn end(child: Child) -> Ended {
    tokio::task::spawn_blocking(|| child.wait_with_output().unwrap().into()).await.unwrap()
}

/// Sends a signal to a process.
#[cfg(unix)]
pub(crate) fn signal(child: &Child, name: &str) {
    let arguments = [OsStr::new(name), OsStr::new(&child.id().to_string())].map(OsStr::to_owned);
    assert!(Command::new("kill").args(arguments).status().unwrap().success());
}
