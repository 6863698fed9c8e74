//! Setters for decisions under the GDPR and the CCPA.

use crate::{CcpaConsent, CcpaConsentState, ConsentState, GdprConsentState, UnixMillis};

impl ConsentState {
    /// Sets the decision of the user about a GDPR purpose. Replaces an earlier decision about the same purpose.
    ///
    /// The purpose has to exist in the workspace. `consented` is `true` if the user agreed.
    #[inline]
    #[must_use]
    pub fn with_gdpr_decision(
        self,
        purpose: impl Into<String>,
        consented: bool,
        decided_at: impl Into<UnixMillis>,
    ) -> Self {
        self.with_gdpr_consent(purpose, GdprConsentState::new(consented, decided_at))
    }

    /// Sets the decision of the user about the sale of personal data under the CCPA.
    ///
    /// `opted_out` is `true` if the user objects to the sale.
    #[inline]
    #[must_use]
    pub fn with_data_sale_opt_out(
        self,
        opted_out: bool,
        decided_at: impl Into<UnixMillis>,
    ) -> Self {
        let decision = CcpaConsentState::new(opted_out, decided_at);
        self.with_ccpa(CcpaConsent::new(decision))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn decisions_are_written_below_their_regulation_and_purpose() {
        let at = UnixMillis::from_secs(1_700_000_000);
        let state = ConsentState::new()
            .with_gdpr_decision("marketing", true, at)
            .with_data_sale_opt_out(false, at);
        let decision = |consented: bool| json!({ "consented": consented, "timestamp_unixtime_ms": 1_700_000_000_000_i64 });
        let expected = json!({
            "gdpr": { "marketing": decision(true) },
            "ccpa": { "data_sale_opt_out": decision(false) },
        });
        assert_eq!(serde_json::to_value(state).unwrap(), expected);
    }
}
