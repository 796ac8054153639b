"""Uses the lab through boto3: the argument names the scenario. The environment says where the lab is."""

import base64
import datetime
import json
import os
import sys
import time
import urllib.request

import boto3
from botocore.exceptions import ClientError

ACCOUNT = "123456789012"
ACTIVE = {"Pending", "InProgress", "Baking", "Cancelling", "RollbackInProgress"}

autoscaling = boto3.client("autoscaling")
cloudwatch = boto3.client("cloudwatch")
ec2 = boto3.client("ec2")
ecr = boto3.client("ecr")
elb = boto3.client("elbv2")
iam = boto3.client("iam")
ssm = boto3.client("ssm")
sts = boto3.client("sts")


def refused(code, call, **arguments):
    """Makes a call that must fail with this error code; returns the message."""
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        return error.response["Error"]["Message"]
    raise AssertionError(f"not refused: {arguments}")


def until(what, look, seconds=60):
    """Calls `look` until its result is truthy; returns that."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if seen := look():
            return seen
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s: {what}")


def lab_now():
    with urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"] + "/_lab/health") as answer:
        return datetime.datetime.fromisoformat(json.load(answer)["now"].replace("Z", "+00:00"))


def group(name):
    return autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"][0]


def target_group(name):
    return elb.describe_target_groups(Names=[name])["TargetGroups"][0]["TargetGroupArn"]


def rule(priority):
    balancer = elb.describe_load_balancers(Names=["news"])["LoadBalancers"][0]["LoadBalancerArn"]
    listener = elb.describe_listeners(LoadBalancerArn=balancer)["Listeners"][0]["ListenerArn"]
    rules = elb.describe_rules(ListenerArn=listener)["Rules"]
    return next(rule for rule in rules if rule["Priority"] == priority)


def describe():
    balancer = elb.describe_load_balancers(Names=["news"])["LoadBalancers"][0]
    assert balancer["State"]["Code"] == "active" and balancer["Type"] == "application", balancer
    zones = sorted(zone["ZoneName"] for zone in balancer["AvailabilityZones"])
    assert zones == ["ap-northeast-2a", "ap-northeast-2c"], zones

    live = group("news-blue")
    assert (live["MinSize"], live["MaxSize"], live["DesiredCapacity"]) == (2, 6, 4), live
    assert live["LaunchTemplate"]["Version"] == "1" and live["HealthCheckType"] == "ELB", live
    instances = [instance["InstanceId"] for instance in live["Instances"]]
    assert {i["LifecycleState"] for i in live["Instances"]} == {"InService"}, live
    assert sorted({i["AvailabilityZone"] for i in live["Instances"]}) == zones, live
    assert group("news-green")["Instances"] == []

    described = autoscaling.describe_auto_scaling_instances(InstanceIds=instances)["AutoScalingInstances"]
    assert {i["AutoScalingGroupName"] for i in described} == {"news-blue"}, described
    reservations = ec2.get_paginator("describe_instances").paginate(InstanceIds=instances)
    states = [i["State"]["Name"] for page in reservations for r in page["Reservations"] for i in r["Instances"]]
    assert states == ["running"] * 4, states

    health = elb.describe_target_health(TargetGroupArn=target_group("news-blue"))["TargetHealthDescriptions"]
    assert sorted(h["Target"]["Id"] for h in health) == sorted(instances), health
    assert {h["TargetHealth"]["State"] for h in health} == {"healthy"}, health

    assert rule("10")["Actions"][0]["ForwardConfig"]["TargetGroups"][0]["TargetGroupArn"] == target_group("news-blue")
    condition = rule("1")["Conditions"][0]
    assert condition["HttpHeaderConfig"] == {"HttpHeaderName": "X-Cutover", "Values": ["next"]}, condition

    template = ec2.describe_launch_templates(LaunchTemplateNames=["news"])["LaunchTemplates"][0]
    assert template["LatestVersionNumber"] == 1, template
    version = ec2.describe_launch_template_versions(LaunchTemplateName="news", Versions=["1"])
    data = version["LaunchTemplateVersions"][0]["LaunchTemplateData"]
    images = ecr.describe_images(repositoryName="news")["imageDetails"]
    user_data = base64.b64decode(data["UserData"]).decode()
    assert user_data.count(images[0]["imageDigest"]) == 1, user_data
    assert data["MetadataOptions"]["HttpPutResponseHopLimit"] == 2, data

    assert iam.get_role(RoleName="deploy-news")["Role"]["MaxSessionDuration"] == 3600
    providers = iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    assert providers[0]["Arn"].endswith("oidc-provider/token.actions.githubusercontent.com"), providers

    refused("LoadBalancerNotFound", elb.describe_load_balancers, Names=["none"])
    refused("TargetGroupNotFound", elb.describe_target_groups, Names=["none"])
    refused("RepositoryNotFoundException", ecr.describe_repositories, repositoryNames=["none"])
    refused("InvalidLaunchTemplateName.NotFoundException", ec2.describe_launch_templates, LaunchTemplateNames=["none"])
    assert autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=["none"])["AutoScalingGroups"] == []


def refresh():
    made = ec2.create_launch_template_version(
        LaunchTemplateName="news", SourceVersion="1", VersionDescription="by hand", ClientToken="by-hand",
        LaunchTemplateData={"InstanceType": "t3.small"},
    )["LaunchTemplateVersion"]
    assert made["VersionNumber"] == 2 and made["LaunchTemplateData"]["UserData"], made

    before = {instance["InstanceId"] for instance in group("news-blue")["Instances"]}
    refused("ActiveInstanceRefreshNotFound", autoscaling.cancel_instance_refresh, AutoScalingGroupName="news-blue")
    identity = autoscaling.start_instance_refresh(
        AutoScalingGroupName="news-blue",
        DesiredConfiguration={"LaunchTemplate": {"LaunchTemplateName": "news", "Version": "2"}},
        Preferences={"MinHealthyPercentage": 100, "MaxHealthyPercentage": 200, "InstanceWarmup": 10,
                     "SkipMatching": True, "ScaleInProtectedInstances": "Ignore", "StandbyInstances": "Ignore"},
    )["InstanceRefreshId"]
    refused("InstanceRefreshInProgress", autoscaling.start_instance_refresh, AutoScalingGroupName="news-blue")

    statuses = []

    def finished():
        seen = autoscaling.describe_instance_refreshes(
            AutoScalingGroupName="news-blue", InstanceRefreshIds=[identity])["InstanceRefreshes"][0]
        if seen["Status"] not in statuses:
            statuses.append(seen["Status"])
        return seen if seen["Status"] not in ACTIVE else None

    ended = until("the refresh ends", finished)
    assert ended["Status"] == "Successful" and ended["PercentageComplete"] == 100, ended
    assert statuses[-2:] == ["InProgress", "Successful"], statuses

    after = group("news-blue")
    assert after["LaunchTemplate"]["Version"] == "2", after
    assert {i["LaunchTemplate"]["Version"] for i in after["Instances"]} == {"2"}, after
    assert before.isdisjoint(i["InstanceId"] for i in after["Instances"]), after
    ec2.get_waiter("instance_terminated").wait(
        InstanceIds=sorted(before), WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    causes = [a["Cause"] for a in
              autoscaling.describe_scaling_activities(AutoScalingGroupName="news-blue")["Activities"]]
    assert any("instance refresh" in cause for cause in causes), causes

    # A second refresh, back to version 1, canceled halfway.
    autoscaling.start_instance_refresh(
        AutoScalingGroupName="news-blue",
        DesiredConfiguration={"LaunchTemplate": {"LaunchTemplateName": "news", "Version": "1"}})
    autoscaling.cancel_instance_refresh(AutoScalingGroupName="news-blue")
    until("it is canceled", lambda: autoscaling.describe_instance_refreshes(
        AutoScalingGroupName="news-blue")["InstanceRefreshes"][0]["Status"] == "Cancelled")


def weights():
    blue, green, live = target_group("news-blue"), target_group("news-green"), rule("10")["RuleArn"]
    autoscaling.update_auto_scaling_group(AutoScalingGroupName="news-green", MinSize=2)
    targets = until("two instances are registered", lambda: (
        found if len(found := elb.describe_target_health(TargetGroupArn=green)["TargetHealthDescriptions"]) == 2
        else None))
    elb.get_waiter("target_in_service").wait(
        TargetGroupArn=green, Targets=[{"Id": t["Target"]["Id"]} for t in targets],
        WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    ec2.get_waiter("instance_running").wait(
        InstanceIds=[t["Target"]["Id"] for t in targets], WaiterConfig={"Delay": 1, "MaxAttempts": 60})

    split = [{"TargetGroupArn": blue, "Weight": 75}, {"TargetGroupArn": green, "Weight": 25}]
    answer = elb.modify_rule(
        RuleArn=live, Actions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": split}}])
    for rules in (answer["Rules"], elb.describe_rules(RuleArns=[live])["Rules"]):
        assert rules[0]["Actions"][0]["ForwardConfig"]["TargetGroups"] == split, rules
    refused("TargetGroupNotFound", elb.modify_rule, RuleArn=live,
            Actions=[{"Type": "forward", "TargetGroupArn": green.replace("news-green", "none")}])
    refused("RuleNotFound", elb.modify_rule, RuleArn=live[:-1] + "z",
            Actions=[{"Type": "forward", "TargetGroupArn": green}])

    autoscaling.put_scheduled_update_group_action(
        AutoScalingGroupName="news-blue", ScheduledActionName="retire", MinSize=0, DesiredCapacity=0,
        StartTime=lab_now() + datetime.timedelta(minutes=10))
    named = [a["ScheduledActionName"] for a in autoscaling.describe_scheduled_actions(
        AutoScalingGroupName="news-blue")["ScheduledUpdateGroupActions"]]
    assert named == ["retire"], named
    until("the scheduled action empties the group", lambda: group("news-blue")["DesiredCapacity"] == 0)


def ledger():
    name = "/cutover/news/rollouts/000001"
    assert ssm.put_parameter(Name=name, Value="one", Type="String")["Version"] == 1
    refused("ParameterAlreadyExists", ssm.put_parameter, Name=name, Value="two", Type="String")
    assert ssm.get_parameter(Name=name)["Parameter"]["Value"] == "one"
    assert ssm.put_parameter(Name=name, Value="three", Type="String", Overwrite=True)["Version"] == 2
    refused("ParameterNotFound", ssm.get_parameter, Name="/none")
    refused("ValidationException", ssm.put_parameter, Name="/long", Value="x" * 4097, Type="String")

    for number in range(2, 25):
        ssm.put_parameter(Name=f"/cutover/news/rollouts/{number:06}", Value="x", Type="String")
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path="/cutover/news/rollouts")
    names = [p["Name"] for page in pages for p in page["Parameters"]]
    assert len(set(names)) == 24, names
    deleted = ssm.delete_parameters(Names=[name, "/none"])
    assert deleted["DeletedParameters"] == [name] and deleted["InvalidParameters"] == ["/none"], deleted


def identity():
    assert sts.get_caller_identity()["Account"] == ACCOUNT
    role = f"arn:aws:iam::{ACCOUNT}:role/deploy-news"

    def token(audience):
        request = urllib.request.Request(
            os.environ["ACTIONS_ID_TOKEN_REQUEST_URL"] + f"&audience={audience}",
            headers={"Authorization": "bearer " + os.environ["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)["value"]

    def become(token, arn=role):
        return sts.assume_role_with_web_identity(
            RoleArn=arn, RoleSessionName="by-hand", WebIdentityToken=token, DurationSeconds=900)

    credentials = become(token("sts.amazonaws.com"))["Credentials"]
    session = boto3.Session(
        aws_access_key_id=credentials["AccessKeyId"], aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"])
    arn = session.client("sts").get_caller_identity()["Arn"]
    assert arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy-news/by-hand", arn
    assert session.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]

    for refusal in (lambda: become(token("somebody.else")), lambda: become(token("sts.amazonaws.com")[:-4] + "AAAA"),
                    lambda: become(token("sts.amazonaws.com"), role.replace("deploy-news", "none"))):
        try:
            refusal()
        except ClientError as error:
            assert error.response["Error"]["Code"] in ("InvalidIdentityToken", "AccessDenied"), error
        else:
            raise AssertionError("not refused")

    # 900 seconds of the lab's time.
    until("the session expires", lambda: expired(session))
    stranger = boto3.client("sts", aws_access_key_id="AKIANOBODY0000000000", aws_secret_access_key="x")
    refused("InvalidClientTokenId", stranger.get_caller_identity)


def expired(session):
    try:
        session.client("autoscaling").describe_auto_scaling_groups()
    except ClientError as error:
        assert error.response["Error"]["Code"] in ("ExpiredToken", "ExpiredTokenException"), error
        return True
    return False


def metrics():
    balancer = elb.describe_load_balancers(Names=["news"])["LoadBalancers"][0]["LoadBalancerArn"]
    dimensions = [{"Name": "LoadBalancer", "Value": balancer.split(":loadbalancer/")[1]},
                  {"Name": "TargetGroup", "Value": target_group("news-blue").split(":")[-1]}]
    found = cloudwatch.list_metrics(Namespace="AWS/ApplicationELB", MetricName="RequestCount")["Metrics"]
    assert any(m["Dimensions"] == dimensions for m in found), found

    def query(name, metric, statistic):
        return {"Id": name, "MetricStat": {"Period": 60, "Stat": statistic, "Metric": {
            "Namespace": "AWS/ApplicationELB", "MetricName": metric, "Dimensions": dimensions}}}

    # Only complete, published minutes: the last ones are still being counted.
    end = lab_now() - datetime.timedelta(minutes=3)
    window = {"StartTime": end - datetime.timedelta(minutes=4), "EndTime": end}
    results = cloudwatch.get_metric_data(
        **window, ScanBy="TimestampAscending",
        MetricDataQueries=[query("served", "RequestCount", "Sum"),
                           query("seconds", "TargetResponseTime", "Average"),
                           query("errors", "HTTPCode_Target_5XX_Count", "Sum")])["MetricDataResults"]
    values = {result["Id"]: result["Values"] for result in results}
    # The world's first minute may be incomplete.
    assert values["served"] and max(values["served"]) > 1000, values
    assert values["seconds"] and max(values["seconds"]) < 5, values
    assert values["errors"] == [], "AWS has no data point where nothing failed"

    statistics = cloudwatch.get_metric_statistics(
        Namespace="AWS/ApplicationELB", MetricName="RequestCount", Dimensions=dimensions, Period=60,
        **window, Statistics=["Sum"])["Datapoints"]
    assert sorted(point["Sum"] for point in statistics) == sorted(values["served"]), (statistics, values)

    cloudwatch.put_metric_alarm(
        AlarmName="busy", Namespace="AWS/ApplicationELB", MetricName="RequestCount", Dimensions=dimensions, Period=60,
        EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanThreshold", Statistic="Sum")
    cloudwatch.get_waiter("alarm_exists").wait(AlarmNames=["busy"], WaiterConfig={"Delay": 1, "MaxAttempts": 10})
    until("the alarm goes off", lambda: cloudwatch.describe_alarms(
        AlarmNames=["busy"])["MetricAlarms"][0]["StateValue"] == "ALARM")


TESTS = {test.__name__: test for test in (describe, refresh, weights, ledger, identity, metrics)}
TESTS[sys.argv[1]]()
