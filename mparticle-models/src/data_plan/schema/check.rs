//! Compares a value with a schema, and collects every difference.

use std::collections::BTreeMap;

use super::{
    Additional, Combined, Definition, Dependency, Items, ListRules, ObjectRules, ScalarRef, Schema,
    Type, Types, Unique,
};
use crate::data_plan::Rules;
use crate::data_plan::instance::{Instance, Object, number_text};
use crate::support::Place;

/// The depth at which a schema that refers to itself is given up.
const MAX_DEPTH: usize = 256;

/// The number of comparisons after which a check is given up. The largest batches take fewer.
const MAX_STEPS: usize = 10_000_000;

/// The number of failures after which a check is given up.
const MAX_FAILURES: usize = 100_000;

/// The keyword of the failure that reports a check that was given up.
pub(crate) const GIVEN_UP: &str = "$limit";

/// A difference between a value and a schema.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) keyword: &'static str,
    /// The JSON pointer of the value. It is that of the object for missing and unplanned members.
    pub(crate) pointer: String,
    /// What is expected, in the words of the library; for a missing member, its name.
    pub(crate) expected: String,
    /// The name of an unplanned member.
    pub(crate) member: Option<String>,
}

/// A check of one value.
pub(crate) struct Check<'s> {
    pub(crate) rules: Rules,
    definition: &'s Definition,
    depth: usize,
    steps: usize,
    failed: usize,
    /// Absent if only the number of failures is wanted.
    failures: Option<Vec<Failure>>,
}

impl<'s> Check<'s> {
    /// Creates a check that collects what it finds.
    pub(crate) fn new(definition: &'s Definition, rules: Rules) -> Self {
        Self { rules, definition, depth: 0, steps: 0, failed: 0, failures: Some(Vec::new()) }
    }

    /// Creates a check that only tells whether it found anything.
    pub(crate) fn quick(definition: &'s Definition, rules: Rules) -> Self {
        Self { failures: None, ..Self::new(definition, rules) }
    }

