"""Applies a CloudFormation template without CloudFormation: creates each resource by the API calls that it stands
for, in the order of their dependencies, and deletes them in reverse.

    main.py create TEMPLATE STATE [PARAMETER=VALUE …]    creates all of it; prints the outputs as JSON
    main.py delete STATE                                 deletes all of it

The environment configures boto3. Anything unknown is an error: a type, a property, a function, an attribute of a
resource. Nothing is skipped.
"""

import json
import sys

import resources
from template import Template


def create(path, state, arguments):
    template = Template(path, dict(argument.split("=", 1) for argument in arguments))
    made = []
    for name in template.order():
        kind, properties = template.resource(name)
        resource = resources.create(kind, template.stack, name, properties)
        template.made(name, resource)
        made.append({"kind": kind, "name": name, **resource})
        # Written after each resource, so that everything can be deleted even after an error.
        with open(state, "w") as file:
            json.dump(made, file)
    print(json.dumps(template.outputs()))


def delete(state):
    with open(state) as file:
        made = json.load(file)
    for resource in reversed(made):
        resources.delete(resource["kind"], resource["ref"], resource["more"])


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    if command == "create":
        create(arguments[0], arguments[1], arguments[2:])
    else:
        assert command == "delete", command
        delete(*arguments)
