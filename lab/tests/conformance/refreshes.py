"""Runs instance refreshes to every final status, and every kind of rejected one."""

from account import autoscaling, client, cloudwatch, refused, waiter

# For requests that botocore would not even send.
unchecked = client("autoscaling", {"parameter_validation": False})

GROUP = "web-green"
ALARM = "web-errors"
FINAL = ("Successful", "Failed", "Cancelled", "RollbackSuccessful", "RollbackFailed")
# Nothing here waits for this to pass.
FOR_EVER = 172_800
# Replaces everything at once: no users depend on this group.
AT_ONCE = {"MinHealthyPercentage": 0, "InstanceWarmup": 0}


class Refreshes:
    def __init__(self, fleet):
        self.fleet, self.versions = fleet, fleet.images.versions
        self.reached = set()

    def run(self):
        self.rejected()
        self.of_nothing()
        self.fleet.resize(GROUP, 2)
        self.rolled_back_by_hand()
        self.without_desired_configuration()
        self.cancelled_at_a_checkpoint()
        self.ended_at_a_checkpoint()
        self.skipped()
        self.of_what_is_protected()
        self.with_alarms()
        self.whose_rollback_is_cancelled()
        self.failed()
        self.whose_rollback_fails()
        assert self.reached == set(FINAL), self.reached

    def rejected(self):
        invalid = [
            {"preferences": {"MinHealthyPercentage": 101}},
            {"preferences": {"MaxHealthyPercentage": 150}},
            {"preferences": {"MinHealthyPercentage": 50, "MaxHealthyPercentage": 151}},
            {"preferences": {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 201}},
            {"preferences": {"CheckpointPercentages": [50, 20]}},
            {"preferences": {"CheckpointPercentages": [50, 50]}},
            {"preferences": {"CheckpointPercentages": [0]}},
            {"preferences": {"CheckpointDelay": 60}},
            {"preferences": {"CheckpointPercentages": [100], "CheckpointDelay": FOR_EVER + 1}},
            {"preferences": {"BakeTime": FOR_EVER + 1}},
            {"preferences": {"AutoRollback": True}, "version": None},
            {"preferences": {"AlarmSpecification": {"Alarms": ["none"]}}},
            {"preferences": {"StandbyInstances": "Refresh"}},
            {"version": "99"},
        ]
        for each in invalid:
            self.start(reject=("ValidationError", 400), **each)
        start = autoscaling.start_instance_refresh
        refused("ValidationError", 400, start, AutoScalingGroupName="none")
        none_active = "ActiveInstanceRefreshNotFound", 400
        group = {"AutoScalingGroupName": GROUP}
        refused(*none_active, autoscaling.cancel_instance_refresh, **group)
        message = refused(*none_active, autoscaling.rollback_instance_refresh, **group)
        what = "No in progress or baking Instance Refresh found for Auto Scaling group"
        assert message == f"{what} {GROUP}.", message
        describe = autoscaling.describe_instance_refreshes
        refused("InvalidNextToken", 400, describe, NextToken="none", **group)

    def of_nothing(self):
        """A group without instances gets a new version within seconds."""
        it = self.start("v2")
        done = self.wait(it, "Successful")
        assert done["PercentageComplete"] == 100, done
        self.saved_is("v2")

    def rolled_back_by_hand(self):
        it = self.start("v1", BakeTime=FOR_EVER)
        self.start("v2", reject=("InstanceRefreshInProgress", 400))
        self.wait(it, "Baking")
        # Every instance is new, but the group still has the old version.
        self.runs("v1", "v1")
        self.saved_is("v2")
        update = autoscaling.update_auto_scaling_group
        template = {"LaunchTemplateName": "web", "Version": "3"}
        group = {"AutoScalingGroupName": GROUP}
        refused("ValidationError", 400, update, LaunchTemplate=template, **group)
        back = autoscaling.rollback_instance_refresh(**group)
        assert back["InstanceRefreshId"] == it, back
        done = self.wait(it, "RollbackSuccessful")
        assert done["PercentageComplete"] == 0, done
        self.runs("v2", "v2")

    def without_desired_configuration(self):
        it = self.start(None, BakeTime=FOR_EVER)
        self.wait(it, "Baking")
        group = {"AutoScalingGroupName": GROUP}
        back = autoscaling.rollback_instance_refresh
        refused("IrreversibleInstanceRefresh", 400, back, **group)
        autoscaling.cancel_instance_refresh(**group)
        self.wait(it, "Cancelled")

    def cancelled_at_a_checkpoint(self):
        """A canceled refresh leaves a mix of versions, and the group's own version as it was."""
        halves = {"CheckpointPercentages": [50, 100], "CheckpointDelay": FOR_EVER}
        it = self.start("v1", **halves)
        self.half_way(it)
        gone = autoscaling.cancel_instance_refresh(
            AutoScalingGroupName=GROUP, WaitForTransitioningInstances=False
        )
        assert gone["InstanceRefreshId"] == it
        assert self.one(it)["Status"] == "Cancelled"
        self.runs("v1", "v2")
        self.saved_is("v2")

    def ended_at_a_checkpoint(self):
        """A refresh whose last checkpoint is below 100 succeeds at that checkpoint."""
        self.start_and_wait("v2")
        it = self.start("v1", CheckpointPercentages=[50], CheckpointDelay=60)
        self.wait(it, "Successful")
        self.runs("v1", "v2")
        self.saved_is("v1")

    def skipped(self):
        """With SkipMatching, instances that match are not replaced."""
        self.start_and_wait("v2")
        before = {member["InstanceId"] for member in self.fleet.members(GROUP)}
        self.start_and_wait("v2", SkipMatching=True)
        assert before == {member["InstanceId"] for member in self.fleet.members(GROUP)}

    def of_what_is_protected(self):
        one = self.fleet.members(GROUP)[0]["InstanceId"]
        protect = {"AutoScalingGroupName": GROUP, "InstanceIds": [one]}
        autoscaling.set_instance_protection(**protect, ProtectedFromScaleIn=True)
        self.start_and_wait("v1", ScaleInProtectedInstances="Ignore")
        self.runs("v1", "v2")
        self.start_and_wait("v1", ScaleInProtectedInstances="Refresh", SkipMatching=True)
        self.runs("v1", "v1")

    def with_alarms(self):
        """An alarm makes a refresh be rejected, fail, or roll back."""
        watched = {"AlarmSpecification": {"Alarms": [ALARM]}, "BakeTime": FOR_EVER}
        self.alarm("INSUFFICIENT_DATA")
        self.start("v2", reject=("ValidationError", 400), **watched)
        self.alarm("OK")
        it = self.start("v2", **watched)
        self.wait(it, "Baking")
        self.alarm("ALARM")
        self.wait(it, "Failed")
        self.runs("v2", "v2")
        self.saved_is("v1")
        self.start("v2", reject=("ValidationError", 400), **watched)
        self.alarm("OK")
        it = self.start("v2", AutoRollback=True, **watched)
        self.wait(it, "Baking")
        self.alarm("ALARM")
        done = self.wait(it, "RollbackSuccessful")
        assert ALARM in done["RollbackDetails"]["RollbackReason"], done
        self.runs("v1", "v1")
        cloudwatch.delete_alarms(AlarmNames=[ALARM])

    def whose_rollback_is_cancelled(self):
        it = self.start("v2", BakeTime=FOR_EVER)
        self.wait(it, "Baking")
        group = {"AutoScalingGroupName": GROUP}
        autoscaling.suspend_processes(**group, ScalingProcesses=["Launch"])
        autoscaling.rollback_instance_refresh(**group)
        assert self.one(it)["Status"] == "RollbackInProgress"
        autoscaling.cancel_instance_refresh(**group)
        self.wait(it, "Cancelled")
        autoscaling.resume_processes(**group)
        self.start_and_wait("v1")

    def failed(self):
        """Instances never become healthy: the refresh fails after an hour without progress."""
        it = self.start("broken")
        done = self.wait(it, "Failed")
        assert done["PercentageComplete"] < 100, done
        self.saved_is("v1")
        self.start_and_wait("v1")

    def whose_rollback_fails(self):
        it = self.start("v2", BakeTime=FOR_EVER)
        self.wait(it, "Baking")
        group = {"AutoScalingGroupName": GROUP}
        autoscaling.suspend_processes(**group, ScalingProcesses=["Launch"])
        autoscaling.rollback_instance_refresh(**group)
        self.wait(it, "RollbackFailed")
        autoscaling.resume_processes(**group)
        self.start_and_wait("v2")

    def start(self, version="v2", reject=None, preferences=None, **more):
        request = {"AutoScalingGroupName": GROUP, "Preferences": preferences or {**AT_ONCE, **more}}
        if version:
            number = self.versions.get(version, version)
            template = {"LaunchTemplateName": "web", "Version": number}
            request["DesiredConfiguration"] = {"LaunchTemplate": template}
        if reject:
            return refused(*reject, unchecked.start_instance_refresh, **request)
        return autoscaling.start_instance_refresh(**request)["InstanceRefreshId"]

    def start_and_wait(self, version, **preferences):
        self.wait(self.start(version, **preferences), "Successful")

    def wait(self, it, status):
        """Waits until the refresh has this status; fails on another final one."""
        unwanted = [final for final in FINAL if final != status]
        path = "InstanceRefreshes[0].Status"
        on = waiter(autoscaling, "DescribeInstanceRefreshes", path, status, unwanted)
        on.wait(AutoScalingGroupName=GROUP, InstanceRefreshIds=[it])
        if status in FINAL:
            self.reached.add(status)
        return self.one(it)

    def half_way(self, it):
        on = waiter(
            autoscaling,
            "DescribeInstanceRefreshes",
            "InstanceRefreshes[0].PercentageComplete",
            50,
        )
        on.wait(AutoScalingGroupName=GROUP, InstanceRefreshIds=[it])

    def one(self, it):
        found = autoscaling.describe_instance_refreshes(
            AutoScalingGroupName=GROUP, InstanceRefreshIds=[it]
        )
        return found["InstanceRefreshes"][0]

    def runs(self, *names):
        wanted = sorted(self.versions[name] for name in names)
        assert self.fleet.versions(GROUP) == wanted, self.fleet.members(GROUP)

    def saved_is(self, name):
        saved = self.fleet.group(GROUP)["LaunchTemplate"]["Version"]
        assert saved == self.versions[name], saved

    def alarm(self, state):
        """Puts an alarm into a lasting state: its metric has no data, and TreatMissingData decides."""
        missing = {"OK": "notBreaching", "ALARM": "breaching", "INSUFFICIENT_DATA": "missing"}
        cloudwatch.put_metric_alarm(
            AlarmName=ALARM,
            Namespace="news",
            MetricName="Errors",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData=missing[state],
        )
        on = waiter(cloudwatch, "DescribeAlarms", "MetricAlarms[0].StateValue", state)
        on.wait(AlarmNames=[ALARM])
