//! Network interfaces: one per instance, and one per zone of a load balancer. They are not stored but derived
//! from their owners.

use std::collections::BTreeMap;

use super::super::errors::{INTERFACE, ResourceKind};
use super::super::instance::InstanceState;
use super::super::listing::{self, Describable};
use super::vpc::address;
use crate::services::elbv2::interface::LoadBalancerInterface;
use crate::wire::{ApiResult, Value, map};
use crate::world::World;

/// A network interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NetworkInterface {
    /// The id of its subnet.
    pub(super) subnet: String,
    /// The ids of its security groups.
    pub(super) groups: Vec<String>,
    /// Its private IPv4 address.
    private_ip: String,
    /// Its public IPv4 address, if it has one.
    public_ip: Option<String>,
    /// The instance that it is attached to; none for a load balancer's.
    instance: Option<String>,
    /// Its description; empty for an instance's.
    description: String,
}

impl NetworkInterface {
    /// Returns whether it has a public address.
    pub(super) fn is_public(&self) -> bool {
        self.public_ip.is_some()
    }
}

/// Returns all network interfaces by `eni-…`.
pub(super) fn all(world: &World) -> BTreeMap<String, NetworkInterface> {
    let instances = world.ec2.instances.iter();
    let of_instances = instances
        .filter(|(_, instance)| instance.state != InstanceState::Terminated)
        .map(|(id, instance)| {
            let interface = NetworkInterface {
                subnet: instance.subnet.clone(),
                groups: instance.security_groups.clone(),
                private_ip: instance.private_ip.clone(),
                public_ip: instance.public_ip.clone(),
                instance: Some(id.clone()),
                description: String::new(),
            };
            (id.replacen("i-", "eni-", 1), interface)
        });
    let of_balancers = world.elbv2.interfaces(world.now).into_iter().map(|balancer| {
        let LoadBalancerInterface { subnet, groups, is_public, description, id } = balancer;
        let cidr = world.ec2.subnets.get(&subnet).map(|place| (place.cidr, place.capacity()));
        // From the end of the subnet, whose addresses instances get last.
        let place = cidr.map(|(cidr, capacity)| {
            let digits = id.trim_start_matches("eni-0").get(..4).unwrap_or("0");
            let back = u32::from_str_radix(digits, 16).unwrap_or(0) % (capacity / 4).max(1);
            address(cidr, 3 + capacity - back).to_string()
        });
        let public_ip = is_public.then(|| public_address(&id));
        let private_ip = place.unwrap_or_default();
        let interface =
            NetworkInterface { subnet, groups, private_ip, public_ip, instance: None, description };
        (id, interface)
    });
    of_instances.chain(of_balancers).collect()
}

/// Derives a public address from an id, in a block that AWS uses in Seoul.
pub(in super::super) fn public_address(id: &str) -> String {
    let sum = id.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    let [_, b, c, d] = sum.to_be_bytes();
    format!("13.{}.{c}.{d}", 124 + b % 2)
}

/// `DescribeNetworkInterfaces`.
pub(super) fn describe(world: &World, input: &Value) -> ApiResult<Value> {
    listing::describe(world, input, &all(world))
}

impl Describable for NetworkInterface {
    const KIND: ResourceKind = INTERFACE;
    const IDS: &'static str = "NetworkInterfaceId";
    const SET: &'static str = "networkInterfaceSet";
    const FILTERS: &'static [&'static str] = &[
        "network-interface-id",
        "subnet-id",
        "vpc-id",
        "group-id",
        "description",
        "status",
        "availability-zone",
        "private-ip-address",
        "requester-managed",
        "owner-id",
        "attachment.instance-id",
    ];

    fn filter_values(&self, id: &str, name: &str, world: &World) -> Vec<String> {
        let place = world.ec2.subnets.get(&self.subnet);
        match name {
            "network-interface-id" => vec![id.to_owned()],
            "subnet-id" => vec![self.subnet.clone()],
            "vpc-id" => place.map(|place| place.vpc.clone()).into_iter().collect(),
            "group-id" => self.groups.clone(),
            "description" => vec![self.description.clone()],
            "status" => vec!["in-use".to_owned()],
            "availability-zone" => place.map(|place| place.zone.clone()).into_iter().collect(),
            "private-ip-address" => vec![self.private_ip.clone()],
            "requester-managed" => vec![self.instance.is_none().to_string()],
            "owner-id" => vec![world.account.clone()],
            _ => self.instance.clone().into_iter().collect(),
        }
    }

    fn write(&self, id: &str, world: &World) -> Value {
        let place = world.ec2.subnets.get(&self.subnet);
        let groups = self.groups.iter().map(|group| {
            let name = world.ec2.security_groups.get(group).map(|group| group.name.clone());
            map([("groupId", group.as_str().into()), ("groupName", name.into())])
        });
        let owner = if self.instance.is_some() { world.account.as_str() } else { "amazon-elb" };
        let association = self.public_ip.as_deref().map_or(Value::Null, |ip| {
            map([("publicIp", ip.into()), ("ipOwnerId", owner.replace("-elb", "").into())])
        });
        let attachment = map([
            ("attachmentId", id.replacen("eni-", "eni-attach-", 1).into()),
            ("instanceId", self.instance.clone().into()),
            ("instanceOwnerId", owner.into()),
            ("deviceIndex", 0_i64.into()),
            ("status", "attached".into()),
            ("deleteOnTermination", self.instance.is_some().into()),
        ]);
        map([
            ("networkInterfaceId", id.into()),
            ("subnetId", self.subnet.as_str().into()),
            ("vpcId", place.map(|place| place.vpc.clone()).into()),
            ("availabilityZone", place.map(|place| place.zone.clone()).into()),
            ("description", self.description.as_str().into()),
            ("ownerId", world.account.as_str().into()),
            ("requesterManaged", self.instance.is_none().into()),
            ("status", "in-use".into()),
            ("interfaceType", "interface".into()),
            ("privateIpAddress", self.private_ip.as_str().into()),
            ("sourceDestCheck", true.into()),
            ("groupSet", Value::List(groups.collect())),
            ("attachment", attachment),
            ("association", association),
            ("tagSet", Value::List(Vec::new())),
        ])
    }
}
