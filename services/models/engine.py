"""The engine of one local model: a llama.cpp server in a process of its own."""

import argparse
import os
import time
from typing import Any, Final

from services.models.settings import engine_environment

WATCH_S: Final = 0.5


def main() -> None:
    """Serve until the parent is gone or a signal comes."""
    parser = argparse.ArgumentParser(description="Serve one GGUF model on this machine.")
    parser.add_argument("--weights", required=True, help="GGUF file")
    parser.add_argument("--alias", default="local", help="model name that it answers to")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes any free one")
    parser.add_argument("--context", type=int, default=4096, help="tokens, shared by all calls")
    parser.add_argument("--parallel", type=int, default=4, help="calls at once")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--parent", type=int, default=0, help="process to end with; 0: none")
    options = parser.parse_args()
    server = _serve(options)
    print(f"engine listens on {server.listening_address}", flush=True)  # noqa: T201  for its log
    while options.parent in (0, os.getppid()):
        time.sleep(WATCH_S)
    os._exit(0)  # calls in flight are for nobody now


def _serve(options: argparse.Namespace) -> Any:
    """Load the weights and listen. Returns the server, which runs on threads of its own."""
    os.environ.update(engine_environment())  # before the library loads and reads it
    import xllamacpp  # noqa: PLC0415  an optional dependency, needed in this process only

    params = xllamacpp.CommonParams()
    params.model.path = options.weights
    params.model_alias = {options.alias}
    params.hostnames = [options.host]
    params.port = options.port
    params.n_ctx = options.context
    params.n_parallel = options.parallel
    params.kv_unified = True  # a long prompt may use the whole context, not one slot's share
    params.cpuparams.n_threads = options.threads
    params.cpuparams.poll = 0
    params.ui = False
    params.endpoint_slots = False  # would show other callers' prompts
    params.verbosity = 1
    return xllamacpp.Server(params)


if __name__ == "__main__":
    main()
