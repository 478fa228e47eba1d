"""Generate the stubs beside the protos: `python protos/generate.py`.

Stubs of another language go to a folder of their own, by protoc's own flags:
`python protos/generate.py OUT --plugin=protoc-gen-es=… --es_out=OUT`.

The rules of `buf.validate` come as a descriptor out of the protovalidate
package, so no foreign proto is kept here.
"""

import importlib
import os
import pathlib
import sys
import tempfile

from google.protobuf import descriptor_pb2
from grpc_tools import protoc
from protovalidate._gen.buf.validate import validate_pb

RULES = "buf/validate/validate.proto"
ROOT = pathlib.Path(__file__).resolve().parent
WELL_KNOWN = ("descriptor", "duration", "field_mask", "timestamp")
PACKAGES = ("gremium", "gremium/v1", "buf", "buf/validate")


def main() -> None:
    out = pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT
    out.mkdir(parents=True, exist_ok=True)
    flags = sys.argv[2:]
    with tempfile.TemporaryDirectory() as scratch:
        rules = write_rules(pathlib.Path(scratch) / "rules.binpb")
        if flags:
            run_protoc(rules, *flags, *sources(), RULES)
        else:
            generate_python(out, rules)


def generate_python(out: pathlib.Path, rules: pathlib.Path) -> None:
    run_protoc(rules, *python_stubs(out), *sources())
    run_protoc(rules, f"--python_out={out}", f"--mypy_out={out}", RULES)
    for package in PACKAGES:
        (out / package / "__init__.py").touch()


def write_rules(path: pathlib.Path) -> pathlib.Path:
    """Write the descriptors of `buf/validate/validate.proto` and its imports."""
    rules = descriptor_pb2.FileDescriptorProto.FromString(
        validate_pb._DESC.proto.to_binary()  # noqa: SLF001 - the package has no public way to it
    )
    files = [*map(well_known, WELL_KNOWN), rules]
    path.write_bytes(descriptor_pb2.FileDescriptorSet(file=files).SerializeToString())
    return path


def well_known(name: str) -> descriptor_pb2.FileDescriptorProto:
    proto = descriptor_pb2.FileDescriptorProto()
    importlib.import_module(f"google.protobuf.{name}_pb2").DESCRIPTOR.CopyToProto(proto)
    return proto


def sources() -> list[str]:
    return sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("gremium/**/*.proto"))


def python_stubs(out: pathlib.Path) -> tuple[str, ...]:
    return (
        f"--python_out={out}",
        f"--grpc_python_out={out}",
        f"--mypy_out={out}",
        f"--mypy_grpc_out=only_async:{out}",
    )


def run_protoc(rules: pathlib.Path, *arguments: str) -> None:
    """Run protoc over `arguments`, with the plugins that stand beside this Python.

    Raises
    ------
    SystemExit
        If protoc finds a fault; it has printed it.
    """
    beside = str(pathlib.Path(sys.executable).parent)
    os.environ["PATH"] = os.pathsep.join((beside, os.environ.get("PATH", "")))
    code = protoc.main(
        ["protoc", f"--proto_path={ROOT}", f"--descriptor_set_in={rules}", *arguments]
    )
    if code:
        sys.exit(code)


if __name__ == "__main__":
    main()
