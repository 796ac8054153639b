"""The resource types of a template: the calls that create each and those that delete it.

A creator takes the resource's name and its properties, and removes the properties that it uses: what is left over is
unknown. It returns the value of `Ref`, the attributes for `Fn::GetAtt`, and what else the deletion needs.
"""

import json
import time

import boto3
from botocore.exceptions import ClientError

ec2, elbv2, autoscaling, ecr, iam = map(boto3.client, ("ec2", "elbv2", "autoscaling", "ecr", "iam"))

# Waiters poll this often: the lab's time may run faster.
SOON = {"Delay": 0.2, "MaxAttempts": 600}


def create(kind, stack, name, properties):
    assert kind in TYPES, f"{name}: unknown type {kind}"
    ref, attributes, *more = TYPES[kind][0](f"{stack}-{name}", properties)
    assert not properties, f"{name}: unknown properties {sorted(properties)}"
    return {"ref": ref, "attributes": attributes, "more": more}


def delete(kind, ref, more):
    TYPES[kind][1](ref, *more)


def until(holds, what):
    end = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < end, f"not in time: {what}"
        time.sleep(0.2)


def tagged(kind, properties):
    tags = properties.pop("Tags", None)
    return {"TagSpecifications": [{"ResourceType": kind, "Tags": tags}]} if tags else {}


# The network.


def vpc(_, properties):
    hostnames = properties.pop("EnableDnsHostnames")
    tags = tagged("vpc", properties)
    made = ec2.create_vpc(CidrBlock=properties.pop("CidrBlock"), **tags)["Vpc"]["VpcId"]
    ec2.get_waiter("vpc_available").wait(VpcIds=[made], WaiterConfig=SOON)
    ec2.modify_vpc_attribute(VpcId=made, EnableDnsHostnames={"Value": hostnames})
    return made, {}


def internet_gateway(_, properties):
    made = ec2.create_internet_gateway(**tagged("internet-gateway", properties))
    return made["InternetGateway"]["InternetGatewayId"], {}


def gateway_attachment(_, properties):
    what = {name: properties.pop(name) for name in ("InternetGatewayId", "VpcId")}
    ec2.attach_internet_gateway(**what)
    return "attached", {}, what


def subnet(_, properties):
    public = properties.pop("MapPublicIpOnLaunch")
    tags = tagged("subnet", properties)
    where = {name: properties.pop(name) for name in ("VpcId", "AvailabilityZone", "CidrBlock")}
    made = ec2.create_subnet(**where, **tags)["Subnet"]["SubnetId"]
    ec2.modify_subnet_attribute(SubnetId=made, MapPublicIpOnLaunch={"Value": public})
    return made, {}


def route_table(_, properties):
    tags = tagged("route-table", properties)
    made = ec2.create_route_table(VpcId=properties.pop("VpcId"), **tags)
    return made["RouteTable"]["RouteTableId"], {}


def route(_, properties):
    where = {name: properties.pop(name) for name in ("RouteTableId", "DestinationCidrBlock")}
    ec2.create_route(**where, GatewayId=properties.pop("GatewayId"))
    return "route", {}, where


def route_table_association(_, properties):
    where = {name: properties.pop(name) for name in ("RouteTableId", "SubnetId")}
    return ec2.associate_route_table(**where)["AssociationId"], {}


def security_group(name, properties):
    about = {"VpcId": properties.pop("VpcId"), "Description": properties.pop("GroupDescription")}
    made = ec2.create_security_group(GroupName=name, **about)["GroupId"]
    for rule in properties.pop("SecurityGroupIngress"):
        permission = {key: rule.pop(key) for key in ("IpProtocol", "FromPort", "ToPort")}
        description = rule.pop("Description")
        if "CidrIp" in rule:
            permission["IpRanges"] = [{"CidrIp": rule.pop("CidrIp"), "Description": description}]
        else:
            source = {"GroupId": rule.pop("SourceSecurityGroupId"), "Description": description}
            permission["UserIdGroupPairs"] = [source]
        assert not rule, f"{name}: unknown {sorted(rule)}"
        ec2.authorize_security_group_ingress(GroupId=made, IpPermissions=[permission])
    return made, {"GroupId": made}


