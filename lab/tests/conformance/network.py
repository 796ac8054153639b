"""The network: a VPC with a public subnet in each of two zones, and its security groups."""

from account import ec2, eventually, refused


def named(kind, name):
    return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": name}]}]


class Network:
    def __init__(self):
        zones = [zone["ZoneName"] for zone in ec2.describe_availability_zones()["AvailabilityZones"]]
        assert len(zones) >= 2, zones
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=named("vpc", "web"))
        self.vpc = vpc["Vpc"]["VpcId"]
        ec2.get_waiter("vpc_available").wait(VpcIds=[self.vpc])
        ec2.modify_vpc_attribute(VpcId=self.vpc, EnableDnsHostnames={"Value": True})
        self.subnets = [self._subnet(zone, n + 1) for n, zone in enumerate(zones[:2])]
        ec2.get_waiter("subnet_available").wait(SubnetIds=self.subnets)
        self._way_out()
        self._groups()

    def _subnet(self, zone, number):
        block = f"10.0.{number}.0/24"
        subnet = ec2.create_subnet(VpcId=self.vpc, AvailabilityZone=zone, CidrBlock=block)
        subnet = subnet["Subnet"]
        ec2.modify_subnet_attribute(SubnetId=subnet["SubnetId"], MapPublicIpOnLaunch={"Value": True})
        again = {"VpcId": self.vpc, "AvailabilityZone": zone, "CidrBlock": block}
        refused("InvalidSubnet.Conflict", 400, ec2.create_subnet, **again)
        return subnet["SubnetId"]

    def _way_out(self):
        self.gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.get_waiter("internet_gateway_exists").wait(InternetGatewayIds=[self.gateway])
        ec2.attach_internet_gateway(InternetGatewayId=self.gateway, VpcId=self.vpc)
        self.table = ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]
        out = {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": self.gateway}
        ec2.create_route(RouteTableId=self.table, **out)
        self.associations = [
            ec2.associate_route_table(RouteTableId=self.table, SubnetId=subnet)["AssociationId"]
            for subnet in self.subnets
        ]

    def _groups(self):
        def group(name, **source):
            about = {"GroupName": name, "Description": name, "VpcId": self.vpc}
            group = ec2.create_security_group(**about)["GroupId"]
            http = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, **source}
            ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[http])
            return group

        self.balancer_group = group("web-alb", IpRanges=[{"CidrIp": "0.0.0.0/0"}])
        from_balancer = [{"GroupId": self.balancer_group}]
        self.fleet_group = group("web-fleet", UserIdGroupPairs=from_balancer)
        ec2.get_waiter("security_group_exists").wait(GroupIds=[self.fleet_group])
        rules = ec2.describe_security_group_rules(
            Filters=[{"Name": "group-id", "Values": [self.fleet_group]}]
        )["SecurityGroupRules"]
        ingress = [rule for rule in rules if not rule["IsEgress"]]
        assert ingress[0]["ReferencedGroupInfo"]["GroupId"] == self.balancer_group, rules

    def tear_down(self):
        """Deletes everything in the only order that AWS allows."""
        in_use = "DependencyViolation", 400
        refused(*in_use, ec2.delete_security_group, GroupId=self.balancer_group)
        refused(*in_use, ec2.delete_vpc, VpcId=self.vpc)
        refused(*in_use, ec2.delete_internet_gateway, InternetGatewayId=self.gateway)
        refused(*in_use, ec2.delete_route_table, RouteTableId=self.table)
        # A deleted load balancer's network interfaces stay for a while, and name its security group.
        interfaces = lambda: ec2.describe_network_interfaces()["NetworkInterfaces"]
        eventually(interfaces, lambda found: found == [])
        for group in (self.fleet_group, self.balancer_group):
            ec2.delete_security_group(GroupId=group)
        for association in self.associations:
            ec2.disassociate_route_table(AssociationId=association)
        ec2.delete_route(RouteTableId=self.table, DestinationCidrBlock="0.0.0.0/0")
        ec2.delete_route_table(RouteTableId=self.table)
        ec2.detach_internet_gateway(InternetGatewayId=self.gateway, VpcId=self.vpc)
        ec2.delete_internet_gateway(InternetGatewayId=self.gateway)
        for subnet in self.subnets:
            ec2.delete_subnet(SubnetId=subnet)
        ec2.delete_vpc(VpcId=self.vpc)
        refused("InvalidVpcID.NotFound", 400, ec2.describe_vpcs, VpcIds=[self.vpc])
