//! Reads the schemas of a plan. What is wrong is reported with its place and left out; the rest still applies.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::keywords;
use super::pattern::{self, Dialect, PatternError};
use super::{
    Additional, Combined, Condition, Definition, Dependency, Format, Items, Limit, ListRules,
    NumberRules, ObjectRules, Pattern, Schema, TextRules, Type, Types, Unique,
};
use crate::data_plan::Rules;
use crate::data_plan::instance::Instance;
use crate::support::Place;

/// The depth beyond which schemas are not read.
const MAX_DEPTH: usize = 128;

/// Something wrong in a plan.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) pointer: String,
    pub(crate) message: String,
}

/// Compiles the definitions of a plan.
pub(crate) struct Compiler {
    rules: Rules,
    pub(crate) faults: Vec<Fault>,
    /// The patterns that were compiled, because a plan repeats the same few.
    patterns: BTreeMap<String, Result<Pattern, PatternError>>,
}

/// The state of one definition.
struct Scope<'d> {
    root: &'d Value,
    /// The schemas that are referred to, by pointer.
    references: BTreeMap<String, usize>,
    compiled: Vec<Schema>,
    depth: usize,
}

type Node = Map<String, Value>;

impl Compiler {
    pub(crate) fn new(rules: Rules) -> Self {
        Self { rules, faults: Vec::new(), patterns: BTreeMap::new() }
    }

    pub(crate) fn rules(&self) -> Rules {
        self.rules
    }

    /// Adds a fault.
    pub(crate) fn fault(&mut self, place: &Place<'_>, message: impl Into<String>) {
        self.faults.push(Fault { pointer: place.to_string(), message: message.into() });
    }

    /// Compiles the definition at a place of the plan.
    pub(crate) fn definition(&mut self, definition: &Value, place: &Place<'_>) -> Definition {
        let mut scope =
            Scope { root: definition, references: BTreeMap::new(), compiled: Vec::new(), depth: 0 };
        let root = self.schema(definition, place, &mut scope);
        Definition { root, references: scope.compiled }
    }

    fn schema(&mut self, value: &Value, place: &Place<'_>, scope: &mut Scope<'_>) -> Schema {
        let node = match value {
            Value::Bool(accepts) => return Schema { never: !accepts, ..Schema::default() },
            Value::Object(node) => node,
            _ => {
                self.fault(place, "a schema is an object or a boolean");
                return Schema::default();
            }
        };
        if scope.depth >= MAX_DEPTH {
            self.fault(place, "the schema is nested too deeply");
            return Schema::default();
        }
        scope.depth += 1;
        let schema = self.node(node, place, scope);
        scope.depth -= 1;
        schema
    }

    fn node(&mut self, node: &Node, place: &Place<'_>, scope: &mut Scope<'_>) -> Schema {
        self.annotations(node, place);
        let types = node.get("type").and_then(|types| self.types(types, &place.field("type")));
        if let Some(reference) = node.get("$ref") {
            // The library ignores what stands beside a reference, except for the type.
            let reference = self.reference(reference, &place.field("$ref"), scope);
            let combined = Combined { reference, ..Combined::default() };
            return Schema { types, combined: Some(Box::new(combined)), ..Schema::default() };
        }
        Schema {
            never: false,
            number: self.number(node, place).map(Box::new),
            text: self.text(node, place).map(Box::new),
            list: self.list(node, place, scope).map(Box::new),
            object: self.object(node, place, scope).map(Box::new),
            constant: node.get("const").map(Instance::from),
            values: node.get("enum").and_then(|values| self.values(values, &place.field("enum"))),
            combined: self.combined(node, place, scope).map(Box::new),
            types,
        }
    }

    /// Reports unknown keywords, and keywords without effect whose values are of the wrong type.
    fn annotations(&mut self, node: &Node, place: &Place<'_>) {
        for name in node.keys().filter(|name| !keywords::is_known(name)) {
            let message = format!("the keyword `{name}` is unknown; it is not checked");
            self.fault(&place.field(name), message);
        }
        let texts =
            ["$comment", "$id", "title", "description", "contentMediaType", "contentEncoding"];
        for keyword in texts {
            if node.get(keyword).is_some_and(|value| !value.is_string()) {
                self.fault(&place.field(keyword), format!("`{keyword}` is a string"));
            }
        }
        if node.get("$schema").is_some_and(|dialect| !is_draft_07(dialect)) {
            self.fault(&place.field("$schema"), "the only known dialect is draft-07");
        }
        if node.get("readOnly").is_some_and(|value| !value.is_boolean()) {
            self.fault(&place.field("readOnly"), "`readOnly` is a boolean");
        }
        if node.get("examples").is_some_and(|value| !value.is_array()) {
            self.fault(&place.field("examples"), "`examples` is a list");
        }
    }

