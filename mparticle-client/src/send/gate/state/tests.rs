//! Tests of what the gate allows.

use super::{Entry, Flow, GateState, Permit};
use proptest::prelude::*;
use std::time::Duration;
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A gate and a clock.
struct Gate {
    state: GateState,
    now: Instant,
}

impl Gate {
    fn new() -> Self {
        Self { state: GateState::default(), now: Instant::now() }
    }

    fn poll(&mut self) -> Entry {
        self.state.poll(self.now, self.now)
    }

    fn enter(&mut self) -> Permit {
        match self.poll() {
            Entry::Now(permit) => permit,
            other => panic!("{other:?}"),
        }
    }

    /// Everyone who may enter now.
    fn enter_all(&mut self, most: usize) -> Vec<Permit> {
        let mut permits = Vec::new();
        while permits.len() < most {
            match self.poll() {
                Entry::Now(permit) => permits.push(permit),
                _ => break,
            }
        }
        permits
    }

    fn accept(&mut self, permit: Permit, used: Option<f64>) {
        self.state.accepted(permit, used, self.now);
    }

    fn close(&mut self, wait: Duration) {
        let permit = self.enter();
        self.state.closed(permit, self.now + wait, self.now);
    }

    /// Sends a request at each interval for so many seconds, all of them accepted.
    fn send_steadily(&mut self, interval: Duration, seconds: u32) {
        let end = self.now + seconds * SECOND;
        while self.now < end {
            let permit = self.enter();
            self.accept(permit, None);
            self.now += interval;
        }
    }

    /// How long a request waits that comes first in line now, and then is accepted.
    fn wait(&mut self, used: Option<f64>) -> Duration {
        let since = self.now;
        loop {
            match self.state.poll(self.now, since) {
                Entry::Now(permit) => {
                    self.accept(permit, used);
                    return self.now - since;
                }
                Entry::At(at) => self.now = at,
                Entry::AfterAnAnswer => panic!("nothing is under way"),
            }
        }
    }
}

#[test]
fn an_open_gate_lets_everyone_in() {
    let mut gate = Gate::new();
    assert_eq!(gate.enter_all(10_000).len(), 10_000);
    assert_eq!(gate.state.closed_for(gate.now), Duration::ZERO);
}

#[test]
fn a_closed_gate_lets_one_in_at_its_time_and_then_twice_as_many_with_each_success() {
    let mut gate = Gate::new();
    gate.close(SECOND);
    let opens = gate.now + SECOND;
    assert_eq!(gate.poll(), Entry::At(opens));
    gate.now = opens - Duration::from_nanos(1);
    assert_eq!(gate.poll(), Entry::At(opens));
    gate.now = opens;
    let mut under_way = gate.enter_all(1_000);
    for allowance in [1, 2, 4, 8, 16, 32] {
        assert_eq!(under_way.len(), allowance);
        assert_eq!(gate.poll(), Entry::AfterAnAnswer);
        let permit = under_way.pop().unwrap();
        gate.accept(permit, None);
        under_way.extend(gate.enter_all(1_000));
    }
    assert_eq!(gate.state.flow, Flow::Open);
    assert_eq!(under_way.len(), 31 + 1_000);
}

#[test]
fn the_longest_closing_counts() {
    let table: &[(&[u64], u64)] =
        &[(&[5], 5), (&[5, 9], 9), (&[9, 5], 9), (&[9, 0], 9), (&[3, 9, 5, 1], 9), (&[0], 0)];
    for (seconds, expected) in table {
        let mut gate = Gate::new();
        let permits = gate.enter_all(seconds.len());
        for (permit, seconds) in permits.into_iter().zip(*seconds) {
            gate.state.closed(permit, gate.now + Duration::from_secs(*seconds), gate.now);
        }
        assert_eq!(gate.state.closed_for(gate.now), Duration::from_secs(*expected), "{seconds:?}");
        gate.now += Duration::from_secs(*expected);
        assert_eq!(gate.enter_all(9).len(), 1, "{seconds:?}");
    }
}

#[test]
fn answers_to_requests_from_before_the_closing_change_nothing() {
    let mut gate = Gate::new();
    let mut old = gate.enter_all(4);
    gate.close(SECOND);
    let closed = gate.state.clone();
    gate.accept(old.pop().unwrap(), None);
    gate.state.failed(old.pop().unwrap());
    assert_eq!(gate.state, closed);
    gate.now += SECOND;
    let probe = gate.enter();
    gate.accept(old.pop().unwrap(), None);
    gate.state.failed(old.pop().unwrap());
    assert_eq!(gate.poll(), Entry::AfterAnAnswer);
    gate.accept(probe, None);
    assert_eq!(gate.enter_all(9).len(), 2);
}

