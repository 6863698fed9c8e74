//! Tests of the decisions. Times are passed as arguments.

use super::{RateLimiterSnapshot, Readiness, Slot, State};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// Returns a limiter after `accepted` batches in the last second and a 429 that closes it for a second.
fn limited(accepted: u32, now: Instant) -> State {
    let mut state = State::default();
    for _ in 0..accepted {
        state.accepted(1, None, now, now);
    }
    state.refused(SECOND, now, now);
    state
}

fn draw(state: &mut State, weight: u32, now: Instant) -> Slot {
    state.reserve(None, weight, &Arc::default(), now, None).unwrap()
}

fn rate(state: &State, now: Instant) -> Option<f64> {
    state.snapshot(now).batches_per_second
}

#[test]
fn without_a_429_no_request_waits() {
    let (mut state, now) = (State::default(), Instant::now());
    for _ in 0..10_000 {
        let slot = draw(&mut state, 100, now);
        assert_eq!((slot, state.start(slot, now)), (Slot::Unlimited, Readiness::Ready));
        state.accepted(100, Some(100.0), now, now);
    }
    assert_eq!(rate(&state, now), None);
}

#[test]
fn the_rate_becomes_nine_tenths_of_what_was_accepted_once_per_congestion() {
    let start = Instant::now();
    let mut state = limited(200, start);
    assert_eq!(rate(&state, start), Some(180.0));
    // These requests were in flight together with the first one.
    for _ in 0..10 {
        state.refused(SECOND, start, start + SECOND / 10);
    }
    assert_eq!(rate(&state, start), Some(180.0));
    let later = start + 2 * SECOND;
    state.accepted(100, None, start + SECOND, later);
    state.refused(SECOND, later, later + SECOND / 10);
    assert_eq!(rate(&state, later), Some(90.0));
    // Nothing was accepted since, which is little information about the limit.
    state.refused(SECOND, later + SECOND, later + SECOND);
    assert!((rate(&state, later).unwrap() - 72.9).abs() < 1e-6);
    // The rate is never more than halved at once.
    let later = start + 9 * SECOND;
    state.accepted(1, None, later, later);
    state.refused(SECOND, later, later);
    assert!((rate(&state, later).unwrap() - 0.9 * 72.9 / 2.0).abs() < 1e-6);
}

#[test]
fn a_rate_holds_for_8_seconds_and_grows_by_2_percent_a_second_or_20_below_half_of_the_limit() {
    let start = Instant::now();
    for (used, expected) in [(None, 1.02), (Some(50.0), 1.02), (Some(49.0), 1.2)] {
        let mut state = limited(200, start);
        for tenth in 0..=80 {
            let now = start + tenth * SECOND / 10;
            state.accepted(1, used, now, now);
        }
        assert_eq!(rate(&state, start), Some(180.0));
        for tenth in 81..=90 {
            let now = start + tenth * SECOND / 10;
            state.accepted(1, used, now, now);
        }
        let grown = rate(&state, start).unwrap() / 180.0;
        assert!((grown - expected).abs() < 1e-6, "{used:?}: {grown}");
    }
}

#[test]
fn if_the_limit_is_not_known_the_rate_starts_at_10_and_doubles_until_the_next_429() {
    let start = Instant::now();
    let mut state = limited(0, start);
    assert_eq!(rate(&state, start), Some(10.0));
    for tenth in 1..=30 {
        let now = start + tenth * SECOND / 10;
        state.accepted(8, Some(10.0), now, now);
    }
    let now = start + 3 * SECOND;
    assert!((rate(&state, now).unwrap() - 80.0).abs() < 1e-6, "{state:?}");
    state.refused(SECOND, now, now);
    assert!((rate(&state, now).unwrap() - 72.0).abs() < 1e-6);
}

#[test]
fn a_rate_survives_some_seconds_in_which_everything_is_refused() {
    let start = Instant::now();
    for (accepted, expected) in [(0, 10.0), (200, 180.0 * 0.81_f64.powi(10))] {
        let mut state = limited(accepted, start);
        for second in 1..=10 {
            let now = start + second * SECOND + SECOND / 10;
            state.refused(SECOND, now, now);
        }
        let rate = rate(&state, start).unwrap();
        assert!((rate - expected).abs() < 1e-6, "{rate}");
    }
}

#[test]
fn a_slot_that_was_drawn_before_there_was_a_rate_lapses() {
    let now = Instant::now();
    let mut state = State::default();
    let slot = draw(&mut state, 1, now);
    state.refused(SECOND, now, now);
    assert_eq!(state.readiness(slot, now), Readiness::After(SECOND));
    assert_eq!(state.start(slot, now + SECOND), Readiness::Lapsed);
}

