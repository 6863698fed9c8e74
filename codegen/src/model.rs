//! The model of a schema, independent of its notation.
//!
//! The passes of `normalise` rewrite JSON until `verify` can read it into a [`Model`]. The later steps (`lower`,
//! `emit`, `layout`) use only the model. Names are final here: each Rust name is valid, and unique in its scope.

use crate::diagnostic::Origin;

/// All types of a schema, sorted by module and name. The order of definitions has no effect.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Model {
    /// The files of the schema in the order of their names. Each file becomes a module, even if it has no types.
    pub(crate) modules: Vec<Module>,
    /// Objects, enums and unions. Aliases and hand-written types are part of the slots that use them.
    pub(crate) types: Vec<TypeDef>,
}

/// A schema file and its Rust module.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Module {
    /// The name of the module, a valid Rust identifier.
    pub(crate) name: String,
    /// The name of the file in locations, such as `commerce.json`.
    pub(crate) file: String,
    /// The description of the file.
    pub(crate) description: Option<String>,
}

/// A named type.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TypeDef {
    /// The Rust name, unique among all types.
    pub(crate) name: String,
    /// The module of the type, one of [`Model::modules`].
    pub(crate) module: String,
    /// The location in the schema.
    pub(crate) origin: Origin,
    /// The description in the schema.
    pub(crate) description: Option<String>,
    /// Rust code for the documentation that shows how a value is created.
    pub(crate) example: Option<String>,
    /// The kind of the type.
    pub(crate) kind: Kind,
}

/// The three kinds of named types.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    /// An object with named fields.
    Object(Object),
    /// A string from a set.
    Enum(Enum),
    /// An object whose tag determines the type of its content.
    Union(Union),
}

/// An object with named fields. Unknown fields are always allowed and kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Object {
    /// The own fields of the object, in the order of the schema.
    pub(crate) fields: Vec<Field>,
    /// An object whose fields are flattened into this one.
    pub(crate) base: Option<Base>,
    /// The wire names of fields that are optional in the base and required here.
    pub(crate) required_of_base: Vec<String>,
    /// Groups of fields of which exactly one should be present, by wire name. This is advice and not a rule.
    pub(crate) exactly_one_of: Vec<Vec<String>>,
    /// The wire names of the constructor arguments, in order.
    pub(crate) constructor: Vec<String>,
    /// Whether the type is read and written as a document.
    pub(crate) entry: bool,
    /// Whether the object may also be read from an array of records.
    pub(crate) records: Option<Records>,
}

impl Object {
    /// Returns the wire names of the fields that a constructor must take: the required fields that cannot be null.
    pub(crate) fn required(&self) -> impl Iterator<Item = &String> {
        let required = |field: &&Field| {
            let to_write = field.presence == Presence::RequiredToWrite && !field.slot.nullable;
            field.presence == Presence::Required || to_write
        };
        self.fields.iter().filter(required).map(|field| &field.wire)
    }
}

/// An object that is flattened into another one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Base {
    /// The Rust name of its field, such as `common`.
    pub(crate) ident: String,
    /// The name of its type.
    pub(crate) type_name: String,
}

/// An array of records from which an object can be read. The key of each record names the field for its value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Records {
    /// The Rust name of the field that keeps the records, which is never written.
    pub(crate) ident: String,
    /// The type of a record.
    pub(crate) type_name: String,
    /// The wire name of the key of a record.
    pub(crate) key: String,
    /// The wire name of the value of a record.
    pub(crate) value: String,
}

/// A field of an object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    /// The name on the wire.
    pub(crate) wire: String,
    /// The name in Rust, unique in its object and the base. Keywords end in `_`.
    pub(crate) ident: String,
    /// Other spellings, which are read and never written.
    pub(crate) aliases: Vec<String>,
    /// The description in the schema.
    pub(crate) description: Option<String>,
    /// The value of the field.
    pub(crate) slot: Slot,
    /// Whether the field has to be present.
    pub(crate) presence: Presence,
    /// A format of JSON Schema without a Rust type of its own, such as `date-time`.
    pub(crate) format: Option<String>,
    /// Whether mParticle sets the field. It then has no setter.
    pub(crate) read_only: bool,
    /// The name of an element of a list or map, for the setter that adds an element.
    pub(crate) singular: Option<String>,
    /// The location in the schema.
    pub(crate) origin: Origin,
}