    fn types(&mut self, value: &Value, place: &Place<'_>) -> Option<Types> {
        let values = match value {
            Value::Array(values) => values.as_slice(),
            one => std::slice::from_ref(one),
        };
        let texts: Option<Vec<&str>> = values.iter().map(Value::as_str).collect();
        let texts = texts.unwrap_or_default();
        let names: Option<Vec<Type>> = texts.iter().copied().map(Type::named).collect();
        let names = names.unwrap_or_default();
        if names.is_empty() {
            self.fault(place, "`type` is one of the types of JSON Schema, or a list of them");
            return None;
        }
        if texts.iter().collect::<BTreeSet<_>>().len() < texts.len() {
            self.fault(place, "`type` lists a type twice");
        }
        Some(Types { names, text: texts.join(",") })
    }

    fn values(&mut self, value: &Value, place: &Place<'_>) -> Option<Vec<Instance>> {
        let Some(values) = value.as_array().filter(|values| !values.is_empty()) else {
            self.fault(place, "`enum` is a list of at least one value");
            return None;
        };
        let mut seen = BTreeSet::new();
        let values: Vec<Instance> = values.iter().map(Instance::from).collect();
        for (index, value) in values.iter().enumerate() {
            if !seen.insert(value.to_canonical_json()) {
                self.fault(&place.index(index), "`enum` lists a value twice");
            }
        }
        Some(values)
    }

    fn reference(
        &mut self,
        value: &Value,
        place: &Place<'_>,
        scope: &mut Scope<'_>,
    ) -> Option<usize> {
        let root = scope.root;
        let target = value.as_str().and_then(|text| text.strip_prefix('#')).and_then(|pointer| {
            let pointer = percent_decoded(pointer);
            let schema = root.pointer(if pointer == "/" { "" } else { &pointer })?;
            Some((pointer, schema))
        });
        let Some((pointer, target)) = target else {
            self.fault(
                place,
                "`$ref` does not lead to a schema of this definition; it is not checked",
            );
            return None;
        };
        if let Some(index) = scope.references.get(&pointer) {
            return Some(*index);
        }
        let index = scope.compiled.len();
        scope.references.insert(pointer, index);
        scope.compiled.push(Schema::default());
        let schema = self.schema(target, place, scope);
        if let Some(slot) = scope.compiled.get_mut(index) {
            *slot = schema;
        }
        Some(index)
    }

    fn number(&mut self, node: &Node, place: &Place<'_>) -> Option<NumberRules> {
        let mut rules = NumberRules::default();
        let limits = [("maximum", "exclusiveMaximum"), ("minimum", "exclusiveMinimum")];
        for (inclusive, exclusive) in limits {
            let bounds = (self.bound(node, inclusive, place), self.bound(node, exclusive, place));
            rules.limits.extend(limit(inclusive, exclusive, bounds));
        }
        rules.multiple_of = self.bound(node, "multipleOf", place);
        if rules.multiple_of.is_some_and(|divisor| divisor <= 0.0) {
            self.fault(&place.field("multipleOf"), "`multipleOf` is greater than 0");
            rules.multiple_of = None;
        }
        let any = !rules.limits.is_empty() || rules.multiple_of.is_some();
        any.then_some(rules)
    }

    fn bound(&mut self, node: &Node, keyword: &str, place: &Place<'_>) -> Option<f64> {
        let value = node.get(keyword)?;
        let number = value.as_f64();
        if number.is_none() {
            self.fault(&place.field(keyword), format!("`{keyword}` is a number"));
        }
        number
    }

