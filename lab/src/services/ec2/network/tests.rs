//! Tests of networking, from creation to deletion.

use crate::services::ec2::{self, leftovers};
use crate::wire::{Call, Principal, Service, Value, map};
use crate::world::World;

fn world() -> World {
    World::new(1, "2026-01-05T09:00:00Z".parse().unwrap())
}

fn send(
    world: &mut World,
    operation: &str,
    input: &[(&'static str, &str)],
) -> Result<Value, String> {
    let members = input.iter().map(|(key, value)| ((*key).into(), (*value).into()));
    let call = Call {
        service: Service::Ec2,
        operation: operation.to_owned(),
        input: Value::Map(members.collect()),
        caller: Principal::anonymous(),
        region: "ap-northeast-2".to_owned(),
    };
    ec2::call(world, &call).map_err(|error| error.code)
}

fn made(
    world: &mut World,
    operation: &str,
    input: &[(&'static str, &str)],
    path: &[&str],
) -> String {
    let answer = send(world, operation, input).unwrap();
    let last = path.iter().fold(&answer, |value, key| value.get(key));
    last.as_str().unwrap().to_owned()
}

#[test]
fn a_new_account_has_a_default_vpc_and_nothing_else() {
    let world = world();
    assert_eq!(world.ec2.vpcs.len(), 1);
    assert_eq!(world.ec2.subnets.len(), world.ec2.zones.len());
    assert!(leftovers(&world).is_empty());
}

#[test]
fn resources_in_use_cannot_be_deleted() {
    let w = &mut world();
    let violation = || Err("DependencyViolation".to_owned());
    let vpc = made(w, "CreateVpc", &[("CidrBlock", "10.0.0.0/16")], &["vpc", "vpcId"]);
    let vpc = ("VpcId", vpc.as_str());
    let cidr = ("CidrBlock", "10.0.1.0/24");
    let subnet = made(w, "CreateSubnet", &[vpc, cidr], &["subnet", "subnetId"]);
    let subnet = ("SubnetId", subnet.as_str());
    let gateway = made(w, "CreateInternetGateway", &[], &["internetGateway", "internetGatewayId"]);
    let gateway = ("InternetGatewayId", gateway.as_str());
    send(w, "AttachInternetGateway", &[gateway, vpc]).unwrap();
    let table = made(w, "CreateRouteTable", &[vpc], &["routeTable", "routeTableId"]);
    let table = ("RouteTableId", table.as_str());
    let association = made(w, "AssociateRouteTable", &[table, subnet], &["associationId"]);
    let named = |name| [("GroupName", name), ("GroupDescription", "of the test"), vpc];
    let front = made(w, "CreateSecurityGroup", &named("front"), &["groupId"]);
    let back = made(w, "CreateSecurityGroup", &named("back"), &["groupId"]);
    let pair = map([("GroupId", front.as_str().into())]);
    let permission = map([
        ("IpProtocol", "tcp".into()),
        ("FromPort", "80".into()),
        ("ToPort", "80".into()),
        ("Groups", Value::List(vec![pair])),
    ]);
    let group = w.ec2.security_groups.get_mut(&back).unwrap();
    let before = group.rules.len();
    let call = Call {
        service: Service::Ec2,
        operation: "AuthorizeSecurityGroupIngress".to_owned(),
        input: map([
            ("GroupId", back.as_str().into()),
            ("IpPermissions", Value::List(vec![permission])),
        ]),
        caller: Principal::anonymous(),
        region: String::new(),
    };
    ec2::call(w, &call).unwrap();
    assert_eq!(w.ec2.security_groups[&back].rules.len(), before + 1);
    assert_eq!(ec2::call(w, &call).unwrap_err().code, "InvalidPermission.Duplicate");

    assert_eq!(send(w, "DeleteVpc", &[vpc]), violation());
    assert_eq!(send(w, "DeleteInternetGateway", &[gateway]), violation());
    assert_eq!(send(w, "DeleteRouteTable", &[table]), violation());
    assert_eq!(send(w, "DeleteSecurityGroup", &[("GroupId", &front)]), violation());
    send(w, "DeleteSecurityGroup", &[("GroupId", &back)]).unwrap();
    send(w, "DeleteSecurityGroup", &[("GroupId", &front)]).unwrap();
    send(w, "DisassociateRouteTable", &[("AssociationId", &association)]).unwrap();
    send(w, "DeleteRouteTable", &[table]).unwrap();
    send(w, "DetachInternetGateway", &[gateway, vpc]).unwrap();
    send(w, "DeleteInternetGateway", &[gateway]).unwrap();
    send(w, "DeleteSubnet", &[subnet]).unwrap();
    send(w, "DeleteVpc", &[vpc]).unwrap();
    assert!(leftovers(w).is_empty(), "{:?}", leftovers(w));
}

#[test]
fn blocks_must_fit() {
    let w = &mut world();
    let vpc = made(w, "CreateVpc", &[("CidrBlock", "10.0.0.0/16")], &["vpc", "vpcId"]);
    let mut create =
        |block| send(w, "CreateSubnet", &[("VpcId", &vpc), ("CidrBlock", block)]).map(|_| ());
    assert_eq!(create("10.1.0.0/24"), Err("InvalidSubnet.Range".into()));
    assert_eq!(create("10.0.0.0/29"), Err("InvalidSubnet.Range".into()));
    assert_eq!(create("10.0.0.1/24"), Err("InvalidParameterValue".into()));
    assert_eq!(create("10.0.0.0/24"), Ok(()));
    assert_eq!(create("10.0.0.128/25"), Err("InvalidSubnet.Conflict".into()));
}
