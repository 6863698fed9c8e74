//! Reads a file with data plans and chooses one version of one plan.
//!
//! mParticle hands out plans in five forms, which are told apart by their keys: a plan with all its versions, one
//! version, the document of a version, the configuration of a web SDK, and a list of plans.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Map, Value};

use crate::diagnostic::{Code, Diagnostic, Origin};
use crate::load;

/// Which version of which plan is wanted, or what they are if the file does not say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choice {
    pub(crate) plan_id: Option<String>,
    pub(crate) version: Option<i64>,
}

/// The chosen version.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    pub(crate) plan_id: Option<String>,
    pub(crate) version: Option<i64>,
    /// The object with `data_points`.
    pub(crate) document: Map<String, Value>,
    /// Where the document is.
    pub(crate) origin: Origin,
}

/// A version that a file contains.
#[derive(Clone, Debug)]
struct Candidate<'a> {
    plan_id: Option<&'a str>,
    version: Option<i64>,
    document: Option<&'a Map<String, Value>>,
    origin: Origin,
}

/// Reads a file.
pub(crate) fn read(path: &Path) -> Result<(String, Value), Diagnostic> {
    let name = load::file_name(path);
    let bytes = std::fs::read(path).map_err(|error| {
        let message = format!("cannot read `{name}`: {error}");
        let help = "name the JSON file of a data plan";
        Diagnostic::new(Code::UnreadableFile, Origin::parse(&name), message).with_help(help)
    })?;
    let value = load::parse(&bytes, &name)?;
    Ok((name, value))
}

/// Chooses a version of what a file contains: by default the highest.
pub(crate) fn choose(file: &str, value: &Value, choice: &Choice) -> Result<Chosen, Diagnostic> {
    let origin = Origin { file: file.to_owned(), pointer: String::new() };
    let all = candidates(value, origin.clone())?;
    let fits = |candidate: &&Candidate<'_>| {
        let plan_id = choice.plan_id.as_deref();
        let plan_fits =
            candidate.plan_id.is_none() || plan_id.is_none_or(|id| candidate.plan_id == Some(id));
        let version = choice.version;
        plan_fits
            && (candidate.version.is_none() || version.is_none_or(|v| candidate.version == Some(v)))
    };
    let fitting: Vec<_> = all.iter().filter(fits).collect();
    let ids: BTreeSet<_> = fitting.iter().filter_map(|candidate| candidate.plan_id).collect();
    let highest = fitting.iter().map(|candidate| candidate.version).max();
    let chosen: Vec<_> =
        fitting.iter().filter(|candidate| Some(candidate.version) == highest).collect();
    let message = match (ids.len(), chosen.as_slice()) {
        (0 | 1, [chosen]) => return finish(chosen, choice),
        (_, []) if all.is_empty() => "the file contains no version of a data plan".to_owned(),
        (_, []) => format!("the file does not contain {}", in_words(choice)),
        (0 | 1, _) => "the file contains the same version more than once".to_owned(),
        _ => "the file contains several data plans".to_owned(),
    };
    Err(Diagnostic::new(Code::PlanChoice, origin, message).with_help(choices(&all)))
}

fn finish(candidate: &Candidate<'_>, choice: &Choice) -> Result<Chosen, Diagnostic> {
    let Some(document) = candidate.document else {
        let message = "the version has no `version_document`, and therefore no data points";
        let help = "download this version from mParticle, or choose another one";
        return Err(
            Diagnostic::new(Code::InvalidPlan, candidate.origin.clone(), message).with_help(help)
        );
    };
    Ok(Chosen {
        plan_id: candidate.plan_id.map(str::to_owned).or_else(|| choice.plan_id.clone()),
        version: candidate.version.or(choice.version),
        document: document.clone(),
        origin: candidate.origin.clone(),
    })
}

fn in_words(choice: &Choice) -> String {
    match (&choice.plan_id, choice.version) {
        (Some(id), Some(version)) => format!("version {version} of the plan `{id}`"),
        (Some(id), None) => format!("the plan `{id}`"),
        (None, Some(version)) => format!("version {version}"),
        (None, None) => "a version of a data plan".to_owned(),
    }
}

