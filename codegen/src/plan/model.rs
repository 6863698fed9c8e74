//! A data plan as the emitters see it.

use serde_json::{Map, Value};

use super::overrides::Section;
use super::standard::Standard;
pub(crate) use super::types::{Enum, Form, Nulls, Type, Variant, text_of};
use crate::diagnostic::Origin;

/// One version of a data plan.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The identifier and the version, if both are known.
    pub(crate) context: Option<(String, i64)>,
    /// The points that become types, in the order of the file.
    pub(crate) points: Vec<Point>,
    /// All points of the file, for the linter.
    pub(crate) definitions: Vec<Map<String, Value>>,
}

/// A data point that becomes a type.
#[derive(Debug)]
pub(crate) struct Point {
    /// What the point matches, as one text. It names the point in the overrides.
    pub(crate) key: String,
    /// What the point matches.
    pub(crate) matches: Match,
    pub(crate) origin: Origin,
    /// The type of the events, and then those of their parts, each of which is in a list of the one before it.
    pub(crate) records: Vec<Record>,
}

/// What a point matches.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Match {
    CustomEvent { name: String, event_type: String },
    ScreenView { name: String },
    ProductAction { action: String },
    PromotionAction { action: String },
    ProductImpression,
    UserAttributes,
}

impl Match {
    /// Returns the module of the type.
    pub(crate) fn module(&self) -> Module {
        match self {
            Self::CustomEvent { .. } => Module::Custom,
            Self::ScreenView { .. } => Module::Screen,
            Self::ProductAction { .. } | Self::PromotionAction { .. } | Self::ProductImpression => {
                Module::Commerce
            }
            Self::UserAttributes => Module::User,
        }
    }

    /// Returns what builds the type's events.
    pub(crate) fn role(&self) -> Role {
        match self {
            Self::CustomEvent { .. } => Role::CustomEvent,
            Self::ScreenView { .. } => Role::ScreenView,
            Self::ProductAction { .. } => Role::ProductAction,
            Self::PromotionAction { .. } => Role::PromotionAction,
            Self::ProductImpression => Role::Impressions,
            Self::UserAttributes => Role::UserAttributes,
        }
    }
}

/// A module of the generated file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Module {
    Custom,
    Screen,
    Commerce,
    User,
}

impl Module {
    pub(crate) const ALL: [Self; 4] = [Self::Custom, Self::Screen, Self::Commerce, Self::User];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Custom => "custom",
            Self::Screen => "screen",
            Self::Commerce => "commerce",
            Self::User => "user",
        }
    }
}

/// What a struct builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    CustomEvent,
    ScreenView,
    ProductAction,
    PromotionAction,
    Impressions,
    UserAttributes,
    /// A product of a product action or of an impression.
    Product,
    /// A promotion of a promotion action.
    Promotion,
    /// A list of products that was shown.
    Impression,
}

impl Role {
    /// Returns the role of the parts that a list of this role holds.
    pub(crate) fn items(self) -> Option<Self> {
        match self {
            Self::ProductAction | Self::Impression => Some(Self::Product),
            Self::PromotionAction => Some(Self::Promotion),
            Self::Impressions => Some(Self::Impression),
            _ => None,
        }
    }

    /// Returns the name of the list of parts in JSON.
    pub(crate) fn list(self) -> Option<&'static str> {
        match self {
            Self::ProductAction | Self::Impression => Some("products"),
            Self::PromotionAction => Some("promotions"),
            Self::Impressions => Some("product_impressions"),
            _ => None,
        }
    }

    /// Returns the name of one part.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Promotion => "promotion",
            Self::Impression => "impression",
            Self::UserAttributes => "attributes",
            Self::ScreenView => "screen",
            Self::CustomEvent | Self::ProductAction | Self::PromotionAction | Self::Impressions => {
                "event"
            }
        }
    }

    /// Whether the struct is a whole event.
    pub(crate) fn is_event(self) -> bool {
        matches!(
            self,
            Self::CustomEvent
                | Self::ScreenView
                | Self::ProductAction
                | Self::PromotionAction
                | Self::Impressions
        )
    }
}

/// A struct of the generated code.
#[derive(Debug)]
pub(crate) struct Record {
    /// The Rust name.
    pub(crate) name: String,
    /// The Rust name of the struct of required attributes.
    pub(crate) required_name: String,
    pub(crate) role: Role,
    /// What the plan says about it, as Markdown.
    pub(crate) description: Option<String>,
    pub(crate) fields: Vec<Field>,
    pub(crate) constants: Vec<Constant>,
    /// Whether there may be attributes that the plan does not list.
    pub(crate) is_open: bool,
    /// The parts of its list.
    pub(crate) items: Items,
}

impl Record {
    pub(crate) fn new(role: Role, description: Option<String>) -> Self {
        Self {
            name: String::new(),
            required_name: String::new(),
            role,
            description,
            fields: Vec::new(),
            constants: Vec::new(),
            is_open: true,
            items: if role.items().is_some() { Items::Standard } else { Items::None },
        }
    }

    pub(crate) fn required(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| field.is_required)
    }

    /// Whether the required attributes are fields of a struct: named fields cannot be confused.
    pub(crate) fn has_required_struct(&self) -> bool {
        self.required().nth(1).is_some()
    }
}

/// The parts of a record's list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Items {
    /// There is no list.
    None,
    /// The plan says nothing about the parts: they have the type of the models.
    Standard,
    /// The plan describes the parts: their type is the point's next record.
    Planned,
}

/// Something that is set on a record.
#[derive(Debug)]
pub(crate) struct Field {
    /// The name in JSON.
    pub(crate) wire: String,
    /// The Rust name without `with_`; a keyword is not escaped.
    pub(crate) name: String,
    pub(crate) target: Target,
    /// The group of the field in the overrides.
    pub(crate) section: Section,
    pub(crate) ty: Type,
    pub(crate) is_required: bool,
    pub(crate) is_nullable: bool,
    /// What the plan says about it, and its rules, as paragraphs of Markdown.
    pub(crate) docs: Vec<String>,
    pub(crate) origin: Origin,
}

/// A value that is the same in every event.
#[derive(Debug)]
pub(crate) struct Constant {
    pub(crate) wire: String,
    pub(crate) target: Target,
    /// A scalar, or for a user attribute a list of scalars.
    pub(crate) value: Value,
}

/// Where a value is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Target {
    /// Among the attributes.
    Attribute,
    /// Among the custom flags.
    Flag,
    /// In a field that mParticle defines.
    Standard(&'static Standard),
    /// In a field that neither mParticle's documentation nor the models know.
    Unknown(Holder),
}

/// A part of an event that has fields.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Holder {
    /// The data that all events have.
    Common,
    /// The data of this kind of event.
    Event,
    /// The action of a commerce event.
    Action,
    /// A product, a promotion or an impression.
    Item,
}
