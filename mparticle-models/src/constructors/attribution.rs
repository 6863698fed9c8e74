//! Attribution: custom events that name the campaign that led to an installation or to the return of a user.

use crate::{CustomEvent, CustomEventType};

/// The name of the event that attributes an installation.
const INSTALL: &str = "attribution";

/// The name of the event that attributes a return.
const RE_ENGAGEMENT: &str = "re-engagement";

impl CustomEvent {
    /// Creates an event that attributes an installation to a campaign of a publisher. mParticle stores both in the
    /// profile of the user.
    pub fn attribution(publisher: impl Into<String>, campaign: impl Into<String>) -> Self {
        attributed(INSTALL, publisher, campaign)
    }

    /// Creates an event that attributes the return of a user to a campaign of a publisher. The profile does not change.
    pub fn re_engagement(publisher: impl Into<String>, campaign: impl Into<String>) -> Self {
        attributed(RE_ENGAGEMENT, publisher, campaign)
    }

    /// Creates an event that attributes any other engagement to a campaign of a publisher. The profile does not change.
    pub fn engagement(
        event_name: impl Into<String>,
        publisher: impl Into<String>,
        campaign: impl Into<String>,
    ) -> Self {
        attributed(event_name, publisher, campaign)
    }

    /// Creates an event that removes the attribution of an installation, as mParticle's Python SDK does.
    #[inline]
    #[must_use]
    pub fn attribution_delete() -> Self {
        Self::new(INSTALL, CustomEventType::Attribution).with_custom_attribute("action", "delete")
    }
}

fn attributed(
    event_name: impl Into<String>,
    publisher: impl Into<String>,
    campaign: impl Into<String>,
) -> CustomEvent {
    CustomEvent::new(event_name, CustomEventType::Attribution)
        .with_custom_attribute("publisher", publisher.into())
        .with_custom_attribute("campaign", campaign.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn attribution_events_carry_the_name_and_the_attributes_that_mparticle_looks_for() {
        let source = json!({ "publisher": "p", "campaign": "c" });
        let cases = [
            (CustomEvent::attribution("p", "c"), "attribution", source.clone()),
            (CustomEvent::re_engagement("p", "c"), "re-engagement", source.clone()),
            (CustomEvent::engagement("opened", "p", "c"), "opened", source),
            (CustomEvent::attribution_delete(), "attribution", json!({ "action": "delete" })),
        ];
        for (event, name, attributes) in cases {
            let expected = json!({ "event_name": name, "custom_event_type": "attribution", "custom_attributes": attributes });
            assert_eq!(serde_json::to_value(event).unwrap(), expected);
        }
    }
}
