"""What may be said of a ledger, and what is refused."""

import pytest
from pydantic import ValidationError

from services.config.ledger import REDACTED, Ledger
from services.ledger.redaction import NAMES, redactor


def test_by_default_no_words_are_kept_and_requests_wait_for_the_disk():
    ledger = Ledger()

    assert ("strict", "nothing", 86_400.0) == (ledger.mode, ledger.texts, ledger.replay_for_s)


def test_every_kind_that_can_be_redacted_is_by_default():
    assert set(NAMES) == set(Ledger().redact) == set(REDACTED)


def test_patterns_of_ones_own_are_redacted_too():
    ledger = Ledger(redact=["email"], redact_patterns={"ticket": r"ACME-\d+"})

    made = redactor(ledger.redact, ledger.redact_patterns)
    assert "[ticket] of [email], 4111111111111111" == made.redacted(
        "ACME-12 of a@b.org, 4111111111111111"
    )


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        (r"(?=a)", "is no pattern of RE2"),
        (r"(a)\1", "is no pattern of RE2"),
        ("(", "is no pattern of RE2"),
        ("a*", "finds something in the empty text"),
    ],
)
def test_a_pattern_that_cannot_be_searched_for_is_refused(pattern, problem):
    with pytest.raises(ValidationError, match=problem):
        Ledger(redact_patterns={"mine": pattern})


def test_a_pattern_has_no_name_of_a_built_in_kind():
    with pytest.raises(ValidationError, match="are built in; give them other names"):
        Ledger(redact_patterns={"email": "a+"})
