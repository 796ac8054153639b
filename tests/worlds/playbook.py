"""The playbook `ansible/site.yml`."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

PLAY = Path(__file__).parent / "ansible" / "site.yml"


def run():
    """Runs the playbook, with its log on standard error; returns how many tasks changed anything."""
    program = Path(sys.executable).parent / "ansible-playbook"
    if not program.exists():
        sys.exit(f"{program} is missing; run scripts/venv")
    settings = {
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "ANSIBLE_PIPELINING": "true",
        # Ansible accepts no other encoding.
        "LC_ALL": "C.UTF-8",
    }
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, **settings, "ANSIBLE_HOME": home}
        command = [program, "--inventory", "localhost,", PLAY]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
    print(done.stdout, file=sys.stderr)
    if done.returncode != 0:
        sys.exit(done.returncode)
    return int(re.search(r"changed=(\d+)", done.stdout)[1])
