"""Become another program that ends with its parent: `leash.py PARENT_PID PROGRAM ARGUMENT…`.

A script of its own, because a process that uses gRPC must not run Python
between fork and exec.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            sys.exit("the supervisor ended before its child began")
    os.execv(command[0], command)  # noqa: S606 - the supervisor's own command, without a shell


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
