"""The differences that are known, each with its reason (`differences.yaml`)."""

import re

import yaml

KINDS = ("only_lab", "only_moto", "differ")


def entries(file):
    """Every listed pattern: `(kind, "service.operation[:label] path", sometimes)`. `*` stands for
    anything. What depends on the moment of asking is so `sometimes`, and need not be."""
    for group in yaml.safe_load(file.read_text()) or []:
        assert group.get("reason"), f"{group} has no reason"
        for kind in KINDS:
            for pattern in group.get(kind, []):
                yield kind, pattern, group.get("sometimes", False)


def judge(file, found):
    """What is not listed, and the entries that nothing matches."""
    listed = {entry: pattern_of(entry[1]) for entry in entries(file)}
    used, unlisted = set(), {}
    for difference in found:
        hits = [
            entry
            for entry, pattern in listed.items()
            if entry[0] == difference.kind and pattern.fullmatch(difference.where())
        ]
        used.update(hits)
        if not hits:
            unlisted[(difference.kind, difference.where())] = difference
    gone = [f"{entry[0]}: {entry[1]}" for entry in listed if entry not in used and not entry[2]]
    return list(unlisted.values()), gone


def pattern_of(text):
    return re.compile(".*".join(re.escape(part) for part in text.split("*")))


def suggestion(unlisted):
    groups = {}
    for difference in unlisted:
        groups.setdefault(difference.kind, []).append(difference.where())
    return yaml.safe_dump([{"reason": "?", **groups}], width=200)
