//! Regions and their Availability Zones.

use super::errors::invalid_value;
use super::listing::Filters;
use crate::wire::{ApiResult, Value, map};
use crate::world::World;

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

/// `DescribeAvailabilityZones`.
pub(super) fn describe(world: &World, input: &Value) -> ApiResult<Value> {
    let (names, ids) = (input.strings("ZoneName"), input.strings("ZoneId"));
    let zones = &world.ec2.zones;
    if let Some(name) = names.iter().find(|name| !zones.contains_key(*name)) {
        return Err(invalid_value(format!("Invalid availability zone: [{name}]")));
    }
    if let Some(id) = ids.iter().find(|id| !zones.values().any(|zone| zone.id == **id)) {
        return Err(invalid_value(format!("Invalid availability zone-id: [{id}]")));
    }
    let known = [
        "zone-name",
        "zone-id",
        "region-name",
        "group-name",
        "state",
        "zone-type",
        "opt-in-status",
    ];
    let filters = Filters::read(input, &known)?;
    let written = zones
        .iter()
        .filter(|(name, zone)| names.is_empty() || names.contains(name) || ids.contains(&zone.id))
        .filter(|(_, zone)| ids.is_empty() || ids.contains(&zone.id))
        .filter(|(name, zone)| {
            let field = |filter: &str| {
                vec![match filter {
                    "zone-name" => (*name).clone(),
                    "zone-id" => zone.id.clone(),
                    "state" => "available".to_owned(),
                    "zone-type" => "availability-zone".to_owned(),
                    "opt-in-status" => "opt-in-not-required".to_owned(),
                    _ => world.region.clone(),
                }]
            };
            filters.matches(&world.ec2, name, field)
        })
        .map(|(name, zone)| {
            map([
                ("optInStatus", "opt-in-not-required".into()),
                ("regionName", world.region.as_str().into()),
                ("zoneName", name.as_str().into()),
                ("zoneId", zone.id.as_str().into()),
                ("groupName", format!("{}-zg-1", world.region).into()),
                ("networkBorderGroup", world.region.as_str().into()),
                ("zoneType", "availability-zone".into()),
                // EC2 doesn't report a zone outage here.
                ("zoneState", "available".into()),
                ("messageSet", Value::List(Vec::new())),
            ])
        })
        .collect::<Vec<_>>();
    Ok(map([("availabilityZoneInfo", written.into())]))
}

/// `DescribeRegions`: the lab's only Region.
pub(super) fn describe_regions(world: &World, input: &Value) -> ApiResult<Value> {
    let wanted = input.strings("RegionName");
    if let Some(name) = wanted.iter().find(|name| **name != world.region) {
        return Err(invalid_value(format!("Invalid region: [{name}]")));
    }
    let filters = Filters::read(input, &["region-name", "endpoint", "opt-in-status"])?;
    let endpoint = format!("ec2.{}.amazonaws.com", world.region);
    let field = |name: &str| {
        vec![match name {
            "region-name" => world.region.clone(),
            "endpoint" => endpoint.clone(),
            _ => "opt-in-not-required".to_owned(),
        }]
    };
    let region = map([
        ("regionName", world.region.as_str().into()),
        ("regionEndpoint", endpoint.as_str().into()),
        ("optInStatus", "opt-in-not-required".into()),
    ]);
    let passes = filters.matches(&world.ec2, &world.region, field);
    let found: Vec<Value> = passes.then_some(region).into_iter().collect();
    Ok(map([("regionInfo", found.into())]))
}