#[test]
fn a_request_that_is_not_allowed_before_its_deadline_reserves_no_slot() {
    let now = Instant::now();
    let mut state = limited(200, now);
    let deadline = |seconds: f64| Some(now + Duration::from_secs_f64(seconds));
    // Closed for a second, then 100 batches at 180 a second.
    assert!(state.reserve(None, 100, &Arc::default(), now, deadline(1.57)).is_ok());
    let wait = state.reserve(None, 100, &Arc::default(), now, deadline(2.1)).unwrap_err();
    assert!((wait.as_secs_f64() - (1.0 + 200.0 / 180.0)).abs() < 0.01, "{wait:?}");
    // While the rate is a guess, only the closing counts.
    let mut state = limited(0, now);
    assert!(state.reserve(None, 100, &Arc::default(), now, deadline(1.1)).is_ok());
    assert_eq!(state.reserve(None, 1, &Arc::default(), now, deadline(0.9)), Err(SECOND));
}

#[test]
fn during_a_long_closing_one_request_a_minute_is_a_probe_and_its_success_opens_the_limiter() {
    let start = Instant::now();
    let mut state = State::default();
    state.refused(60 * MINUTE, start, start);
    let slots: Vec<_> = (0..3).map(|_| draw(&mut state, 1, start)).collect();
    let goes = |state: &mut State, now| {
        slots.iter().filter(|slot| state.start(**slot, now) == Readiness::Ready).count()
    };
    assert_eq!(goes(&mut state, start + MINUTE - SECOND), 0);
    assert_eq!(goes(&mut state, start + MINUTE), 1);
    assert_eq!(goes(&mut state, start + 2 * MINUTE - SECOND), 0);
    let probe = start + 2 * MINUTE;
    assert_eq!(goes(&mut state, probe), 1);
    // The response to a request that was sent before the closing has no effect.
    state.accepted(1, None, start, probe);
    assert_eq!(state.closed_for(probe), 58 * MINUTE);
    state.accepted(1, None, probe, probe + SECOND);
    assert_eq!(state.closed_for(probe + SECOND), Duration::ZERO);
    assert_eq!(goes(&mut state, probe + 2 * SECOND), 3);
}

#[test]
fn a_short_closing_is_not_probed() {
    let start = Instant::now();
    let mut state = State::default();
    state.refused(MINUTE, start, start);
    let slot = draw(&mut state, 1, start);
    assert_eq!(state.start(slot, start + MINUTE - SECOND), Readiness::After(SECOND));
    assert_eq!(state.start(slot, start + MINUTE + SECOND), Readiness::Ready);
}

#[test]
fn a_later_response_does_not_shorten_a_closing() {
    let start = Instant::now();
    let mut state = State::default();
    state.refused(9 * SECOND, start, start);
    state.refused(SECOND, start, start + SECOND);
    assert_eq!(state.closed_for(start + SECOND), 8 * SECOND);
}

#[test]
fn a_rate_is_dropped_after_a_minute_in_which_no_request_waited() {
    let start = Instant::now();
    let mut state = limited(200, start);
    let mut now = start + 2 * SECOND;
    for _ in 0..59 {
        assert!(matches!(draw(&mut state, 1, now), Slot::Numbered(_)));
        now += SECOND;
    }
    assert_eq!(draw(&mut state, 1, now + 2 * SECOND), Slot::Unlimited);
    // The rate is kept while a request waits.
    let mut state = limited(200, start);
    for second in 2..200 {
        let now = start + second * SECOND;
        for _ in 0..2 {
            assert!(matches!(draw(&mut state, 100, now), Slot::Numbered(_)), "{second}");
        }
    }
}

#[test]
fn an_acceleration_limit_stops_the_growth_and_no_request() {
    let start = Instant::now();
    let mut state = State::default();
    state.accepted(100, None, start, start);
    state.accelerated(20 * SECOND, start);
    assert_eq!(rate(&state, start), Some(100.0));
    assert_eq!(state.closed_for(start), Duration::ZERO);
    for second in 0..=20 {
        let now = start + second * SECOND;
        state.accepted(100, None, now, now);
        draw(&mut state, 100, now);
    }
    assert_eq!(rate(&state, start), Some(100.0));
    let now = start + 21 * SECOND;
    state.accepted(100, None, now, now);
    assert!((rate(&state, start).unwrap() - 102.0).abs() < 1e-6);
}

#[test]
fn a_snapshot_can_be_restored() {
    let start = Instant::now();
    let snapshot = limited(200, start).snapshot(start);
    let expected = RateLimiterSnapshot { batches_per_second: Some(180.0), closed_for: SECOND };
    assert_eq!(snapshot, expected);
    let mut state = State::default();
    state.restore(&snapshot, start);
    assert_eq!(state.snapshot(start), snapshot);
    let slot = draw(&mut state, 90, start);
    assert_eq!(state.readiness(slot, start + SECOND), Readiness::After(SECOND / 2));
    for (rate, expected) in [(None, None), (Some(f64::NAN), None), (Some(-5.0), Some(1.0))] {
        let snapshot = RateLimiterSnapshot::default().with_batches_per_second(rate);
        let mut state = State::default();
        state.restore(&snapshot, start);
        assert_eq!(self::rate(&state, start), expected);
    }
}