/// Lists what can be chosen.
fn choices(all: &[Candidate<'_>]) -> String {
    const SHOWN: usize = 20;
    let name = |candidate: &Candidate<'_>| {
        let id = candidate.plan_id.map(|id| format!("--plan-id {id}"));
        let version = candidate.version.map(|version| format!("--version {version}"));
        let options: Vec<_> = id.into_iter().chain(version).collect();
        if options.is_empty() { "a version without a number".to_owned() } else { options.join(" ") }
    };
    let mut names: Vec<_> = all.iter().take(SHOWN).map(name).collect();
    if all.len() > SHOWN {
        names.push(format!("and {} more", all.len() - SHOWN));
    }
    if names.is_empty() {
        return "name the JSON file of a data plan, with its versions".to_owned();
    }
    format!("the file contains: {}", names.join(", "))
}

/// Returns every version that a file contains.
fn candidates(value: &Value, origin: Origin) -> Result<Vec<Candidate<'_>>, Diagnostic> {
    match value {
        Value::Array(plans) => {
            let each = plans.iter().enumerate();
            let lists = each.map(|(index, plan)| of_object(plan, at(&origin, &index.to_string())));
            Ok(lists.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
        }
        value => of_object(value, origin),
    }
}

/// Returns the versions of a plan, a version, a document or a configuration.
fn of_object(value: &Value, origin: Origin) -> Result<Vec<Candidate<'_>>, Diagnostic> {
    let object = value.as_object().ok_or_else(|| not_a_plan(&origin))?;
    if let Some(versions) = object.get("data_plan_versions") {
        let place = at(&origin, "data_plan_versions");
        let versions = match versions {
            Value::Null => return Ok(Vec::new()),
            Value::Array(versions) => versions,
            _ => return Err(wrong_kind(&place, "`data_plan_versions`", "a list")),
        };
        let plan_id = text(object, "data_plan_id");
        return versions
            .iter()
            .enumerate()
            .map(|(index, version)| of_version(version, plan_id, at(&place, &index.to_string())))
            .collect();
    }
    if let Some(configuration) = object.get("dtpn") {
        let place = at(&at(&origin, "dtpn"), "vers");
        let version = configuration.get("vers").ok_or_else(|| not_a_plan(&place))?;
        return Ok(vec![of_version(version, None, place)?]);
    }
    if object.contains_key("version_document") {
        return Ok(vec![of_version(value, None, origin)?]);
    }
    if object.contains_key("data_points") {
        let candidate = Candidate { plan_id: None, version: None, document: Some(object), origin };
        return Ok(vec![candidate]);
    }
    Err(not_a_plan(&origin))
}

fn of_version<'a>(
    value: &'a Value,
    plan_id: Option<&'a str>,
    origin: Origin,
) -> Result<Candidate<'a>, Diagnostic> {
    let object = value.as_object().ok_or_else(|| not_a_plan(&origin))?;
    let version =
        match object.get("version") {
            None | Some(Value::Null) => None,
            Some(version) => Some(version.as_i64().ok_or_else(|| {
                wrong_kind(&at(&origin, "version"), "`version`", "a whole number")
            })?),
        };
    let document_origin = at(&origin, "version_document");
    let (document, origin) = match object.get("version_document") {
        None | Some(Value::Null) => (None, origin),
        Some(Value::Object(document)) => (Some(document), document_origin),
        Some(_) => return Err(wrong_kind(&document_origin, "`version_document`", "an object")),
    };
    let plan_id = text(object, "data_plan_id").or(plan_id);
    Ok(Candidate { plan_id, version, document, origin })
}

fn text<'a>(object: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    object.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn not_a_plan(origin: &Origin) -> Diagnostic {
    let message = "this is no data plan";
    let help = "a plan has `data_plan_versions`, a version `version_document`, a document `data_points`, and the \
                configuration of a web SDK `dtpn`";
    Diagnostic::new(Code::InvalidPlan, origin.clone(), message).with_help(help)
}

/// The report that a member of a plan is not what it has to be.
pub(crate) fn wrong_kind(origin: &Origin, what: &str, expected: &str) -> Diagnostic {
    let message = format!("{what} is not {expected}");
    Diagnostic::new(Code::InvalidPlan, origin.clone(), message)
        .with_help("correct the plan in mParticle, and download it again")
}

