"""A form says whether an answer is right, or which one is better."""

import pytest

from gremium.v1 import manifest_pb2
from services.core.errors import InvalidRequestError
from services.gateway.console.feedback import feedback_of
from tests.unit.console.manifests import answer


def test_a_right_answer_has_the_whole_score():
    said = feedback_of({"kind": "correct", "comment": "yes"}, None)

    assert (manifest_pb2.FEEDBACK_KIND_CORRECT, 1.0, "yes", "console") == (
        *(said.kind, said.score),
        *(said.comment, said.source),
    )


def test_a_better_answer_is_named_by_juror_and_tier():
    said = feedback_of({"kind": "preferred"}, answer("b", tier="large"))

    assert ("b", "large", 0.0) == (said.preferred_juror, said.preferred_tier, said.score)


def test_a_right_answer_prefers_nobody():
    assert "" == feedback_of({"kind": "correct"}, answer("b")).preferred_juror


@pytest.mark.parametrize("form", [{}, {"kind": "perhaps"}, {"kind": "preferred"}])
def test_a_form_that_does_not_say_it_is_refused(form):
    with pytest.raises(InvalidRequestError):
        feedback_of(form, None)
