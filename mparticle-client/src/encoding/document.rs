//! The JSON of a batch, with its `source_request_id` and the defaults of the client.

use super::Encoder;
use crate::models::{Batch, Context, DataPlanContext, Environment, Rule};
use crate::{Error, ErrorKind};
use serde::Serialize;
use std::borrow::Cow;

/// Fields that are never taken from the unknown fields of a batch: the client sets the first and mParticle sets the
/// second.
const RESERVED: [&str; 2] = ["source_request_id", "batch_id"];

/// The initial capacity of the buffer, which is sufficient for a typical batch.
const INITIAL_CAPACITY: usize = 2048;

/// The fields that the client adds. They are written before the fields of the batch.
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
    /// Returns the JSON of a batch with a `source_request_id`.
    pub(super) fn document(&self, id: &str, batch: &Batch) -> Result<Vec<u8>, Error> {
        let batch = self.prepare(id, batch);
        let mut json = Vec::with_capacity(INITIAL_CAPACITY);
        serde_json::to_writer(&mut json, &self.prefix(id, &batch)).map_err(serialization_error)?;
        // Join `{"source_request_id":"1"}` and `{"mpid":2}` into one object: remove the closing brace of the first and
        // replace the opening brace of the second with a comma.
        json.pop();
        if json.len() == 1 {
            json.clear();
        }
        let prefix_len = json.len();
        serde_json::to_writer(&mut json, &*batch)
            .map_err(|error| batch_serialization_error(&batch, error))?;
        if prefix_len > 0 && json.get(prefix_len + 1) == Some(&b'}') {
            json.remove(prefix_len);
        } else if prefix_len > 0 {
            json.get_mut(prefix_len).into_iter().for_each(|brace| *brace = b',');
        }
        Ok(json)
    }

    /// Returns the batch without the fields that must not be sent, and with the default data plan if its context has
    /// none. Clones the batch only if it has to be changed, which is rare.
    fn prepare<'b>(&self, id: &str, batch: &'b Batch) -> Cow<'b, Batch> {
        let other_id = batch.source_request_id.as_deref().is_some_and(|own| own != id);
        let has_reserved = RESERVED.iter().any(|name| batch.extra.contains_key(*name));
        let plan = self.data_plan.as_ref().filter(|_| lacks_data_plan(batch.context.as_ref()));
        if batch.batch_id.is_none() && !other_id && !has_reserved && plan.is_none() {
            return Cow::Borrowed(batch);
        }
        let mut batch = batch.clone();
        batch.batch_id = None;
        batch.source_request_id = None;
        if has_reserved {
            batch.extra.retain(|name, _| !RESERVED.contains(&name.as_str()));
        }
        if let (Some(plan), Some(context)) = (plan, &mut batch.context) {
            context.data_plan = Some(plan.clone());
        }
        Cow::Owned(batch)
    }

    /// Returns the fields to add to a batch. A default applies only if the batch does not have the field.
    fn prefix<'a>(&'a self, id: &'a str, batch: &Batch) -> Prefix<'a> {
        let environment = self.environment.as_ref().filter(|_| batch.environment.is_none());
        let plan = self.data_plan.as_ref().filter(|_| batch.context.is_none());
        Prefix {
            source_request_id: batch.source_request_id.is_none().then_some(id),
            environment: environment.map(Environment::as_str),
            context: plan.map(|data_plan| DefaultContext { data_plan }),
        }
    }
}

/// Whether a batch has a context without a data plan.
fn lacks_data_plan(context: Option<&Context>) -> bool {
    context.is_some_and(|context| context.data_plan.is_none())
}

/// Converts the error of serializing a batch. The error points to the value that cannot be written.
pub(super) fn batch_serialization_error(batch: &Batch, error: serde_json::Error) -> Error {
    let cause = batch.validate().into_iter().find_map(|violation| match violation.rule {
        Rule::Finite => {
            Some(("a number is not finite, and JSON cannot represent it", violation.pointer))
        }
        Rule::RepeatedField => {
            let message = "`extra` contains the name of a known field; set the field itself";
            Some((message, violation.pointer))
        }
        _ => None,
    });
    match cause {
        Some((message, pointer)) => {
            Error::new(ErrorKind::Invalid, message).with_pointer(pointer).with_source(error)
        }
        None => serialization_error(error),
    }
}

pub(super) fn serialization_error(error: serde_json::Error) -> Error {
    Error::new(ErrorKind::Invalid, "the batch cannot be serialized as JSON").with_source(error)
}
