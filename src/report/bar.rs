//! Small pictures: weights as a bar, health as dots.

use super::Look;
use crate::model::{Colour, PerColour};

/// Cells of a bar; one is 5 percent.
const CELLS: u32 = 20;

/// Health is drawn up to so many targets, and told in numbers beyond.
const DOTS: u32 = 24;

/// `blue ███████████████░░░░░ 75 │ green 25`.
pub(super) fn weights(weights: PerColour<u8>, look: Look) -> String {
    let total = u32::from(weights.blue) + u32::from(weights.green);
    // A share that gets any traffic at all shows.
    let filled = match (weights.blue, weights.green) {
        (0, _) => 0,
        (_, 0) => CELLS,
        (blue, _) => (u32::from(blue) * CELLS / total).clamp(1, CELLS - 1),
    };
    let cells = |glyph: &str, count: u32| glyph.repeat(count as usize);
    let bar = format!(
        "{}{}",
        look.tint(Colour::Blue, &cells(look.glyph("█", "#"), filled)),
        look.tint(Colour::Green, &cells(look.glyph("░", "="), CELLS - filled)),
    );
    let bar = if look.glyphs { bar } else { format!("[{bar}]") };
    format!(
        "{} {bar} {:>3} {} {} {}",
        look.tint(Colour::Blue, "blue"),
        weights.blue,
        look.glyph("│", "|"),
        look.tint(Colour::Green, "green"),
        weights.green,
    )
}

/// `●●○○` for two healthy of four.
pub(super) fn dots(healthy: u32, of: u32, look: Look) -> String {
    let of = of.max(healthy);
    if of > DOTS {
        return String::new();
    }
    let full = look.glyph("●", "*").repeat(healthy as usize);
    let empty = look.glyph("○", ".").repeat((of - healthy) as usize);
    format!("{}{}", look.good(&full), look.faint(&empty))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GLYPHS: Look = Look { colour: false, glyphs: true };

    #[test]
    fn bars_show_every_share() {
        let draw = |blue, green, look| weights(PerColour { blue, green }, look);
        insta::assert_snapshot!(draw(75, 25, GLYPHS), @"blue ███████████████░░░░░  75 │ green 25");
        insta::assert_snapshot!(draw(99, 1, GLYPHS), @"blue ███████████████████░  99 │ green 1");
        insta::assert_snapshot!(draw(0, 100, GLYPHS), @"blue ░░░░░░░░░░░░░░░░░░░░   0 │ green 100");
        insta::assert_snapshot!(draw(100, 0, Look::PLAIN), @"blue [####################] 100 | green 0");
    }

    #[test]
    fn dots_count_what_is_missing() {
        assert_eq!(dots(2, 4, GLYPHS), "●●○○");
        assert_eq!(dots(2, 4, Look::PLAIN), "**..");
        assert_eq!(dots(30, 40, GLYPHS), "");
    }
}