    /// Reads a number of characters, items or members.
    fn count(&mut self, node: &Node, keyword: &str, place: &Place<'_>) -> Option<f64> {
        let value = node.get(keyword)?;
        let count = value.as_f64().filter(|count| *count >= 0.0 && count.fract() == 0.0);
        if count.is_none() {
            let message = format!("`{keyword}` is a whole number that is not negative");
            self.fault(&place.field(keyword), message);
        }
        count
    }

    fn flag(&mut self, node: &Node, keyword: &str, place: &Place<'_>) -> bool {
        let value = node.get(keyword);
        if value.is_some_and(|value| !value.is_boolean()) {
            self.fault(&place.field(keyword), format!("`{keyword}` is a boolean"));
        }
        value == Some(&Value::Bool(true))
    }

    fn text(&mut self, node: &Node, place: &Place<'_>) -> Option<TextRules> {
        let rules = TextRules {
            longest: self.count(node, "maxLength", place),
            shortest: self.count(node, "minLength", place),
            pattern: node.get("pattern").and_then(|p| self.pattern(p, &place.field("pattern"))),
            format: node.get("format").and_then(|f| self.format(f, &place.field("format"))),
        };
        let TextRules { longest, shortest, pattern, format } = &rules;
        let any = longest.is_some() || shortest.is_some() || pattern.is_some() || format.is_some();
        any.then_some(rules)
    }

    fn format(&mut self, value: &Value, place: &Place<'_>) -> Option<(Format, String)> {
        let Some(name) = value.as_str() else {
            self.fault(place, "`format` is a string");
            return None;
        };
        let format = Format::named(name, self.rules);
        if format.is_none() {
            self.fault(place, format!("the format `{name}` is unknown; it is not checked"));
        }
        Some((format?, name.to_owned()))
    }

    fn pattern(&mut self, value: &Value, place: &Place<'_>) -> Option<Pattern> {
        let Some(text) = value.as_str() else {
            self.fault(place, "a pattern is a string");
            return None;
        };
        self.named_pattern(text, place)
    }

    fn named_pattern(&mut self, text: &str, place: &Place<'_>) -> Option<Pattern> {
        let rules = self.rules;
        let compiled = self.patterns.entry(text.to_owned()).or_insert_with(|| {
            let dialect =
                if rules == Rules::node() { Dialect::JavaScript } else { Dialect::DotNet };
            let regex = pattern::compile(text, dialect)?;
            Ok(Pattern { text: text.to_owned(), regex: Arc::new(regex) })
        });
        match compiled.clone() {
            Ok(pattern) => Some(pattern),
            Err(PatternError::Invalid(reason)) => {
                self.fault(place, format!("the pattern is invalid: {reason}"));
                None
            }
            Err(PatternError::Unsupported(reason)) => {
                self.fault(place, format!("the pattern is not checked: {reason}"));
                None
            }
        }
    }

    fn list(&mut self, node: &Node, place: &Place<'_>, scope: &mut Scope<'_>) -> Option<ListRules> {
        let keywords = ["maxItems", "minItems", "uniqueItems", "contains", "items"];
        if !keywords.iter().any(|keyword| node.contains_key(*keyword)) {
            // The library reads this only beside a list of schemas, but it has to be one.
            self.additional(node, "additionalItems", place, scope);
            return None;
        }
        let unique = self.flag(node, "uniqueItems", place);
        Some(ListRules {
            longest: self.count(node, "maxItems", place),
            shortest: self.count(node, "minItems", place),
            contains: node
                .get("contains")
                .map(|contains| self.schema(contains, &place.field("contains"), scope)),
            items: self.items(node, place, scope),
            unique: unique.then(|| Unique::of(node.get("items"))),
        })
    }

    fn items(&mut self, node: &Node, place: &Place<'_>, scope: &mut Scope<'_>) -> Items {
        let here = place.field("items");
        let additional = self.additional(node, "additionalItems", place, scope);
        match node.get("items") {
            None => Items::Any,
            Some(Value::Array(schemas)) => {
                Items::Each(self.schemas(schemas, &here, scope), additional)
            }
            Some(schema) => Items::All(self.schema(schema, &here, scope)),
        }
    }

    fn schemas(
        &mut self,
        schemas: &[Value],
        place: &Place<'_>,
        scope: &mut Scope<'_>,
    ) -> Vec<Schema> {
        if schemas.is_empty() {
            self.fault(place, "a list of schemas has at least one");
        }
        let numbered = schemas.iter().enumerate();
        numbered.map(|(index, schema)| self.schema(schema, &place.index(index), scope)).collect()
    }

