//! The files in which data plans occur, and the choice of a version.

use std::borrow::Cow;
use std::fs;
use std::path::Path;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::{DataPlanError, DataPlanErrorKind};
use crate::support::locate;
use crate::{DataPlan, DataPlanDocument, DataPlanVersion};

/// A file that contains a data plan.
///
/// mParticle gives out plans in several forms. Reading recognizes the form by the keys of the file. Writing gives the
/// same JSON again, except that fields with null are left out.
///
/// # Examples
///
/// ```
/// use mparticle_models::data_plan::DataPlanFile;
///
/// let file = DataPlanFile::from_str(r#"{
///     "data_plan_id": "shop",
///     "data_plan_versions": [
///         { "version": 1, "version_document": { "data_points": [] } },
///         { "version": 2, "version_document": { "data_points": [] } }
///     ]
/// }"#)?;
/// assert_eq!(file.select(None, None)?.version, Some(2));
/// assert_eq!(file.select(Some("shop"), Some(1))?.version, Some(1));
///
/// let error = file.select(None, Some(3)).unwrap_err();
/// assert!(error.to_string().contains("1, 2"));
/// # Ok::<(), mparticle_models::data_plan::DataPlanError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum DataPlanFile {
    /// A plan with its versions.
    Plan(DataPlan),
    /// A list of plans, as the Data Planning API returns it.
    Plans(Vec<DataPlan>),
    /// One version, as the user interface downloads it.
    Version(DataPlanVersion),
    /// The points of a version alone.
    Document(DataPlanDocument),
    /// The configuration of a client SDK, which contains one version.
    SdkConfiguration(SdkConfiguration),
}

/// The configuration of a client SDK, as far as it concerns data plans.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SdkConfiguration {
    /// The version of the plan, which the configuration contains as `dtpn.vers`.
    pub version: DataPlanVersion,
    /// The configuration without `dtpn.vers`.
    rest: Map<String, Value>,
}

impl DataPlanFile {
    /// Reads a file.
    ///
    /// # Errors
    /// If the bytes are not the JSON of a data plan.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, DataPlanError> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let value: Value = serde_json::from_slice(bytes).map_err(|e| DataPlanError::syntax(&e))?;
        match &value {
            Value::Array(_) => Ok(Self::Plans(locate::from_slice(bytes)?)),
            Value::Object(object) => {
                let has = |name: &str| object.contains_key(name);
                if has("data_plan_versions") {
                    Ok(Self::Plan(locate::from_slice(bytes)?))
                } else if has("version_document") {
                    Ok(Self::Version(locate::from_slice(bytes)?))
                } else if has("data_points") {
                    Ok(Self::Document(locate::from_slice(bytes)?))
                } else if has("dtpn") {
                    SdkConfiguration::new(object.clone()).map(Self::SdkConfiguration)
                } else if has("data_plan_id") || has("data_plan_name") {
                    Ok(Self::Plan(locate::from_slice(bytes)?))
                } else {
                    Err(DataPlanError::not_a_plan("", "none of its keys is known"))
                }
            }
            _ => Err(DataPlanError::not_a_plan("", "it is neither an object nor a list")),
        }
    }

    /// Reads a file from text. See [`from_slice`](Self::from_slice).
    ///
    /// # Errors
    /// If the text is not the JSON of a data plan.
    #[allow(clippy::should_implement_trait, reason = "as the types of this crate are read")]
    pub fn from_str(text: &str) -> Result<Self, DataPlanError> {
        Self::from_slice(text.as_bytes())
    }

    /// Reads the file at a path.
    ///
    /// # Errors
    /// If the file cannot be read, or is not the JSON of a data plan.
    pub fn from_path(path: impl AsRef<Path>) -> Result<Self, DataPlanError> {
        let bytes = fs::read(path).map_err(|error| {
            DataPlanError::new(DataPlanErrorKind::Unreadable, "", error.to_string())
        })?;
        Self::from_slice(&bytes)
    }

    /// Returns the versions of all plans, in the order of the file. Each has the identifier of its plan.
    #[must_use]
    pub fn versions(&self) -> Vec<DataPlanVersion> {
        self.all_versions().into_iter().map(Cow::into_owned).collect()
    }

    fn all_versions(&self) -> Vec<Cow<'_, DataPlanVersion>> {
        match self {
            Self::Plan(plan) => versions_of(plan),
            Self::Plans(plans) => plans.iter().flat_map(versions_of).collect(),
            Self::Version(version) => vec![Cow::Borrowed(version)],
            Self::Document(document) => {
                let version = DataPlanVersion::new().with_version_document(document.clone());
                vec![Cow::Owned(version)]
            }
            Self::SdkConfiguration(configuration) => vec![Cow::Borrowed(&configuration.version)],
        }
    }

    /// Returns a version of a plan. Without a number, it is the version with the highest number.
    ///
    /// If the file does not name the plan or the version, the result takes the given identifier or number.
    ///
    /// # Errors
    /// If the file has no such plan or version, or several plans and none is given. The error names the choices.
    pub fn select(
        &self,
        plan_id: Option<&str>,
        version: Option<i64>,
    ) -> Result<DataPlanVersion, DataPlanError> {
        let versions = match self {
            Self::Plan(plan) => versions_of(select_plan(std::slice::from_ref(plan), plan_id)?),
            Self::Plans(plans) => versions_of(select_plan(plans, plan_id)?),
            _ => self.all_versions(),
        };
        let mut selected = select_version(versions, version)?.into_owned();
        if let (Some(own), Some(wanted)) = (&selected.data_plan_id, plan_id) {
            if own != wanted {
                return Err(DataPlanError::unknown_plan(wanted, [own.as_str()]));
            }
        }
        selected.data_plan_id = selected.data_plan_id.or_else(|| plan_id.map(str::to_owned));
        selected.version = selected.version.or(version);
        Ok(selected)
    }
}

