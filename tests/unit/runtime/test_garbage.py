"""What a service has loaded is not looked through for garbage while it serves."""

import subprocess
import sys

from tests.running import ROOT, environment

LOOKED_THROUGH = """
import gc
from services.runtime.server import run

async def main():
    print(len(gc.get_objects()), gc.get_freeze_count())

run(main(), service="test")
"""


def test_modules_are_kept_without_looking():
    ran = subprocess.run(
        [sys.executable, "-c", LOOKED_THROUGH],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    looked_through, kept = map(int, ran.stdout.split())

    assert looked_through < kept / 10
