//! Lists of events of different types, and the names of events.

use crate::Event;

/// Creates a `Vec<Event>` from events of any types.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use mparticle_models::{
///     Batch, Environment, ScreenViewEvent, SessionEndEvent, SessionStartEvent, events,
/// };
///
/// let batch = Batch::new(Environment::Production).with_events(events![
///     SessionStartEvent::new(),
///     ScreenViewEvent::new("Home"),
///     SessionEndEvent::new(Duration::from_secs(90)),
/// ]);
/// assert_eq!(batch.events.len(), 3);
/// ```
#[macro_export]
macro_rules! events {
    ($($event:expr),* $(,)?) => {
        ::std::vec::Vec::<$crate::Event>::from([
            $(::core::convert::Into::<$crate::Event>::into($event)),*
        ])
    };
}

impl Event {
    /// Returns a name for log messages: the name of a custom event or of a screen, or the type of any other event.
    #[must_use]
    pub fn event_name(&self) -> &str {
        match self {
            Self::CustomEvent(event) => &event.event_name,
            Self::ScreenView(event) => event.screen_name.as_deref().unwrap_or(self.event_type()),
            _ => self.event_type(),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        CustomEvent, CustomEventType, Event, OptOutEvent, ScreenViewEvent, SessionStartEvent,
    };

    #[test]
    fn an_event_is_named_by_its_own_name_or_its_type() {
        let mut nameless = ScreenViewEvent::new("");
        nameless.screen_name = None;
        let unknown = Event::from_str(r#"{"event_type":"new","data":{}}"#).unwrap();
        let custom = CustomEvent::new("Signed up", CustomEventType::Other);
        let events = events![
            custom,
            ScreenViewEvent::new("Home"),
            nameless,
            OptOutEvent::new(true),
            unknown
        ];
        let names: Vec<_> = events.iter().map(Event::event_name).collect();
        assert_eq!(names, ["Signed up", "Home", "screen_view", "opt_out", "new"]);
    }

    #[test]
    fn a_list_of_events_is_made_of_none_one_or_several_types() {
        assert_eq!(events![], []);
        let start = SessionStartEvent::new();
        assert_eq!(events![start.clone()], [start.clone().into()]);
        let list = events![start.clone(), Event::from(start.clone()), OptOutEvent::new(true),];
        assert_eq!(list, [start.clone().into(), start.into(), OptOutEvent::new(true).into()]);
    }
}
