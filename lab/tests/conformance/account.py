"""Ordinary clients of one account: boto3 with botocore's own validation of requests. Every response
is checked against botocore's models (`shapes.py`)."""

import json
import sys
import time
import urllib.request

import boto3
import botocore.waiter
from botocore.config import Config
from botocore.exceptions import ClientError

ENDPOINT = sys.argv[1]
ACCOUNT, REGION = "123456789012", "ap-northeast-2"

_settings = {
    "region_name": REGION,
    "endpoint_url": ENDPOINT,
    "aws_access_key_id": "AKIALABLABLABLABLAB0",
    "aws_secret_access_key": "unchecked",
}


def client(service, settings=None, **more):
    # Every request is sent once: a retry would hide what the lab does.
    config = Config(retries={"total_max_attempts": 1}, **(settings or {}))
    return boto3.client(service, config=config, **{**_settings, **more})


sts, iam, ssm, ecr, ec2, autoscaling, elbv2, cloudwatch = map(
    client, ("sts", "iam", "ssm", "ecr", "ec2", "autoscaling", "elbv2", "cloudwatch")
)

# How often waiters poll. The lab's time runs hundreds of times faster than the clients'.
SOON = {"Delay": 0.1, "MaxAttempts": 400}


def refused(code, status, call, *args, **kwargs):
    """Makes a call that must be refused with this code and HTTP status; returns the message."""
    try:
        call(*args, **kwargs)
    except ClientError as error:
        answer = error.response
        got = answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]
        assert got == (code, status), f"{got} instead of {(code, status)}: {error}"
        return answer["Error"]["Message"]
    raise AssertionError(f"{call.__name__} was not refused with {code}: {args} {kwargs}")


def eventually(what, until, seconds=40):
    """Calls `what` until `until` holds for the result, and returns it."""
    deadline = time.monotonic() + seconds
    while True:
        answer = what()
        if until(answer):
            return answer
        assert time.monotonic() < deadline, f"timed out with {answer}"
        time.sleep(0.1)


def health():
    """Returns the lab's health, above all its time, which runs faster than ours."""
    return json.load(urllib.request.urlopen(f"{ENDPOINT}/_lab/health"))


def waiter(on, operation, path, wanted, unwanted=(), matcher="path"):
    """Returns a waiter that botocore lacks: until JMESPath `path` is `wanted`; fails on `unwanted`."""
    accept = [{"expected": wanted, "matcher": matcher, "state": "success", "argument": path}]
    reject = [
        {"expected": each, "matcher": matcher, "state": "failure", "argument": path}
        for each in unwanted
    ]
    settings = {"operation": operation, "acceptors": accept + reject}
    settings |= {"delay": SOON["Delay"], "maxAttempts": SOON["MaxAttempts"]}
    model = botocore.waiter.WaiterModel({"version": 2, "waiters": {"It": settings}})
    return botocore.waiter.create_waiter_with_client("It", model, on)
