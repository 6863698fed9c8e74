//! The upload of one input.

use super::checkpoint::{Checkpoint, Content, Header};
use super::done::Done;
use super::failed_file::{FailedFile, base_name};
use super::observer::Observer;
use super::options::{Age, Arguments, Options, Recent};
use super::pending_records::PendingRecords;
use super::progress::Display;
use super::reader::{Job, Reader, lock};
use super::state::{Route, State};
use super::stop::{Reason, Stop};
use super::summary::Summary;
use crate::failure::Failure;
use crate::input::{Input, Mapping, Namespace, Source};
use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use mparticle_client::{Client, Stopped, UploadReport};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::oneshot;

/// How long the requests in flight may take after Ctrl-C.
const GRACE_PERIOD: Duration = Duration::from_secs(1);

/// How long the thread that reads may take after the upload has ended. It may wait for standard input.
const READER_GRACE_PERIOD: Duration = Duration::from_millis(300);

pub(super) struct Run<'a> {
    pub(super) arguments: &'a Arguments,
    pub(super) mapping: Option<&'a Mapping>,
    pub(super) source: Source,
    pub(super) client: Client,
    pub(super) options: Arc<Options>,
    pub(super) stop: Stop,
}

/// What is known about an input before it is read.
struct Prepared {
    checkpoint: Option<Checkpoint>,
    failed_file: Option<FailedFile>,
    namespace: Namespace,
    done: Done,
    started: SystemTime,
}

/// The thread that reads, and what it feeds.
struct Reading {
    state: Arc<Mutex<State>>,
    routes: Vec<(Route, UnboundedReceiver<Job>)>,
    end: oneshot::Receiver<Result<(), Failure>>,
}

