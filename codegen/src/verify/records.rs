//! Verifies that the keys of records are the names of the fields of the object that is read from them.
//!
//! An identity is a field of one type and a value of another. If one of the two were missing, an identity could be
//! sent, but not read.

use super::Verifier;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{Enum, Kind, Object, Shape, TypeDef};

impl Verifier<'_> {
    pub(super) fn check_records(&mut self, types: &[TypeDef]) {
        for def in types {
            let Kind::Object(object) = &def.kind else { continue };
            let Some((keys, keys_def)) = keys(object, types) else { continue };
            for field in &object.fields {
                if !keys.values.iter().any(|value| value.wire == field.wire) {
                    let message =
                        format!("the field `{}` is no value of `{}`", field.wire, keys_def.name);
                    let help = format!("add the value to {}", keys_def.origin);
                    let diagnostic =
                        Diagnostic::new(Code::Contradiction, field.origin.clone(), message);
                    self.diagnostics.push(diagnostic.with_help(help));
                }
            }
            for value in &keys.values {
                if !object.fields.iter().any(|field| field.wire == value.wire) {
                    let message =
                        format!("the value `{}` is no field of `{}`", value.wire, def.name);
                    let help = format!("add the field to {}", def.origin);
                    let origin = keys_def.origin.clone();
                    let diagnostic = Diagnostic::new(Code::Contradiction, origin, message);
                    self.diagnostics.push(diagnostic.with_help(help));
                }
            }
        }
    }
}

/// Returns the enum of the keys of the records of an object, if the keys are an enum.
fn keys<'t>(object: &Object, types: &'t [TypeDef]) -> Option<(&'t Enum, &'t TypeDef)> {
    let records = object.records.as_ref()?;
    let named = |name: &str| types.iter().find(|def| def.name == name);
    let Kind::Object(record) = &named(&records.type_name)?.kind else { return None };
    let key = record.fields.iter().find(|field| field.wire == records.key)?;
    let Shape::Ref(name) = &key.slot.shape else { return None };
    let def = named(name)?;
    match &def.kind {
        Kind::Enum(keys) => Some((keys, def)),
        _ => None,
    }
}
