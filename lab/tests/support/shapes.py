"""Checks the lab's responses against botocore's models.

botocore reads the members that it knows and ignores the rest, so it would not notice a misspelled
one. This compares every raw response with its output shape and collects what does not fit.
"""

import datetime
import xml.etree.ElementTree as ElementTree

import botocore.parsers

misfits = set()
operations = set()
# Whether responses are checked: off for those of another server.
watching = True


def watch():
    """Checks every response that botocore parses from now on."""
    for parser in (botocore.parsers.QueryParser, botocore.parsers.EC2QueryParser):
        _wrap(parser, _check_xml)
    _wrap(botocore.parsers.JSONParser, _check_json)
    _wrap(botocore.parsers.RpcV2CBORParser, _check_cbor)


def _wrap(parser, check):
    original = parser._do_parse

    def _do_parse(self, response, shape):
        if shape is not None and watching:
            operations.add(shape.name)
            check(self, response, shape)
        return original(self, response, shape)

    parser._do_parse = _do_parse


def _check_xml(_, response, shape):
    root = ElementTree.fromstring(response["body"])
    wrapper = shape.serialization.get("resultWrapper")
    if wrapper:
        root = next((child for child in root if _name(child) == wrapper), None)
    if root is None:
        misfits.add(f"{shape.name}: {wrapper} is missing")
        return
    _element(root, shape, shape.name)


def _check_json(_, response, shape):
    import json

    _tree(json.loads(response["body"] or b"{}"), shape, shape.name)


def _check_cbor(parser, response, shape):
    stream = parser.get_peekable_stream_from_bytes(response["body"])
    _tree(parser.parse_data_item(stream), shape, shape.name)


def _name(element):
    return element.tag.split("}")[-1]


def _element(element, shape, path):
    """Checks an XML element: structures by their members' wire names, lists by their item's name."""
    if shape.type_name == "structure":
        members = {m.serialization.get("name", name): m for name, m in shape.members.items()}
        given = [_name(child) for child in element]
        for child in element:
            name = _name(child)
            if name == "requestId":
                continue
            if name not in members or given.count(name) > 1:
                misfits.add(f"{path}: member {name} is unknown or occurs twice")
            else:
                _element(child, members[name], f"{path}.{name}")
    elif shape.type_name == "list":
        item = shape.member.serialization.get("name", "member")
        for child in element:
            if _name(child) != item:
                misfits.add(f"{path}: an item is named {_name(child)} instead of {item}")
            _element(child, shape.member, f"{path}[]")
    else:
        _text(element.text or "", shape, path)
        if len(element):
            misfits.add(f"{path}: a {shape.type_name} has members")


def _text(text, shape, path):
    kind = shape.type_name
    try:
        if kind in ("integer", "long"):
            int(text)
        elif kind in ("float", "double"):
            float(text)
        elif kind == "timestamp":
            datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
        elif kind == "boolean" and text not in ("true", "false"):
            raise ValueError
    except ValueError:
        misfits.add(f"{path}: {text!r} is not of type {kind}")
    _enumerated(text, shape, path)


PYTHON_KINDS = {
    "structure": dict,
    "list": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
}


def _tree(value, shape, path):
    """Checks a value of JSON or CBOR."""
    kind = PYTHON_KINDS.get(shape.type_name)
    is_bool_for_number = isinstance(value, bool) and kind is not bool
    if kind and (is_bool_for_number or not isinstance(value, kind)):
        misfits.add(f"{path}: {value!r} is not of type {shape.type_name}")
    elif shape.type_name == "structure":
        members = {m.serialization.get("name", name): m for name, m in shape.members.items()}
        for name, member in value.items():
            if name in members:
                _tree(member, members[name], f"{path}.{name}")
            else:
                misfits.add(f"{path}: member {name} is unknown")
    elif shape.type_name == "list":
        for item in value:
            _tree(item, shape.member, f"{path}[]")
    elif shape.type_name == "string":
        _enumerated(value, shape, path)


def _enumerated(text, shape, path):
    allowed = getattr(shape, "enum", None)
    # By the API reference an internet gateway's attachment is "available", which the model lacks.
    gateway = shape.name == "AttachmentStatus" and text == "available"
    if allowed and text not in allowed and not gateway:
        misfits.add(f"{path}: {text!r} is not one of {allowed}")