/// Whether a field has to be present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// Required for reading and writing: a plain field.
    Required,
    /// Required, but may be null: an `Option` that is always written. An absent field is read as null.
    WrittenAlways,
    /// Required for writing and optional for reading: an `Option` whose absence `validate()` reports.
    RequiredToWrite,
    /// Optional. Null is read as absent and never written.
    Optional,
}

/// A position for a value: its shape and its limits.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Slot {
    /// The shape of the value.
    pub(crate) shape: Shape,
    /// Whether null is allowed. For an optional field, this is already implied by its presence.
    pub(crate) nullable: bool,
    /// The limits of the service.
    pub(crate) limits: Limits,
}

/// The shape of a value.
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
    /// Text. With a format that is advice, an empty text is treated as absent.
    String(Option<Format>),
    /// A boolean, a number, a string or null.
    Scalar,
    /// A scalar or a list of scalars. `Limits::max_items` and `item_max_length` apply to the list.
    ScalarOrList,
    /// A named type of the model.
    Ref(String),
    /// A hand-written type of `crate::support`, such as `UnixMillis` or `Breadcrumb<BreadcrumbEvent>`.
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

/// The limits of the service on a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    /// The maximum number of characters of a text.
    pub(crate) max_length: Option<Limit>,
    /// The maximum number of entries of a list.
    pub(crate) max_items: Option<Limit>,
    /// The minimum of a number.
    pub(crate) minimum: Option<Bound>,
    /// The maximum of a number.
    pub(crate) maximum: Option<Bound>,
    /// The maximum number of entries of a map.
    pub(crate) max_properties: Option<Limit>,
    /// The maximum number of characters of a key of a map.
    pub(crate) name_max_length: Option<Limit>,
    /// The maximum number of characters of a text in the list of a [`Shape::ScalarOrList`].
    pub(crate) item_max_length: Option<Limit>,
}

/// A limit and the effect of exceeding it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    /// The maximum allowed value.
    pub(crate) value: u64,
    /// The effect of exceeding it, according to the sources.
    pub(crate) beyond: Beyond,
}

/// A bound of a number and the effect of exceeding it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bound {
    /// The minimum or maximum allowed number.
    pub(crate) value: serde_json::Number,
    /// The effect of exceeding it, according to the sources.
    pub(crate) beyond: Beyond,
}

/// The effect of data beyond a limit, according to the sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beyond {
    /// mParticle refuses the data or does not process it.
    Refused,
    /// mParticle truncates the data to the limit.
    Cut,
    /// The effect is not documented.
    Undocumented,
}

/// A string from a set. In Rust, every enum is open.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Enum {
    /// The known values, in the order of the schema.
    pub(crate) values: Vec<EnumValue>,
    /// Whether the set is closed in the schema. `validate()` then reports any other value.
    pub(crate) closed: bool,
}

/// A known value of an enum.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct EnumValue {
    /// The spelling on the wire.
    pub(crate) wire: String,
    /// The name of the Rust variant, unique in its enum and never `UnknownValue`.
    pub(crate) ident: String,
    /// Other spellings, which are read and never written.
    pub(crate) aliases: Vec<String>,
    /// The description in the schema.
    pub(crate) description: Option<String>,
}

/// An object `{tag, content}` whose tag determines the type of its content.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Union {
    /// The wire name of the tag, such as `event_type`.
    pub(crate) tag: String,
    /// The wire name of the content, such as `data`.
    pub(crate) content: String,
    /// The known variants, in the order of the schema.
    pub(crate) variants: Vec<Variant>,
    /// Whether the set of tags is closed in the schema.
    pub(crate) closed: bool,
    /// Whether the union is read and written as a document.
    pub(crate) entry: bool,
}

/// A known variant of a union.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Variant {
    /// The spelling of the tag on the wire.
    pub(crate) wire: String,
    /// The name of the Rust variant, unique in its union and never `Unknown`.
    pub(crate) ident: String,
    /// Other spellings of the tag, which are read and never written.
    pub(crate) aliases: Vec<String>,
    /// The description of the variant in the schema.
    pub(crate) description: Option<String>,
    /// The type of the content.
    pub(crate) type_name: String,
}