    fn additional(
        &mut self,
        node: &Node,
        keyword: &str,
        place: &Place<'_>,
        scope: &mut Scope<'_>,
    ) -> Additional {
        match node.get(keyword) {
            None | Some(Value::Bool(true)) => Additional::Allowed,
            Some(Value::Bool(false)) => Additional::Forbidden,
            Some(schema) => {
                let schema = self.schema(schema, &place.field(keyword), scope);
                if schema.is_empty() {
                    Additional::Allowed
                } else {
                    Additional::Checked(Box::new(schema))
                }
            }
        }
    }

    fn object(
        &mut self,
        node: &Node,
        place: &Place<'_>,
        scope: &mut Scope<'_>,
    ) -> Option<ObjectRules> {
        let mut rules = ObjectRules {
            most: self.count(node, "maxProperties", place),
            least: self.count(node, "minProperties", place),
            required: node
                .get("required")
                .map(|names| self.names(names, &place.field("required")))
                .unwrap_or_default(),
            dependencies: self.dependencies(node, place, scope),
            names: node
                .get("propertyNames")
                .map(|names| self.schema(names, &place.field("propertyNames"), scope)),
            properties: self.properties(node, place, scope),
            patterns: self.pattern_properties(node, place, scope),
            additional: self.additional(node, "additionalProperties", place, scope),
        };
        // Sorted, because the fast path compares sorted attributes with them.
        rules.required.sort();
        let any = rules.most.is_some()
            || rules.least.is_some()
            || !rules.required.is_empty()
            || !rules.dependencies.is_empty()
            || rules.names.is_some()
            || !rules.properties.is_empty()
            || !rules.patterns.is_empty()
            || !matches!(rules.additional, Additional::Allowed);
        any.then_some(rules)
    }

    /// Reads a list of names.
    fn names(&mut self, value: &Value, place: &Place<'_>) -> Vec<String> {
        let names: Option<Vec<String>> = value
            .as_array()
            .and_then(|names| names.iter().map(|n| n.as_str().map(str::to_owned)).collect());
        let Some(mut names) = names else {
            self.fault(place, "the names are a list of strings");
            return Vec::new();
        };
        let mut seen = BTreeSet::new();
        let count = names.len();
        names.retain(|name| seen.insert(name.clone()));
        if names.len() < count {
            self.fault(place, "a name is listed twice");
        }
        names
    }

    fn properties(
        &mut self,
        node: &Node,
        place: &Place<'_>,
        scope: &mut Scope<'_>,
    ) -> BTreeMap<String, Schema> {
        let here = place.field("properties");
        let Some(properties) = self.node_at(node, "properties", place) else {
            return BTreeMap::new();
        };
        let schemas = properties.iter().filter(|(name, _)| *name != "__proto__");
        schemas
            .map(|(name, schema)| (name.clone(), self.schema(schema, &here.field(name), scope)))
            .collect()
    }

    fn pattern_properties(
        &mut self,
        node: &Node,
        place: &Place<'_>,
        scope: &mut Scope<'_>,
    ) -> Vec<(Option<Pattern>, Schema)> {
        let here = place.field("patternProperties");
        let Some(patterns) = self.node_at(node, "patternProperties", place) else {
            return Vec::new();
        };
        let compile = |(text, schema): (&String, &Value)| {
            let place = here.field(text);
            (self.named_pattern(text, &place), self.schema(schema, &place, scope))
        };
        patterns.iter().map(compile).collect()
    }

    fn dependencies(
        &mut self,
        node: &Node,
        place: &Place<'_>,
        scope: &mut Scope<'_>,
    ) -> Vec<(String, Dependency)> {
        let here = place.field("dependencies");
        let Some(dependencies) = self.node_at(node, "dependencies", place) else {
            return Vec::new();
        };
        let compile = |(name, value): (&String, &Value)| {
            let place = here.field(name);
            let dependency = if value.is_array() {
                Dependency::Names(self.names(value, &place))
            } else {
                Dependency::Schema(self.schema(value, &place, scope))
            };
            (name.clone(), dependency)
        };
        dependencies.iter().map(compile).collect()
    }

