//! Splits a batch into what the endpoint for historical data processes, and the rest.

use crate::encoding::historical::is_historical;
use crate::models::Batch;
use std::time::SystemTime;

/// The parts of a batch that go to different endpoints. Returned by [`SplitByAge::of`].
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct SplitByAge {
    /// The events that the endpoint for historical data processes, with everything else of the batch.
    pub historical: Option<Batch>,
    /// The other events, with everything else of the batch. A batch without events is here as well.
    pub recent: Option<Batch>,
}

impl SplitByAge {
    /// Splits a batch by the age of its events at a given time.
    ///
    /// An event is historical if it has a timestamp that is at least 72 hours before `now`. If the batch has a
    /// `source_request_id` and is divided, the ids of its parts are `<id>/historical` and `<id>/recent`. A batch that is
    /// not divided keeps its id.
    ///
    /// Events grow older. A program that may repeat an upload has to pass the same `now` each time. Otherwise an event can
    /// move to the other part, and mParticle drops it with a part that it knows already.
    ///
    /// # Examples
    /// ```
    /// use mparticle_client::SplitByAge;
    /// use mparticle_client::models::{Batch, Environment, SessionStartEvent, UnixMillis};
    /// use std::time::SystemTime;
    ///
    /// let at = |millis| {
    ///     let time = UnixMillis::from_millis(millis);
    ///     SessionStartEvent::new().with_timestamp_unixtime_ms(time)
    /// };
    /// let batch = Batch::new(Environment::Production)
    ///     .with_source_request_id("order-1")
    ///     .with_events([at(1_600_000_000_000), at(4_000_000_000_000)]);
    /// let parts = SplitByAge::of(batch, SystemTime::now());
    /// let historical = parts.historical.and_then(|part| part.source_request_id);
    /// assert_eq!(historical.as_deref(), Some("order-1/historical"));
    /// ```
    #[must_use]
    pub fn of(mut batch: Batch, now: SystemTime) -> Self {
        let events = std::mem::take(&mut batch.events);
        let (old, young): (Vec<_>, Vec<_>) =
            events.into_iter().partition(|event| is_historical(event, now));
        match (old.is_empty(), young.is_empty()) {
            (true, _) => Self { recent: Some(batch.with_events(young)), ..Self::default() },
            (false, true) => Self { historical: Some(batch.with_events(old)), ..Self::default() },
            (false, false) => {
                let historical = part_of(batch.clone(), "historical").with_events(old);
                let recent = part_of(batch, "recent").with_events(young);
                Self { historical: Some(historical), recent: Some(recent) }
            }
        }
    }
}

fn part_of(mut batch: Batch, name: &str) -> Batch {
    if let Some(id) = &mut batch.source_request_id {
        id.push('/');
        id.push_str(name);
    }
    batch
}

#[cfg(test)]
mod tests {
    use super::SplitByAge;
    use crate::models::{Batch, CustomEvent, CustomEventType, Environment, UnixMillis};
    use std::time::{Duration, SystemTime};

    const NOW: i64 = 1_700_000_000_000;
    const HOURS_72: i64 = 72 * 3_600_000;

    /// The id of a part, and the times of its events.
    type Part = (String, Vec<Option<i64>>);

    fn split(times: &[Option<i64>]) -> [Option<Part>; 2] {
        let events = times.iter().map(|time| {
            let mut event = CustomEvent::new("a", CustomEventType::Other);
            event.common.timestamp_unixtime_ms = time.map(UnixMillis::from_millis);
            event
        });
        let batch = Batch::new(Environment::Development)
            .with_source_request_id("id")
            .with_mpid(7)
            .with_events(events);
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(NOW.unsigned_abs());
        let SplitByAge { historical, recent } = SplitByAge::of(batch, now);
        [historical, recent].map(|part| {
            let part = part?;
            assert_eq!(part.mpid, Some(7));
            let time = |event: &crate::models::Event| {
                event.common().unwrap().timestamp_unixtime_ms.map(UnixMillis::as_millis)
            };
            Some((part.source_request_id.unwrap(), part.events.iter().map(time).collect()))
        })
    }

    fn part(id: &str, times: &[Option<i64>]) -> Part {
        (id.to_owned(), times.to_vec())
    }

    #[test]
    fn events_go_to_the_part_of_their_age_and_every_part_has_an_id_of_its_own() {
        let (old, young) = (Some(NOW - HOURS_72), Some(NOW - HOURS_72 + 1));
        let in_future = Some(NOW + 1);
        for (times, historical, recent) in [
            (vec![], None, Some(part("id", &[]))),
            (vec![old, Some(0)], Some(part("id", &[old, Some(0)])), None),
            (vec![young, None], None, Some(part("id", &[young, None]))),
            (
                vec![young, old, None, in_future],
                Some(part("id/historical", &[old])),
                Some(part("id/recent", &[young, None, in_future])),
            ),
        ] {
            let expected = [historical, recent];
            assert_eq!(split(&times), expected, "{times:?}");
        }
    }
}
