"""Compares the lab with moto: sends the same requests to both and compares the responses.

The argument is the lab's address; moto is started here. Every difference must be listed in
`differences.yaml` with its reason, and every listed one must still occur; otherwise this exits
with 1. `--suggest` prints the differences that are not listed in the format of that file,
`--everything` prints all responses.
"""

import logging
import pathlib
import sys
import warnings

import yaml
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

import compare
import listing
import shapes
from side import Side

HERE = pathlib.Path(__file__).parent


def steps():
    """Yields every request in order."""
    for file in sorted((HERE / "requests").glob("*.yaml")):
        yield from yaml.safe_load(file.read_text())


def moto():
    """Starts a server that ends with this process; returns its address."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    return f"http://{host}:{port}"


def main(endpoint, suggest, everything):
    logging.getLogger("werkzeug").disabled = True
    warnings.simplefilter("ignore")
    shapes.watch()
    lab, other = Side("lab", endpoint), Side("moto", moto())
    found, wrong, compared, alike, unsent = [], [], 0, 0, 0
    for step in steps():
        compared += 1
        shapes.watching = True
        name, ours = lab.send(step)
        shapes.watching = False
        _, theirs = other.send(step)
        differences = list(compare.differences(name, ours, theirs, "compare" in step))
        if everything:
            print(f"{name}\n  lab  {compare.whole(ours)}\n  moto {compare.whole(theirs)}")
        alike += not differences
        unsent += compare.not_sent(ours, theirs) is not None
        if "aws" in step and step["aws"] != compare.refusal(ours):
            wrong.append(f"{name}: AWS returns {step['aws']}, the lab returns {compare.short(ours)}")
        found += differences
    unlisted, gone = listing.judge(HERE / "differences.yaml", found)
    print(
        f"{compared} requests, {alike} with equal responses, {unsent} not sent to both, "
        f"{len(set(map(str, found)))} differences"
    )
    if suggest:
        print(listing.suggestion(unlisted))
    for difference in unlisted:
        print(f"not listed: {difference.reported()}")
    for entry in gone:
        print(f"listed, but no longer occurs: {entry}")
    for misfit in sorted(shapes.misfits):
        print(f"does not fit botocore's model: {misfit}")
    for each in wrong:
        print(each)
    return 1 if unlisted or gone or wrong or shapes.misfits else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], "--suggest" in sys.argv, "--everything" in sys.argv))
