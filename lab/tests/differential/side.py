"""One of the two servers: sends steps, keeps values for later steps, and normalizes responses."""

import datetime
import re
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

REGION = "ap-northeast-2"
KEYS = {"aws_access_key_id": "AKIALABLABLABLABLAB0", "aws_secret_access_key": "unchecked"}

# Values that are random or depend on time, and the placeholders that replace them.
RANDOM = [
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uuid>"),
    (re.compile(r"\b([a-z]+(?:-[a-z]+)*)-[0-9a-f]{8}(?:[0-9a-f]{9})?\b"), r"\1-#"),
    (re.compile(r"/(?:[0-9a-f]{16}|\d{10,})\b"), "/#"),
    (re.compile(r"-\d+(\.[a-z0-9-]+\.elb\.amazonaws\.com)"), r"-#\1"),
    (re.compile(r"\b(AROA|AIPA|AIDA|ANPA|ASIA|AKIA)[A-Z0-9]{12,17}\b"), r"\1#"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?"), "<time>"),
]

# The names under which steps keep page tokens.
PAGES = ("token", "marker")
# Seconds to wait for something that takes time on one side.
PATIENCE = 5
TOKENS = ("NextToken", "nextToken", "Marker", "NextMarker")


class Missing(Exception):
    """A step needs a value that no earlier step of this side returned."""


class Side:
    def __init__(self, name, endpoint):
        self.name, self.endpoint = name, endpoint
        self.kept, self.clients = {}, {}

    def send(self, step):
        """Sends a step; returns its name and the normalized outcome.

        A step is `service.operation: parameters`. It may also have `as` (a label that distinguishes
        it from others of the same operation), `keep` (names for values of the response, which later
        steps use as `$name`) and `until` (values that the response must have; the call is repeated
        until it has them).
        """
        step = dict(step)
        keep, until, label = (step.pop(key, None) for key in ("keep", "until", "as"))
        for other in ("aws", "compare"):
            step.pop(other, None)
        ((operation, parameters),) = step.items()
        name = f"{operation}:{label}" if label else operation
        service, method = operation.split(".")
        try:
            call = getattr(self._client(service), method)
            answer = self._ask(call, self._filled(parameters or {}), until)
        except Missing as missing:
            return name, {"NotSent": f"${missing}"}
        except ClientError as error:
            meta = error.response["ResponseMetadata"]
            reported = {k: v for k, v in error.response["Error"].items() if k in ("Code", "Message")}
            reported.setdefault("Code", None)
            return name, self._normal({"Error": {**reported, "Status": meta["HTTPStatusCode"]}})
        except ResponseParserError:
            # Flask's error page for an exception in moto. The lab has nothing like it.
            assert self.name == "moto", f"{name}: the lab's response cannot be parsed"
            return name, {"Error": {"Code": "(an exception)", "Status": 500}}
        answer.pop("ResponseMetadata", None)
        for kept, path in (keep or {}).items():
            value = at(answer, path)
            if value is not None:
                self.kept[kept] = value
        return name, self._normal(answer)

    def _client(self, service):
        if service not in self.clients:
            config = Config(parameter_validation=False, retries={"total_max_attempts": 1})
            where = {"region_name": REGION, "endpoint_url": self.endpoint}
            self.clients[service] = boto3.client(service, config=config, **where, **KEYS)
        return self.clients[service]

    def _ask(self, call, parameters, until):
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                answer = call(**parameters)
            except ClientError:
                # `until: {Error: null}`: refused until something else has ended.
                if "Error" not in (until or {}) or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
                continue
            if not until or all(at(answer, path) == value for path, value in until.items()):
                return answer
            if time.monotonic() > deadline:
                return {**answer, "Waited": f"{until}, which did not happen"}
            time.sleep(0.05)

    def _filled(self, value):
        if isinstance(value, dict):
            return {key: self._filled(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self._filled(each) for each in value]
        if isinstance(value, str) and "$" in value and value not in ("$Latest", "$Default"):
            whole = re.fullmatch(r"\$(\w+)", value)
            if whole:
                return self._known(whole[1])
            return re.sub(r"\$\{(\w+)\}", lambda found: str(self._known(found[1])), value)
        return value

    def _known(self, name):
        if name == "now":
            return datetime.datetime.now(datetime.timezone.utc)
        if name not in self.kept:
            raise Missing(name)
        return self.kept[name]

    def _normal(self, value):
        if isinstance(value, dict):
            return {
                key: "<token>" if key in TOKENS and each else self._normal(each)
                for key, each in value.items()
            }
        if isinstance(value, list):
            return [self._normal(each) for each in value]
        if isinstance(value, datetime.datetime):
            return "<time>"
        if isinstance(value, bytes):
            return value.decode(errors="replace")
        return self._text(value) if isinstance(value, str) else value

    def _text(self, text):
        kept = [(str(v), name) for name, v in self.kept.items() if v and name not in PAGES]
        for value, name in sorted(kept, key=lambda each: -len(each[0])):
            # Digits and short words are too common to be recognized.
            if len(value) > 8:
                text = re.sub(rf"(?<![\w-]){re.escape(value)}", f"${name}", text)
        text = text.replace(self.endpoint, "<endpoint>")
        for pattern, mark in RANDOM:
            text = pattern.sub(mark, text)
        return text


def at(answer, path):
    """Returns the value at a path such as `A.0.B`, or None."""
    for step in path.split("."):
        if isinstance(answer, list):
            answer = answer[int(step)] if int(step) < len(answer) else None
        elif isinstance(answer, dict):
            answer = answer.get(step)
        else:
            return None
    return answer
