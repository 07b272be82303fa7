//! The Traffic Light Protocol: levels, and the marking definitions that stand for them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A TLP 2.0 level, ordered from least to most restricted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Tlp {
    /// May be shared without limit (TLP 1.0: white).
    #[serde(rename = "clear")]
    Clear,
    /// May be shared within the community.
    #[serde(rename = "green")]
    Green,
    /// Limited distribution.
    #[serde(rename = "amber")]
    Amber,
    /// Limited to the organisation.
    #[serde(rename = "amber+strict")]
    AmberStrict,
    /// Not to be disclosed.
    #[serde(rename = "red")]
    Red,
}

/// The level of an object that has neither a TLP marking nor a confidence.
pub const DEFAULT_LEVEL: Tlp = Tlp::Amber;

/// Why a text is not a TLP level.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is no TLP level: use clear, green, amber, amber+strict or red")]
pub struct TlpError(String);

impl Tlp {
    /// All levels, low to high.
    pub const ALL: [Self; 5] =
        [Self::Clear, Self::Green, Self::Amber, Self::AmberStrict, Self::Red];

    /// The level's name: `clear`, `green`, `amber`, `amber+strict`, `red`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Green => "green",
            Self::Amber => "amber",
            Self::AmberStrict => "amber+strict",
            Self::Red => "red",
        }
    }

    /// The id of OASIS' TLP 2.0 marking definition for this level.
    #[must_use]
    pub const fn marking_id(self) -> &'static str {
        match self {
            Self::Clear => "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
            Self::Green => "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
            Self::Amber => "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
            Self::AmberStrict => "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
            Self::Red => "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
        }
    }

    /// The id of the TLP 1.0 marking definition that comes closest without being lower: clear is
    /// white, and amber+strict, which TLP 1.0 does not have, is red.
    #[must_use]
    pub const fn marking_id_1_0(self) -> &'static str {
        match self {
            Self::Clear => "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9",
            Self::Green => "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da",
            Self::Amber => "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82",
            Self::AmberStrict | Self::Red => {
                "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"
            }
        }
    }

    /// The level a standard marking id stands for, TLP 2.0 or 1.0 (white = clear).
    #[must_use]
    pub fn of_marking_id(id: &str) -> Option<Self> {
        let stands = |level: &Self| level.marking_id() == id || level.marking_id_1_0() == id;
        // TLP 1.0's red stands for red, not for what it stands in for.
        Self::ALL.into_iter().rfind(stands)
    }

    /// The level a confidence gives to an object without a TLP marking: high (70–100) green,
    /// medium (30–69) amber, low (0–29) clear.
    #[must_use]
    pub const fn of_confidence(confidence: u8) -> Self {
        match confidence {
            0..=29 => Self::Clear,
            30..=69 => Self::Amber,
            _ => Self::Green,
        }
    }
}

impl fmt::Display for Tlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Tlp {
    type Err = TlpError;

    /// Any letter case, with or without `TLP:`, `amber_strict`, `amber-strict`, `amber strict`
    /// for `amber+strict`, and TLP 1.0's `white` for `clear`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let lower = text.trim().to_ascii_lowercase();
        match lower.strip_prefix("tlp:").unwrap_or(&lower).trim() {
            "clear" | "white" => Ok(Self::Clear),
            "green" => Ok(Self::Green),
            "amber" => Ok(Self::Amber),
            "amber+strict" | "amber_strict" | "amber-strict" | "amber strict" => {
                Ok(Self::AmberStrict)
            }
            "red" => Ok(Self::Red),
            _ => Err(TlpError(text.chars().take(40).collect())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_ordered_and_read_back() {
        assert!(Tlp::ALL.windows(2).all(|pair| pair[0] < pair[1]));
        for level in Tlp::ALL {
            assert_eq!(level.name().parse(), Ok(level));
            assert_eq!(Tlp::of_marking_id(level.marking_id()), Some(level));
        }
        assert_eq!("TLP:AMBER+STRICT".parse(), Ok(Tlp::AmberStrict));
        assert_eq!("white".parse(), Ok(Tlp::Clear));
        assert!("purple".parse::<Tlp>().is_err());
    }
}
