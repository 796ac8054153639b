"""`python tests/worlds NAME` builds a world in the empty account that the environment names, and
prints what a test needs to know as one line of JSON."""

import json
import sys

from account import ACCOUNT, REGION
from catalog import WORLDS


def main():
    if len(sys.argv) != 2 or sys.argv[1] not in WORLDS:
        sys.exit(f"usage: python tests/worlds {{{','.join(WORLDS)}}}")
    services = WORLDS[sys.argv[1]]()
    print(json.dumps({"account": ACCOUNT, "region": REGION, "services": services}))


main()
