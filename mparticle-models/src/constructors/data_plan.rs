//! What types that are generated from a data plan set on a batch.

use crate::{AttributeValue, Batch, DataPlanContext};

impl Batch {
    /// Sets the data plan against which mParticle checks the batch, and keeps the rest of the
    /// [`context`](Self::context).
    ///
    /// Takes the constant `CONTEXT` of a file that `mparticle-codegen` generates from a data plan.
    ///
    /// # Examples
    ///
    /// ```
    /// use mparticle_models::{Batch, Environment};
    ///
    /// let batch = Batch::new(Environment::Production).with_data_plan(("shop", 3));
    /// let plan = batch.context.unwrap().data_plan.unwrap();
    /// assert_eq!((plan.plan_id.as_str(), plan.plan_version), ("shop", Some(3)));
    /// ```
    #[must_use]
    pub fn with_data_plan(mut self, data_plan: impl Into<DataPlanContext>) -> Self {
        let context = self.context.get_or_insert_default();
        context.data_plan = Some(data_plan.into());
        self
    }

    /// Adds user attributes that are described by a data plan, and keeps the others. Replaces attributes of the same
    /// name.
    ///
    /// Takes the struct `user::Attributes` of a file that `mparticle-codegen` generates from a data plan.
    #[must_use]
    pub fn with_planned_user_attributes(
        mut self,
        attributes: impl IntoIterator<Item = (String, AttributeValue)>,
    ) -> Self {
        self.user_attributes.extend(attributes);
        self
    }
}

/// Takes the identifier and the version of a plan.
impl From<(&str, i64)> for DataPlanContext {
    fn from((plan_id, plan_version): (&str, i64)) -> Self {
        Self::new(plan_id).with_plan_version(plan_version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Context, Environment, GeoLocation};

    #[test]
    fn the_context_of_a_batch_keeps_what_it_had() {
        let context = Context::new().with_location(GeoLocation::new(1.0, 2.0));
        let batch = Batch::new(Environment::Production).with_context(context);
        let context = batch.with_data_plan(("shop", 3)).context.unwrap();
        assert!(context.location.is_some());
        assert_eq!(context.data_plan, Some(("shop", 3).into()));
    }

    #[test]
    fn planned_attributes_are_added_to_the_others() {
        let batch = Batch::new(Environment::Production)
            .with_user_attribute("age", 36)
            .with_user_attribute("name", "A.")
            .with_planned_user_attributes([("name".to_owned(), "Ada".into())]);
        assert_eq!(batch.user_attributes.len(), 2);
        assert_eq!(batch.user_attributes["name"].as_str(), Some("Ada"));
    }
}