    /// Returns whether anything was found.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed > 0
    }

    /// Compares a value with the definition.
    pub(crate) fn run(mut self, instance: &Instance) -> Vec<Failure> {
        let definition = self.definition;
        self.instance(&definition.root, instance, &Place::root());
        self.failures.unwrap_or_default()
    }

    pub(super) fn fail(
        &mut self,
        place: &Place<'_>,
        keyword: &'static str,
        expected: impl FnOnce() -> String,
    ) {
        self.failed += 1;
        if let Some(failures) = &mut self.failures {
            let pointer = place.to_string();
            failures.push(Failure { keyword, pointer, expected: expected(), member: None });
        }
    }

    fn fail_member(&mut self, place: &Place<'_>, keyword: &'static str, name: &str) {
        self.fail(place, keyword, || "should NOT have additional properties".to_owned());
        if let Some(failure) = self.failures.as_mut().and_then(|failures| failures.last_mut()) {
            failure.member = Some(name.to_owned());
        }
    }

    /// Forgets the failures after this number of them.
    fn forget(&mut self, failed: usize) {
        self.failed = failed;
        if let Some(failures) = &mut self.failures {
            failures.truncate(failed);
        }
    }

    fn instance(&mut self, schema: &'s Schema, instance: &Instance, place: &Place<'_>) {
        if schema.is_empty() || self.depth >= MAX_DEPTH || self.steps > MAX_STEPS {
            return;
        }
        self.steps += 1;
        if self.failed > MAX_FAILURES {
            self.steps = MAX_STEPS + 1;
        }
        if self.steps > MAX_STEPS {
            let expected = || "should be checked in fewer steps".to_owned();
            return self.fail(place, GIVEN_UP, expected);
        }
        if schema.never {
            return self.fail(place, "false schema", || "boolean schema is false".to_owned());
        }
        self.depth += 1;
        let before = self.failed;
        match ScalarRef::of(instance) {
            Some(scalar) => self.scalar(schema, scalar, place),
            None => self.structure(schema, instance, place),
        }
        let silenced = self.rules == Rules::platform() && self.failed > before;
        if let Some(combined) = schema.combined.as_ref().filter(|_| !silenced) {
            self.combined(combined, instance, place);
        }
        self.depth -= 1;
    }

    /// Checks a list or an object.
    fn structure(&mut self, schema: &'s Schema, instance: &Instance, place: &Place<'_>) {
        let platform = self.rules == Rules::platform();
        let before = self.failed;
        if let Some(types) = schema.types.as_ref().filter(|types| !types.accept(instance)) {
            self.fail(place, "type", || format!("should be {}", types.text));
            if platform {
                return;
            }
        }
        match instance {
            Instance::List(items) => {
                if let Some(rules) = &schema.list {
                    self.list(rules, items, place);
                }
            }
            Instance::Object(object) => {
                if let Some(rules) = &schema.object {
                    self.object(rules, object, place);
                }
            }
            _ => {}
        }
        if platform && self.failed > before {
            return;
        }
        if schema.constant.as_ref().is_some_and(|constant| !constant.same(instance)) {
            self.fail(place, "const", || "should be equal to constant".to_owned());
        }
        let among = |values: &Vec<Instance>| values.iter().any(|value| value.same(instance));
        if schema.values.as_ref().is_some_and(|values| !among(values)) {
            self.fail(place, "enum", || "should be equal to one of the allowed values".to_owned());
        }
    }

    fn list(&mut self, rules: &'s ListRules, items: &[Instance], place: &Place<'_>) {
        self.count(rules.longest, rules.shortest, items.len(), "Items", place);
        let repeated = rules.unique.as_ref().and_then(|unique| unique.repeated(items));
        if let Some((first, second)) = repeated {
            let expected = || {
                format!(
                    "should NOT have duplicate items (items ## {first} and {second} are identical)"
                )
            };
            self.fail(place, "uniqueItems", expected);
        }
        if let Some(contains) = &rules.contains {
            self.contains(contains, items, place);
        }
        match &rules.items {
            Items::Any => {}
            Items::All(schema) => self.items(schema, items, 0, place),
            Items::Each(schemas, additional) => {
                if matches!(additional, Additional::Forbidden) && items.len() > schemas.len() {
                    let expected = || format!("should NOT have more than {} items", schemas.len());
                    self.fail(place, "additionalItems", expected);
                }
                for (index, (schema, item)) in schemas.iter().zip(items).enumerate() {
                    self.instance(schema, item, &place.index(index));
                }
                if let Additional::Checked(schema) = additional {
                    self.items(schema, items, schemas.len(), place);
                }
            }
        }
    }

    fn items(&mut self, schema: &'s Schema, items: &[Instance], from: usize, place: &Place<'_>) {
        for (index, item) in items.iter().enumerate().skip(from) {
            self.instance(schema, item, &place.index(index));
        }
    }

    fn contains(&mut self, schema: &'s Schema, items: &[Instance], place: &Place<'_>) {
        let before = self.failed;
        let any = items.iter().enumerate().any(|(index, item)| {
            let before = self.failed;
            self.instance(schema, item, &place.index(index));
            self.failed == before
        });
        if any {
            self.forget(before);
        } else {
            self.fail(place, "contains", || "should contain a valid item".to_owned());
        }
    }

    /// Checks the number of items or members.
    #[allow(clippy::cast_precision_loss, reason = "no list is that long")]
    fn count(
        &mut self,
        most: Option<f64>,
        least: Option<f64>,
        count: usize,
        of: &'static str,
        place: &Place<'_>,
    ) {
        let (too_many, too_few, noun) = match of {
            "Items" => ("maxItems", "minItems", "items"),
            _ => ("maxProperties", "minProperties", "properties"),
        };
        if let Some(most) = most.filter(|most| count as f64 > *most) {
            let most = number_text(most);
            self.fail(place, too_many, || format!("should NOT have more than {most} {noun}"));
        }
        if let Some(least) = least.filter(|least| (count as f64) < *least) {
            let least = number_text(least);
            self.fail(place, too_few, || format!("should NOT have fewer than {least} {noun}"));
        }
    }

    fn object(&mut self, rules: &'s ObjectRules, object: &Object, place: &Place<'_>) {
        self.count(rules.most, rules.least, object.len(), "Properties", place);
        for name in &rules.required {
            if self.member(object, name).is_none() {
                self.fail(place, "required", || name.clone());
                // The library reports a required member twice if its schema is `false`.
                let is_never = rules.properties.get(name).is_some_and(|schema| schema.never);
                if is_never && self.rules == Rules::node() {
                    self.fail(place, "required", || name.clone());
                }
            }
        }
        self.dependencies(rules, object, place);
        if let Some(names) = &rules.names {
            self.names(names, object, place);
        }
        self.additional(rules, object, place);
        for (name, schema) in &rules.properties {
            if let Some(value) = self.member(object, name) {
                self.instance(schema, value, &place.field(name));
            }
        }
        let patterns = rules.patterns.iter();
        for (pattern, schema) in patterns.filter_map(|(p, schema)| Some((p.as_ref()?, schema))) {
            for member in object.members().iter().filter(|member| pattern.matches(&member.name)) {
                self.instance(schema, &member.value, &place.field(&member.name));
            }
        }
    }

    /// Returns a member. In JavaScript every object also inherits some.
    fn member<'o>(&self, object: &'o Object, name: &str) -> Option<&'o Instance> {
        let inherited = || {
            let inherits = self.rules == Rules::node() && INHERITED.contains(&name);
            inherits.then_some(&Instance::NotJson)
        };
        object.get(name).or_else(inherited)
    }

    fn dependencies(&mut self, rules: &'s ObjectRules, object: &Object, place: &Place<'_>) {
        for (name, dependency) in &rules.dependencies {
            if self.member(object, name).is_none() {
                continue;
            }
            match dependency {
                Dependency::Names(names) => {
                    let noun = if names.len() == 1 { "property" } else { "properties" };
                    let is_missing = |name: &&String| self.member(object, name).is_none();
                    for _ in 0..names.iter().filter(is_missing).count() {
                        let list = names.join(", ");
                        let expected =
                            || format!("should have {noun} {list} when property {name} is present");
                        self.fail(place, "dependencies", expected);
                    }
                }
                Dependency::Schema(schema) => self.object_again(schema, object, place),
            }
        }
    }

    fn object_again(&mut self, schema: &'s Schema, object: &Object, place: &Place<'_>) {
        self.instance(schema, &Instance::Object(object.clone()), place);
    }

    fn names(&mut self, schema: &'s Schema, object: &Object, place: &Place<'_>) {
        for member in object.members() {
            let before = self.failed;
            self.instance(schema, &Instance::Text(member.name.clone()), place);
            if self.failed > before {
                let expected = || format!("property name '{}' is invalid", member.name);
                self.fail(place, "propertyNames", expected);
            }
        }
    }

    fn additional(&mut self, rules: &'s ObjectRules, object: &Object, place: &Place<'_>) {
        if matches!(rules.additional, Additional::Allowed) {
            return;
        }
        let others = object.members().iter().filter(|member| !rules.names(&member.name));
        for member in others {
            match &rules.additional {
                Additional::Allowed => {}
                Additional::Forbidden => {
                    self.fail_member(place, "additionalProperties", &member.name);
                }
                Additional::Checked(schema) => {
                    self.instance(schema, &member.value, &place.field(&member.name));
                }
            }
        }
    }

    fn combined(&mut self, rules: &'s Combined, instance: &Instance, place: &Place<'_>) {
        let definition = self.definition;
        let reference = rules.reference.and_then(|index| definition.references.get(index));
        if let Some(schema) = reference {
            self.instance(schema, instance, place);
        }
        if let Some(not) = &rules.not {
            if self.accepts(not, instance, place) {
                self.fail(place, "not", || "should NOT be valid".to_owned());
            }
        }
        if !rules.any_of.is_empty() {
            let before = self.failed;
            let any = rules.any_of.iter().any(|schema| {
                let before = self.failed;
                self.instance(schema, instance, place);
                self.failed == before
            });
            if any {
                self.forget(before);
            } else {
                self.fail(place, "anyOf", || "should match some schema in anyOf".to_owned());
            }
        }
        if !rules.one_of.is_empty() {
            self.one_of(&rules.one_of, instance, place);
        }
        for schema in &rules.all_of {
            self.instance(schema, instance, place);
        }
        if let Some(condition) = &rules.condition {
            let holds = self.accepts(&condition.test, instance, place);
            let (schema, name) =
                if holds { (&condition.then, "then") } else { (&condition.otherwise, "else") };
            let before = self.failed;
            if let Some(schema) = schema {
                self.instance(schema, instance, place);
            }
            if self.failed > before {
                self.fail(place, "if", || format!("should match \"{name}\" schema"));
            }
        }
    }

    fn one_of(&mut self, schemas: &'s [Schema], instance: &Instance, place: &Place<'_>) {
        let before = self.failed;
        let mut accepting = 0;
        for schema in schemas {
            let before = self.failed;
            self.instance(schema, instance, place);
            accepting += usize::from(self.failed == before);
            // The library stops at the second schema that accepts the value.
            if accepting > 1 {
                break;
            }
        }
        if accepting == 1 {
            self.forget(before);
        } else {
            let expected = || "should match exactly one schema in oneOf".to_owned();
            self.fail(place, "oneOf", expected);
        }
    }

    /// Returns whether a schema accepts a value, without keeping why not.
    fn accepts(&mut self, schema: &'s Schema, instance: &Instance, place: &Place<'_>) -> bool {
        let before = self.failed;
        self.instance(schema, instance, place);
        let accepts = self.failed == before;
        self.forget(before);
        accepts
    }
}

