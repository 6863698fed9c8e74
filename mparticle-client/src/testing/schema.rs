//! Whether a batch is one by the JSON Schema, in words that do not show what is in it.

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::Value;
use std::sync::LazyLock;

/// Compiled once per process; it takes longer than checking many batches.
static VALIDATOR: LazyLock<Result<Validator, String>> = LazyLock::new(|| {
    let schema = serde_json::from_str(mparticle_models::schema::BATCH_ENFORCED)
        .map_err(|error| format!("the bundled schema is not JSON: {error}"))?;
    jsonschema::validator_for(&schema)
        .map_err(|error| format!("the bundled schema is not a schema: {error}"))
});

/// Where a batch is against the schema, and by which keyword of it.
pub(super) fn check(batch: &Value, place: &str) -> Result<(), String> {
    let validator = VALIDATOR.as_ref().map_err(Clone::clone)?;
    validator.validate(batch).map_err(|error| describe(&error, place))
}

fn describe(error: &ValidationError<'_>, place: &str) -> String {
    let error = innermost(error);
    let pointer = format!("{place}{}", error.instance_path());
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            format!("`{pointer}` lacks the required field {property}")
        }
        ValidationErrorKind::Type { .. } => format!("`{pointer}` is of the wrong type"),
        kind => format!("`{pointer}` violates `{}` of the schema", kind.keyword()),
    }
}

/// Of an error that says no alternative fits, the one that lies deepest in the data: it is about the alternative that
/// was meant.
fn innermost<'a, 'b>(error: &'a ValidationError<'b>) -> &'a ValidationError<'b> {
    let (ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context }) =
        error.kind()
    else {
        return error;
    };
    let depth =
        |error: &&ValidationError<'_>| error.instance_path().to_string().matches('/').count();
    let deepest = context.iter().flatten().map(innermost).max_by_key(depth);
    match deepest {
        Some(deepest) if depth(&deepest) > depth(&error) => deepest,
        _ => error,
    }
}
