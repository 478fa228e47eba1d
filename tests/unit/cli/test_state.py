"""Other commands find the mesh of a folder, and only while it runs."""

import os
import subprocess
import sys

import pytest

from services.cli import state
from services.cli.errors import MeshError
from services.cli.state import Running


def mesh(**fields):
    return Running(gateway="127.0.0.1:1", config="c", services={}, **fields)


def ended_pid():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait(10)
    return process.pid


def test_reads_what_was_written(tmp_path):
    state.write(mesh(), tmp_path)

    assert mesh() == state.read(tmp_path)


def test_nothing_was_started_here(tmp_path):
    assert state.read(tmp_path) is None


def test_a_mesh_whose_supervisor_ended_is_none(tmp_path):
    state.write(mesh(supervisor=ended_pid()), tmp_path)

    assert state.read(tmp_path) is None


def test_a_damaged_record_is_none(tmp_path):
    state.write(mesh(), tmp_path)
    (tmp_path / ".gremium/mesh.json").write_text('{"gateway": 1')

    assert state.read(tmp_path) is None


def test_forgets_its_own_record(tmp_path):
    state.write(mesh(), tmp_path)
    state.forget(tmp_path)

    assert not (tmp_path / ".gremium/mesh.json").exists()


def test_leaves_the_record_of_another_mesh(tmp_path):
    state.write(mesh(supervisor=os.getppid()), tmp_path)
    state.forget(tmp_path)

    assert (tmp_path / ".gremium/mesh.json").exists()


def test_a_folder_holds_one_mesh(tmp_path):
    state.write(mesh(), tmp_path)

    with pytest.raises(MeshError, match=f"process {os.getpid()}, at 127.0.0.1:1"):
        state.refuse_second(tmp_path)


def test_a_folder_is_free_again_when_its_mesh_has_ended(tmp_path):
    state.write(mesh(supervisor=ended_pid()), tmp_path)

    assert state.refuse_second(tmp_path) is None
