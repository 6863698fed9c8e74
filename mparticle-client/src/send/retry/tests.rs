//! Tests of the decision about the next attempt.

use super::{Decision, Failure, GREATEST_RETRY_AFTER_JITTER, Outcome, State, decide, is_retryable};
use crate::RetryPolicy;
use crate::send::backoff::full_jitter;
use crate::transport::TransportErrorKind;
use http::StatusCode;
use proptest::prelude::*;
use std::time::Duration;
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

fn answered(status: u16, retry_after: Option<Duration>) -> Outcome {
    Outcome::Answered { status: StatusCode::from_u16(status).unwrap(), retry_after }
}

fn decided(attempts: u32, time_left: Option<Duration>, outcome: &Outcome) -> (Decision, Instant) {
    let now = Instant::now();
    let state = State { attempts, deadline: time_left.map(|left| now + left) };
    let mut rng = fastrand::Rng::with_seed(11);
    (decide(&RetryPolicy::default(), &state, outcome, now, &mut rng), now)
}

#[test]
fn every_status_is_accepted_retried_or_final() {
    for code in 100..=999 {
        let (decision, _) = decided(1, Some(60 * SECOND), &answered(code, None));
        let retried = matches!(decision, Decision::Retry { .. });
        match code {
            200..=299 => assert_eq!(decision, Decision::Done, "{code}"),
            408 | 429 | 500 | 502..=504 | 506..=599 => assert!(retried, "{code}"),
            _ => assert_eq!(decision, Decision::Fail(Failure::Final), "{code}"),
        }
        assert_eq!(is_retryable(StatusCode::from_u16(code).unwrap()), retried, "{code}");
    }
}

#[test]
fn every_transport_failure_is_retried_or_final() {
    let table = [
        (TransportErrorKind::Connect, true),
        (TransportErrorKind::Untrusted, false),
        (TransportErrorKind::Interrupted, true),
        (TransportErrorKind::Timeout, true),
        (TransportErrorKind::Unsendable, false),
    ];
    for (kind, retried) in table {
        let (decision, _) = decided(1, Some(60 * SECOND), &Outcome::Failed(kind));
        if retried {
            assert!(matches!(decision, Decision::Retry { .. }), "{kind:?}");
        } else {
            assert_eq!(decision, Decision::Fail(Failure::Final), "{kind:?}");
        }
    }
}

#[test]
fn without_a_deadline_a_certificate_that_is_not_trusted_is_waited_out() {
    let (decision, _) = decided(1, None, &Outcome::Failed(TransportErrorKind::Untrusted));
    assert!(matches!(decision, Decision::Retry { .. }));
    let (decision, _) = decided(1, None, &Outcome::Failed(TransportErrorKind::Unsendable));
    assert_eq!(decision, Decision::Fail(Failure::Final));
}

#[test]
fn reasons_to_give_up_have_an_order() {
    let [short, long] = [2 * SECOND, 9 * SECOND];
    let limited = Failure::RateLimited { retry_after: long };
    let table: &[(&str, u32, Outcome, Failure)] = &[
        ("a final status on the last attempt", 5, answered(400, None), Failure::Final),
        ("a final status with a long wait", 1, answered(400, Some(long)), Failure::Final),
        ("a long wait on the first attempt", 1, answered(429, Some(long)), limited),
        ("a long wait on the last attempt", 5, answered(429, Some(long)), limited),
        ("a short wait on the last attempt", 5, answered(429, Some(short)), Failure::OutOfAttempts),
        ("no wait on the last attempt", 5, answered(429, None), Failure::OutOfAttempts),
        ("more attempts than allowed", 6, answered(503, None), Failure::OutOfAttempts),
        ("a long wait of a 503", 1, answered(503, Some(long)), Failure::OutOfTime),
        ("a long wait of a 408", 1, answered(408, Some(long)), Failure::OutOfTime),
        (
            "a long wait of a 503 on the last attempt",
            5,
            answered(503, Some(long)),
            Failure::OutOfAttempts,
        ),
        (
            "a transport failure on the last attempt",
            5,
            Outcome::Failed(TransportErrorKind::Timeout),
            Failure::OutOfAttempts,
        ),
    ];
    for (case, attempts, outcome, expected) in table {
        let (decision, _) = decided(*attempts, Some(4 * SECOND), outcome);
        assert_eq!(decision, Decision::Fail(*expected), "{case}");
    }
}

#[test]
fn a_wait_that_ends_at_the_deadline_does_not_pass_it() {
    let (decision, now) = decided(1, Some(7 * SECOND), &answered(429, Some(7 * SECOND)));
    assert_eq!(decision, Decision::Retry { at: now + 7 * SECOND });
    let too_long = 7 * SECOND + Duration::from_nanos(1);
    let (decision, _) = decided(1, Some(7 * SECOND), &answered(429, Some(too_long)));
    assert_eq!(decision, Decision::Fail(Failure::RateLimited { retry_after: too_long }));
}

