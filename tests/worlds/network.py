"""A VPC with a public subnet in each of two zones, and security groups."""

from account import ec2


def _named(kind, name):
    return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": name}]}]


class Network:
    """`vpc`, `subnets`, and the security groups of load balancers and of instances."""

    def __init__(self, name, title=None):
        tags = _named("vpc", title or name)
        vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16", TagSpecifications=tags)
        self.vpc = vpc["Vpc"]["VpcId"]
        zones = ec2.describe_availability_zones()["AvailabilityZones"][:2]
        self.subnets = [
            self._subnet(zone["ZoneName"], f"10.20.{number}.0/24")
            for number, zone in enumerate(zones)
        ]
        self._route_to_the_internet()
        self.balancer_group = self._security_group(
            f"{name}-public", IpRanges=[{"CidrIp": "0.0.0.0/0"}]
        )
        self.instance_group = self._security_group(
            f"{name}-instances", UserIdGroupPairs=[{"GroupId": self.balancer_group}]
        )

    def _subnet(self, zone, block):
        subnet = ec2.create_subnet(VpcId=self.vpc, AvailabilityZone=zone, CidrBlock=block)
        subnet = subnet["Subnet"]["SubnetId"]
        ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
        return subnet

    def _route_to_the_internet(self):
        gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=self.vpc)
        table = ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]
        ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
        for subnet in self.subnets:
            ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)

    def _security_group(self, name, **source):
        group = ec2.create_security_group(GroupName=name, Description=name, VpcId=self.vpc)
        group = group["GroupId"]
        tcp = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 8080, **source}
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[tcp])
        return group
