//! Regions and their Availability Zones.

use super::errors::invalid_value;
use super::listing::Filters;
use crate::wire::{ApiResult, Value, map};
use crate::world::World;

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
