"""A CloudFormation template with its parameters, conditions and functions."""

import base64
import os
import re

import boto3
import yaml

SECTIONS = {"AWSTemplateFormatVersion", "Description", "Parameters", "Conditions", "Resources", "Outputs"}
ATTRIBUTES = {"Type", "Properties", "Condition", "DependsOn", "UpdatePolicy"}
PARAMETER = {"Type", "Description", "Default", "AllowedValues"}
# The value of a property that is left out.
NO_VALUE = object()


class Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms: `!Ref x` is `{"Ref": x}`, `!Sub x` is `{"Fn::Sub": x}`."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep) for key, _ in node.value]
        assert len(keys) == len(set(keys)), f"a key twice: {keys} {node.start_mark}"
        return super().construct_mapping(node, deep)


def short_form(loader, suffix, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt":
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


Loader.add_multi_constructor("!", short_form)


def known(mapping, names, where):
    unknown = set(mapping) - names
    assert not unknown, f"{where}: unknown {sorted(unknown)}"
    return mapping


class Template:
    def __init__(self, path, values):
        with open(path) as file:
            self.text = known(yaml.load(file, Loader), SECTIONS, "template")
        assert self.text["AWSTemplateFormatVersion"] == "2010-09-09"
        self.stack = os.path.basename(path).split(".")[0]
        region = os.environ["AWS_REGION"]
        account = boto3.client("sts").get_caller_identity()["Account"]
        self.values = {
            "AWS::AccountId": account,
            "AWS::NoValue": NO_VALUE,
            "AWS::Partition": "aws",
            "AWS::Region": region,
            "AWS::StackName": self.stack,
            "AWS::URLSuffix": "amazonaws.com",
        }
        parameters = self.text.get("Parameters", {})
        assert set(values) <= set(parameters), f"no such parameter: {values}"
        for name, parameter in parameters.items():
            self.values[name] = self._parameter(name, parameter, values.get(name))
        self.conditions = {}
        for name, condition in self.text.get("Conditions", {}).items():
            self.conditions[name] = self.resolve(condition)
            assert isinstance(self.conditions[name], bool), name
        self.attributes = {}

    @staticmethod
    def _parameter(name, parameter, value):
        known(parameter, PARAMETER, name)
        value = parameter["Default"] if value is None else value
        assert isinstance(value, str), f"{name}: {value!r}"
        assert value in parameter.get("AllowedValues", [value]), f"{name}: {value}"
        match parameter["Type"]:
            case "String":
                return value
            case "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>":
                return boto3.client("ssm").get_parameter(Name=value)["Parameter"]["Value"]
        raise AssertionError(f"{name}: unknown type {parameter['Type']}")

    def _exists(self, name):
        condition = self.text["Resources"][name].get("Condition")
        return condition is None or self.conditions[condition]

    def order(self):
        """Returns the resources whose conditions hold, each after what it refers to."""
        names = [name for name in self.text["Resources"] if self._exists(name)]
        ordered = []

        def visit(name, path):
            assert name not in path, f"circular references: {path}"
            if name in ordered:
                return
            resource = known(self.text["Resources"][name], ATTRIBUTES, name)
            depends = resource.get("DependsOn", [])
            depends = [depends] if isinstance(depends, str) else depends
            for other in [*depends, *self._references(resource["Properties"])]:
                assert other in self.text["Resources"], f"{name} depends on {other}, which does not exist"
                assert self._exists(other), f"{name} depends on {other}, which a condition leaves out"
                visit(other, [*path, name])
            ordered.append(name)

        for name in names:
            visit(name, [])
        return ordered

    def _references(self, value):
        """Yields the resources that a value refers to, except in parts that a condition leaves out."""
        if isinstance(value, list):
            for each in value:
                yield from self._references(each)
        elif isinstance(value, dict):
            for key, inner in value.items():
                match key:
                    case "Ref":
                        names = [inner]
                    case "Fn::GetAtt":
                        names = inner[:1]
                    case "Fn::Sub":
                        names = [name.split(".")[0] for name in placeholders(inner)]
                    case "Fn::If":
                        names = []
                        inner = inner[1] if self.conditions[inner[0]] else inner[2]
                        yield from self._references(inner)
                    case _:
                        names = []
                        yield from self._references(inner)
                yield from (name for name in names if name not in self.values)

    def resource(self, name):
        """Returns the type and the properties of a resource. Everything before it in the order must exist."""
        resource = self.text["Resources"][name]
        policy = known(resource.get("UpdatePolicy", {}), {"AutoScalingScheduledAction"}, name)
        known(policy.get("AutoScalingScheduledAction", {}), {"IgnoreUnmodifiedGroupSizeProperties"}, name)
        return resource["Type"], self.resolve(resource["Properties"])

    def made(self, name, resource):
        self.values[name] = resource["ref"]
        self.attributes[name] = resource["attributes"]

    def outputs(self):
        outputs = self.text.get("Outputs", {})
        return {
            name: self.resolve(known(output, {"Description", "Value"}, name)["Value"])
            for name, output in outputs.items()
        }

    def resolve(self, value):
        if isinstance(value, list):
            items = [self.resolve(each) for each in value]
            return [item for item in items if item is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            (function, argument), *_ = value.items()
            if function == "Ref" or function.startswith("Fn::"):
                return self._call(function, argument)
        items = {key: self.resolve(each) for key, each in value.items()}
        return {key: each for key, each in items.items() if each is not NO_VALUE}

    def _call(self, function, argument):
        match function:
            case "Ref":
                return self.values[argument]
            case "Fn::GetAtt":
                name, attribute = argument
                return self.attributes[name][attribute]
            case "Fn::Sub":
                for name in set(placeholders(argument)):
                    path = name.split(".", 1)
                    value = self._call(*(("Fn::GetAtt", path) if len(path) == 2 else ("Ref", name)))
                    argument = argument.replace(f"${{{name}}}", value)
                return argument
            case "Fn::Base64":
                return base64.b64encode(self.resolve(argument).encode()).decode()
            case "Fn::Equals":
                one, other = self.resolve(argument)
                return one == other
            case "Fn::GetAZs":
                assert argument == "", argument
                zones = boto3.client("ec2").describe_availability_zones()["AvailabilityZones"]
                return [zone["ZoneName"] for zone in zones]
            case "Fn::If":
                condition, one, other = argument
                return self.resolve(one if self.conditions[condition] else other)
            case "Fn::Select":
                index, values = argument
                return self.resolve(values)[int(index)]
        raise AssertionError(f"unknown function {function}")


def placeholders(text):
    """Returns the names in `${…}` of an `Fn::Sub`; a literal `${!x}` is not supported."""
    assert isinstance(text, str), f"Fn::Sub with a variable map is not supported: {text}"
    assert "${!" not in text, f"a literal placeholder is not supported: {text}"
    return re.findall(r"\$\{([^}]+)\}", text)
