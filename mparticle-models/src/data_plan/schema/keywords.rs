//! The keywords of JSON Schema, draft 7.

/// All keywords, also those that restrict no value.
const KEYWORDS: &str = "\
    $comment $id $ref $schema additionalItems additionalProperties allOf anyOf const contains \
    contentEncoding contentMediaType default definitions dependencies description else enum \
    examples exclusiveMaximum exclusiveMinimum format if items maxItems maxLength maxProperties \
    maximum minItems minLength minProperties minimum multipleOf not oneOf pattern \
    patternProperties properties propertyNames readOnly required then title type uniqueItems \
    writeOnly";

/// Returns whether a member of a schema is a keyword. Others have no effect.
pub(super) fn is_known(name: &str) -> bool {
    KEYWORDS.split(' ').any(|keyword| keyword == name)
}
