//! The states of an application: install, upgrade, foreground, background, exit.

use crate::{ApplicationStateTransitionEvent, ApplicationTransitionType};

impl ApplicationStateTransitionEvent {
    /// Creates the event of the first start after an installation.
    #[inline]
    #[must_use]
    pub fn install() -> Self {
        Self::initialized(true, false)
    }

    /// Creates the event of the first start after an upgrade.
    #[inline]
    #[must_use]
    pub fn upgrade() -> Self {
        Self::initialized(false, true)
    }

    /// Creates the event of an application that moved to the foreground.
    #[inline]
    #[must_use]
    pub fn foreground() -> Self {
        Self::new(ApplicationTransitionType::ApplicationForeground)
    }

    /// Creates the event of an application that moved to the background.
    #[inline]
    #[must_use]
    pub fn background() -> Self {
        Self::new(ApplicationTransitionType::ApplicationBackground)
    }

    /// Creates the event of an application that exited.
    #[inline]
    #[must_use]
    pub fn exit() -> Self {
        Self::new(ApplicationTransitionType::ApplicationExit)
    }

    /// Sets both flags, because mParticle reads them together.
    #[inline]
    fn initialized(is_first_run: bool, is_upgrade: bool) -> Self {
        Self::new(ApplicationTransitionType::ApplicationInitialized)
            .with_is_first_run(is_first_run)
            .with_is_upgrade(is_upgrade)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Event;

    #[test]
    fn each_state_is_written_with_the_fields_that_make_it_up() {
        let cases = [
            (
                ApplicationStateTransitionEvent::install(),
                json!({ "application_transition_type": "application_initialized", "is_first_run": true, "is_upgrade": false }),
            ),
            (
                ApplicationStateTransitionEvent::upgrade(),
                json!({ "application_transition_type": "application_initialized", "is_first_run": false, "is_upgrade": true }),
            ),
            (
                ApplicationStateTransitionEvent::foreground(),
                json!({ "application_transition_type": "application_foreground" }),
            ),
            (
                ApplicationStateTransitionEvent::background(),
                json!({ "application_transition_type": "application_background" }),
            ),
            (
                ApplicationStateTransitionEvent::exit(),
                json!({ "application_transition_type": "application_exit" }),
            ),
        ];
        for (event, data) in cases {
            let expected = json!({ "event_type": "application_state_transition", "data": data });
            assert_eq!(serde_json::to_value(Event::from(event)).unwrap(), expected);
        }
    }
}
