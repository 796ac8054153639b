//! Availability Zones as data.

/// An Availability Zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    /// The zone ID, which is the same in every account, such as `apne2-az1`.
    pub id: String,
    /// False while the zone is lost.
    pub alive: bool,
}

/// Returns the zones of a Region: the four of Seoul (`ap-northeast-2`), three elsewhere.
pub(super) fn of_region(region: &str) -> Vec<(String, Zone)> {
    let letters = if region == "ap-northeast-2" { "abcd" } else { "abc" };
    letters
        .chars()
        .map(|letter| {
            let zone = Zone { id: zone_id(region, letter), alive: true };
            (format!("{region}{letter}"), zone)
        })
        .collect()
}

/// Returns a zone ID: `apne2-az1` for letter `a` of `ap-northeast-2`. In AWS, each account has its own mapping
/// of letters to zone IDs; in the lab, they have the same order.
pub fn zone_id(region: &str, letter: char) -> String {
    let number = (letter as u32).wrapping_sub('a' as u32).wrapping_add(1);
    format!("{}-az{number}", short(region))
}

/// Shortens a Region's name as in zone IDs: `apne2` for `ap-northeast-2`.
fn short(region: &str) -> String {
    let parts: Vec<&str> = region.split('-').collect();
    match parts.as_slice() {
        [area, side, number] => {
            let (first, second) = side.split_at_checked(5).unwrap_or((side, ""));
            let initial = |s: &str| s.chars().next().map(String::from).unwrap_or_default();
            format!("{area}{}{}{number}", initial(first), initial(second))
        }
        _ => region.to_owned(),
    }
}
