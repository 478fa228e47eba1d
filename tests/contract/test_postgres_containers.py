"""The database beside the containers is the one that the gateway's copy goes to, and reached by it alone."""

from pathlib import Path

import yaml
from psycopg.conninfo import conninfo_to_dict

from services.config.postgres import Postgres

ROOT = Path(__file__).parents[2]
MESH = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
ADDED = yaml.safe_load((ROOT / "deploy" / "postgres.yml").read_text())
DATABASE = ADDED["services"]["postgres"]
GATEWAY = ADDED["services"]["gateway"]["environment"]


def test_the_gateway_is_told_of_it_by_the_variable_that_it_reads():
    told = conninfo_to_dict(GATEWAY[Postgres().url_env])

    assert ("postgres", DATABASE["environment"]["POSTGRES_USER"]) == (told["host"], told["user"])
    assert told["user"] == told["dbname"]  # which the image makes
    assert DATABASE["environment"]["POSTGRES_PASSWORD"] == GATEWAY["PGPASSWORD"]


def test_it_is_reached_from_within_the_mesh_alone():
    assert {"gateway", "postgres"} == set(ADDED["services"])
    assert ["mesh"] == DATABASE["networks"]
    assert MESH["networks"]["mesh"]["internal"]
    assert "ports" not in DATABASE


def test_the_gateway_does_not_wait_for_it():
    assert ["environment"] == list(ADDED["services"]["gateway"])


def test_a_database_of_ones_own_needs_no_other_file():
    assert Postgres().url_env in MESH["services"]["gateway"]["environment"]


def test_it_keeps_its_data_and_its_limits():
    assert {"cpus", "memory", "pids"} == set(DATABASE["deploy"]["resources"]["limits"])
    assert set(ADDED["volumes"]) == {volume.split(":")[0] for volume in DATABASE["volumes"]}


def test_the_image_has_what_speaks_to_it():
    assert "('embedded', 'postgres')" in (ROOT / "deploy" / "Dockerfile").read_text()
