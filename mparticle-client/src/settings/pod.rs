//! mParticle's data centers.

use std::fmt;
use std::str::FromStr;

/// A data center of mParticle, called a pod.
///
/// An account belongs to one pod. Requests that are sent to another pod are not forwarded. mParticle's documentation on
/// data localization explains how to find the pod of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Pod {
    /// The first pod in the United States, `s2s.us1.mparticle.com`. This is the default.
    #[default]
    Us1,
    /// The second pod in the United States, `s2s.us2.mparticle.com`.
    Us2,
    /// The pod in Europe, `s2s.eu1.mparticle.com`.
    Eu1,
    /// The pod in Australia, `s2s.au1.mparticle.com`.
    Au1,
}

/// The error that is returned when a string is not the name of a [`Pod`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownPod;

impl Pod {
    /// Returns the base URL of the Events API in this pod.
    #[must_use]
    pub fn base_url(self) -> &'static str {
        match self {
            Self::Us1 => "https://s2s.us1.mparticle.com/v2",
            Self::Us2 => "https://s2s.us2.mparticle.com/v2",
            Self::Eu1 => "https://s2s.eu1.mparticle.com/v2",
            Self::Au1 => "https://s2s.au1.mparticle.com/v2",
        }
    }
}

/// Parses `us1`, `us2`, `eu1` or `au1`, in any letter case and with or without surrounding white space.
impl FromStr for Pod {
    type Err = UnknownPod;

    fn from_str(text: &str) -> Result<Self, UnknownPod> {
        match text.trim().to_ascii_lowercase().as_str() {
            "us1" => Ok(Self::Us1),
            "us2" => Ok(Self::Us2),
            "eu1" => Ok(Self::Eu1),
            "au1" => Ok(Self::Au1),
            _ => Err(UnknownPod),
        }
    }
}

impl fmt::Display for Pod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Us1 => "us1",
            Self::Us2 => "us2",
            Self::Eu1 => "eu1",
            Self::Au1 => "au1",
        })
    }
}

impl fmt::Display for UnknownPod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unknown pod: expected us1, us2, eu1 or au1")
    }
}

impl std::error::Error for UnknownPod {}
