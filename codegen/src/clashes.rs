//! Finds name clashes in the emitted code.
//!
//! Names come from the schema, the overrides and the emitters. They are therefore compared in the syntax tree of each
//! file, which contains all of them, including the methods that an emitter adds.

use std::collections::BTreeSet;

use syn::{Fields, File, FnArg, ImplItem, Item, Pat, Type, UseTree};

use crate::diagnostic::{Code, Diagnostic, Origin};
use crate::model::Model;

/// Reports each name that occurs twice in a file, a struct, an enum, a function or the methods of a type.
pub(crate) fn check(model: &Model, module: &str, file: &File) -> Vec<Diagnostic> {
    let mut names = Names::default();
    for item in &file.items {
        names.item(item);
    }
    let report = |clash: Clash| clash.report(model, module);
    names.clashes.into_iter().map(report).collect()
}

/// A name that occurs twice.
struct Clash {
    /// The type that contains both, or the name itself if two types have the name.
    owner: String,
    message: String,
}

impl Clash {
    fn report(self, model: &Model, module: &str) -> Diagnostic {
        let def = model.types.iter().find(|def| def.name == self.owner);
        let of_module = || {
            let found = model.modules.iter().find(|found| found.name == module);
            Origin::parse(found.map_or(module, |module| &module.file))
        };
        let origin = def.map_or_else(of_module, |def| def.origin.clone());
        let help = "give a field, a value or a type another name under `[names]` or `[types]` of the overrides, \
                    or correct `singular`, `flattened_as` or `records`";
        Diagnostic::new(Code::NameConflict, origin, self.message).with_help(help)
    }
}

/// The owners of the names so far, by the scope and the kind of the name.
#[derive(Default)]
struct Names {
    seen: BTreeSet<(String, &'static str, String)>,
    clashes: Vec<Clash>,
}

impl Names {
    /// Records a name. Returns `false` if the name was already recorded.
    fn note(&mut self, owner: &str, kind: &'static str, scope: &str, name: &str) -> bool {
        let key = (format!("{owner}/{scope}"), kind, name.to_owned());
        let is_new = self.seen.insert(key);
        if !is_new {
            let message = match (owner, scope) {
                ("", _) => {
                    format!("`{name}` is the name of a type and of something the module needs")
                }
                (_, "") => format!("`{owner}` would have two {kind}s called `{name}`"),
                _ => format!("`{owner}::{scope}` would have two {kind}s called `{name}`"),
            };
            let owner = if owner.is_empty() { name } else { owner };
            self.clashes.push(Clash { owner: owner.to_owned(), message });
        }
        is_new
    }

    fn item(&mut self, item: &Item) {
        match item {
            Item::Use(item) => self.imports(&item.tree),
            Item::Struct(item) => {
                let owner = item.ident.to_string();
                self.note("", "type", "", &owner);
                self.fields(&owner, "", &item.fields);
            }
            Item::Enum(item) => {
                let owner = item.ident.to_string();
                self.note("", "type", "", &owner);
                for variant in &item.variants {
                    let name = variant.ident.to_string();
                    self.note(&owner, "variant", "", &name);
                    self.fields(&owner, &name, &variant.fields);
                }
            }
            Item::Impl(item) => self.methods(item),
            _ => {}
        }
    }

    fn imports(&mut self, tree: &UseTree) {
        match tree {
            UseTree::Path(path) => self.imports(&path.tree),
            UseTree::Name(name) => {
                let name = name.ident.to_string();
                // A module of functions is not a type.
                if name.starts_with(char::is_uppercase) {
                    self.note("", "type", "", &name);
                }
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.imports(tree)),
            UseTree::Rename(_) | UseTree::Glob(_) => {}
        }
    }

    fn fields(&mut self, owner: &str, variant: &str, fields: &Fields) {
        for field in fields {
            if let Some(name) = &field.ident {
                self.note(owner, "field", variant, &name.to_string());
            }
        }
    }

    fn methods(&mut self, item: &syn::ItemImpl) {
        let Type::Path(path) = item.self_ty.as_ref() else { return };
        let Some(owner) = path.path.segments.last().map(|last| last.ident.to_string()) else {
            return;
        };
        for item in item.items.iter().filter(|_| item.trait_.is_none()) {
            let ImplItem::Fn(method) = item else { continue };
            let name = method.sig.ident.to_string();
            if !self.note(&owner, "method", "", &name) {
                continue;
            }
            for input in &method.sig.inputs {
                if let FnArg::Typed(input) = input
                    && let Pat::Ident(parameter) = input.pat.as_ref()
                {
                    self.note(&owner, "parameter", &name, &parameter.ident.to_string());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn every_kind_of_clash_is_found() {
        let cases: [(File, &str); 7] = [
            (
                parse_quote! { use crate::support::{Field, read}; struct Field; mod read {} },
                "`Field` is the name of a type and of something the module needs",
            ),
            (
                parse_quote! { struct A { b: u8, b: u8 } struct B { b: u8 } },
                "`A` would have two fields called `b`",
            ),
            (parse_quote! { enum A { B, C, B } }, "`A` would have two variants called `B`"),
            (
                parse_quote! { enum A { B { c: u8, c: u8 } } },
                "`A::B` would have two fields called `c`",
            ),
            (
                parse_quote! { impl A { fn b() {} } impl T for A { fn b() {} } impl A { fn b() {} } },
                "`A` would have two methods called `b`",
            ),
            (
                parse_quote! { impl A { fn b(self, c: u8, mut c: u8) {} fn d(c: u8) {} } },
                "`A::b` would have two parameters called `c`",
            ),
            (
                parse_quote! { struct A { b: u8 } enum A { } },
                "`A` is the name of a type and of something the module needs",
            ),
        ];
        for (file, expected) in cases {
            let found = check(&Model::default(), "m", &file);
            let messages: Vec<_> = found.iter().map(|clash| clash.message.as_str()).collect();
            assert_eq!(messages, [expected]);
        }
    }
}
