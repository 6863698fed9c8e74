//! The JSON of a batch: what the caller gave, the identifier, and the client's defaults.

use super::Encoder;
use crate::models::{Batch, Context, DataPlanContext, Environment, Rule};
use crate::{Error, ErrorKind};
use serde::Serialize;
use std::borrow::Cow;

/// Fields that are not to be sent as the caller gave them.
const RESERVED: [&str; 2] = ["source_request_id", "batch_id"];

/// Room for a usual batch, so that a buffer need not grow in steps.
const USUAL_BYTES: usize = 2048;

/// What stands before the fields of a batch that are written as they are.
#[derive(Serialize)]
struct Prefix<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    source_request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<DefaultContext<'a>>,
}

#[derive(Serialize)]
struct DefaultContext<'a> {
    data_plan: &'a DataPlanContext,
}

impl Encoder {
    /// The JSON of a batch under a `source_request_id`.
    pub(super) fn document(&self, id: &str, batch: &Batch) -> Result<Vec<u8>, Error> {
        let batch = self.sendable(id, batch);
        let mut json = Vec::with_capacity(USUAL_BYTES);
        serde_json::to_writer(&mut json, &self.prefix(id, &batch)).map_err(unwritable)?;
        // `{"source_request_id":"1"` and `{"mpid":2}` become one object: the second brace turns into a comma.
        json.pop();
        if json.len() == 1 {
            json.clear();
        }
        let middle = json.len();
        serde_json::to_writer(&mut json, &*batch)
            .map_err(|error| unwritable_batch(&batch, error))?;
        if middle > 0 && json.get(middle + 1) == Some(&b'}') {
            json.remove(middle);
        } else if middle > 0 {
            json.get_mut(middle).into_iter().for_each(|brace| *brace = b',');
        }
        Ok(json)
    }

    /// The batch without what must not be sent. It is cloned only where leaving out needs it, which is rare.
    fn sendable<'b>(&self, id: &str, batch: &'b Batch) -> Cow<'b, Batch> {
        let another_id = batch.source_request_id.as_deref().is_some_and(|own| own != id);
        let smuggled = RESERVED.iter().any(|name| batch.extra.contains_key(*name));
        let plan = self.data_plan.as_ref().filter(|_| lacks_a_plan(batch.context.as_ref()));
        if batch.batch_id.is_none() && !another_id && !smuggled && plan.is_none() {
            return Cow::Borrowed(batch);
        }
        let mut batch = batch.clone();
        batch.batch_id = None;
        batch.source_request_id = None;
        if smuggled {
            batch.extra.retain(|name, _| !RESERVED.contains(&name.as_str()));
        }
        if let (Some(plan), Some(context)) = (plan, &mut batch.context) {
            context.data_plan = Some(plan.clone());
        }
        Cow::Owned(batch)
    }

    fn prefix<'a>(&'a self, id: &'a str, batch: &Batch) -> Prefix<'a> {
        let no_environment =
            batch.environment.is_none() && !batch.extra.contains_key("environment");
        let no_context = batch.context.is_none() && !batch.extra.contains_key("context");
        let environment = self.environment.as_ref().filter(|_| no_environment);
        let plan = self.data_plan.as_ref().filter(|_| no_context);
        Prefix {
            source_request_id: batch.source_request_id.is_none().then_some(id),
            environment: environment.map(Environment::as_str),
            context: plan.map(|data_plan| DefaultContext { data_plan }),
        }
    }
}

/// Whether there is a context, without a data plan.
fn lacks_a_plan(context: Option<&Context>) -> bool {
    context.is_some_and(|context| {
        context.data_plan.is_none() && !context.extra.contains_key("data_plan")
    })
}

/// Why a batch cannot be written, with the place if it is a number, as it nearly always is.
pub(super) fn unwritable_batch(batch: &Batch, error: serde_json::Error) -> Error {
    let violations = batch.validate();
    match violations.into_iter().find(|violation| violation.rule == Rule::Finite) {
        Some(violation) => {
            let message = "a number is not finite, which JSON cannot express";
            Error::new(ErrorKind::Invalid, message)
                .with_pointer(violation.pointer)
                .with_source(error)
        }
        None => unwritable(error),
    }
}

pub(super) fn unwritable(error: serde_json::Error) -> Error {
    Error::new(ErrorKind::Invalid, "the batch cannot be written as JSON").with_source(error)
}
