//! What the generated code calls.
