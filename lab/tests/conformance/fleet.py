"""The fleet: two groups of one launch template, with a hook, a policy and a scheduled action."""

import datetime

from account import SOON, autoscaling, cloudwatch, ec2, elbv2, eventually, refused

LATER = datetime.datetime(2099, 1, 1, tzinfo=datetime.timezone.utc)


class Fleet:
    def __init__(self, network, balancer, images):
        self.balancer, self.images = balancer, images
        self._group("web-blue", network, balancer.blue, desired=2)
        self._hooked("web-blue")
        self._group("web-green", network, balancer.green, desired=0)
        self._scaled("web-blue")
        self._scheduled("web-green")

    def _group(self, name, network, target_group, desired):
        group = {
            "AutoScalingGroupName": name,
            "LaunchTemplate": {"LaunchTemplateName": "web", "Version": "1"},
            "MinSize": 0,
            "MaxSize": 4,
            "DesiredCapacity": desired,
            "VPCZoneIdentifier": ",".join(network.subnets),
            "TargetGroupARNs": [target_group],
            "HealthCheckType": "ELB",
            "HealthCheckGracePeriod": 60,
            "DefaultInstanceWarmup": 0,
            "Tags": [{"Key": "team", "Value": "news", "PropagateAtLaunch": True}],
        }
        autoscaling.create_auto_scaling_group(**group)
        refused("AlreadyExists", 400, autoscaling.create_auto_scaling_group, **group)

    def _hooked(self, name):
        """Launches instances that wait for a lifecycle hook, and completes it."""
        hook = {"AutoScalingGroupName": name, "LifecycleHookName": "warm"}
        autoscaling.put_lifecycle_hook(
            **hook,
            LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING",
            HeartbeatTimeout=7200,
            DefaultResult="ABANDON",
        )
        autoscaling.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=3)
        waiting = eventually(
            lambda: [i for i in self.members(name) if i["LifecycleState"] == "Pending:Wait"],
            lambda members: len(members) >= 1,
        )
        for member in waiting:
            instance = {"InstanceId": member["InstanceId"]}
            autoscaling.record_lifecycle_action_heartbeat(**hook, **instance)
            done = {"LifecycleActionResult": "CONTINUE", **instance}
            autoscaling.complete_lifecycle_action(**hook, **done)
        autoscaling.delete_lifecycle_hook(**hook)
        autoscaling.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=2)
        self.settled(name, 2)

    def _scaled(self, name):
        label = "/".join(self.balancer.arn.split("/")[1:])
        target = self.balancer.blue.split(":")[-1]
        metric = {
            "PredefinedMetricType": "ALBRequestCountPerTarget",
            "ResourceLabel": f"{label}/{target}",
        }
        tracking = {"PredefinedMetricSpecification": metric, "TargetValue": 1000.0}
        made = autoscaling.put_scaling_policy(
            AutoScalingGroupName=name,
            PolicyName="requests",
            PolicyType="TargetTrackingScaling",
            # Scaling in would change the size that these tests rely on.
            TargetTrackingConfiguration={**tracking, "DisableScaleIn": True},
        )
        for alarm in made["Alarms"]:
            assert alarm["AlarmName"].startswith(f"TargetTracking-{name}-Alarm"), alarm
            found = cloudwatch.describe_alarms(AlarmNames=[alarm["AlarmName"]])
            assert found["MetricAlarms"][0]["AlarmActions"] == [made["PolicyARN"]], found
        policies = autoscaling.describe_policies(AutoScalingGroupName=name)["ScalingPolicies"]
        assert [policy["PolicyName"] for policy in policies] == ["requests"], policies

    def _scheduled(self, name):
        action = {"AutoScalingGroupName": name, "ScheduledActionName": "retire"}
        autoscaling.put_scheduled_update_group_action(**action, StartTime=LATER, MinSize=0)
        past = {**action, "StartTime": LATER.replace(year=2019), "MinSize": 0}
        put = autoscaling.put_scheduled_update_group_action
        refused("ValidationError", 400, put, **past)
        found = autoscaling.describe_scheduled_actions(AutoScalingGroupName=name)
        assert found["ScheduledUpdateGroupActions"][0]["StartTime"] == LATER, found

    def group(self, name):
        groups = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])
        return groups["AutoScalingGroups"][0]

    def members(self, name):
        return self.group(name)["Instances"]

    def versions(self, name):
        """Returns the launch template versions that a group's instances were launched from."""
        return sorted(member["LaunchTemplate"]["Version"] for member in self.members(name))

    def settled(self, name, count):
        """Waits until a group has this many instances, all of them in service and healthy."""
        eventually(
            lambda: [i["LifecycleState"] for i in self.members(name)],
            lambda states: states == ["InService"] * count,
        )
        group = self.group(name)["TargetGroupARNs"][0]
        targets = [{"Id": member["InstanceId"]} for member in self.members(name)]
        elbv2.get_waiter("target_in_service").wait(
            TargetGroupArn=group, Targets=targets, WaiterConfig=SOON
        )
        ec2.get_waiter("instance_running").wait(
            InstanceIds=[target["Id"] for target in targets], WaiterConfig=SOON
        )

    def resize(self, name, count):
        autoscaling.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=count)
        self.settled(name, count)

    def tear_down(self):
        autoscaling.delete_policy(AutoScalingGroupName="web-blue", PolicyName="requests")
        found = cloudwatch.describe_alarms(AlarmNamePrefix="TargetTracking-")["MetricAlarms"]
        assert found == [], found
        delete = autoscaling.delete_auto_scaling_group
        refused("ResourceInUse", 400, delete, AutoScalingGroupName="web-blue")
        # One group is emptied first, the other is deleted as it is.
        gone = [member["InstanceId"] for member in self.members("web-blue")]
        autoscaling.update_auto_scaling_group(
            AutoScalingGroupName="web-blue", MinSize=0, DesiredCapacity=0
        )
        eventually(lambda: self.members("web-blue"), lambda members: members == [])
        autoscaling.delete_auto_scaling_group(AutoScalingGroupName="web-blue")
        ec2.get_waiter("instance_terminated").wait(InstanceIds=gone, WaiterConfig=SOON)
        delete(AutoScalingGroupName="web-green", ForceDelete=True)
        eventually(
            lambda: autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"],
            lambda groups: groups == [],
        )
