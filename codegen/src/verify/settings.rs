//! Verifies that every entry of the overrides applies: it must name an existing part of the schema and change
//! something.

use toml::Spanned;

use super::Verifier;
use super::objects::BASE_FIELD;
use crate::model::{Kind, Object, Presence, Shape, TypeDef};
use crate::names;
use crate::normalise::default_name;
use crate::overrides::{RecordsOverride, TypeOverride};

/// A key of the overrides and the mistake in its entry.
type Stale<'a> = (&'a Spanned<String>, String);

impl<'a> Verifier<'a> {
    /// Reports every entry that does not apply.
    pub(super) fn check_overrides(&mut self, types: &[TypeDef]) {
        let overrides = self.schema.overrides;
        let mut stale: Vec<Stale<'_>> = Vec::new();
        for (key, entry) in &overrides.types {
            let mistakes = match types.iter().find(|def| def.origin.key() == **key.get_ref()) {
                Some(def) => self.type_entry(entry, def, types),
                None => self.alias_entry(key.get_ref(), entry).into_iter().collect(),
            };
            stale.extend(mistakes.into_iter().map(|mistake| (key, mistake)));
        }
        stale.extend(self.file_entries());
        stale.extend(self.name_entries());
        for (key, message) in stale {
            self.diagnostics.push(overrides.stale(key, message));
        }
    }

    /// Returns the mistakes in the entry of a generated type.
    fn type_entry(&self, entry: &TypeOverride, def: &TypeDef, types: &[TypeDef]) -> Vec<String> {
        let key = def.origin.key();
        let mut mistakes = Vec::new();
        if *entry == TypeOverride::default() {
            mistakes.push("the entry is empty".to_owned());
        }
        if entry.name.is_some() && entry.name == default_name(self.schema, &key) {
            mistakes.push(format!("`{}` is the default name of the type", def.name));
        }
        match &def.kind {
            Kind::Object(object) => {
                mistakes.extend(field_mistakes(entry, object));
                mistakes.extend(constructor_mistake(entry, object));
                let records = entry.records.as_ref();
                mistakes.extend(records.and_then(|records| records_mistake(records, types)));
                mistakes.extend(base_mistake(entry, def, types));
            }
            kind => {
                let entry_fits = matches!(kind, Kind::Union(_)) || !entry.entry;
                let rest = TypeOverride {
                    name: entry.name.clone(),
                    entry: entry.entry,
                    example: entry.example.clone(),
                    ..TypeOverride::default()
                };
                if *entry != rest || !entry_fits {
                    mistakes.push(format!(
                        "`{}` is not an object, so the entry does not apply",
                        def.name
                    ));
                }
            }
        }
        mistakes
    }

    /// Returns the mistake in the entry of a definition that is not a generated type.
    fn alias_entry(&self, key: &str, entry: &TypeOverride) -> Option<String> {
        let alone = TypeOverride { rust: entry.rust.clone(), ..TypeOverride::default() };
        match &entry.rust {
            _ if !self.schema.bundle.definitions.contains_key(key) => {
                Some(format!("there is no definition `{key}`"))
            }
            None => Some(format!("`{key}` is not an object, enum or union")),
            Some(_) if *entry != alone => {
                Some(format!("`{key}` is written by hand, so nothing but `rust` can apply"))
            }
            Some(rust) if syn::parse_str::<syn::Type>(rust).is_err() => {
                Some(format!("`{rust}` is not a Rust type"))
            }
            Some(_) => None,
        }
    }

