//! The data centres of mParticle.

use std::fmt;
use std::str::FromStr;

/// A data centre of mParticle, called a pod there.
///
/// An account lives in one of them; mParticle's page on data localisation tells how to find out which. Requests to
/// another one are not forwarded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Pod {
    /// United States, the first one: `s2s.us1.mparticle.com`.
    #[default]
    Us1,
    /// United States, the second one: `s2s.us2.mparticle.com`.
    Us2,
    /// Europe: `s2s.eu1.mparticle.com`.
    Eu1,
    /// Australia: `s2s.au1.mparticle.com`.
    Au1,
}

/// A text that names no pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownPod;

impl Pod {
    /// The URL below which the endpoints of the Events API lie.
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

/// Reads `us1`, `us2`, `eu1` or `au1` in any letter case.
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
        f.write_str("pod is none of us1, us2, eu1, au1")
    }
}

impl std::error::Error for UnknownPod {}
