//! Shows how far an upload has come: a bar on a terminal, lines elsewhere.

use super::reader::lock;
use super::state::{Counts, State};
use crate::output;
use crate::text::{duration, number};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use mparticle_client::RateLimiter;
use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How often the bar is drawn.
const DRAW_EVERY: Duration = Duration::from_millis(100);

/// What is shown at one moment.
#[derive(Clone, Debug, Default)]
struct Snapshot {
    counts: Counts,
    elapsed: Duration,
    /// How much of the file is read, and its size.
    position: u64,
    size: Option<u64>,
    waiting: Option<String>,
}

/// Where the progress is shown.
#[derive(Clone, Debug)]
pub(super) enum Display {
    Bar(ProgressBar),
    Lines { every: Duration },
}

impl Display {
    /// A bar if standard error is a terminal that can draw one.
    pub(super) fn new(size: Option<u64>, every: Duration) -> Self {
        let term = std::env::var("TERM").unwrap_or_default();
        if !shows_bar(io::stderr().is_terminal(), &term) {
            return Self::Lines { every };
        }
        let template =
            if size.is_some() { "[{bar:30}] {percent} %  {msg}" } else { "{spinner} {msg}" };
        let bar = ProgressBar::with_draw_target(size, ProgressDrawTarget::stderr());
        // The template is a constant without mistakes.
        let style = ProgressStyle::with_template(template);
        Self::Bar(bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())))
    }

    /// Prints a line.
    pub(super) fn note(&self, text: &str) {
        match self {
            Self::Bar(bar) => bar.suspend(|| output::note(text)),
            Self::Lines { .. } => output::note(text),
        }
    }

    pub(super) fn finish(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }

    /// Shows the progress until the future is dropped.
    pub(super) async fn run(
        &self,
        state: Arc<Mutex<State>>,
        position: Arc<AtomicU64>,
        size: Option<u64>,
        limiter: RateLimiter,
    ) {
        let started = Instant::now();
        let every = match self {
            Self::Bar(_) => DRAW_EVERY,
            Self::Lines { every } => *every,
        };
        loop {
            tokio::time::sleep(every).await;
            let closed_for = limiter.snapshot().closed_for;
            let rate_limit = || {
                let wait = duration(closed_for);
                (!closed_for.is_zero()).then(|| format!("mParticle's rate limit, {wait}"))
            };
            let snapshot = {
                let state = lock(&state);
                Snapshot {
                    counts: state.counts,
                    elapsed: started.elapsed(),
                    position: position.load(Ordering::Relaxed),
                    size,
                    waiting: state.outage.clone().or_else(rate_limit),
                }
            };
            match self {
                Self::Bar(bar) => {
                    bar.set_position(snapshot.position);
                    bar.set_message(snapshot.line());
                }
                Self::Lines { .. } => output::note(snapshot.line()),
            }
        }
    }
}

fn shows_bar(is_terminal: bool, term: &str) -> bool {
    is_terminal && term != "dumb"
}

impl Snapshot {
    fn line(&self) -> String {
        let Counts { delivered, failed, .. } = self.counts;
        let seconds = self.elapsed.as_secs().max(1);
        let line = format!(
            "{} delivered, {} failed, {}/s",
            number(delivered),
            number(failed),
            number(delivered / seconds)
        );
        let left = self.left().map(|left| format!(", about {} left", duration(left)));
        let waiting = self.waiting.as_ref().map(|why| format!("; waiting: {why}"));
        line + &left.unwrap_or_default() + &waiting.unwrap_or_default()
    }

    /// The time that is left, as far as the part of the file that was read tells.
    fn left(&self) -> Option<Duration> {
        let size = self.size.filter(|size| self.position > 0 && *size > self.position)?;
        let elapsed = u64::try_from(self.elapsed.as_millis()).unwrap_or(u64::MAX);
        let left = u128::from(elapsed) * u128::from(size - self.position);
        let left = left.checked_div(u128::from(self.position))?;
        u64::try_from(left).ok().map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::{Counts, Snapshot, shows_bar};
    use std::time::Duration;

    #[test]
    fn a_bar_is_for_terminals_that_can_draw() {
        assert!(shows_bar(true, "xterm-256color"));
        assert!(!shows_bar(true, "dumb"));
        assert!(!shows_bar(false, "xterm"));
    }

    #[test]
    fn a_line_has_rate_estimate_and_the_reason_of_waiting() {
        let counts = Counts { delivered: 12_345, failed: 3, ..Counts::default() };
        let elapsed = Duration::from_secs(10);
        let mut snapshot = Snapshot { counts, elapsed, ..Snapshot::default() };
        assert_eq!(snapshot.line(), "12,345 delivered, 3 failed, 1,234/s");
        snapshot.position = 25;
        snapshot.size = Some(100);
        snapshot.waiting = Some("no connection".into());
        let line = "12,345 delivered, 3 failed, 1,234/s, about 30 s left; waiting: no connection";
        assert_eq!(snapshot.line(), line);
    }
}