    fn file_entries(&self) -> Vec<Stale<'a>> {
        let overrides = self.schema.overrides;
        let mut stale = Vec::new();
        for (keyword, _) in &overrides.ignore {
            if !self.schema.bundle.ignored.contains(keyword.get_ref()) {
                stale.push((keyword, format!("no schema has the keyword `{}`", keyword.get_ref())));
            }
        }
        for (file, name) in &overrides.modules {
            if !self.schema.bundle.documents.contains_key(file.get_ref().as_str()) {
                stale.push((file, format!("there is no file `{}`", file.get_ref())));
            } else if *name == names::module_ident(file.get_ref()) {
                stale.push((file, format!("`{name}` is the default name of the module")));
            }
        }
        for (name, file) in &overrides.documents {
            if !self.schema.bundle.documents.contains_key(file) {
                stale.push((name, format!("there is no file `{file}`")));
            } else if !names::is_ident(name.get_ref()) {
                stale
                    .push((name, format!("`{}` cannot be the name of a constant", name.get_ref())));
            }
        }
        stale
    }

    fn name_entries(&self) -> Vec<Stale<'a>> {
        let mut stale = Vec::new();
        for (key, name) in &self.schema.overrides.names {
            let place = key.get_ref().as_str();
            if !self.is_type(place) && !self.renamed.contains(place) {
                stale.push((key, format!("there is no inline type or value at `{place}`")));
            } else if self.is_type(place) && default_name(self.schema, place).as_ref() == Some(name)
            {
                stale.push((key, format!("`{name}` is the default name of the type")));
            }
        }
        stale
    }
}

/// Whether a field may have this name.
fn is_field(name: &str) -> bool {
    names::is_ident(name) && names::is_snake(name)
}

fn field_mistakes(entry: &TypeOverride, object: &Object) -> Vec<String> {
    let field = |wire: &String| object.fields.iter().find(|field| field.wire == *wire);
    let mut mistakes = Vec::new();
    for wire in &entry.optional_to_read {
        if field(wire).is_none_or(|field| field.presence != Presence::RequiredToWrite) {
            mistakes
                .push(format!("`optional_to_read` names `{wire}`, which is not a required field"));
        }
    }
    for (wire, name) in &entry.singular {
        let shape = field(wire).map(|field| &field.slot.shape);
        if !matches!(shape, Some(Shape::Array(_) | Shape::Map(_))) {
            mistakes.push(format!("`singular` names `{wire}`, which is not a list or map"));
        } else if !is_field(name) {
            mistakes.push(format!(
                "`singular` calls an element `{name}`, which is not a valid name of a field in Rust"
            ));
        }
    }
    mistakes
}

fn constructor_mistake(entry: &TypeOverride, object: &Object) -> Option<String> {
    let arguments = entry.constructor.as_ref()?;
    let required: Vec<&String> = object.required().collect();
    let has = |wire: &&String| object.fields.iter().any(|field| field.wire == **wire);
    if let Some(wire) = arguments.iter().find(|wire| !has(wire)) {
        Some(format!("`constructor` names `{wire}`, which is not a field of the object itself"))
    } else if let Some(wire) = required.iter().find(|wire| !arguments.contains(wire)) {
        Some(format!("`constructor` leaves out `{wire}`, which is required"))
    } else if required.iter().copied().eq(arguments) {
        Some("`constructor` lists the required fields, which is the default".to_owned())
    } else {
        None
    }
}

fn records_mistake(records: &RecordsOverride, types: &[TypeDef]) -> Option<String> {
    let item = types.iter().find(|def| def.name == records.item);
    let Some(Kind::Object(item)) = item.map(|def| &def.kind) else {
        return Some(format!("`records` names `{}`, which is not an object", records.item));
    };
    let missing = |wire: &&String| !item.fields.iter().any(|field| field.wire == **wire);
    if let Some(wire) = [&records.key, &records.value].into_iter().find(missing) {
        return Some(format!(
            "`records` names `{wire}`, which is not a field of `{}`",
            records.item
        ));
    }
    let usable = is_field(&records.field);
    (!usable).then(|| {
        format!(
            "`records` calls a field `{}`, which is not a valid name of a field in Rust",
            records.field
        )
    })
}

fn base_mistake(entry: &TypeOverride, def: &TypeDef, types: &[TypeDef]) -> Option<String> {
    let chosen = entry.flattened_as.as_ref()?;
    let flattens = |other: &TypeDef| match &other.kind {
        Kind::Object(object) => object.base.as_ref().is_some_and(|base| base.type_name == def.name),
        _ => false,
    };
    if chosen == BASE_FIELD {
        Some(format!("`{chosen}` is the default name of the field"))
    } else if !is_field(chosen) {
        Some(format!(
            "`flattened_as` calls a field `{chosen}`, which is not a valid name of a field in Rust"
        ))
    } else if !types.iter().any(flattens) {
        Some(format!("`{}` is not flattened into any object", def.name))
    } else {
        None
    }
}
