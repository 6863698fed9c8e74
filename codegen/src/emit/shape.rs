//! What the emitters of an object's parts need to know of it.

use super::Context;
use crate::diagnostic::Diagnostic;
use crate::model::{Field, Object, TypeDef};

/// An object beside what the emitters of its parts need to know of it.
pub(crate) struct ObjectShape<'a> {
    pub(crate) context: &'a Context<'a>,
    pub(crate) def: &'a TypeDef,
    pub(crate) object: &'a Object,
    /// The own fields with their Rust types.
    pub(crate) fields: Vec<(&'a Field, &'a syn::Type)>,
    /// Whether it is the content of a union, and so keeps what else stands in the envelope.
    pub(crate) is_union_content: bool,
    /// Whether it keeps unknown fields itself.
    pub(crate) has_extra: bool,
}

impl<'a> ObjectShape<'a> {
    pub(crate) fn new(
        context: &'a Context<'a>,
        def: &'a TypeDef,
        object: &'a Object,
    ) -> Result<Self, Diagnostic> {
        let fields = typed_fields(context, &def.name, object)?;
        let is_union_content = context.is_union_content(&def.name);
        let has_extra = !context.is_base(&def.name);
        Ok(Self { context, def, object, fields, is_union_content, has_extra })
    }

    /// Whether the constructor takes nothing, so that `Default` makes a complete value.
    pub(crate) fn has_default(&self) -> bool {
        let base = self.base_object();
        self.object.constructor.is_empty() && base.is_none_or(|base| base.constructor.is_empty())
    }

    /// The object flattened into this one.
    pub(crate) fn base_object(&self) -> Option<&'a Object> {
        self.context.object(&self.object.base.as_ref()?.type_name)
    }

    /// The fields of the flattened object with their Rust types.
    pub(crate) fn base_fields(&self) -> Result<Vec<(&'a Field, &'a syn::Type)>, Diagnostic> {
        match (&self.object.base, self.base_object()) {
            (Some(base), Some(object)) => typed_fields(self.context, &base.type_name, object),
            _ => Ok(Vec::new()),
        }
    }
}

/// An object's own fields with their Rust types.
fn typed_fields<'a>(
    context: &'a Context<'a>,
    name: &str,
    object: &'a Object,
) -> Result<Vec<(&'a Field, &'a syn::Type)>, Diagnostic> {
    object.fields.iter().map(|field| Ok((field, context.lowered.field(name, field)?))).collect()
}
