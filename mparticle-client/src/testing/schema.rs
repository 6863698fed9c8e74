//! Validation of a batch against the JSON Schema. The messages do not contain values of the batch.

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::Value;
use std::sync::LazyLock;

/// Compiled once per process, because compiling takes longer than validating many batches.
static VALIDATOR: LazyLock<Result<Validator, String>> = LazyLock::new(|| {
    let schema = serde_json::from_str(mparticle_models::schema::BATCH_ENFORCED)
        .map_err(|error| format!("the bundled schema is not JSON: {error}"))?;
    jsonschema::validator_for(&schema)
        .map_err(|error| format!("the bundled schema is not a schema: {error}"))
});

/// Validates a batch. The error names the location of the violation, after `prefix`, and the violated keyword.
pub(super) fn validate(batch: &Value, prefix: &str) -> Result<(), String> {
    let validator = VALIDATOR.as_ref().map_err(Clone::clone)?;
    validator.validate(batch).map_err(|error| describe(&error, prefix))
}

/// Describes a location in the body of a request, which is given as a JSON pointer.
pub(super) fn describe_location(pointer: &str) -> String {
    if pointer.is_empty() { "the body".to_owned() } else { format!("`{pointer}`") }
}

fn describe(error: &ValidationError<'_>, prefix: &str) -> String {
    let error = most_specific(error);
    let location = describe_location(&format!("{prefix}{}", error.instance_path()));
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            format!("{location} lacks the required field {property}")
        }
        ValidationErrorKind::Type { .. } => format!("{location} is of the wrong type"),
        kind => format!("{location} violates `{}` of the schema", kind.keyword()),
    }
}

/// Returns the cause of an error which says that no alternative matches: the error that is located deepest in the batch,
/// because it belongs to the alternative that the sender most likely meant.
fn most_specific<'a, 'b>(error: &'a ValidationError<'b>) -> &'a ValidationError<'b> {
    let (ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context }) =
        error.kind()
    else {
        return error;
    };
    let depth =
        |error: &&ValidationError<'_>| error.instance_path().to_string().matches('/').count();
    let deepest = context.iter().flatten().map(most_specific).max_by_key(depth);
    match deepest {
        Some(deepest) if depth(&deepest) > depth(&error) => deepest,
        _ => error,
    }
}
