"""The known differences, each with its reason (`differences.yaml`)."""

import re

import yaml

KINDS = ("only_lab", "only_moto", "differ")


def entries(file):
    """Yields every listed pattern: `(kind, "service.operation[:label] path", sometimes)`. `*` matches
    anything. A difference that depends on timing occurs `sometimes`, and need not occur."""
    for group in yaml.safe_load(file.read_text()) or []:
        assert group.get("reason"), f"an entry without a reason: {group}"
        for kind in KINDS:
            for pattern in group.get(kind, []):
                yield kind, pattern, group.get("sometimes", False)


def judge(file, found):
    """Returns the differences that are not listed, and the entries that match nothing."""
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
