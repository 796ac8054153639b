"""boto3 against the lab: reads everything, pushes an image, refreshes a group, shifts weights.

The argument is the lab's address. Exits with 1 at the first thing that differs from AWS, or if any
response does not fit botocore's models.
"""

import base64
import datetime
import hashlib
import json
import sys
import time
import urllib.error
import urllib.request

import boto3
import botocore.model
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

import shapes

ENDPOINT = sys.argv[1]
ACCOUNT, REGION = "123456789012", "ap-northeast-2"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/deploy-news"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def client(service, **more):
    keys = {"aws_access_key_id": "AKIALABLABLABLABLAB0", "aws_secret_access_key": "unchecked"}
    return boto3.client(service, endpoint_url=ENDPOINT, **{"region_name": REGION, **keys, **more})


def code(call, *args, **kwargs):
    """Returns the error code and HTTP status that a call is refused with, or None."""
    try:
        call(*args, **kwargs)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    return None


def http(method, path, body=None, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(ENDPOINT + path, body, headers, method=method)
    return urllib.request.urlopen(request)


def now():
    return datetime.datetime.fromisoformat(json.load(http("GET", "/_lab/health"))["now"].replace("Z", "+00:00"))


def wait(what, until, seconds=60):
    """Calls `what` until `until` holds for the result."""
    deadline = time.monotonic() + seconds
    while True:
        answer = what()
        if until(answer):
            return answer
        assert time.monotonic() < deadline, f"timed out with {answer}"
        time.sleep(0.2)


def identity():
    assert client("sts").get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/lab"
    path = "/_lab/github/token?api-version=2.0&audience=sts.amazonaws.com"
    token = json.load(http("GET", path, Authorization="bearer lab-id-token-request-token"))["value"]
    unsigned = client("sts", config=Config(signature_version=UNSIGNED))
    assume = {"RoleArn": ROLE, "RoleSessionName": "job-1", "WebIdentityToken": token}
    keys = unsigned.assume_role_with_web_identity(**assume)["Credentials"]
    session = {
        "aws_access_key_id": keys["AccessKeyId"],
        "aws_secret_access_key": keys["SecretAccessKey"],
        "aws_session_token": keys["SessionToken"],
    }
    me = client("sts", **session).get_caller_identity()
    assert me["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy-news/job-1", me
    stranger = {**assume, "RoleArn": ROLE + "x"}
    assert code(unsigned.assume_role_with_web_identity, **stranger) == ("AccessDenied", 403)
    assert code(unsigned.get_caller_identity) == ("MissingAuthenticationToken", 403)
    unknown = {"aws_access_key_id": "AKIANOBODY0000000000"}
    assert code(client("sts", **unknown).get_caller_identity) == ("InvalidClientTokenId", 403)
    assert code(client("ec2", **unknown).describe_instances) == ("AuthFailure", 401)
    ssm = client("ssm", **unknown)
    assert code(ssm.describe_parameters) == ("UnrecognizedClientException", 400)
    elsewhere = client("elbv2", region_name="eu-west-1")
    assert code(elsewhere.describe_load_balancers) == ("InvalidClientTokenId", 403)
    iam = client("iam")
    trust = iam.get_role(RoleName="deploy-news")["Role"]["AssumeRolePolicyDocument"]
    assert trust["Statement"][0]["Action"] == "sts:AssumeRoleWithWebIdentity"
    iam.list_open_id_connect_providers()
    iam.get_instance_profile(InstanceProfileName="news-instance")
    assert code(iam.get_role, RoleName="none") == ("NoSuchEntity", 404)


def parameters():
    ssm = client("ssm")
    for n in range(23):
        ssm.put_parameter(Name=f"/boto3/{n:06}", Value="{}", Type="String")
    again = {"Name": "/boto3/000000", "Value": "{}", "Type": "String"}
    assert code(ssm.put_parameter, **again) == ("ParameterAlreadyExists", 400)
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path="/boto3", Recursive=True)
    names = [found["Name"] for page in pages for found in page["Parameters"]]
    assert names == [f"/boto3/{n:06}" for n in range(23)], names
    assert code(ssm.get_parameter, Name="/none") == ("ParameterNotFound", 400)
    deleted = ssm.delete_parameters(Names=[names[0], "/none"])
    assert deleted["InvalidParameters"] == ["/none"]
    ssm.describe_parameters()


def push(tag, labels):
    """Pushes an image without files by the distribution protocol; returns its digest."""
    login = client("ecr").get_authorization_token()["authorizationData"][0]
    assert login["proxyEndpoint"] == ENDPOINT
    basic = "Basic " + login["authorizationToken"]

    def blob(data):
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        begun = http("POST", "/v2/news/blobs/uploads/", b"", Authorization=basic)
        location = begun.headers["Location"]
        http("PATCH", location, data, Authorization=basic)
        http("PUT", f"{location}?digest={digest}", b"", Authorization=basic)
        return {"digest": digest, "size": len(data), "mediaType": "application/octet-stream"}

    config = blob(json.dumps({"config": {"Labels": labels}}).encode())
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": []}
    body = json.dumps(manifest).encode()
    path = f"/v2/news/manifests/{tag}"
    answer = http("PUT", path, body, Authorization=basic, Content_Type=MANIFEST)
    return answer.headers["Docker-Content-Digest"]


def registry():
    ecr = client("ecr")
    digest = push("v2-boto3", {"lab.version": "v2-boto3", "lab.boot-seconds": "10"})
    found = ecr.describe_images(repositoryName="news", imageIds=[{"imageTag": "v2-boto3"}])
    assert found["imageDetails"][0]["imageDigest"] == digest
    ecr.list_images(repositoryName="news")
    ecr.batch_get_image(repositoryName="news", imageIds=[{"imageDigest": digest}])
    upload = ecr.initiate_layer_upload(repositoryName="news")["uploadId"]
    layer = b"layer"
    part = {"partFirstByte": 0, "partLastByte": len(layer) - 1, "layerPartBlob": layer}
    ecr.upload_layer_part(repositoryName="news", uploadId=upload, **part)
    sha = "sha256:" + hashlib.sha256(layer).hexdigest()
    ecr.complete_layer_upload(repositoryName="news", uploadId=upload, layerDigests=[sha])
    layers = ecr.batch_check_layer_availability(repositoryName="news", layerDigests=[sha])["layers"]
    assert layers[0]["layerAvailability"] == "AVAILABLE"
    missing = ("RepositoryNotFoundException", 400)
    assert code(ecr.describe_images, repositoryName="none") == missing
    try:
        http("GET", "/v2/")
        raise AssertionError("the registry answered without a login")
    except urllib.error.HTTPError as error:
        assert error.code == 401 and error.headers["WWW-Authenticate"].startswith("Basic ")
    return digest


def template(digest):
    ec2 = client("ec2")
    live = ec2.describe_launch_template_versions(LaunchTemplateName="news", Versions=["1"])
    data = live["LaunchTemplateVersions"][0]["LaunchTemplateData"]
    script = base64.b64decode(data["UserData"]).decode()
    before = script.split("@")[1][: len(digest)]
    script = base64.b64encode(script.replace(before, digest).encode()).decode()
    make = {
        "LaunchTemplateName": "news",
        "SourceVersion": "1",
        "LaunchTemplateData": {"UserData": script},
        "ClientToken": "boto3",
    }
    made = ec2.create_launch_template_version(**make)["LaunchTemplateVersion"]
    again = ec2.create_launch_template_version(**make)["LaunchTemplateVersion"]
    assert made["VersionNumber"] == again["VersionNumber"]
    assert made["LaunchTemplateData"]["InstanceType"] == data["InstanceType"]
    other = {**make, "SourceVersion": str(made["VersionNumber"]), "VersionDescription": "x"}
    mismatch = ("IdempotentParameterMismatch", 400)
    assert code(ec2.create_launch_template_version, **other) == mismatch
    absent = ("InvalidLaunchTemplateName.NotFoundException", 400)
    assert code(ec2.describe_launch_templates, LaunchTemplateNames=["none"]) == absent
    ec2.describe_availability_zones(), ec2.describe_subnets(), ec2.describe_images()
    ec2.describe_instances()
    return str(made["VersionNumber"])


def refresh(version):
    asg = client("autoscaling")
    group = {"AutoScalingGroupName": "news-blue"}
    launch = {"LaunchTemplateName": "news", "Version": version}
    preferences = {
        "MinHealthyPercentage": 100,
        "MaxHealthyPercentage": 200,
        "SkipMatching": True,
        "InstanceWarmup": 0,
        "BakeTime": 10,
    }
    wanted = {"DesiredConfiguration": {"LaunchTemplate": launch}, "Preferences": preferences}
    ours = asg.start_instance_refresh(**group, **wanted)["InstanceRefreshId"]
    assert code(asg.start_instance_refresh, **group) == ("InstanceRefreshInProgress", 400)
    moved = {**group, "LaunchTemplate": launch | {"Version": "1"}}

    def status():
        found = asg.describe_instance_refreshes(**group, InstanceRefreshIds=[ours])
        return found["InstanceRefreshes"][0]["Status"]

    wait(status, lambda s: s == "InProgress")
    assert code(asg.update_auto_scaling_group, **moved)[0] == "ValidationError"
    ended = wait(status, lambda s: s not in ("Pending", "InProgress", "Baking"))
    assert ended == "Successful", ended
    found = asg.describe_auto_scaling_groups(AutoScalingGroupNames=["news-blue"])
    found = found["AutoScalingGroups"][0]
    assert found["LaunchTemplate"]["Version"] == version
    assert {i["LaunchTemplate"]["Version"] for i in found["Instances"]} == {version}
    nothing = ("ActiveInstanceRefreshNotFound", 400)
    assert code(asg.cancel_instance_refresh, **group) == nothing
    assert code(asg.rollback_instance_refresh, **group) == nothing
    asg.describe_scaling_activities(**group)
    asg.describe_auto_scaling_instances()
    asg.describe_load_balancer_target_groups(**group)
    asg.describe_tags(), asg.describe_policies()


def scheduled_actions():
    asg = client("autoscaling")
    group, name = {"AutoScalingGroupName": "news-green"}, {"ScheduledActionName": "retire"}
    later = now() + datetime.timedelta(hours=1)
    asg.put_scheduled_update_group_action(**group, **name, StartTime=later, DesiredCapacity=0)
    found = asg.describe_scheduled_actions(**group)["ScheduledUpdateGroupActions"]
    assert [action["ScheduledActionName"] for action in found] == ["retire"]
    asg.delete_scheduled_action(**group, **name)
    asg.suspend_processes(**group, ScalingProcesses=["AZRebalance"])
    asg.resume_processes(**group)
    asg.update_auto_scaling_group(**group, MinSize=1)
    asg.set_desired_capacity(**group, DesiredCapacity=2)


def weights():
    elb = client("elbv2")
    balancer = elb.describe_load_balancers(Names=["news"])["LoadBalancers"][0]["LoadBalancerArn"]
    groups = elb.describe_target_groups(LoadBalancerArn=balancer)["TargetGroups"]
    arns = {group["TargetGroupName"]: group["TargetGroupArn"] for group in groups}
    listener = elb.describe_listeners(LoadBalancerArn=balancer)["Listeners"][0]["ListenerArn"]
    rules = elb.describe_rules(ListenerArn=listener)["Rules"]
    main = next(rule for rule in rules if rule["Priority"] == "10")
    shares = [
        {"TargetGroupArn": arns["news-blue"], "Weight": 100},
        {"TargetGroupArn": arns["news-green"], "Weight": 0},
    ]
    forward = [{"Type": "forward", "ForwardConfig": {"TargetGroups": shares}}]
    elb.modify_rule(RuleArn=main["RuleArn"], Actions=forward)
    echoed = elb.describe_rules(RuleArns=[main["RuleArn"]])["Rules"][0]["Actions"][0]
    assert echoed["ForwardConfig"]["TargetGroups"] == shares
    default = next(rule for rule in rules if rule["IsDefault"])["RuleArn"]
    refused = ("OperationNotPermitted", 400)
    assert code(elb.modify_rule, RuleArn=default, Actions=forward) == refused
    elb.describe_target_group_attributes(TargetGroupArn=arns["news-blue"])
    elb.describe_load_balancer_attributes(LoadBalancerArn=balancer)
    elb.describe_tags(ResourceArns=[balancer])
    wait(
        lambda: elb.describe_target_health(TargetGroupArn=arns["news-blue"])["TargetHealthDescriptions"],
        lambda targets: all(t["TargetHealth"]["State"] == "healthy" for t in targets),
    )
    page = json.load(http("GET", "/version"))
    assert page["version"] == "v2-boto3", page
    return balancer, arns["news-blue"]


def metrics(balancer, target_group):
    """Sends the same requests in each protocol that CloudWatch has had."""
    dimensions = [
        {"Name": "LoadBalancer", "Value": balancer.split(":loadbalancer/")[1]},
        {"Name": "TargetGroup", "Value": target_group.split(":")[-1]},
    ]
    metric = {"Namespace": "AWS/ApplicationELB", "MetricName": "RequestCount", "Dimensions": dimensions}
    query = [{"Id": "n", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}]
    until = now().replace(second=0, microsecond=0) - datetime.timedelta(minutes=3)
    times = {"StartTime": until - datetime.timedelta(minutes=3), "EndTime": until}
    answers = []
    for protocol in ("smithy-rpc-v2-cbor", "json", "query"):
        botocore.model.PRIORITY_ORDERED_SUPPORTED_PROTOCOLS = (protocol, "query", "ec2", "json")
        cloudwatch = client("cloudwatch")
        assert cloudwatch.meta.service_model.resolved_protocol == protocol
        data = cloudwatch.get_metric_data(MetricDataQueries=query, **times)["MetricDataResults"][0]
        assert len(data["Values"]) == 3 and min(data["Values"]) > 0, data
        answers.append(data)
        cloudwatch.get_metric_statistics(**metric, **times, Period=60, Statistics=["Sum"])
        cloudwatch.list_metrics(Namespace="AWS/ApplicationELB")
        cloudwatch.describe_alarms()
        assert code(cloudwatch.describe_anomaly_detectors) == ("InvalidAction", 400)
    assert answers[0] == answers[1] == answers[2]


if __name__ == "__main__":
    shapes.watch()
    identity()
    parameters()
    refresh(template(registry()))
    scheduled_actions()
    metrics(*weights())
    print(f"{len(shapes.operations)} kinds of responses")
    for misfit in sorted(shapes.misfits):
        print(misfit)
    sys.exit(1 if shapes.misfits else 0)
