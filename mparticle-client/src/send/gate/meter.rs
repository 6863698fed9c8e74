//! How fast requests are sent while nothing holds them back.

use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// What is counted together.
const WINDOW: Duration = Duration::from_secs(1);
/// How long a window counts after its end.
const MEMORY: Duration = Duration::from_secs(10);

/// Counts requests in windows of a second, of which the first begins with a request.
///
/// The rate is the mean of the recent windows in which anything was sent. Idle time is left out: who sends a hundred
/// requests at once and then none for an hour sends a hundred per second as far as a rate limit is concerned. A sender
/// of less than one per second is taken for one of one per second. Counts are whole numbers, so a request that is
/// cancelled can be taken out without a trace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Meter {
    full: VecDeque<Window>,
    current: Option<Window>,
    interrupted: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Window {
    start: Instant,
    sent: u32,
}

/// What a request was counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Count {
    window: Instant,
}

impl Meter {
    /// Counts a request.
    pub(super) fn count(&mut self, now: Instant) -> Count {
        self.advance(now);
        let start = self.next_start(now);
        let window = self.current.get_or_insert(Window { start, sent: 0 });
        window.sent = window.sent.saturating_add(1);
        Count { window: window.start }
    }

    /// When a window begins that has to hold this moment: where the last one ended, if requests follow each other
    /// without a gap.
    fn next_start(&self, now: Instant) -> Instant {
        let end = self.full.back().and_then(|last| last.start.checked_add(WINDOW));
        end.filter(|end| now.saturating_duration_since(*end) < WINDOW)
            .filter(|end| self.interrupted.is_none_or(|interrupted| interrupted <= *end))
            .unwrap_or(now)
    }

    /// Takes a request out that was cancelled.
    pub(super) fn forget(&mut self, count: Count) {
        let mut windows = self.full.iter_mut().chain(&mut self.current);
        if let Some(window) = windows.find(|window| window.start == count.window) {
            window.sent = window.sent.saturating_sub(1);
        }
        self.full.retain(|window| window.sent > 0);
        self.current = self.current.filter(|window| window.sent > 0);
    }

    /// Drops the window that is not full, because what follows is held back.
    pub(super) fn interrupt(&mut self, now: Instant) {
        self.advance(now);
        self.current = None;
        self.interrupted = Some(now);
    }

    /// Requests per second, as soon as a full second was measured.
    pub(super) fn rate(&mut self, now: Instant) -> Option<f64> {
        self.advance(now);
        let windows = u32::try_from(self.full.len()).ok().filter(|windows| *windows > 0)?;
        let sent: f64 = self.full.iter().map(|window| f64::from(window.sent)).sum();
        Some(sent / f64::from(windows))
    }

    /// Requests per second, estimated from what there is of the first second if need be.
    pub(super) fn rate_so_far(&mut self, now: Instant) -> Option<f64> {
        self.rate(now).or_else(|| self.current.map(|window| f64::from(window.sent)))
    }

    /// Ends the current window when it is full, and forgets old ones.
    pub(super) fn advance(&mut self, now: Instant) {
        if let Some(current) = self.current {
            if now.saturating_duration_since(current.start) >= WINDOW {
                self.full.push_back(current);
                self.current = None;
            }
        }
        let is_old =
            |window: &Window| now.saturating_duration_since(window.start) > WINDOW + MEMORY;
        while self.full.front().is_some_and(is_old) {
            self.full.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Requests at these milliseconds, seen at the last number.
    fn metered(sent: impl IntoIterator<Item = u64>, seen: u64) -> (Option<f64>, Option<f64>) {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut meter = Meter::default();
        for ms in sent {
            meter.count(at(ms));
        }
        (meter.rate(at(seen)), meter.rate_so_far(at(seen)))
    }

    #[test]
    fn the_rate_is_the_mean_of_the_busy_seconds() {
        let every = |step: usize, until: u64| (0..until).step_by(step).collect::<Vec<_>>();
        let table = [
            ("nothing", vec![], 0, None, None),
            ("one", vec![0], 0, None, Some(1.0)),
            ("a burst that still lasts", vec![0; 500], 50, None, Some(500.0)),
            ("a burst that is over", vec![0; 500], 1000, Some(500.0), Some(500.0)),
            ("every 100 ms for a second", every(100, 1000), 1000, Some(10.0), Some(10.0)),
            ("every 100 ms for long", every(100, 60_000), 60_000, Some(10.0), Some(10.0)),
            ("every 4 ms", every(4, 8_000), 7_999, Some(250.0), Some(250.0)),
            ("every 400 ms", every(400, 8_000), 8_000, Some(2.5), Some(2.5)),
            ("every 3 s", every(3_000, 9_000), 8_000, Some(1.0), Some(1.0)),
            (
                "bursts of 30 every 5 s",
                [[0; 30], [5_000; 30]].concat(),
                6_000,
                Some(30.0),
                Some(30.0),
            ),
            (
                "faster in the end",
                [every(100, 2_000), (2_000..3_000).step_by(25).collect()].concat(),
                3_000,
                Some(20.0),
                Some(20.0),
            ),
            ("long ago", vec![0; 50], 11_001, None, None),
            ("as long ago as counts", vec![0; 50], 11_000, Some(50.0), Some(50.0)),
        ];
        for (case, sent, seen, rate, so_far) in table {
            assert_eq!(metered(sent, seen), (rate, so_far), "{case}");
        }
    }

    #[test]
    fn an_interrupted_second_does_not_count() {
        let start = Instant::now();
        let mut meter = Meter::default();
        for _ in 0..40 {
            meter.count(start);
        }
        for _ in 0..3 {
            meter.count(start + WINDOW);
        }
        meter.interrupt(start + WINDOW * 3 / 2);
        assert_eq!(meter.rate(start + WINDOW * 3 / 2), Some(40.0));
        for _ in 0..20 {
            meter.count(start + WINDOW * 7 / 4);
        }
        assert_eq!(
            meter.rate(start + WINDOW * 9 / 4),
            Some(40.0),
            "a second from the first request on"
        );
        assert_eq!(meter.rate(start + WINDOW * 11 / 4), Some(30.0));
    }

    #[test]
    fn what_is_forgotten_was_never_counted() {
        let start = Instant::now();
        let mut meter = Meter::default();
        let empty = meter.clone();
        let counts =
            [0, 1, 999, 1000, 1500].map(|ms| meter.count(start + Duration::from_millis(ms)));
        assert_eq!(meter.rate(start + 2 * WINDOW), Some(2.5));
        for (count, rate) in
            counts.into_iter().zip([Some(2.0), Some(1.5), Some(2.0), Some(1.0), None])
        {
            meter.forget(count);
            assert_eq!(meter.rate(start + 2 * WINDOW), rate);
        }
        assert_eq!(meter, empty);
    }
}