/// What every object of JavaScript inherits.
pub(crate) const INHERITED: [&str; 12] = [
    "__defineGetter__",
    "__defineSetter__",
    "__lookupGetter__",
    "__lookupSetter__",
    "__proto__",
    "constructor",
    "hasOwnProperty",
    "isPrototypeOf",
    "propertyIsEnumerable",
    "toLocaleString",
    "toString",
    "valueOf",
];

impl Types {
    fn accept(&self, instance: &Instance) -> bool {
        let own = match instance {
            Instance::List(_) => Type::Array,
            Instance::Object(_) => Type::Object,
            _ => return false,
        };
        self.names.contains(&own)
    }
}

impl ObjectRules {
    /// Returns whether a member is named by a rule, or might be named by a pattern that cannot be checked.
    fn names(&self, name: &str) -> bool {
        let by_pattern = |(pattern, _): &(Option<super::Pattern>, Schema)| {
            pattern.as_ref().is_none_or(|pattern| pattern.matches(name))
        };
        self.properties.contains_key(name) || self.patterns.iter().any(by_pattern)
    }
}

impl Unique {
    /// Returns two equal items, numbered as the library does.
    fn repeated(&self, items: &[Instance]) -> Option<(usize, usize)> {
        match self {
            Self::All => {
                let mut seen = BTreeMap::new();
                let repeated = items.iter().enumerate().filter_map(|(index, item)| {
                    let earlier = seen.insert(item.to_canonical_json(), index)?;
                    Some((earlier, index))
                });
                repeated.last()
            }
            Self::Scalars(types) => {
                let mut seen = BTreeMap::new();
                let fits = |item: &Instance| {
                    let scalar = ScalarRef::of(item);
                    scalar.is_some_and(|scalar| types.iter().any(|wanted| scalar.has_type(*wanted)))
                };
                for (index, item) in items.iter().enumerate().rev().filter(|(_, item)| fits(item)) {
                    let quote = types.len() > 1 && matches!(item, Instance::Text(_));
                    let key = (quote, item.joined());
                    if let Some(later) = seen.insert(key, index) {
                        return Some((later, index));
                    }
                }
                None
            }
        }
    }
}
