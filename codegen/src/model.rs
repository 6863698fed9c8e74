//! The normal form: what a schema says once every quirk of its notation is gone.
//!
//! The passes of `normalise` rewrite JSON until `verify` can read it into a [`Model`]; the back-end
//! (lower, emit, layout) sees nothing else. Names are final here: each Rust name is valid and unique where it
//! has to be.

use crate::diagnostic::Origin;

/// Every type of a schema, module by module and there by name: the order of definitions means nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Model {
    /// The schema's files in the order of their names; each becomes one module, even when it holds no type.
    pub(crate) modules: Vec<Module>,
    /// Objects, enums and unions. Aliases and hand-written types are gone: they stand in the slots themselves.
    pub(crate) types: Vec<TypeDef>,
}

/// One schema file and the Rust module it becomes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Module {
    /// The module's name, a valid Rust identifier.
    pub(crate) name: String,
    /// The file's name as it stands in pointers, such as `commerce.json`.
    pub(crate) file: String,
    /// The file's own description.
    pub(crate) description: Option<String>,
}

/// A named type.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TypeDef {
    /// The Rust name, unique among all types.
    pub(crate) name: String,
    /// The module it belongs to, one of [`Model::modules`].
    pub(crate) module: String,
    /// Where the schema defines it.
    pub(crate) origin: Origin,
    /// The schema's description.
    pub(crate) description: Option<String>,
    /// Rust code that shows how a value is made, for the documentation.
    pub(crate) example: Option<String>,
    /// What it is.
    pub(crate) kind: Kind,
}

/// The three kinds of named types.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    /// An object with named fields.
    Object(Object),
    /// A string out of a set.
    Enum(Enum),
    /// An object whose tag decides the type of its content.
    Union(Union),
}

/// An object with named fields; unknown fields are always allowed and kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Object {
    /// The object's own fields, in schema order.
    pub(crate) fields: Vec<Field>,
    /// An object whose fields stand beside the own ones.
    pub(crate) base: Option<Base>,
    /// Wire names of fields of the base that may be absent there, but not here.
    pub(crate) required_of_base: Vec<String>,
    /// Groups of fields of which exactly one ought to be present (wire names); advice, not a rule.
    pub(crate) exactly_one_of: Vec<Vec<String>>,
    /// Wire names of the constructor's arguments, in order.
    pub(crate) constructor: Vec<String>,
    /// Whether the type is read and written as a document of its own.
    pub(crate) entry: bool,
    /// Whether it may be read from an array of records, too.
    pub(crate) records: Option<Records>,
}

impl Object {
    /// The wire names of the fields that a constructor has to ask for: required ones that cannot be null.
    pub(crate) fn required(&self) -> impl Iterator<Item = &String> {
        let required = |field: &&Field| {
            let to_write = field.presence == Presence::RequiredToWrite && !field.slot.nullable;
            field.presence == Presence::Required || to_write
        };
        self.fields.iter().filter(required).map(|field| &field.wire)
    }
}

/// An object flattened into another.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Base {
    /// The Rust name of the field that holds it, such as `common`.
    pub(crate) ident: String,
    /// The name of its type.
    pub(crate) type_name: String,
}

/// An array of records from which an object can be read: each record's value goes to the field its key names.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Records {
    /// The Rust name of the field that keeps the records; it is never written.
    pub(crate) ident: String,
    /// The type of one record.
    pub(crate) type_name: String,
    /// The wire name of a record's key.
    pub(crate) key: String,
    /// The wire name of a record's value.
    pub(crate) value: String,
}

/// A field of an object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    /// The name on the wire.
    pub(crate) wire: String,
    /// The name in Rust, unique in its object (and its base); raw keywords end in `_`.
    pub(crate) ident: String,
    /// Other spellings that are read, never written.
    pub(crate) aliases: Vec<String>,
    /// The schema's description.
    pub(crate) description: Option<String>,
    /// What it holds.
    pub(crate) slot: Slot,
    /// When it has to be there.
    pub(crate) presence: Presence,
    /// A format of JSON Schema that is text like any other in Rust, such as `date-time`.
    pub(crate) format: Option<String>,
    /// Filled by mParticle: no setter.
    pub(crate) read_only: bool,
    /// The name of one element of a list or map, for the setter that adds one.
    pub(crate) singular: Option<String>,
    /// Where the schema defines it.
    pub(crate) origin: Origin,
}

