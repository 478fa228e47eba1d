"""Whoever wants a copy is told at the start what it lacks, and no secret with it."""

import sys

import pytest
from psycopg.conninfo import conninfo_to_dict

from services.config.postgres import Postgres
from services.core.errors import LedgerError
from services.ledger.postgres_open import postgres_target

WANTED = Postgres(url_env="COPY_URL")


def test_takes_the_url_of_the_variable():
    target = postgres_target(WANTED, {"COPY_URL": " postgresql://ann:s%40fe@db.example/books\n"})

    told = conninfo_to_dict(target)
    assert {"host": "db.example", "user": "ann", "password": "s@fe", "dbname": "books"} == {
        key: told[key] for key in ("host", "user", "password", "dbname")
    }
    assert "gremium" == told["application_name"]


def test_names_the_variable_that_is_not_set():
    with pytest.raises(LedgerError, match="variable COPY_URL is not set"):
        postgres_target(WANTED, {})


@pytest.mark.parametrize("url", ["mysql:sesame@db", "postgresql://ann:ses%ame@db", "sesame"])
def test_repeats_nothing_of_a_url_that_is_none(url):
    with pytest.raises(LedgerError, match="variable COPY_URL holds no PostgreSQL URL") as caught:
        postgres_target(WANTED, {"COPY_URL": url})

    assert "ses" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_tells_how_to_get_a_package_that_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "services.ledger.postgres", None)

    with pytest.raises(LedgerError, match=r"pip install 'gremium\[postgres\]'"):
        postgres_target(WANTED, {"COPY_URL": "postgresql://db"})
