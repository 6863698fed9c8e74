//! Tests of the line in front of the gate, under paused time.

use super::{Pass, RateLimiter, Shut};
use crate::send::headers::Limit;
use futures_util::FutureExt;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

/// Waiters at a gate, numbered in the order in which they came.
struct Line {
    gate: RateLimiter,
    sender: UnboundedSender<(usize, Result<Pass, Shut>)>,
    receiver: UnboundedReceiver<(usize, Result<Pass, Shut>)>,
    waiters: Vec<JoinHandle<()>>,
}

impl Line {
    fn new(gate: &RateLimiter) -> Self {
        let (sender, receiver) = unbounded_channel();
        Self { gate: gate.clone(), sender, receiver, waiters: Vec::new() }
    }

    /// Lets so many more come, one after the other.
    async fn come(&mut self, number: usize, deadline: Option<Instant>) {
        for _ in 0..number {
            let (gate, sender, name) = (self.gate.clone(), self.sender.clone(), self.waiters.len());
            self.waiters.push(tokio::spawn(async move {
                let entry = gate.enter(deadline).await;
                let _closed = sender.send((name, entry));
            }));
            settled().await;
        }
    }

    /// Those who got through, or were turned away, by now.
    async fn through(&mut self) -> Vec<(usize, Result<Pass, Shut>)> {
        settled().await;
        std::iter::from_fn(|| self.receiver.try_recv().ok()).collect()
    }

    async fn passed(&mut self) -> (Vec<usize>, Vec<Pass>) {
        self.through().await.into_iter().map(|(name, entry)| (name, entry.unwrap())).unzip()
    }

    async fn cancel(&mut self, name: usize) {
        self.waiters[name].abort();
        settled().await;
    }
}

/// Lets every task run that can, without any time passing.
async fn settled() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

async fn close(gate: &RateLimiter, wait: Duration) {
    gate.enter(None).await.unwrap().limited(Limit::Speed, Instant::now() + wait);
}

#[tokio::test(start_paused = true)]
async fn an_open_gate_lets_everyone_through_at_once() {
    let gate = RateLimiter::default();
    let start = Instant::now();
    let mut passes = Vec::new();
    for _ in 0..1_000 {
        passes.push(gate.enter(Some(start)).await.unwrap());
    }
    assert_eq!(Instant::now(), start);
}

