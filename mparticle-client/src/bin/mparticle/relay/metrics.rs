//! The counts of a relay in the text format of Prometheus, and its health.

use mparticle_client::jetstream::FeedStats;
use mparticle_client::relay::{RelayState, RelayStats};
use std::fmt::Write;

/// Returns the metrics. `feed` is absent if the NATS servers do not answer.
pub(super) fn metrics(relay: &RelayStats, feed: Option<FeedStats>, rate: Option<f64>) -> String {
    let mut text = String::new();
    let mut metric = |name: &str, kind: &str, help: &str, value: &dyn std::fmt::Display| {
        // Writing to a text cannot fail.
        _ = write!(
            text,
            "# HELP mparticle_relay_{name} {help}\n# TYPE mparticle_relay_{name} {kind}\nmparticle_relay_{name} {value}\n"
        );
    };
    let flag = |is_set: bool| u8::from(is_set);
    let is_active = relay.state == RelayState::Active;
    let is_paused = matches!(relay.state, RelayState::Paused { .. });
    metric("active", "gauge", "Whether this relay delivers.", &flag(is_active));
    metric("paused", "gauge", "Whether requests fail for a permanent reason.", &flag(is_paused));
    metric(
        "failing",
        "gauge",
        "Whether the last request failed.",
        &flag(relay.failing_since.is_some()),
    );
    metric("delivered_total", "counter", "Batches that mParticle accepted.", &relay.delivered);
    metric("rejected_total", "counter", "Batches that mParticle refused.", &relay.rejected);
    metric("expired_total", "counter", "Batches that were too old.", &relay.expired);
    metric("held", "gauge", "Batches that were read and have no outcome yet.", &relay.held);
    metric("opened_total", "counter", "How often this relay became active.", &relay.opened);
    if let Some(rate) = rate {
        metric("rate_limit", "gauge", "Batches per second that may be sent.", &rate);
    }
    metric("nats_up", "gauge", "Whether the NATS servers answer.", &flag(feed.is_some()));
    if let Some(feed) = feed {
        metric("feed_pending", "gauge", "Batches in the feed.", &feed.pending);
        metric(
            "feed_pending_bytes",
            "gauge",
            "Size of the batches in the feed.",
            &feed.pending_bytes,
        );
        metric(
            "feed_dead_letters",
            "gauge",
            "Batches that were not delivered.",
            &feed.dead_letters,
        );
    }
    text
}

/// Returns whether the relay is healthy, and a line of text.
pub(super) fn health(relay: &RelayStats, is_nats_up: bool) -> (bool, &'static str) {
    match relay.state {
        _ if !is_nats_up => (false, "the NATS servers do not answer\n"),
        RelayState::Active => (true, "active\n"),
        RelayState::Standby => (true, "standby\n"),
        RelayState::Paused { .. } => (false, "paused\n"),
        _ => (false, "stopped\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::{health, metrics};
    use mparticle_client::jetstream::FeedStats;
    use mparticle_client::relay::{RelayState, RelayStats};

    #[test]
    fn every_metric_has_a_type_and_a_value() {
        let text = metrics(&RelayStats::default(), Some(FeedStats::default()), Some(243.5));
        let lines: Vec<_> = text.lines().collect();
        assert!(lines.len() > 30);
        for metric in lines.chunks(3) {
            let (name, value) = metric[2].split_once(' ').unwrap();
            assert!(metric[0].starts_with(&format!("# HELP {name} ")), "{metric:?}");
            assert!(metric[1].starts_with(&format!("# TYPE {name} ")), "{metric:?}");
            value.parse::<f64>().unwrap();
        }
        assert!(text.contains("\nmparticle_relay_rate_limit 243.5\n"));
        let text = metrics(&RelayStats::default(), None, None);
        assert!(text.contains("\nmparticle_relay_nats_up 0\n"));
    }

    #[test]
    fn a_relay_that_waits_is_healthy_while_nats_answers() {
        let mut stats = RelayStats::default();
        assert_eq!(health(&stats, true), (true, "standby\n"));
        assert!(!health(&stats, false).0);
        stats.state = RelayState::Active;
        assert_eq!(health(&stats, true), (true, "active\n"));
        stats.state = RelayState::Stopped;
        assert!(!health(&stats, true).0);
    }
}
