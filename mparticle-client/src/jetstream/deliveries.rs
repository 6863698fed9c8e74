//! Checks the sequence of the messages that a consumer delivers.
//!
//! A server delivers a message again if it was not acknowledged in time, after messages that are newer. It numbers all
//! deliveries of a consumer. If no number is missing, every message arrived in order, and a repeated one can be ignored. If a
//! number is missing, for example because a connection broke, newer messages may have arrived before the missing one. The
//! reader then has to start again with a new consumer.

use std::collections::HashSet;

#[derive(Debug, Default)]
pub(super) struct Deliveries {
    /// The number of the last delivery of the consumer.
    last: u64,
    /// The highest sequence in the stream that was delivered.
    highest: u64,
    /// The sequences of the messages that were delivered and are not settled.
    held: HashSet<u64>,
}

/// What a delivery means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    New,
    /// The message was delivered before and is not settled.
    Held,
    /// The message was settled, and its acknowledgement was lost.
    Settled,
    /// An earlier delivery is missing.
    Gap,
}

impl Deliveries {
    /// Records a delivery with its number in the consumer and its sequence in the stream.
    pub(super) fn delivered(&mut self, number: u64, sequence: u64) -> Delivery {
        if number != self.last + 1 {
            return Delivery::Gap;
        }
        self.last = number;
        if sequence > self.highest {
            self.highest = sequence;
            self.held.insert(sequence);
            Delivery::New
        } else if self.held.contains(&sequence) {
            Delivery::Held
        } else {
            Delivery::Settled
        }
    }

    pub(super) fn settled(&mut self, sequence: u64) {
        self.held.remove(&sequence);
    }

    /// Whether every message that was delivered is settled.
    pub(super) fn is_idle(&self) -> bool {
        self.held.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::{Deliveries, Delivery};

    #[test]
    fn repeated_messages_are_recognized_and_a_missing_delivery_is_a_gap() {
        let mut deliveries = Deliveries::default();
        assert!(deliveries.is_idle());
        for (number, sequence, expected) in [
            (1, 10, Delivery::New),
            (2, 12, Delivery::New),
            (3, 10, Delivery::Held),
            (4, 13, Delivery::New),
        ] {
            assert_eq!(deliveries.delivered(number, sequence), expected);
        }
        deliveries.settled(10);
        assert_eq!(deliveries.delivered(5, 10), Delivery::Settled);
        assert_eq!(deliveries.delivered(7, 15), Delivery::Gap);
        // A new leader of the consumer may count from an earlier delivery.
        assert_eq!(deliveries.delivered(4, 13), Delivery::Gap);
        assert!(!deliveries.is_idle());
        deliveries.settled(12);
        deliveries.settled(13);
        assert!(deliveries.is_idle());
    }

    #[test]
    fn the_first_delivery_has_the_number_one() {
        assert_eq!(Deliveries::default().delivered(2, 1), Delivery::Gap);
    }
}
