"""Clients of the account that the environment names, as `cutover lab serve` prints it."""

import time

import boto3

sts, iam, ecr, ec2, autoscaling, elbv2 = map(
    boto3.client, ("sts", "iam", "ecr", "ec2", "autoscaling", "elbv2")
)
ACCOUNT = sts.get_caller_identity()["Account"]
REGION = ec2.meta.region_name
REGISTRY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"


def eventually(read, until, seconds=120):
    """Calls `read` until `until` is true of its result; returns that result."""
    deadline = time.monotonic() + seconds
    while True:
        answer = read()
        if until(answer):
            return answer
        if time.monotonic() > deadline:
            raise TimeoutError(f"still {answer}")
        time.sleep(0.1)