#[test]
fn a_probe_that_fails_or_is_cancelled_lets_one_other_go() {
    for settle in [GateState::failed, GateState::cancelled, |state: &mut GateState, permit| {
        state.slowed(permit, Instant::now());
    }] {
        let mut gate = Gate::new();
        gate.close(SECOND);
        gate.now += SECOND;
        for _ in 0..3 {
            let probe = gate.enter();
            assert_eq!(gate.poll(), Entry::AfterAnAnswer);
            settle(&mut gate.state, probe);
        }
        assert_eq!(gate.enter_all(9).len(), 1);
    }
}

#[test]
fn another_429_while_recovering_starts_over() {
    let mut gate = Gate::new();
    gate.close(SECOND);
    gate.now += SECOND;
    let probe = gate.enter();
    gate.accept(probe, None);
    let mut under_way = gate.enter_all(9);
    assert_eq!(under_way.len(), 2);
    let until = gate.now + 3 * SECOND;
    gate.state.closed(under_way.pop().unwrap(), until, gate.now);
    assert_eq!(gate.poll(), Entry::At(until));
    gate.now = until;
    let _probe = gate.enter();
    gate.accept(under_way.pop().unwrap(), None);
    assert_eq!(gate.poll(), Entry::AfterAnAnswer);
}

#[test]
fn requests_are_spaced_out_by_the_percentage_used() {
    let table = [
        (Some(80.0), 0),
        (Some(50.0), 0),
        (None, 0),
        (Some(90.0), 250),
        (Some(95.0), 325),
        (Some(100.0), 400),
        (Some(170.0), 400),
    ];
    for (used, expected) in table {
        let mut gate = Gate::new();
        gate.send_steadily(ms(100), 5);
        let permit = gate.enter();
        gate.accept(permit, used);
        gate.wait(used);
        for _ in 0..50 {
            assert_eq!(gate.wait(used), ms(expected), "{used:?}");
        }
    }
}

#[test]
fn pacing_does_not_feed_on_itself() {
    let mut gate = Gate::new();
    gate.send_steadily(ms(100), 5);
    let permit = gate.enter();
    gate.accept(permit, Some(100.0));
    gate.wait(Some(100.0));
    for _ in 0..1_000 {
        assert_eq!(gate.wait(Some(100.0)), ms(400));
    }
    // After a short relief the paced interval does not pass for the usual one.
    gate.wait(Some(10.0));
    for _ in 0..9 {
        assert_eq!(gate.wait(Some(100.0)), Duration::ZERO);
    }
}

#[test]
fn the_second_in_which_pacing_begins_is_not_measured() {
    let mut gate = Gate::new();
    gate.send_steadily(ms(100), 5);
    for _ in 0..4 {
        let permit = gate.enter();
        gate.accept(permit, None);
        gate.now += ms(100);
    }
    for used in [100.0, 100.0, 100.0, 100.0, 10.0, 100.0, 100.0] {
        gate.wait(Some(used));
    }
    assert_eq!(gate.wait(Some(100.0)), ms(400));
}

#[test]
fn a_sleep_that_lasts_too_long_does_not_slow_down_those_behind() {
    for late in [Duration::ZERO, ms(1), ms(2)] {
        let mut gate = Gate::new();
        gate.send_steadily(ms(10), 5);
        let permit = gate.enter();
        gate.accept(permit, Some(100.0));
        gate.wait(Some(100.0));
        let start = gate.now;
        for _ in 0..100 {
            if let Entry::At(at) = gate.poll() {
                gate.now = at + late;
            }
            assert_eq!(gate.wait(Some(100.0)), Duration::ZERO);
        }
        assert_eq!(gate.now - start, 100 * ms(40) + late);
    }
}

#[test]
fn pacing_ends_with_a_low_percentage_or_when_none_is_heard() {
    let mut gate = Gate::new();
    gate.send_steadily(ms(100), 5);
    let permit = gate.enter();
    gate.accept(permit, Some(100.0));
    gate.wait(None);
    assert_eq!(gate.wait(None), ms(400), "a missing percentage says nothing");
    gate.wait(Some(80.0));
    assert_eq!(gate.enter_all(9).len(), 9);

    let mut gate = Gate::new();
    gate.send_steadily(ms(100), 5);
    let permit = gate.enter();
    gate.accept(permit, Some(100.0));
    gate.now += 10 * SECOND;
    assert_eq!(gate.enter_all(9).len(), 9);
}

