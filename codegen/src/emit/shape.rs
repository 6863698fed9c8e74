//! The description of an object for the emitters of its parts.

use super::Context;
use crate::model::{Field, Object, TypeDef};
use crate::rust_type::RustType;

/// An object with the information that the emitters of its parts require.
pub(crate) struct ObjectShape<'a> {
    pub(crate) context: &'a Context<'a>,
    pub(crate) def: &'a TypeDef,
    pub(crate) object: &'a Object,
    /// The own fields with their Rust types.
    pub(crate) fields: Vec<(&'a Field, &'a RustType)>,
    /// Whether the object is the content of a union, and therefore keeps the other fields of the union's object.
    pub(crate) is_union_content: bool,
    /// Whether the object itself keeps unknown fields.
    pub(crate) has_extra: bool,
}

impl<'a> ObjectShape<'a> {
    pub(crate) fn new(context: &'a Context<'a>, def: &'a TypeDef, object: &'a Object) -> Self {
        let fields = context.lowered.fields(&def.name, object).collect();
        let is_union_content = context.is_union_content(&def.name);
        let has_extra = context.keeps_unknown(&def.name, object);
        Self { context, def, object, fields, is_union_content, has_extra }
    }

    /// Whether the constructor has no arguments. `Default` then creates a complete value.
    pub(crate) fn has_default(&self) -> bool {
        let base = self.base_object();
        self.object.constructor.is_empty() && base.is_none_or(|base| base.constructor.is_empty())
    }

    /// The object that is flattened into this one.
    pub(crate) fn base_object(&self) -> Option<&'a Object> {
        self.context.object(&self.object.base.as_ref()?.type_name)
    }

    /// The fields of the flattened object with their Rust types.
    pub(crate) fn base_fields(&self) -> Vec<(&'a Field, &'a RustType)> {
        match (&self.object.base, self.base_object()) {
            (Some(base), Some(object)) => {
                self.context.lowered.fields(&base.type_name, object).collect()
            }
            _ => Vec::new(),
        }
    }
}