#[tokio::test(start_paused = true)]
async fn after_one_429_one_goes_first_and_then_twice_as_many_with_each_success_in_order() {
    let gate = RateLimiter::default();
    let start = Instant::now();
    close(&gate, 5 * SECOND).await;
    let mut line = Line::new(&gate);
    line.come(200, None).await;
    assert!(line.passed().await.0.is_empty());
    sleep(Duration::from_millis(4_999)).await;
    assert!(line.passed().await.0.is_empty());
    sleep(Duration::from_millis(2)).await;
    let (mut names, mut passes) = line.passed().await;
    for expected in [1, 2, 4, 8, 16, 32] {
        assert_eq!(passes.len(), expected);
        passes.remove(0).accepted(None);
        let (more_names, more) = line.passed().await;
        names.extend(more_names);
        passes.extend(more);
    }
    assert_eq!(names, (0..200).collect::<Vec<_>>());
    assert_eq!((Instant::now() - start).as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn nobody_overtakes_the_line() {
    let gate = RateLimiter::default();
    close(&gate, SECOND).await;
    let mut line = Line::new(&gate);
    line.come(3, None).await;
    sleep(2 * SECOND).await;
    let (names, mut passes) = line.passed().await;
    assert_eq!(names, [0]);
    line.come(1, None).await;
    passes.remove(0).accepted(None);
    assert!(gate.enter(None).now_or_never().is_none(), "the line did not have its turn yet");
    let (names, passes) = line.passed().await;
    assert_eq!(names, [1, 2]);
    drop(passes);
    assert_eq!(line.passed().await.0, [3]);
}

#[tokio::test(start_paused = true)]
async fn who_is_cancelled_in_the_line_leaves_it_to_the_others() {
    // The head, one in the middle, the last, and all but the last.
    for (cancelled, first) in [(0..1, 0), (1..2, 0), (3..4, 0), (0..3, 3)] {
        let gate = RateLimiter::default();
        close(&gate, SECOND).await;
        let mut line = Line::new(&gate);
        line.come(4, None).await;
        let first = if cancelled.contains(&first) { cancelled.end } else { first };
        for name in cancelled.clone() {
            line.cancel(name).await;
        }
        sleep(2 * SECOND).await;
        let (names, mut passes) = line.passed().await;
        assert_eq!(names, [first], "{cancelled:?}");
        let mut left: Vec<usize> = (0..4).filter(|name| !cancelled.contains(name)).collect();
        left.retain(|name| *name != first);
        while let Some(pass) = passes.pop() {
            pass.accepted(None);
            let (names, more) = line.passed().await;
            left.retain(|name| !names.contains(name));
            passes.extend(more);
        }
        assert!(left.is_empty(), "{cancelled:?} left {left:?}");
        assert!(!gate.lock().has_line());
    }
}

#[tokio::test(start_paused = true)]
async fn when_the_whole_line_is_cancelled_the_gate_is_as_before() {
    let gate = RateLimiter::default();
    close(&gate, SECOND).await;
    let before = gate.lock().clone();
    let mut line = Line::new(&gate);
    line.come(20, None).await;
    assert_ne!(*gate.lock(), before);
    for name in 0..20 {
        line.cancel(name).await;
    }
    assert_eq!(*gate.lock(), before);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_probe_makes_the_next_in_line_the_probe() {
    let gate = RateLimiter::default();
    close(&gate, SECOND).await;
    let mut line = Line::new(&gate);
    line.come(4, None).await;
    sleep(2 * SECOND).await;
    for name in 0..3 {
        let (names, probe) = line.passed().await;
        assert_eq!(names, [name]);
        drop(probe);
    }
    let (names, mut probe) = line.passed().await;
    assert_eq!(names, [3]);
    probe.remove(0).failed();
    assert!(gate.enter(None).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_limited_closes_the_gate_again() {
    let gate = RateLimiter::default();
    close(&gate, SECOND).await;
    let mut line = Line::new(&gate);
    line.come(3, None).await;
    sleep(2 * SECOND).await;
    let (_, mut probe) = line.passed().await;
    let until = Instant::now() + 4 * SECOND;
    probe.remove(0).limited(Limit::Speed, until);
    sleep(3 * SECOND).await;
    assert!(line.passed().await.0.is_empty());
    sleep(2 * SECOND).await;
    assert_eq!(line.passed().await.0, [1]);
}

#[tokio::test(start_paused = true)]
async fn the_longest_closing_wins() {
    let gate = RateLimiter::default();
    let start = Instant::now();
    let [first, second, third] =
        [gate.enter(None).await, gate.enter(None).await, gate.enter(None).await];
    first.unwrap().limited(Limit::Speed, start + 3 * SECOND);
    second.unwrap().limited(Limit::Speed, start + 9 * SECOND);
    third.unwrap().limited(Limit::Speed, start + SECOND);
    let _pass = gate.enter(None).await.unwrap();
    let waited = Instant::now() - start;
    assert!(waited >= 9 * SECOND && waited < 9 * SECOND + Duration::from_millis(2), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn who_cannot_wait_as_long_is_told_at_once() {
    let gate = RateLimiter::default();
    let start = Instant::now();
    close(&gate, 30 * SECOND).await;
    sleep(5 * SECOND).await;
    let now = Instant::now();
    let shut = gate.enter(Some(start + 29 * SECOND)).await.unwrap_err();
    assert_eq!((shut.retry_after, Instant::now()), (start + 30 * SECOND - now, now));
    assert!(!gate.lock().has_line());
    assert!(gate.enter(Some(start + 31 * SECOND)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_longer_closing_turns_away_at_once_those_in_line_who_cannot_wait_as_long() {
    let gate = RateLimiter::default();
    let start = Instant::now();
    let under_way = gate.enter(None).await.unwrap();
    close(&gate, 5 * SECOND).await;
    let mut line = Line::new(&gate);
    line.come(2, Some(start + 10 * SECOND)).await;
    line.come(1, Some(start + 60 * SECOND)).await;
    line.come(1, Some(start + 10 * SECOND)).await;
    line.come(1, None).await;
    under_way.limited(Limit::Speed, start + 20 * SECOND);
    let mut away: Vec<_> = line
        .through()
        .await
        .into_iter()
        .map(|(name, entry)| (name, entry.unwrap_err().retry_after))
        .collect();
    away.sort_unstable();
    assert_eq!(Instant::now(), start);
    assert_eq!(away, [(0, 20 * SECOND), (1, 20 * SECOND), (3, 20 * SECOND)]);
    sleep(21 * SECOND).await;
    assert_eq!(line.passed().await.0, [2]);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_an_answer_leaves_at_the_deadline() {
    let gate = RateLimiter::default();
    close(&gate, SECOND).await;
    let probe = gate.enter(None).await.unwrap();
    let start = Instant::now();
    let mut line = Line::new(&gate);
    line.come(1, Some(start + 3 * SECOND)).await;
    line.come(1, None).await;
    line.come(1, Some(start + 3 * SECOND)).await;
    sleep(3 * SECOND + Duration::from_millis(2)).await;
    let away: Vec<_> =
        line.through().await.into_iter().map(|(_, entry)| entry.unwrap_err()).collect();
    assert_eq!(away, [Shut { retry_after: Duration::ZERO }; 2]);
    probe.accepted(None);
    assert_eq!(line.passed().await.0, [1]);
    assert!(!gate.lock().has_line());
    assert!(gate.enter(None).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_an_answer_as_the_first_in_line_leaves_at_the_deadline() {
    let gate = RateLimiter::default();
    close(&gate, SECOND).await;
    let _probe = gate.enter(None).await.unwrap();
    let start = Instant::now();
    let shut = gate.enter(Some(start + 3 * SECOND)).await.unwrap_err();
    assert_eq!(shut.retry_after, Duration::ZERO);
    assert!(start.elapsed() < 4 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_pass_leaves_the_gate_as_it_was() {
    let gate = RateLimiter::default();
    let before = gate.lock().clone();
    drop(gate.enter(None).await);
    assert_eq!(*gate.lock(), before);
    close(&gate, SECOND).await;
    sleep(2 * SECOND).await;
    let before = gate.lock().clone();
    drop(gate.enter(None).await);
    assert_eq!(*gate.lock(), before);
}

#[tokio::test(start_paused = true)]
async fn one_gate_never_slows_another() {
    let (gate, other) = (RateLimiter::default(), RateLimiter::default());
    let clone = gate.clone();
    close(&gate, 60 * SECOND).await;
    let start = Instant::now();
    assert!(other.enter(Some(start)).await.is_ok());
    assert!(clone.enter(Some(start)).await.is_err());
    assert_eq!(Instant::now(), start);
}

#[tokio::test(start_paused = true)]
async fn paced_requests_go_one_by_one_and_at_once_when_the_pressure_is_gone() {
    let gate = RateLimiter::default();
    for _ in 0..20 {
        gate.enter(None).await.unwrap().accepted(None);
        sleep(Duration::from_millis(100)).await;
    }
    let held = gate.enter(None).await.unwrap();
    gate.enter(None).await.unwrap().accepted(Some(100.0));
    gate.enter(None).await.unwrap().accepted(Some(100.0));
    let start = Instant::now();
    let mut line = Line::new(&gate);
    line.come(9, None).await;
    for expected in [0, 1, 2] {
        let (names, passes) = line.passed().await;
        assert_eq!(names.len(), usize::from(expected > 0), "{names:?}");
        for pass in passes {
            pass.accepted(Some(100.0));
        }
        sleep(Duration::from_millis(401)).await;
    }
    assert!(Instant::now() - start < 2 * SECOND);
    let (_, passes) = line.passed().await;
    assert_eq!(passes.len(), 1);
    held.accepted(Some(20.0));
    assert_eq!(line.passed().await.0.len(), 6);
}

#[tokio::test(start_paused = true)]
async fn an_acceleration_limit_stops_nobody_else() {
    let gate = RateLimiter::default();
    let start = Instant::now();
    for _ in 0..20 {
        gate.enter(None).await.unwrap().accepted(None);
        sleep(Duration::from_millis(100)).await;
    }
    gate.enter(None).await.unwrap().limited(Limit::Acceleration, start + 600 * SECOND);
    let slowed = Instant::now();
    for _ in 0..11 {
        gate.enter(None).await.unwrap().accepted(None);
    }
    let taken = (Instant::now() - slowed).as_secs_f64();
    assert!((1.5..2.1).contains(&taken), "ten intervals at five to six per second took {taken} s");
}

#[tokio::test(start_paused = true)]
async fn a_waiting_future_that_is_dropped_frees_its_place() {
    let gate = RateLimiter::default();
    close(&gate, 10 * SECOND).await;
    for _ in 0..5 {
        assert!(timeout(SECOND, gate.enter(None)).await.is_err());
    }
    assert!(!gate.lock().has_line());
    assert!(timeout(6 * SECOND, gate.enter(None)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn debug_tells_how_long_it_is_closed_and_nothing_else() {
    let gate = RateLimiter::default();
    assert_eq!(format!("{gate:?}"), "RateLimiter { closed_for: 0ns, .. }");
    close(&gate, 3 * SECOND).await;
    assert_eq!(format!("{gate:?}"), "RateLimiter { closed_for: 3s, .. }");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn under_real_threads_nobody_is_forgotten() {
    let gate = RateLimiter::default();
    let tasks: Vec<_> = (0..400_u32)
        .map(|number| {
            let gate = gate.clone();
            tokio::spawn(async move {
                for round in 0..20 {
                    let pass = gate.enter(None).await.unwrap();
                    tokio::task::yield_now().await;
                    match (number + round) % 50 {
                        0 => pass.limited(Limit::Speed, Instant::now() + Duration::from_millis(2)),
                        1..5 => pass.failed(),
                        5..9 => drop(pass),
                        9 => {
                            let wait = Duration::from_micros(300);
                            pass.accepted(None);
                            let _entry_or_cancelled = timeout(wait, gate.enter(None)).await;
                        }
                        _ => pass.accepted(None),
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        timeout(60 * SECOND, task).await.unwrap().unwrap();
    }
    assert!(!gate.lock().has_line());
}
