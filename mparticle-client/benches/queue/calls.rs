//! The time that a call of `try_send` takes.
//!
//! Each call is compared with the encoding of an equal batch, percentile by percentile. Both contain slow calls that
//! other threads cause, because the worker and the server use the same cores as the caller.

use crate::{client, sample};
use std::hint::black_box;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// The number of calls between two flushes, which are not measured.
const ROUND: usize = 5_000;
const ROUNDS: usize = 40;
const WARM_UP: usize = 5;
/// The times of calls and of encoding, in nanoseconds.
const AIM: u128 = 1_000;

pub(crate) fn run() {
    let runtime = Runtime::new().unwrap();
    let queue = runtime.block_on(client().queue().build()).unwrap();
    let (mut encoding, mut sending) = (Vec::new(), Vec::new());
    for round in 0..WARM_UP + ROUNDS {
        for number in 0..ROUND {
            // Both use a batch that was just created, as in a request handler, and drop nothing during the measurement.
            let batch = sample::batch(number);
            let start = Instant::now();
            let encoded = batch.to_vec().unwrap();
            let encoded_in = start.elapsed();
            black_box(encoded);

            let batch = sample::batch(number);
            let start = Instant::now();
            let sent = queue.try_send(batch);
            let sent_in = start.elapsed();
            drop(sent.unwrap());

            if round >= WARM_UP {
                encoding.push(encoded_in);
                sending.push(sent_in);
            }
        }
        let report = runtime.block_on(queue.flush(Duration::from_secs(60)));
        assert!(report.is_complete(), "{report:?}");
    }
    encoding.sort_unstable();
    sending.sort_unstable();
    println!(
        "{} calls of `try_send`, one producer, with requests in flight, in ns:",
        sending.len()
    );
    println!("{:>12} {:>10} {:>10} {:>10}", "quantile", "encoding", "try_send", "difference");
    for quantile in [0.5, 0.9, 0.99, 0.999] {
        let (encoding, sending) = (at(&encoding, quantile), at(&sending, quantile));
        println!(
            "{quantile:>12} {encoding:>10} {sending:>10} {:>10}",
            difference(sending, encoding)
        );
    }
    let (encoding, sending) = (at(&encoding, 0.99), at(&sending, 0.99));
    println!(
        "`try_send` at the 99th percentile: {} ns more than the encoding, ratio {:.2}, aim at most {AIM} ns more",
        difference(sending, encoding),
        ratio(sending, encoding)
    );
}

/// In nanoseconds.
fn at(sorted: &[Duration], quantile: f64) -> u128 {
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index of a short list"
    )]
    let index = (quantile * (sorted.len() - 1) as f64) as usize;
    sorted.get(index).map_or(0, Duration::as_nanos)
}

#[allow(clippy::cast_precision_loss, reason = "some microseconds")]
fn ratio(one: u128, other: u128) -> f64 {
    one as f64 / other as f64
}

fn difference(one: u128, other: u128) -> i128 {
    i128::try_from(one).unwrap_or(i128::MAX) - i128::try_from(other).unwrap_or(i128::MAX)
}
