"""From an empty account to a fleet behind a load balancer, through every kind of instance refresh, and
back to an empty account.

Called with the lab's address. Exits with 1 at the first thing that is not as AWS has it, or if any
answer did not fit botocore's models.
"""

import sys
import time

import shapes
from account import cloudwatch, eventually
from balancer import Balancer
from fleet import Fleet
from identity import Identity
from images import Images
from network import Network
from refreshes import Refreshes

began = time.monotonic()


def told(what):
    print(f"{time.monotonic() - began:6.1f} s  {what}", flush=True)


def weights(balancer, fleet):
    """Traffic goes where the weights say, and CloudWatch counts it."""
    eventually(balancer.ask, lambda answer: answer == (200, "v1"))
    assert balancer.ask(X_Cutover="next") == (200, "v1")
    for blue, green in ((50, 50), (0, 100)):
        balancer.shift(blue, green)
    # The nodes of a load balancer learn of new weights in their own time.
    eventually(lambda: {balancer.ask()[1] for _ in range(10)}, lambda seen: seen == {"v2"})
    balancer.shift(100, 0)
    eventually(lambda: {balancer.ask()[1] for _ in range(10)}, lambda seen: seen == {"v1"})


def metrics(balancer):
    dimension = {"Name": "LoadBalancer", "Value": balancer.arn.split("loadbalancer/")[1]}
    metric = {
        "Namespace": "AWS/ApplicationELB",
        "MetricName": "RequestCount",
        "Dimensions": [dimension],
    }
    found = cloudwatch.list_metrics(Namespace="AWS/ApplicationELB", MetricName="RequestCount")
    assert metric in found["Metrics"], found
    return metric


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
    weights(balancer, fleet)
    metrics(balancer)
    told("weights were shifted, and CloudWatch has counted")
    fleet.tear_down()
    balancer.tear_down()
    images.tear_down()
    identity.tear_down()
    network.tear_down()
    told("everything is deleted")


if __name__ == "__main__":
    main()
    print(f"{len(shapes.operations)} kinds of answers")
    for misfit in sorted(shapes.misfits):
        print(misfit)
    sys.exit(1 if shapes.misfits else 0)