#[test]
fn after_the_deadline_nothing_is_begun() {
    for outcome in [answered(503, Some(SECOND)), answered(429, None), answered(503, None)] {
        let (decision, _) = decided(1, Some(Duration::ZERO), &outcome);
        assert_eq!(decision, Decision::Fail(Failure::OutOfTime), "{outcome:?}");
    }
}

#[test]
fn zero_attempts_count_as_one() {
    let policy = RetryPolicy::default().with_max_attempts(0);
    let state = State { attempts: 1, deadline: None };
    let mut rng = fastrand::Rng::with_seed(0);
    let decision = decide(&policy, &state, &answered(503, None), Instant::now(), &mut rng);
    assert_eq!(decision, Decision::Fail(Failure::OutOfAttempts));
}

#[test]
fn a_wait_that_no_clock_can_express_is_too_long() {
    for (status, expected) in
        [(429, Failure::RateLimited { retry_after: Duration::MAX }), (503, Failure::OutOfTime)]
    {
        let (decision, _) = decided(1, None, &answered(status, Some(Duration::MAX)));
        assert_eq!(decision, Decision::Fail(expected));
    }
}

#[test]
fn the_jitter_of_a_retry_after_is_small_but_there() {
    for (floor, greatest) in
        [(SECOND, SECOND / 10), (5 * SECOND, SECOND / 2), (100 * SECOND, SECOND)]
    {
        let policy = RetryPolicy::default().with_base_delay(Duration::ZERO);
        let state = State { attempts: 1, deadline: None };
        let now = Instant::now();
        let mut rng = fastrand::Rng::with_seed(5);
        let extra: Vec<Duration> = (0..1000)
            .map(|_| match decide(&policy, &state, &answered(429, Some(floor)), now, &mut rng) {
                Decision::Retry { at } => at - (now + floor),
                other => panic!("{other:?}"),
            })
            .collect();
        assert!(extra.iter().all(|extra| *extra <= greatest));
        assert!(extra.iter().max().unwrap() > &(greatest * 9 / 10));
        assert!(extra.iter().min().unwrap() < &(greatest / 10));
    }
}

fn outcome() -> impl Strategy<Value = Outcome> {
    let kinds = [
        TransportErrorKind::Connect,
        TransportErrorKind::Untrusted,
        TransportErrorKind::Interrupted,
        TransportErrorKind::Timeout,
        TransportErrorKind::Unsendable,
    ];
    let wait = prop_oneof![
        any::<u64>().prop_map(Duration::from_secs),
        (0_u64..90_000).prop_map(Duration::from_millis)
    ];
    prop_oneof![
        (prop_oneof![100_u16..1000, Just(429), Just(503)], prop::option::of(wait))
            .prop_map(|(status, retry_after)| answered(status, retry_after)),
        prop::sample::select(kinds.to_vec()).prop_map(Outcome::Failed),
    ]
}

proptest! {
    #[test]
    fn no_retry_is_early_late_or_too_much(
        outcome in outcome(),
        attempts in 1_u32..8,
        max_attempts in 0_u32..8,
        base_ms in prop_oneof![any::<u64>(), 0_u64..2_000],
        max_ms in prop_oneof![any::<u64>(), 0_u64..60_000],
        time_left in prop::option::of(0_u64..100_000),
        seed in any::<u64>(),
    ) {
        let policy = RetryPolicy::default()
            .with_max_attempts(max_attempts)
            .with_base_delay(Duration::from_millis(base_ms))
            .with_max_delay(Duration::from_millis(max_ms));
        let now = Instant::now();
        let state = State { attempts, deadline: time_left.map(|ms| now + Duration::from_millis(ms)) };
        let decision = decide(&policy, &state, &outcome, now, &mut fastrand::Rng::with_seed(seed));
        let retry_after = match outcome {
            Outcome::Answered { retry_after, .. } => retry_after.unwrap_or_default(),
            Outcome::Failed(_) => Duration::ZERO,
        };
        match decision {
            Decision::Retry { at } => {
                prop_assert!(attempts < max_attempts);
                prop_assert!(at >= now + retry_after);
                let mut rng = fastrand::Rng::with_seed(seed);
                prop_assert!(at >= now + full_jitter(&policy, attempts, &mut rng));
                prop_assert!(state.deadline.is_none_or(|deadline| at <= deadline));
                let floor = retry_after + (retry_after / 10).min(GREATEST_RETRY_AFTER_JITTER);
                prop_assert!(at <= now + floor.max(policy.max_delay));
            }
            Decision::Fail(Failure::RateLimited { retry_after: told }) => {
                prop_assert_eq!(told, retry_after);
                prop_assert!(now.checked_add(told).is_none_or(|at| Some(at) > state.deadline));
            }
            Decision::Fail(Failure::OutOfAttempts) => prop_assert!(attempts >= max_attempts),
            Decision::Done | Decision::Fail(Failure::Final | Failure::OutOfTime) => {}
        }
    }
}