    /// Returns the object under a keyword.
    fn node_at<'n>(
        &mut self,
        node: &'n Node,
        keyword: &str,
        place: &Place<'_>,
    ) -> Option<&'n Node> {
        let value = node.get(keyword)?;
        if !value.is_object() {
            self.fault(&place.field(keyword), format!("`{keyword}` is an object"));
        }
        value.as_object()
    }

    fn combined(
        &mut self,
        node: &Node,
        place: &Place<'_>,
        scope: &mut Scope<'_>,
    ) -> Option<Combined> {
        let keywords = ["not", "anyOf", "oneOf", "allOf", "if", "then", "else"];
        if !keywords.iter().any(|keyword| node.contains_key(*keyword)) {
            return None;
        }
        let mut one = |keyword: &str| {
            node.get(keyword).map(|schema| self.schema(schema, &place.field(keyword), scope))
        };
        let not = one("not");
        let (test, then, otherwise) = (one("if"), one("then"), one("else"));
        Some(Combined {
            reference: None,
            not,
            any_of: self.branches(node, "anyOf", place, scope),
            one_of: self.branches(node, "oneOf", place, scope),
            all_of: self.branches(node, "allOf", place, scope),
            condition: test.map(|test| Condition { test, then, otherwise }),
        })
    }

    fn branches(
        &mut self,
        node: &Node,
        keyword: &str,
        place: &Place<'_>,
        scope: &mut Scope<'_>,
    ) -> Vec<Schema> {
        let place = place.field(keyword);
        match node.get(keyword) {
            None => Vec::new(),
            Some(Value::Array(schemas)) => self.schemas(schemas, &place, scope),
            Some(_) => {
                self.fault(&place, format!("`{keyword}` is a list of schemas"));
                Vec::new()
            }
        }
    }
}

/// Returns the tighter of two bounds. The library reports only that one.
fn limit(
    inclusive: &'static str,
    exclusive: &'static str,
    bounds: (Option<f64>, Option<f64>),
) -> Option<Limit> {
    match bounds {
        (None, None) => None,
        (Some(bound), None) => Some(Limit { keyword: inclusive, bound }),
        (None, Some(bound)) => Some(Limit { keyword: exclusive, bound }),
        (Some(a), Some(b)) => {
            let exclusive_is_tighter = if inclusive == "maximum" { b <= a } else { b >= a };
            let (keyword, bound) =
                if exclusive_is_tighter { (exclusive, b) } else { (inclusive, a) };
            Some(Limit { keyword, bound })
        }
    }
}

fn is_draft_07(dialect: &Value) -> bool {
    let name = dialect.as_str().map(|dialect| dialect.trim_end_matches('#'));
    name == Some("http://json-schema.org/draft-07/schema")
        || name == Some("http://json-schema.org/schema")
}

/// Decodes the percent signs of a fragment.
fn percent_decoded(fragment: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = fragment.bytes();
    while let Some(byte) = rest.next() {
        let mut ahead = rest.clone();
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        let pair = (digit(ahead.next()), digit(ahead.next()));
        match (byte, pair) {
            (b'%', (Some(high), Some(low))) => {
                bytes.push(u8::try_from(high * 16 + low).unwrap_or(b'%'));
                rest = ahead;
            }
            (byte, _) => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Type {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "null" => Self::Null,
            "boolean" => Self::Boolean,
            "integer" => Self::Integer,
            "number" => Self::Number,
            "string" => Self::String,
            "array" => Self::Array,
            "object" => Self::Object,
            _ => return None,
        })
    }
}

impl Unique {
    /// Returns how the library compares items that have this schema.
    fn of(items: Option<&Value>) -> Self {
        let types = match items.and_then(|items| items.get("type")) {
            Some(Value::Array(types)) => types.iter().collect(),
            Some(one) => vec![one],
            None => Vec::new(),
        };
        let types: Option<Vec<Type>> =
            types.into_iter().map(|name| Type::named(name.as_str()?)).collect();
        match types {
            Some(types)
                if !types.is_empty()
                    && !types.contains(&Type::Array)
                    && !types.contains(&Type::Object) =>
            {
                Self::Scalars(types)
            }
            _ => Self::All,
        }
    }
}