/// Returns the plan with an identifier, or the only plan.
fn select_plan<'p>(
    plans: &'p [DataPlan],
    plan_id: Option<&str>,
) -> Result<&'p DataPlan, DataPlanError> {
    let ids = || plans.iter().filter_map(|plan| plan.data_plan_id.as_deref());
    match (plan_id, plans) {
        (None, [plan]) => Ok(plan),
        (None, []) => Err(DataPlanError::no_version("the file has no plan")),
        (None, _) => Err(DataPlanError::ambiguous(ids())),
        (Some(_), [plan]) if plan.data_plan_id.is_none() => Ok(plan),
        (Some(id), _) => plans
            .iter()
            .find(|plan| plan.data_plan_id.as_deref() == Some(id))
            .ok_or_else(|| DataPlanError::unknown_plan(id, ids())),
    }
}

/// Returns the versions of a plan. They take the identifier of the plan.
fn versions_of(plan: &DataPlan) -> Vec<Cow<'_, DataPlanVersion>> {
    let versions = plan.data_plan_versions.iter().map(|version| {
        if version.data_plan_id.is_some() || plan.data_plan_id.is_none() {
            return Cow::Borrowed(version);
        }
        let mut version = version.clone();
        version.data_plan_id.clone_from(&plan.data_plan_id);
        Cow::Owned(version)
    });
    versions.collect()
}

/// Returns the version with a number, or with the highest number.
fn select_version(
    versions: Vec<Cow<'_, DataPlanVersion>>,
    number: Option<i64>,
) -> Result<Cow<'_, DataPlanVersion>, DataPlanError> {
    let numbers: Vec<i64> = versions.iter().filter_map(|version| version.version).collect();
    let fits = |version: &Cow<'_, DataPlanVersion>| match (number, version.version) {
        (Some(wanted), Some(own)) => wanted == own,
        (Some(_), None) => numbers.is_empty(),
        (None, _) => true,
    };
    let found = versions.into_iter().filter(fits).max_by_key(|version| version.version);
    found.ok_or_else(|| match number {
        Some(number) if !numbers.is_empty() => DataPlanError::unknown_version(number, &numbers),
        _ => DataPlanError::no_version("the plan has no version"),
    })
}

impl SdkConfiguration {
    fn new(mut rest: Map<String, Value>) -> Result<Self, DataPlanError> {
        let plan = rest.get_mut("dtpn").and_then(Value::as_object_mut);
        let Some(version) = plan.and_then(|plan| plan.remove("vers")) else {
            return Err(DataPlanError::not_a_plan("/dtpn", "the configuration has no `vers`"));
        };
        let version = locate::from_str(&version.to_string())
            .map_err(|error| DataPlanError::from(error).below("/dtpn/vers"))?;
        Ok(Self { version, rest })
    }
}

impl Serialize for DataPlanFile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Plan(plan) => plan.serialize(serializer),
            Self::Plans(plans) => plans.serialize(serializer),
            Self::Version(version) => version.serialize(serializer),
            Self::Document(document) => document.serialize(serializer),
            Self::SdkConfiguration(configuration) => configuration.serialize(serializer),
        }
    }
}

impl Serialize for SdkConfiguration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let version = serde_json::to_value(&self.version).map_err(serde::ser::Error::custom)?;
        let mut whole = self.rest.clone();
        if let Some(plan) = whole.get_mut("dtpn").and_then(Value::as_object_mut) {
            plan.insert("vers".to_owned(), version);
        }
        whole.serialize(serializer)
    }
}

impl DataPlanVersion {
    /// Reads a version from a file of any form. Of several versions, it is the one with the highest number. Use
    /// [`DataPlanFile`] to select another.
    ///
    /// # Errors
    /// If the file cannot be read, is not the JSON of a data plan, or contains several plans.
    pub fn from_path(path: impl AsRef<Path>) -> Result<Self, DataPlanError> {
        DataPlanFile::from_path(path)?.select(None, None)
    }
}
