//! Small charts: traffic shares as a bar, health as dots.

use super::TerminalStyle;
use cutover_rollout::model::{Color, PerColor};

/// The number of cells in a bar; one cell is 5%.
const CELLS: u32 = 20;

/// The most targets whose health is drawn as dots; beyond that, the numbers have to do.
const DOTS: u32 = 24;

/// Returns the shares in percent as a bar: `blue ███████████████░░░░░  75% │ green 25%`.
pub(super) fn shares(shares: PerColor<u8>, look: TerminalStyle) -> String {
    let total = u32::from(shares.blue) + u32::from(shares.green);
    // Any share above 0 gets at least one cell.
    let filled = match (shares.blue, shares.green) {
        (0, _) => 0,
        (_, 0) => CELLS,
        (blue, _) => (u32::from(blue) * CELLS / total).clamp(1, CELLS - 1),
    };
    let cells = |glyph: &str, count: u32| glyph.repeat(count as usize);
    let bar = format!(
        "{}{}",
        look.tint(Color::Blue, &cells(look.glyph("█", "#"), filled)),
        look.tint(Color::Green, &cells(look.glyph("░", "="), CELLS - filled)),
    );
    let bar = if look.glyphs { bar } else { format!("[{bar}]") };
    format!(
        "{} {bar} {:>3}% {} {} {}%",
        look.tint(Color::Blue, "blue"),
        shares.blue,
        look.glyph("│", "|"),
        look.tint(Color::Green, "green"),
        shares.green,
    )
}

/// Returns, for example, `●●○○` for two healthy targets of four.
pub(super) fn dots(healthy: u32, of: u32, look: TerminalStyle) -> String {
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

    const GLYPHS: TerminalStyle = TerminalStyle { color: false, glyphs: true };

    #[test]
    fn bars_show_every_share() {
        let draw = |blue, green, look| shares(PerColor { blue, green }, look);
        insta::assert_snapshot!(draw(75, 25, GLYPHS), @"blue ███████████████░░░░░  75% │ green 25%");
        insta::assert_snapshot!(draw(99, 1, GLYPHS), @"blue ███████████████████░  99% │ green 1%");
        insta::assert_snapshot!(draw(0, 100, GLYPHS), @"blue ░░░░░░░░░░░░░░░░░░░░   0% │ green 100%");
        insta::assert_snapshot!(draw(100, 0, TerminalStyle::PLAIN), @"blue [####################] 100% | green 0%");
    }

    #[test]
    fn dots_count_what_is_missing() {
        assert_eq!(dots(2, 4, GLYPHS), "●●○○");
        assert_eq!(dots(2, 4, TerminalStyle::PLAIN), "**..");
        assert_eq!(dots(30, 40, GLYPHS), "");
    }
}