def delete_security_group(ref):
    """Deletes it, waiting for a load balancer's network interfaces, which outlive the load balancer for a while."""

    def gone():
        try:
            ec2.delete_security_group(GroupId=ref)
        except ClientError as error:
            assert error.response["Error"]["Code"] == "DependencyViolation", error
            return False
        return True

    until(gone, f"{ref} is deleted")


def launch_template(_, properties):
    names = ("LaunchTemplateName", "VersionDescription", "LaunchTemplateData")
    made = ec2.create_launch_template(**{name: properties.pop(name) for name in names})
    made = made["LaunchTemplate"]
    return made["LaunchTemplateId"], {"LatestVersionNumber": str(made["LatestVersionNumber"])}


# The load balancer.


def load_balancer(_, properties):
    names = ("Name", "Subnets", "SecurityGroups")
    made = elbv2.create_load_balancer(**{name: properties.pop(name) for name in names})
    made = made["LoadBalancers"][0]
    arn = made["LoadBalancerArn"]
    elbv2.get_waiter("load_balancer_available").wait(LoadBalancerArns=[arn], WaiterConfig=SOON)
    return arn, {"DNSName": made["DNSName"]}


def delete_load_balancer(ref):
    elbv2.delete_load_balancer(LoadBalancerArn=ref)
    elbv2.get_waiter("load_balancers_deleted").wait(LoadBalancerArns=[ref], WaiterConfig=SOON)


def target_group(_, properties):
    attributes = properties.pop("TargetGroupAttributes", None)
    made = elbv2.create_target_group(**properties)["TargetGroups"][0]["TargetGroupArn"]
    properties.clear()
    if attributes:
        elbv2.modify_target_group_attributes(TargetGroupArn=made, Attributes=attributes)
    return made, {}


def listener(_, properties):
    made = elbv2.create_listener(**properties)["Listeners"][0]["ListenerArn"]
    properties.clear()
    return made, {}


def listener_rule(_, properties):
    made = elbv2.create_rule(**properties)["Rules"][0]["RuleArn"]
    properties.clear()
    return made, {}


# The groups.


def auto_scaling_group(_, properties):
    sizes = {name: int(properties.pop(name)) for name in ("MinSize", "MaxSize")}
    subnets = ",".join(properties.pop("VPCZoneIdentifier"))
    # boto3 has every other property under the same name, and rejects unknown ones.
    autoscaling.create_auto_scaling_group(**sizes, VPCZoneIdentifier=subnets, **properties)
    name = properties["AutoScalingGroupName"]
    properties.clear()
    return name, {}


def delete_auto_scaling_group(ref):
    group = {"AutoScalingGroupName": ref}
    described = lambda: autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[ref])["AutoScalingGroups"]
    autoscaling.update_auto_scaling_group(**group, MinSize=0, MaxSize=0, DesiredCapacity=0)
    until(lambda: not described()[0]["Instances"], f"{ref} is empty")
    autoscaling.delete_auto_scaling_group(**group)
    until(lambda: not described(), f"{ref} is gone")


# The registry and the roles.


def repository(_, properties):
    policy = properties.pop("LifecyclePolicy")["LifecyclePolicyText"]
    scanning = properties.pop("ImageScanningConfiguration")
    assert list(scanning) == ["ScanOnPush"], scanning
    made = ecr.create_repository(
        repositoryName=properties.pop("RepositoryName"),
        imageScanningConfiguration={"scanOnPush": scanning["ScanOnPush"]},
    )["repository"]
    ecr.put_lifecycle_policy(repositoryName=made["repositoryName"], lifecyclePolicyText=policy)
    attributes = {"Arn": made["repositoryArn"], "RepositoryUri": made["repositoryUri"]}
    return made["repositoryName"], attributes, properties.pop("EmptyOnDelete")


