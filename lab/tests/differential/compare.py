"""The differences between two normalized responses."""

import dataclasses
import json

# The members that identify the items of a list; the first that an item has is used. AWS promises an
# order for hardly any list, so items are compared by identity.
TELLING = (
    "Key", "key", "Name", "InstanceId", "VersionNumber", "VersionId", "Priority", "imageDigest",
    "TargetGroupArn", "ListenerArn", "LoadBalancerArn", "TopicARN", "AutoScalingGroupName",
    "LaunchTemplateId", "RoleName", "PolicyName", "InstanceProfileName", "GroupId", "VpcId",
    "ScheduledActionName", "LifecycleHookName", "AlarmName", "MetricName", "repositoryName",
    "layerDigest", "ZoneName", "SecurityGroupRuleId", "Id", "ProcessName", "Code", "Arn", "Type",
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Difference:
    """`kind` is `only_lab`, `only_moto` or `differ`; the path has keys instead of list indexes."""

    step: str
    path: str
    kind: str
    ours: str
    theirs: str

    def where(self):
        return f"{self.step} {self.path}"

    def reported(self):
        return f"{self.kind} {self.where()}: lab {self.ours}, moto {self.theirs}"


def differences(step, ours, theirs, outcome_only=False):
    """Yields all differences between the responses to one step, or only whether it was refused."""
    if unsent := not_sent(ours, theirs):
        # Nothing was compared, and a step that was not sent must not pass for one that agrees.
        lacking = ours.get("NotSent", "-"), theirs.get("NotSent", "-")
        yield Difference(step, "not sent", unsent, *lacking)
        return
    error, other = ours.get("Error"), theirs.get("Error")
    if error is None and other is None:
        if not outcome_only:
            yield from within(step, "", ours, theirs)
    elif error is None or other is None:
        kind = "only_lab" if error else "only_moto"
        yield Difference(step, "refusal", kind, short(ours), short(theirs))
    elif (error["Code"], error["Status"]) != (other["Code"], other["Status"]):
        yield Difference(step, "error", "differ", short(error), short(other))


def not_sent(ours, theirs):
    """Returns which side lacked what the step needs, as a kind of difference; None if both sent it."""
    match "NotSent" in ours, "NotSent" in theirs:
        case False, False:
            return None
        case True, True:
            return "differ"
        case True, False:
            return "only_moto"
        case _:
            return "only_lab"


def refusal(answer):
    """Returns an error in short form, `Code status`; None if there is no error."""
    error = answer.get("Error")
    return error and f"{error['Code']} {error['Status']}"


def within(step, path, ours, theirs):
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name in sorted(ours.keys() | theirs.keys()):
            inner = f"{path}.{name}" if path else name
            yield from either(step, inner, ours.get(name), theirs.get(name))
    elif isinstance(ours, list) and isinstance(theirs, list):
        for one, other in pairs(ours, theirs):
            yield from either(step, path + key(one or other), one, other)
    elif ours != theirs:
        yield Difference(step, path, "differ", short(ours), short(theirs))


def either(step, path, ours, theirs):
    """Compares two values; `None` is one that a side does not have."""
    if theirs is None and ours is not None:
        yield Difference(step, path, "only_lab", short(ours), "-")
    elif ours is None and theirs is not None:
        yield Difference(step, path, "only_moto", "-", short(theirs))
    else:
        yield from within(step, path, ours, theirs)


def pairs(ours, theirs):
    """Yields the items of two lists paired by identity; `None` where an item has no partner."""
    rest = sorted(theirs, key=whole)
    for one in sorted(ours, key=whole):
        partner = next((other for other in rest if identity(other) == identity(one)), None)
        if partner is not None:
            rest.remove(partner)
        yield one, partner
    for other in rest:
        yield None, other


def key(item):
    """Returns an item's part of the path: its key, if it is one of many attributes or limits."""
    name = next((k for k in ("Key", "key", "Name") if isinstance(item, dict) and k in item), None)
    return f"{{{item[name]}}}" if name else ""


def identity(item):
    if not isinstance(item, dict):
        return item
    return next((item[name] for name in TELLING if name in item), None), item.get("Version")


def whole(item):
    return json.dumps(item, sort_keys=True, default=str)


def short(value):
    text = whole(value)
    return text if len(text) <= 160 else text[:160] + "…"