#[test]
fn pacing_begins_when_a_second_was_measured() {
    let mut gate = Gate::new();
    let permit = gate.enter();
    gate.accept(permit, Some(100.0));
    assert_eq!(gate.enter_all(9).len(), 9);
    gate.now += SECOND;
    gate.wait(Some(100.0));
    gate.wait(Some(100.0));
    assert_eq!(gate.wait(Some(100.0)), ms(400), "ten requests came in the first second");
}

#[test]
fn a_slow_sender_is_held_back_for_a_second_at_most() {
    for interval in [SECOND, 2 * SECOND, 7 * SECOND] {
        let mut gate = Gate::new();
        gate.send_steadily(interval, 30);
        for _ in 0..20 {
            assert!(gate.wait(Some(100.0)) <= SECOND, "{interval:?}");
        }
        assert_eq!(gate.wait(Some(100.0)), SECOND, "a burst of it is spaced by a second");
        gate.now += 4 * SECOND;
        assert_eq!(gate.wait(Some(100.0)), Duration::ZERO);
    }
}

#[test]
fn an_acceleration_limit_halves_the_rate_and_lets_it_grow() {
    let mut gate = Gate::new();
    gate.send_steadily(ms(10), 5);
    let permit = gate.enter();
    gate.state.slowed(permit, gate.now);
    assert_eq!(gate.state.closed_for(gate.now), Duration::ZERO, "nobody is stopped");
    let mut sent = Vec::new();
    for _ in 0..35 {
        let second = gate.now + SECOND;
        let mut count = 0;
        loop {
            match gate.poll() {
                Entry::Now(permit) if count < 10_000 => {
                    gate.accept(permit, None);
                    count += 1;
                }
                Entry::At(at) if at < second => gate.now = at,
                _ => break,
            }
        }
        gate.now = second;
        sent.push(count);
    }
    // 100 per second were sent before: 50, and 5 more each second, for half a minute.
    for (second, count) in sent.iter().enumerate().take(30) {
        let expected = 50 + 5 * second;
        assert!((expected..=expected + 5).contains(count), "{count} in second {second}");
    }
    assert_eq!(sent[30], 10_000);
}

#[test]
fn requests_from_before_an_acceleration_limit_do_not_halve_the_rate_again() {
    let mut gate = Gate::new();
    let burst = gate.enter_all(200);
    gate.now += ms(50);
    for permit in burst {
        gate.state.slowed(permit, gate.now);
    }
    gate.wait(None);
    assert_eq!(gate.wait(None), ms(10), "200 in the first second, so 100 per second");
    gate.now += SECOND;
    let permit = gate.enter();
    let before = gate.state.allowed_rate(gate.now).unwrap();
    gate.state.slowed(permit, gate.now);
    let after = gate.state.allowed_rate(gate.now).unwrap();
    assert!((after - before / 2.0).abs() < 1e-9, "{before} became {after}");
}

