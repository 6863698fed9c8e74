//! Attribution: custom events by which mParticle learns what brought a user.

use crate::{CustomEvent, CustomEventType};

/// The name of the event that attributes an install.
const INSTALL: &str = "attribution";

/// The name of the event that attributes a return.
const RE_ENGAGEMENT: &str = "re-engagement";

impl CustomEvent {
    /// Attributes an install to a publisher's campaign; mParticle stores both with the user's profile.
    pub fn attribution(publisher: impl Into<String>, campaign: impl Into<String>) -> Self {
        attributed(INSTALL, publisher, campaign)
    }

    /// Attributes a user's return to a publisher's campaign. The profile stays as it is.
    pub fn re_engagement(publisher: impl Into<String>, campaign: impl Into<String>) -> Self {
        attributed(RE_ENGAGEMENT, publisher, campaign)
    }

    /// Attributes any other engagement, named by the caller, to a publisher's campaign. The profile stays as it is.
    pub fn engagement(
        event_name: impl Into<String>,
        publisher: impl Into<String>,
        campaign: impl Into<String>,
    ) -> Self {
        attributed(event_name, publisher, campaign)
    }

    /// Takes the attribution of an install back, as mParticle's Python SDK does it.
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