/// The place of a member.
pub(crate) fn at(origin: &Origin, name: &str) -> Origin {
    let name = name.replace('~', "~0").replace('/', "~1");
    Origin { file: origin.file.clone(), pointer: format!("{}/{name}", origin.pointer) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn chosen(
        value: &Value,
        plan_id: Option<&str>,
        version: Option<i64>,
    ) -> Result<String, String> {
        let choice = Choice { plan_id: plan_id.map(str::to_owned), version };
        let chosen = choose("p.json", value, &choice);
        chosen
            .map(|chosen| format!("{:?} {:?} {}", chosen.plan_id, chosen.version, chosen.origin))
            .map_err(|error| format!("{}: {} ({})", error.origin, error.message, error.help))
    }

    #[test]
    fn the_five_forms_are_told_apart() {
        let document = json!({ "data_points": [] });
        let version = |number: i64| json!({ "version": number, "version_document": document });
        let plan = |id: &str| json!({ "data_plan_id": id, "data_plan_versions": [version(2), version(10), version(9)] });
        let cases = [
            (document.clone(), "None None p.json"),
            (version(3), "None Some(3) p.json#/version_document"),
            (plan("a"), "Some(\"a\") Some(10) p.json#/data_plan_versions/1/version_document"),
            (
                json!([plan("a")]),
                "Some(\"a\") Some(10) p.json#/0/data_plan_versions/1/version_document",
            ),
            (
                json!({ "dtpn": { "blok": {}, "vers": version(1) } }),
                "None Some(1) p.json#/dtpn/vers/version_document",
            ),
        ];
        for (value, expected) in cases {
            assert_eq!(chosen(&value, None, None).unwrap(), expected);
        }
        assert_eq!(chosen(&document, Some("a"), Some(7)).unwrap(), "Some(\"a\") Some(7) p.json");
        let list = json!([plan("a"), plan("b")]);
        assert_eq!(
            chosen(&list, Some("b"), Some(2)).unwrap(),
            "Some(\"b\") Some(2) p.json#/1/data_plan_versions/0/version_document"
        );
    }

    #[test]
    fn what_cannot_be_chosen_is_explained_with_the_choices() {
        let version =
            |number: i64| json!({ "version": number, "version_document": { "data_points": [] } });
        let plan = |id: &str, numbers: &[i64]| json!({ "data_plan_id": id, "data_plan_versions": numbers.iter().map(|&n| version(n)).collect::<Vec<_>>() });
        let help = "the file contains: --plan-id a --version 1, --plan-id a --version 2";
        let no_plan = "a plan has `data_plan_versions`, a version `version_document`, a document `data_points`, and \
                       the configuration of a web SDK `dtpn`";
        let correct = "correct the plan in mParticle, and download it again";
        let cases = [
            (plan("a", &[1, 2]), Some(3), format!("p.json: the file does not contain version 3 ({help})")),
            (
                json!([plan("a", &[1]), plan("b", &[1])]),
                None,
                "p.json: the file contains several data plans (the file contains: --plan-id a --version 1, --plan-id b --version 1)".to_owned(),
            ),
            (
                plan("a", &[1, 1]),
                None,
                "p.json: the file contains the same version more than once (the file contains: --plan-id a --version 1, --plan-id a --version 1)".to_owned(),
            ),
            (
                json!([]),
                None,
                "p.json: the file contains no version of a data plan (name the JSON file of a data plan, with its versions)".to_owned(),
            ),
            (json!(7), None, format!("p.json: this is no data plan ({no_plan})")),
            (json!([1]), None, format!("p.json#/0: this is no data plan ({no_plan})")),
            (json!({ "a": 1 }), None, format!("p.json: this is no data plan ({no_plan})")),
            (
                json!({ "version": "x", "version_document": {} }),
                None,
                format!("p.json#/version: `version` is not a whole number ({correct})"),
            ),
            (
                json!({ "version_document": [] }),
                None,
                format!("p.json#/version_document: `version_document` is not an object ({correct})"),
            ),
            (
                json!({ "data_plan_versions": [{ "version": 1 }] }),
                None,
                "p.json#/data_plan_versions/0: the version has no `version_document`, and therefore no data points \
                 (download this version from mParticle, or choose another one)"
                    .to_owned(),
            ),
        ];
        for (value, version, expected) in cases {
            assert_eq!(chosen(&value, None, version).unwrap_err(), expected);
        }
    }
}
