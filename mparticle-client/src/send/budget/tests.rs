//! Tests of the retry budget.

use super::{BucketState, CAPACITY, PER_SUCCESS, RetryBudget, TOKEN, Withdrawal};
use proptest::prelude::*;
use std::time::Duration;
use tokio::time::Instant;

fn bucket(tokens: u64, withdrawn: u64, refilled: Instant) -> BucketState {
    BucketState { tokens, withdrawn, refilled: Some(refilled) }
}

#[test]
fn time_refills_a_token_per_second_up_to_the_capacity() {
    let start = Instant::now();
    let table = [
        (0, 0, Duration::ZERO, 0),
        (0, 0, Duration::from_millis(1), TOKEN / 1000),
        (0, 0, Duration::from_millis(2500), TOKEN * 5 / 2),
        (7, 0, Duration::from_secs(1), TOKEN + 7),
        (0, 0, Duration::from_secs(100), CAPACITY),
        (0, 0, Duration::from_secs(1_000_000_000_000), CAPACITY),
        (CAPACITY, 0, Duration::from_secs(5), CAPACITY),
        (0, 3 * TOKEN, Duration::from_secs(100), CAPACITY - 3 * TOKEN),
    ];
    for (tokens, withdrawn, passed, expected) in table {
        let mut state = bucket(tokens, withdrawn, start);
        state.refill(start + passed);
        assert_eq!(state, bucket(expected, withdrawn, start + passed), "{tokens} after {passed:?}");
    }
}

#[test]
fn a_clock_that_goes_back_takes_nothing_and_gives_nothing_twice() {
    let start = Instant::now();
    let later = start + Duration::from_secs(10);
    let mut state = bucket(0, 0, start);
    for now in [later, start, later] {
        state.refill(now);
        assert_eq!(state, bucket(10 * TOKEN, 0, later));
    }
}

#[test]
fn ten_successes_pay_for_a_retry() {
    let now = Instant::now();
    let mut state = bucket(0, 0, now);
    for credited in 1..=9 {
        state.succeeded(now);
        assert_eq!(state.tokens, credited * PER_SUCCESS);
        assert!(!state.withdraw(now));
    }
    state.succeeded(now);
    assert!(state.withdraw(now));
    assert_eq!(state.tokens, 0);
}

#[test]
fn an_outage_gets_a_hundred_retries_and_then_one_per_second() {
    let now = Instant::now();
    let budget = RetryBudget::default();
    let at_once = std::iter::from_fn(|| budget.withdraw(now)).map(Withdrawal::spend).count();
    assert_eq!(at_once, 100);
    let later = now + Duration::from_secs(3);
    let then = std::iter::from_fn(|| budget.withdraw(later)).map(Withdrawal::spend).count();
    assert_eq!(then, 3);
}

#[test]
fn a_token_that_was_not_spent_is_put_back() {
    let now = Instant::now();
    let budget = RetryBudget::default();
    let spent = budget.withdraw(now).unwrap();
    spent.spend();
    let before = budget.lock().clone();
    let unspent = budget.withdraw(now).unwrap();
    assert_ne!(*budget.lock(), before);
    drop(unspent);
    assert_eq!(*budget.lock(), before);
}

#[test]
fn clones_share_a_budget_and_others_do_not() {
    let now = Instant::now();
    let (budget, other) = (RetryBudget::default(), RetryBudget::default());
    let clone = budget.clone();
    let held: Vec<Withdrawal> = std::iter::from_fn(|| clone.withdraw(now)).collect();
    assert_eq!(held.len(), 100);
    assert!(budget.withdraw(now).is_none());
    assert!(other.withdraw(now).is_some());
}

#[test]
fn a_panic_elsewhere_does_not_end_the_budget() {
    let budget = RetryBudget::default();
    let clone = budget.clone();
    let panicked = std::thread::spawn(move || {
        let _guard = clone.lock();
        panic!("while the lock is held");
    });
    assert!(panicked.join().is_err());
    assert!(budget.bucket.is_poisoned());
    assert!(budget.withdraw(Instant::now()).is_some());
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Pass(u64),
    Succeed,
    Spend,
    Cancel,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0_u64..3_000_000_000).prop_map(Step::Pass),
        Just(Step::Succeed),
        Just(Step::Spend),
        Just(Step::Cancel),
    ];
    prop::collection::vec(step, 0..120)
}

proptest! {
    /// Two buckets live through the same, but one of them also sees the uploads that are cancelled in the end.
    #[test]
    fn cancelled_uploads_leave_no_trace(start in 10 * TOKEN..=CAPACITY, steps in steps()) {
        let mut now = Instant::now();
        let mut with = bucket(start, 0, now);
        let mut without = with.clone();
        let mut cancelled = 0;
        for step in steps {
            match step {
                Step::Pass(nanos) => now += Duration::from_nanos(nanos),
                Step::Succeed => {
                    with.succeeded(now);
                    without.succeeded(now);
                }
                Step::Spend => {
                    if with.withdraw(now) {
                        with.spend();
                        prop_assert!(without.withdraw(now));
                        without.spend();
                    }
                }
                Step::Cancel => cancelled += u64::from(with.withdraw(now)),
            }
            prop_assert!(with.tokens + with.withdrawn <= CAPACITY);
        }
        for _ in 0..cancelled {
            with.put_back();
        }
        with.refill(now);
        without.refill(now);
        prop_assert_eq!(with, without);
    }
}
