//! The output of a subscriber in a test.

use std::io::{self, Write};
use std::sync::{Arc, LazyLock, Mutex};
use tracing::Dispatch;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::{DefaultGuard, NoSubscriber};
use tracing_subscriber::fmt::SubscriberBuilder;
use tracing_subscriber::fmt::format::{DefaultFields, Format};

/// A second subscriber that lives as long as the program.
///
/// When a call site is first reached, `tracing` stores who is interested in it. If only one subscriber exists, `tracing`
/// asks that of the current thread alone. A test without a subscriber that comes first would switch the call site off.
static SECOND_SUBSCRIBER: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(NoSubscriber::new()));

/// A subscriber before it is built.
pub(crate) type Subscriber = SubscriberBuilder<DefaultFields, Format, LevelFilter>;

/// Everything that was logged, as text.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Captures what this thread logs at INFO and above, until the guard is dropped.
    #[allow(dead_code, reason = "not every test program uses it")]
    pub(crate) fn capture() -> (Self, DefaultGuard) {
        Self::capture_with(|subscriber| subscriber.with_max_level(LevelFilter::INFO))
    }

    /// Captures what this thread logs with a subscriber that `adapt` configures, until the guard is dropped.
    pub(crate) fn capture_with(
        adapt: impl FnOnce(Subscriber) -> Subscriber,
    ) -> (Self, DefaultGuard) {
        LazyLock::force(&SECOND_SUBSCRIBER);
        let log = Self::default();
        let writer = log.clone();
        let subscriber = adapt(tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE))
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
