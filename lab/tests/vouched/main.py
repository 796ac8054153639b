"""From an empty account to a fleet behind a load balancer, through every kind of instance refresh, and
back to an empty account.

Called with the lab's address. Exits with 1 at the first thing that is not as AWS has it, or if any
answer did not fit botocore's models.
"""

import datetime
import sys
import time

import shapes
from account import cloudwatch, ecr, eventually, health, ssm
from balancer import Balancer
from fleet import Fleet
from identity import Identity
from images import Images
from network import Network
from refreshes import Refreshes

began = time.monotonic()


def told(what):
    print(f"{time.monotonic() - began:6.1f} s  {what}", flush=True)


def weights(balancer):
    """Traffic goes where the weights say, and the test rule leads to the other colour."""
    eventually(balancer.ask, lambda answer: answer == (200, "v1"))
    assert balancer.ask(**{"X-Cutover": "next"}) == (200, "v2")
    balancer.shift(50, 50)
    # The nodes of a load balancer learn of new weights in their own time.
    seen = lambda: {balancer.ask()[1] for _ in range(10)}
    eventually(seen, lambda versions: versions == {"v1", "v2"})
    balancer.shift(0, 100)
    eventually(seen, lambda versions: versions == {"v2"})
    balancer.shift(100, 0)
    eventually(seen, lambda versions: versions == {"v1"})


def metrics(balancer):
    """CloudWatch has counted the requests, for the load balancer and for each target group."""
    now = datetime.datetime.fromisoformat(health()["now"])
    # Whole minutes, and the newest is left out: it comes late.
    times = {"StartTime": now - datetime.timedelta(hours=1), "EndTime": now}
    whole = {"Name": "LoadBalancer", "Value": balancer.arn.split("loadbalancer/")[1]}
    colours = {
        name: [{"Name": "TargetGroup", "Value": arn.split(":")[-1]}, whole]
        for name, arn in (("blue", balancer.blue), ("green", balancer.green))
    }
    listed = cloudwatch.get_paginator("list_metrics").paginate(Namespace="AWS/ApplicationELB")
    listed = [metric for page in listed for metric in page["Metrics"]]

    def query(name, dimensions):
        metric = {"Namespace": "AWS/ApplicationELB", "MetricName": "RequestCount"}
        metric["Dimensions"] = dimensions
        same = lambda other: sorted(d["Value"] for d in other["Dimensions"])
        assert any(same(metric) == same(other) for other in listed), (metric, listed)
        return {"Id": name, "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}

    queries = [query(name, dimensions) for name, dimensions in colours.items()]
    queries.append({"Id": "both", "Expression": "blue + green"})
    ask = lambda: {
        result["Id"]: sum(result["Values"])
        for result in cloudwatch.get_metric_data(MetricDataQueries=queries, **times)["MetricDataResults"]
    }
    sums = eventually(ask, lambda sums: sums["blue"] >= 10 and sums["green"] >= 10)
    assert sums["both"] == sums["blue"] + sums["green"], sums


def main():
    shapes.watch()
    network = Network()
    told("the network is there")
    identity = Identity()
    told("roles are there, and were assumed by a token of GitHub's")
    images = Images(network)
    told("images are pushed, and the template has three versions")
    balancer = Balancer(network)
    told("the load balancer is active")
    fleet = Fleet(network, balancer, images)
    told("two groups, one of them in service")
    Refreshes(fleet).run()
    told("refreshes have come to every final status")
    weights(balancer)
    metrics(balancer)
    told("weights were shifted, and CloudWatch has counted")
    fleet.tear_down()
    balancer.tear_down()
    images.tear_down()
    identity.tear_down()
    network.tear_down()
    # What the caller can't see in the world itself.
    assert ecr.describe_repositories()["repositories"] == []
    assert ssm.describe_parameters()["Parameters"] == []
    told("everything is deleted")


if __name__ == "__main__":
    main()
    print(f"{len(shapes.operations)} kinds of answers")
    for misfit in sorted(shapes.misfits):
        print(misfit)
    sys.exit(1 if shapes.misfits else 0)
