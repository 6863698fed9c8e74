//! Tests of the decision about the next attempt.

use super::{AttemptResult, Decision, Failure, GREATEST_RETRY_AFTER_JITTER, Progress};
use super::{decide, is_retryable};
use crate::RetryPolicy;
use crate::send::backoff::full_jitter;
use crate::transport::TransportErrorKind;
use http::StatusCode;
use proptest::prelude::*;
use std::time::Duration;
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

fn answered(status: u16, retry_after: Option<Duration>) -> AttemptResult {
    AttemptResult::Answered { status: StatusCode::from_u16(status).unwrap(), retry_after }
}

fn decided(
    failures: u32,
    time_left: Option<Duration>,
    result: &AttemptResult,
) -> (Decision, Instant) {
    let now = Instant::now();
    let progress = Progress { failures, deadline: time_left.map(|left| now + left) };
    let mut rng = fastrand::Rng::with_seed(11);
    (decide(&RetryPolicy::default(), &progress, result, now, &mut rng), now)
}

#[test]
fn every_status_is_accepted_retried_or_final() {
    for code in 100..=999 {
        let (decision, _) = decided(1, Some(60 * SECOND), &answered(code, None));
        let retried = matches!(decision, Decision::Retry { .. } | Decision::RetryWhenAllowed);
        match code {
            200..=299 => assert_eq!(decision, Decision::Done, "{code}"),
            429 => assert_eq!(decision, Decision::RetryWhenAllowed),
            408 | 500 | 502..=504 | 506..=599 => assert!(retried, "{code}"),
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
        (TransportErrorKind::ProxyAuthenticationRequired, false),
        (TransportErrorKind::Interrupted, true),
        (TransportErrorKind::Timeout, true),
        (TransportErrorKind::Unsendable, false),
    ];
    for (kind, retried) in table {
        let (decision, _) = decided(1, Some(60 * SECOND), &AttemptResult::Failed(kind));
        if retried {
            assert!(matches!(decision, Decision::Retry { .. }), "{kind:?}");
        } else {
            assert_eq!(decision, Decision::Fail(Failure::Final), "{kind:?}");
        }
    }
}

#[test]
fn without_a_deadline_a_rejected_certificate_or_proxy_is_waited_for() {
    for kind in [TransportErrorKind::Untrusted, TransportErrorKind::ProxyAuthenticationRequired] {
        let (decision, _) = decided(1, None, &AttemptResult::Failed(kind));
        assert!(matches!(decision, Decision::Retry { .. }));
    }
    let (decision, _) = decided(1, None, &AttemptResult::Failed(TransportErrorKind::Unsendable));
    assert_eq!(decision, Decision::Fail(Failure::Final));
}

#[test]
fn reasons_to_give_up_have_an_order() {
    let [short, long] = [2 * SECOND, 9 * SECOND];
    let limited = Failure::RateLimited { retry_after: long };
    let table: &[(&str, u32, AttemptResult, Failure)] = &[
        ("a final status on the last attempt", 5, answered(400, None), Failure::Final),
        ("a final status with a long wait", 1, answered(400, Some(long)), Failure::Final),
        ("a long wait on the first attempt", 1, answered(429, Some(long)), limited),
        ("a long wait on the last attempt", 5, answered(429, Some(long)), limited),
        ("a short wait on the last attempt", 5, answered(503, Some(short)), Failure::OutOfAttempts),
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
            AttemptResult::Failed(TransportErrorKind::Timeout),
            Failure::OutOfAttempts,
        ),
    ];
    for (case, attempts, result, expected) in table {
        let (decision, _) = decided(*attempts, Some(4 * SECOND), result);
        assert_eq!(decision, Decision::Fail(*expected), "{case}");
    }
}

#[test]
fn a_wait_that_ends_at_the_deadline_does_not_pass_it() {
    let (decision, now) = decided(1, Some(7 * SECOND), &answered(503, Some(7 * SECOND)));
    assert_eq!(decision, Decision::Retry { at: now + 7 * SECOND });
    let (decision, _) = decided(1, Some(7 * SECOND), &answered(429, Some(7 * SECOND)));
    assert_eq!(decision, Decision::RetryWhenAllowed);
    let too_long = 7 * SECOND + Duration::from_nanos(1);
    let (decision, _) = decided(1, Some(7 * SECOND), &answered(429, Some(too_long)));
    assert_eq!(decision, Decision::Fail(Failure::RateLimited { retry_after: too_long }));
}