/// When a field has to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// Required to read and to write: a plain field.
    Required,
    /// Required, but null is a value: an `Option` that is always written; absence is read as null.
    WrittenAlways,
    /// Required to write, optional to read: an `Option` whose absence `validate()` reports.
    RequiredToWrite,
    /// May be absent; null is read as absent and never written.
    Optional,
}

/// A position that holds a value: its shape and the limits that hold there.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Slot {
    /// What stands there.
    pub(crate) shape: Shape,
    /// Whether null is allowed there. For an optional field this says no more than its presence does.
    pub(crate) nullable: bool,
    /// Limits of the service.
    pub(crate) limits: Limits,
}

/// What a position holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    /// Any JSON.
    Any,
    /// True or false.
    Boolean,
    /// A signed 64-bit integer.
    Integer,
    /// An unsigned 64-bit integer.
    Unsigned,
    /// A finite number.
    Number,
    /// Text; with an advised format an empty text counts as absent.
    String(Option<Format>),
    /// A boolean, a number, a string or null.
    Scalar,
    /// A scalar or a list of scalars; `Limits::max_items` and `item_max_length` hold for the list.
    ScalarOrList,
    /// A named type of the model.
    Ref(String),
    /// A type written by hand in `crate::support`, such as `UnixMillis` or `Breadcrumb<BreadcrumbEvent>`.
    Foreign(String),
    /// A list.
    Array(Box<Slot>),
    /// A map from any text to a value.
    Map(Box<Slot>),
}

/// Formats that are advice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// A UUID in its 8-4-4-4-12 form.
    Uuid,
    /// An IPv4 or IPv6 address.
    Ip,
}

/// Limits of the service on what a position holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Characters of a text.
    pub(crate) max_length: Option<Limit>,
    /// Entries of a list.
    pub(crate) max_items: Option<Limit>,
    /// The least number.
    pub(crate) minimum: Option<Bound>,
    /// The greatest number.
    pub(crate) maximum: Option<Bound>,
    /// Entries of a map.
    pub(crate) max_properties: Option<Limit>,
    /// Characters of a map's key.
    pub(crate) name_max_length: Option<Limit>,
    /// Characters of one text in the list of a [`Shape::ScalarOrList`].
    pub(crate) item_max_length: Option<Limit>,
}

/// A limit and what happens beyond it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    /// The greatest value allowed.
    pub(crate) value: u64,
    /// What happens beyond it, according to the sources.
    pub(crate) beyond: Beyond,
}

/// A bound of a number and what happens beyond it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bound {
    /// The least or the greatest number allowed.
    pub(crate) value: serde_json::Number,
    /// What happens beyond it, according to the sources.
    pub(crate) beyond: Beyond,
}

/// What happens to data beyond a limit, according to the sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beyond {
    /// It is refused or not processed.
    Refused,
    /// It is cut to the limit.
    Cut,
    /// No source says.
    Undocumented,
}

/// A string out of a set. In Rust every enum is open.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Enum {
    /// The known values, in schema order.
    pub(crate) values: Vec<EnumValue>,
    /// Whether the schema closes the set: `validate()` then reports any other value.
    pub(crate) closed: bool,
}

/// A known value of an enum.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct EnumValue {
    /// The spelling on the wire.
    pub(crate) wire: String,
    /// The Rust variant, unique in its enum and never `UnknownValue`.
    pub(crate) ident: String,
    /// Other spellings that are read, never written.
    pub(crate) aliases: Vec<String>,
    /// The schema's description.
    pub(crate) description: Option<String>,
}

/// An object `{tag, content}` whose tag decides the type of its content.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Union {
    /// The wire name of the tag, such as `event_type`.
    pub(crate) tag: String,
    /// The wire name of the content, such as `data`.
    pub(crate) content: String,
    /// The known variants, in schema order.
    pub(crate) variants: Vec<Variant>,
    /// Whether the schema closes the set of tags.
    pub(crate) closed: bool,
    /// Whether it is read and written as a document of its own.
    pub(crate) entry: bool,
}

/// A known variant of a union.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Variant {
    /// The tag's spelling on the wire.
    pub(crate) wire: String,
    /// The Rust variant, unique in its union and never `Unknown`.
    pub(crate) ident: String,
    /// Other spellings of the tag that are read, never written.
    pub(crate) aliases: Vec<String>,
    /// What the schema says of this variant.
    pub(crate) description: Option<String>,
    /// The object that is its content.
    pub(crate) type_name: String,
}