#[test]
fn the_slower_of_two_reasons_counts() {
    let mut gate = Gate::new();
    gate.send_steadily(ms(10), 5);
    let mut permits = gate.enter_all(2);
    gate.accept(permits.pop().unwrap(), Some(100.0));
    assert_eq!(gate.state.allowed_rate(gate.now), Some(25.0));
    gate.state.slowed(permits.pop().unwrap(), gate.now);
    assert_eq!(gate.state.allowed_rate(gate.now), Some(12.5));
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Pass(u64),
    Enter,
    Accept(usize, Option<f64>),
    Close(usize, u64),
    Slow(usize),
    Fail(usize),
    Cancel(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let used = prop::option::of(0.0_f64..120.0);
    prop_oneof![
        3 => (0_u64..1_500).prop_map(Step::Pass),
        8 => Just(Step::Enter),
        5 => (any::<usize>(), used).prop_map(|(which, used)| Step::Accept(which, used)),
        1 => (any::<usize>(), 0_u64..5_000).prop_map(|(which, wait)| Step::Close(which, wait)),
        1 => any::<usize>().prop_map(Step::Slow),
        1 => any::<usize>().prop_map(Step::Fail),
        2 => any::<usize>().prop_map(Step::Cancel),
    ]
}

/// What is promised, told in other words than the gate's own.
#[derive(Default)]
struct Promise {
    closed_until: Option<Instant>,
    closings: usize,
    successes: u32,
    /// The closings that each request under way has seen.
    under_way: Vec<usize>,
}

impl Promise {
    fn may_enter(&self, now: Instant) -> bool {
        let under_way =
            self.under_way.iter().filter(|closings| **closings == self.closings).count();
        let allowance = if self.closings == 0 || self.successes >= 6 {
            usize::MAX
        } else {
            1 << self.successes
        };
        self.closed_until.is_none_or(|until| now >= until) && under_way < allowance
    }
}

struct Run {
    gate: Gate,
    permits: Vec<Permit>,
    promise: Promise,
}

impl Run {
    fn new() -> Self {
        Self { gate: Gate::new(), permits: Vec::new(), promise: Promise::default() }
    }

    fn take(&mut self, which: usize) -> Option<(Permit, usize)> {
        let index = which.checked_rem(self.permits.len())?;
        Some((self.permits.swap_remove(index), self.promise.under_way.swap_remove(index)))
    }

    fn step(&mut self, step: Step) -> Result<(), TestCaseError> {
        let now = self.gate.now;
        match step {
            Step::Pass(by) => self.gate.now += ms(by),
            Step::Enter => self.enter()?,
            Step::Accept(which, used) => {
                if let Some((permit, closings)) = self.take(which) {
                    self.gate.accept(permit, used);
                    self.promise.successes += u32::from(closings == self.promise.closings);
                }
            }
            Step::Close(which, wait) => {
                if let Some((permit, _)) = self.take(which) {
                    let until = now + ms(wait);
                    self.gate.state.closed(permit, until, now);
                    self.promise.closed_until = self.promise.closed_until.max(Some(until));
                    self.promise.closings += 1;
                    self.promise.successes = 0;
                }
            }
            Step::Slow(which) => {
                if let Some((permit, _)) = self.take(which) {
                    self.gate.state.slowed(permit, now);
                }
            }
            Step::Fail(which) => {
                if let Some((permit, _)) = self.take(which) {
                    self.gate.state.failed(permit);
                }
            }
            Step::Cancel(which) => {
                if let Some((permit, _)) = self.take(which) {
                    self.gate.state.cancelled(permit);
                }
            }
        }
        Ok(())
    }

    fn enter(&mut self) -> Result<(), TestCaseError> {
        let now = self.gate.now;
        match self.gate.poll() {
            Entry::Now(permit) => {
                prop_assert!(self.promise.may_enter(now));
                self.permits.push(permit);
                self.promise.under_way.push(self.promise.closings);
            }
            Entry::At(at) => {
                prop_assert!(at > now);
                let again = self.gate.state.clone().poll(at, now);
                prop_assert!(!matches!(again, Entry::At(_)), "{again:?}");
            }
            Entry::AfterAnAnswer => prop_assert!(!self.permits.is_empty()),
        }
        Ok(())
    }
}

/// The same state, with what is past put away.
fn seen_at(mut state: GateState, now: Instant) -> GateState {
    state.interval(now);
    state.meter.advance(now);
    state
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn nobody_enters_too_early_or_too_many(steps in prop::collection::vec(step(), 0..300)) {
        let mut run = Run::new();
        for step in steps {
            run.step(step)?;
        }
    }

    #[test]
    fn once_all_are_answered_everyone_enters_in_the_end(steps in prop::collection::vec(step(), 0..200)) {
        let mut run = Run::new();
        for step in steps {
            run.step(step)?;
        }
        while !run.permits.is_empty() {
            run.step(Step::Fail(0))?;
        }
        for _ in 0..10 {
            prop_assert!(run.gate.wait(None) <= 5 * SECOND);
        }
        run.gate.now += 60 * SECOND;
        prop_assert_eq!(run.gate.enter_all(100).len(), 100);
    }

    #[test]
    fn what_is_cancelled_leaves_no_trace(
        steps in prop::collection::vec(step(), 0..100),
        ghosts in prop::collection::vec((0_u64..1_200, any::<usize>()), 0..60),
    ) {
        let mut run = Run::new();
        for step in steps {
            run.step(step)?;
        }
        let before = run.gate.state.clone();
        let mut entered = Vec::new();
        for (wait, place) in ghosts {
            run.gate.now += ms(wait);
            if let Entry::Now(permit) = run.gate.poll() {
                entered.insert(place % (entered.len() + 1), permit);
            }
        }
        for permit in entered {
            run.gate.state.cancelled(permit);
        }
        prop_assert_eq!(seen_at(run.gate.state, run.gate.now), seen_at(before, run.gate.now));
    }
}