#[test]
fn after_the_deadline_nothing_is_begun() {
    for result in [answered(503, Some(SECOND)), answered(503, None)] {
        let (decision, _) = decided(1, Some(Duration::ZERO), &result);
        assert_eq!(decision, Decision::Fail(Failure::OutOfTime), "{result:?}");
    }
}

#[test]
fn zero_attempts_count_as_one() {
    let policy = RetryPolicy::default().with_max_attempts(0);
    let progress = Progress { failures: 1, deadline: None };
    let mut rng = fastrand::Rng::with_seed(0);
    let decision = decide(&policy, &progress, &answered(503, None), Instant::now(), &mut rng);
    assert_eq!(decision, Decision::Fail(Failure::OutOfAttempts));
}

#[test]
fn a_429_is_waited_for_however_often_it_comes_unless_the_policy_allows_one_attempt() {
    for failures in [0, 1, 5, 100] {
        let (decision, _) = decided(failures, Some(60 * SECOND), &answered(429, Some(SECOND)));
        assert_eq!(decision, Decision::RetryWhenAllowed);
    }
    let progress = Progress { failures: 0, deadline: None };
    let mut rng = fastrand::Rng::with_seed(0);
    let (never, now) = (RetryPolicy::never(), Instant::now());
    let decision = decide(&never, &progress, &answered(429, None), now, &mut rng);
    assert_eq!(decision, Decision::Fail(Failure::OutOfAttempts));
}

#[test]
fn a_wait_that_no_clock_can_express_is_too_long() {
    let (decision, _) = decided(1, None, &answered(503, Some(Duration::MAX)));
    assert_eq!(decision, Decision::Fail(Failure::OutOfTime));
}

#[test]
fn the_jitter_of_a_retry_after_is_small_but_there() {
    for (floor, greatest) in
        [(SECOND, SECOND / 10), (5 * SECOND, SECOND / 2), (100 * SECOND, SECOND)]
    {
        let policy = RetryPolicy::default().with_base_delay(Duration::ZERO);
        let progress = Progress { failures: 1, deadline: None };
        let now = Instant::now();
        let mut rng = fastrand::Rng::with_seed(5);
        let extra: Vec<Duration> = (0..1000)
            .map(|_| match decide(&policy, &progress, &answered(503, Some(floor)), now, &mut rng) {
                Decision::Retry { at } => at - (now + floor),
                other => panic!("{other:?}"),
            })
            .collect();
        assert!(extra.iter().all(|extra| *extra <= greatest));
        assert!(extra.iter().max().unwrap() > &(greatest * 9 / 10));
        assert!(extra.iter().min().unwrap() < &(greatest / 10));
    }
}

fn result() -> impl Strategy<Value = AttemptResult> {
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
        prop::sample::select(kinds.to_vec()).prop_map(AttemptResult::Failed),
    ]
}

proptest! {
    #[test]
    fn no_retry_is_early_late_or_too_much(
        result in result(),
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
        let progress = Progress { failures: attempts, deadline: time_left.map(|ms| now + Duration::from_millis(ms)) };
        let decision = decide(&policy, &progress, &result, now, &mut fastrand::Rng::with_seed(seed));
        let retry_after = match result {
            AttemptResult::Answered { retry_after, .. } => retry_after.unwrap_or_default(),
            AttemptResult::Failed(_) => Duration::ZERO,
        };
        match decision {
            Decision::Retry { at } => {
                prop_assert!(attempts < max_attempts);
                prop_assert!(at >= now + retry_after);
                let mut rng = fastrand::Rng::with_seed(seed);
                prop_assert!(at >= now + full_jitter(&policy, attempts, &mut rng));
                prop_assert!(progress.deadline.is_none_or(|deadline| at <= deadline));
                let floor = retry_after + (retry_after / 10).min(GREATEST_RETRY_AFTER_JITTER);
                prop_assert!(at <= now + floor.max(policy.max_delay));
            }
            Decision::Fail(Failure::RateLimited { retry_after: told }) => {
                prop_assert_eq!(told, retry_after);
                prop_assert!(now.checked_add(told).is_none_or(|at| Some(at) > progress.deadline));
            }
            Decision::Fail(Failure::OutOfAttempts) => {
                let refused = matches!(result, AttemptResult::Answered { status, .. } if status == 429);
                prop_assert!(attempts >= max_attempts || (refused && max_attempts <= 1));
            }
            Decision::RetryWhenAllowed => prop_assert!(max_attempts > 1),
            Decision::Done | Decision::Fail(Failure::Final | Failure::OutOfTime) => {}
        }
    }
}
