"""What is written like a number and has no value must stand in a source as it is."""

import pytest

from aggregator_svc.candidates import Candidate
from aggregator_svc.draft import Draft
from aggregator_svc.provenance import objection
from services.core.prompts import Prompt


@pytest.mark.parametrize(
    ("version", "why"), [("1.2.3", None), ("1.2.4", "SYNTHESIS_NUMBER_INVENTED")]
)
def test_a_version_is_one_that_a_source_names(version, why):
    sources = [Candidate("Version 1.2.3 came out in May.", (0,))]
    found = objection(Draft(f"It is {version}.", (0,)), sources, Prompt(()))

    assert why == (found and found.reason)
