"""Builds a fleet behind a load balancer in an empty account, runs every kind of instance refresh, and
deletes everything again.

The argument is the lab's address. Exits with 1 at the first thing that differs from AWS, or if any
response does not fit botocore's models.
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


def reported(what):
    print(f"{time.monotonic() - began:6.1f} s  {what}", flush=True)


def weights(balancer):
    """Traffic follows the weights, and the test rule leads to the other target group."""
    eventually(balancer.ask, lambda answer: answer == (200, "v1"))
    assert balancer.ask(**{"X-Cutover": "next"}) == (200, "v2")
    balancer.shift(50, 50)
    # Load balancer nodes take some time to use new weights.
    seen = lambda: {balancer.ask()[1] for _ in range(10)}
    eventually(seen, lambda versions: versions == {"v1", "v2"})
    balancer.shift(0, 100)
    eventually(seen, lambda versions: versions == {"v2"})
    balancer.shift(100, 0)
    eventually(seen, lambda versions: versions == {"v1"})


def metrics(balancer):
    """CloudWatch has counted the requests of the load balancer and of each target group."""
    now = datetime.datetime.fromisoformat(health()["now"])
    # Whole minutes, without the newest: its data comes late.
    times = {"StartTime": now - datetime.timedelta(hours=1), "EndTime": now}
    whole = {"Name": "LoadBalancer", "Value": balancer.arn.split("loadbalancer/")[1]}
    colors = {
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

    queries = [query(name, dimensions) for name, dimensions in colors.items()]
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
    reported("the network exists")
    identity = Identity()
    reported("the roles exist, and the deploy role was assumed with a GitHub token")
    images = Images(network)
    reported("the images are pushed, and the launch template has three versions")
    balancer = Balancer(network)
    reported("the load balancer is active")
    fleet = Fleet(network, balancer, images)
    reported("two groups exist, one of them with instances in service")
    Refreshes(fleet).run()
    reported("instance refreshes have reached every final status")
    weights(balancer)
    metrics(balancer)
    reported("traffic was shifted, and CloudWatch has counted it")
    fleet.tear_down()
    balancer.tear_down()
    images.tear_down()
    identity.tear_down()
    network.tear_down()
    # What the caller cannot see in the world itself.
    assert ecr.describe_repositories()["repositories"] == []
    assert ssm.describe_parameters()["Parameters"] == []
    reported("everything is deleted")


if __name__ == "__main__":
    main()
    print(f"{len(shapes.operations)} kinds of responses")
    for misfit in sorted(shapes.misfits):
        print(misfit)
    sys.exit(1 if shapes.misfits else 0)
