//! Strategies and colours.

use serde::{Deserialize, Serialize};

/// How a fleet is brought to a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// Two groups, all traffic moved in one step.
    BlueGreen,
    /// Two groups, traffic moved in the configured steps.
    Canary,
    /// Two groups, traffic moved in equal steps.
    Linear,
    /// One group, its instances replaced in batches.
    Rolling,
}

impl Strategy {
    /// The name used in configuration, events and messages.
    pub fn name(self) -> &'static str {
        match self {
            Strategy::BlueGreen => "blue-green",
            Strategy::Canary => "canary",
            Strategy::Linear => "linear",
            Strategy::Rolling => "rolling",
        }
    }
}

impl std::fmt::Display for Strategy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// One of the two groups that take turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Colour {
    /// The first group.
    Blue,
    /// The second group.
    Green,
}

impl Colour {
    /// Both, in a fixed order.
    pub const BOTH: [Colour; 2] = [Colour::Blue, Colour::Green];

    /// The other one.
    #[must_use]
    pub fn other(self) -> Colour {
        match self {
            Colour::Blue => Colour::Green,
            Colour::Green => Colour::Blue,
        }
    }
}

impl std::fmt::Display for Colour {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Colour::Blue => "blue",
            Colour::Green => "green",
        })
    }
}

/// One thing for each colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PerColour<T> {
    /// The blue one.
    pub blue: T,
    /// The green one.
    pub green: T,
}

impl<T> PerColour<T> {
    /// Makes one for each colour.
    pub fn from_fn(mut make: impl FnMut(Colour) -> T) -> PerColour<T> {
        PerColour { blue: make(Colour::Blue), green: make(Colour::Green) }
    }

    /// Converts each.
    pub fn map<U>(self, mut convert: impl FnMut(T) -> U) -> PerColour<U> {
        PerColour { blue: convert(self.blue), green: convert(self.green) }
    }

    /// Borrows each.
    pub fn as_ref(&self) -> PerColour<&T> {
        PerColour { blue: &self.blue, green: &self.green }
    }
}

impl<T> std::ops::Index<Colour> for PerColour<T> {
    type Output = T;
    fn index(&self, colour: Colour) -> &T {
        match colour {
            Colour::Blue => &self.blue,
            Colour::Green => &self.green,
        }
    }
}

impl<T> std::ops::IndexMut<Colour> for PerColour<T> {
    fn index_mut(&mut self, colour: Colour) -> &mut T {
        match colour {
            Colour::Blue => &mut self.blue,
            Colour::Green => &mut self.green,
        }
    }
}