impl Run<'_> {
    /// Uploads the input, and adds its results to the summary.
    pub(super) async fn upload(self, summary: &mut Summary) -> Result<(), Failure> {
        let Some(mut input) = self.open().await? else { return Ok(()) };
        let prepared = self.prepare(&input)?;
        input.namespace = prepared.namespace;
        let display = Display::new(input.size, self.options.progress_every);
        let (position, size) = (Arc::clone(&input.position), input.size);
        let Reading { state, mut routes, end } = self.start_reading(input, prepared);

        let uploads = routes.iter_mut().map(|(route, jobs)| {
            self.upload_route(*route, jobs, Arc::clone(&state), display.clone())
        });
        let limiter = self.client.rate_limiter();
        let reports = tokio::select! {
            reports = join_all(uploads) => reports,
            () = self.interrupted() => Vec::new(),
            () = display.run(Arc::clone(&state), position, size, limiter) => Vec::new(),
        };
        display.finish();
        // Batches that no upload has pulled. The reader returns further ones itself.
        for (_, jobs) in &mut routes {
            jobs.close();
            while let Ok(job) = jobs.try_recv() {
                lock(&state).return_batch(job.span_id, *job.batch);
            }
        }
        let read = self.end_of_reading(end).await;
        let mut state = lock(&state);
        state.save();
        state.sync();
        let halted = stopped_because(&reports);
        let (reason, why) = match &read {
            Err(failure) => (Some(Reason::CannotRead), Some(failure.to_string())),
            Ok(()) => (self.stop.reason(), halted),
        };
        summary.add(&mut state, reason, why);
        read
    }

    /// Starts the thread that reads.
    fn start_reading(&self, input: Input, prepared: Prepared) -> Reading {
        let Prepared { checkpoint, failed_file, done, started, .. } = prepared;
        let pending = PendingRecords::starting_at(done.low);
        let state = State::new(self.source.name(), pending, checkpoint, failed_file);
        let state = Arc::new(Mutex::new(state));
        let (mut senders, mut routes) = (HashMap::new(), Vec::new());
        for route in routes_of(self.options.age) {
            let (sender, receiver) = unbounded_channel();
            senders.insert(*route, sender);
            routes.push((*route, receiver));
        }
        let reader = Reader {
            source: self.source.clone(),
            options: Arc::clone(&self.options),
            done,
            started,
            state: Arc::clone(&state),
            stop: self.stop.clone(),
            routes: senders,
            handle: tokio::runtime::Handle::current(),
        };
        let (report_end, end) = oneshot::channel();
        std::thread::spawn(move || _ = report_end.send(reader.run(input)));
        Reading { state, routes, end }
    }

    /// Returns how reading has ended, if it has.
    async fn end_of_reading(
        &self,
        end: oneshot::Receiver<Result<(), Failure>>,
    ) -> Result<(), Failure> {
        match tokio::time::timeout(READER_GRACE_PERIOD, end).await {
            Ok(Ok(result)) => result,
            // It may wait for standard input, and has nothing to report.
            _ if self.stop.reason().is_some() => Ok(()),
            _ => Err(Failure::new(format!("{}: reading ended unexpectedly", self.source.name()))),
        }
    }

    /// Opens the input. `None` if the user does not wait for its beginning.
    async fn open(&self) -> Result<Option<Input>, Failure> {
        let (source, mapping) = (self.source.clone(), self.mapping.cloned());
        let opening = tokio::task::spawn_blocking(move || source.open(mapping.as_ref()));
        tokio::select! {
            input = opening => match input {
                Ok(input) => input.map(Some),
                Err(error) => Err(Failure::new(format!("the input cannot be opened: {error}"))),
            },
            _ = self.stop.stopped() => Ok(None),
        }
    }

    /// Opens the checkpoint, and names the file of failures.
    fn prepare(&self, input: &Input) -> Result<Prepared, Failure> {
        let own = self.arguments.namespace.as_deref().map(Namespace::named);
        let namespace = own.unwrap_or(input.namespace);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let now = u64::try_from(now.as_millis()).unwrap_or_default();
        let header = Header::new(self.source.name(), namespace, now);
        let is_check = self.arguments.check;
        let (checkpoint, content) = match self.checkpoint_path().filter(|_| !is_check) {
            None => (None, Content { header, done: Done::default(), failed: None }),
            Some(path) => {
                let (checkpoint, content) = Checkpoint::open(&path, header)
                    .map_err(|failure| failure.with_hint("--checkpoint names another file"))?;
                if own.is_some_and(|own| own != content.header.namespace) {
                    let message = format!("{} was made with another --namespace", path.display());
                    return Err(Failure::new(message));
                }
                (Some(checkpoint), content)
            }
        };
        let Content { header: Header { namespace, started_unixtime_ms, .. }, done, failed } =
            content;
        let failed_file = if is_check { None } else { Some(self.failed_file(failed)?) };
        let started = SystemTime::UNIX_EPOCH + Duration::from_millis(started_unixtime_ms);
        Ok(Prepared { checkpoint, failed_file, namespace, done, started })
    }

    fn checkpoint_path(&self) -> Option<PathBuf> {
        let beside = || match &self.source {
            Source::File(path) => Some(with_suffix(path, ".checkpoint")),
            // What a pipe gives cannot be read again.
            Source::Pipe(_) | Source::StandardInput => None,
        };
        self.arguments.checkpoint.clone().or_else(beside)
    }

    fn failed_file(&self, earlier: Option<PathBuf>) -> Result<FailedFile, Failure> {
        let base = match &self.source {
            Source::File(path) => base_name(path),
            Source::Pipe(_) | Source::StandardInput => PathBuf::from("stdin"),
        };
        let own = self.arguments.failed.clone();
        if let Some(path) =
            own.as_ref().filter(|path| path.exists() && earlier != std::path::absolute(path).ok())
        {
            let message = format!("{} exists, and is not overwritten", path.display());
            return Err(Failure::new(message).with_hint("--failed names another file"));
        }
        Ok(FailedFile::new(base, own.or(earlier)))
    }

    async fn upload_route(
        &self,
        route: Route,
        jobs: &mut UnboundedReceiver<Job>,
        state: Arc<Mutex<State>>,
        display: Display,
    ) -> UploadReport {
        let stop = self.stop.clone();
        let observer = Observer { route, state: Arc::clone(&state), display, stop: stop.clone() };
        let batches = stream::poll_fn(|context| {
            jobs.poll_recv(context).map(|job| {
                let Job { batch, span_id, .. } = job?;
                lock(&state).pulled(route, span_id);
                Some(*batch)
            })
        });
        let until_stopped = self.stop.clone();
        let batches = batches.take_until(Box::pin(async move { until_stopped.stopped().await }));
        let upload = self
            .client
            .upload_all_stream(batches)
            .concurrency(self.options.concurrency)
            .max_wait(self.options.max_wait)
            .observer(observer);
        let report = match route {
            Route::Usual => upload.await,
            Route::Historical => upload.historical().await,
        };
        if report.stopped().is_some() {
            stop.stop(Reason::Halted);
        }
        report
    }

    /// Returns some time after Ctrl-C.
    async fn interrupted(&self) {
        if self.stop.stopped().await == Reason::Interrupted {
            tokio::time::sleep(GRACE_PERIOD).await;
        } else {
            std::future::pending::<()>().await;
        }
    }
}

/// The endpoints that an upload uses.
fn routes_of(age: Age) -> &'static [Route] {
    match age {
        Age::Any => &[Route::Usual],
        Age::Historical { recent: Recent::Report } => &[Route::Historical],
        Age::Historical { recent: Recent::Send } => &[Route::Historical, Route::Usual],
    }
}

fn stopped_because(reports: &[UploadReport]) -> Option<String> {
    let stopped = reports.iter().find_map(|report| Some((report.stopped()?, report.stop_error())));
    stopped.map(|(reason, error): (Stopped, _)| match error {
        Some(error) => format!("{reason}: {error:#}"),
        None => reason.to_string(),
    })
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