def role(_, properties):
    name = properties.pop("RoleName")
    trust = json.dumps(properties.pop("AssumeRolePolicyDocument"))
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]
    for policy in properties.get("ManagedPolicyArns", []):
        iam.attach_role_policy(RoleName=name, PolicyArn=policy)
    for policy in properties.get("Policies", []):
        document = json.dumps(policy["PolicyDocument"])
        iam.put_role_policy(RoleName=name, PolicyName=policy["PolicyName"], PolicyDocument=document)
    inline = [policy["PolicyName"] for policy in properties.pop("Policies", [])]
    return name, {"Arn": made["Arn"]}, properties.pop("ManagedPolicyArns", []), inline


def delete_role(ref, managed, inline):
    for policy in managed:
        iam.detach_role_policy(RoleName=ref, PolicyArn=policy)
    for policy in inline:
        iam.delete_role_policy(RoleName=ref, PolicyName=policy)
    iam.delete_role(RoleName=ref)


def instance_profile(_, properties):
    name = properties.pop("InstanceProfileName")
    made = iam.create_instance_profile(InstanceProfileName=name)["InstanceProfile"]
    roles = properties.pop("Roles")
    for each in roles:
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=each)
    return name, {"Arn": made["Arn"]}, roles


def delete_instance_profile(ref, roles):
    for each in roles:
        iam.remove_role_from_instance_profile(InstanceProfileName=ref, RoleName=each)
    iam.delete_instance_profile(InstanceProfileName=ref)


def oidc_provider(_, properties):
    audiences = properties.pop("ClientIdList")
    made = iam.create_open_id_connect_provider(Url=properties.pop("Url"), ClientIDList=audiences)
    made = made["OpenIDConnectProviderArn"]
    return made, {"Arn": made}


TYPES = {
    "AWS::AutoScaling::AutoScalingGroup": (auto_scaling_group, delete_auto_scaling_group),
    "AWS::EC2::InternetGateway": (
        internet_gateway,
        lambda ref: ec2.delete_internet_gateway(InternetGatewayId=ref),
    ),
    "AWS::EC2::LaunchTemplate": (
        launch_template,
        lambda ref: ec2.delete_launch_template(LaunchTemplateId=ref),
    ),
    "AWS::EC2::Route": (route, lambda _, where: ec2.delete_route(**where)),
    "AWS::EC2::RouteTable": (route_table, lambda ref: ec2.delete_route_table(RouteTableId=ref)),
    "AWS::EC2::SecurityGroup": (security_group, delete_security_group),
    "AWS::EC2::Subnet": (subnet, lambda ref: ec2.delete_subnet(SubnetId=ref)),
    "AWS::EC2::SubnetRouteTableAssociation": (
        route_table_association,
        lambda ref: ec2.disassociate_route_table(AssociationId=ref),
    ),
    "AWS::EC2::VPC": (vpc, lambda ref: ec2.delete_vpc(VpcId=ref)),
    "AWS::EC2::VPCGatewayAttachment": (
        gateway_attachment,
        lambda _, what: ec2.detach_internet_gateway(**what),
    ),
    "AWS::ECR::Repository": (
        repository,
        lambda ref, force: ecr.delete_repository(repositoryName=ref, force=force),
    ),
    "AWS::ElasticLoadBalancingV2::Listener": (
        listener,
        lambda ref: elbv2.delete_listener(ListenerArn=ref),
    ),
    "AWS::ElasticLoadBalancingV2::ListenerRule": (
        listener_rule,
        lambda ref: elbv2.delete_rule(RuleArn=ref),
    ),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": (load_balancer, delete_load_balancer),
    "AWS::ElasticLoadBalancingV2::TargetGroup": (
        target_group,
        lambda ref: elbv2.delete_target_group(TargetGroupArn=ref),
    ),
    "AWS::IAM::InstanceProfile": (instance_profile, delete_instance_profile),
    "AWS::IAM::OIDCProvider": (
        oidc_provider,
        lambda ref: iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=ref),
    ),
    "AWS::IAM::Role": (role, delete_role),
}
