//! Strategies and colors.

use serde::{Deserialize, Serialize};

/// How the new version replaces the old one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// Two groups; all traffic shifts in one step.
    BlueGreen,
    /// Two groups; traffic shifts in the configured steps.
    Canary,
    /// Two groups; traffic shifts in equal steps.
    Linear,
    /// One group; its instances are replaced in batches.
    Rolling,
}

impl Strategy {
    /// Returns the name used in configuration, events and messages.
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

/// The name of one of two sides. It never changes: a side is live or idle at different times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Color {
    /// The first side.
    Blue,
    /// The second side.
    Green,
}

impl Color {
    /// Both colors, in a fixed order.
    pub const BOTH: [Color; 2] = [Color::Blue, Color::Green];

    /// Returns the other color.
    #[must_use]
    pub fn other(self) -> Color {
        match self {
            Color::Blue => Color::Green,
            Color::Green => Color::Blue,
        }
    }
}

impl std::fmt::Display for Color {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Color::Blue => "blue",
            Color::Green => "green",
        })
    }
}

/// One value for each color.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PerColor<T> {
    /// The value for blue.
    pub blue: T,
    /// The value for green.
    pub green: T,
}

impl<T> PerColor<T> {
    /// Makes one value for each color.
    pub fn from_fn(mut make: impl FnMut(Color) -> T) -> PerColor<T> {
        PerColor { blue: make(Color::Blue), green: make(Color::Green) }
    }

    /// Converts each value.
    pub fn map<U>(self, mut convert: impl FnMut(T) -> U) -> PerColor<U> {
        PerColor { blue: convert(self.blue), green: convert(self.green) }
    }

    /// Borrows each value.
    pub fn as_ref(&self) -> PerColor<&T> {
        PerColor { blue: &self.blue, green: &self.green }
    }
}

impl<T> std::ops::Index<Color> for PerColor<T> {
    type Output = T;
    fn index(&self, color: Color) -> &T {
        match color {
            Color::Blue => &self.blue,
            Color::Green => &self.green,
        }
    }
}

impl<T> std::ops::IndexMut<Color> for PerColor<T> {
    fn index_mut(&mut self, color: Color) -> &mut T {
        match color {
            Color::Blue => &mut self.blue,
            Color::Green => &mut self.green,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strategies_and_colors_are_named_as_in_the_configuration() {
        for strategy in [Strategy::BlueGreen, Strategy::Canary, Strategy::Linear, Strategy::Rolling]
        {
            assert_eq!(strategy.to_string(), strategy.name());
            assert_eq!(serde_json::to_value(strategy).unwrap(), strategy.name());
        }
        for color in Color::BOTH {
            assert_eq!(serde_json::to_value(color).unwrap(), color.to_string());
            assert_ne!(color, color.other());
        }
    }
}
