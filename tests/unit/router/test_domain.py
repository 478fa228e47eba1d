"""A prompt belongs to the domain of its nearest example, or to none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router_svc.domain import MIN_LEAD, nearest_domain
from router_svc.domains import BUILT_IN, NONE

EXAMPLES = np.array([[1, 0, 0], [0.8, 0.6, 0], [0, 1, 0], [0, 0, 1]], dtype=np.float32)
DOMAINS = ["code", "code", "legal", ""]


def nearest(vector, *, at=0.5):
    match = nearest_domain(np.array(vector, dtype=np.float32), EXAMPLES, DOMAINS, min_similarity=at)
    return match.domain


def test_takes_the_nearest_example():
    assert nearest([1, 0, 0]) == "code"
    assert nearest([0, 1, 0]) == "legal"


def test_has_no_domain_when_nothing_is_near():
    assert nearest([0.6, 0, 0.0], at=0.7) == ""


def test_has_no_domain_when_small_talk_is_nearer():
    assert nearest([0.3, 0.0, 0.95]) == ""


def test_has_no_domain_when_two_are_about_as_near():
    assert nearest([0.4, 0.9165, 0.0]) == ""


def test_examples_of_one_domain_do_not_compete():
    assert nearest([0.95, 0.3, 0.0]) == "code"


def test_a_single_domain_needs_no_lead():
    one = EXAMPLES[:1]
    match = nearest_domain(one[0], one, ["code"], min_similarity=0.5)
    assert match.domain == "code"


def test_a_blank_text_has_no_domain():
    assert nearest([0, 0, 0], at=-1.0) == ""


def test_says_how_near_the_nearest_was_even_when_it_is_too_far():
    vector = np.array([0.6, 0.0, 0.0], dtype=np.float32)
    match = nearest_domain(vector, EXAMPLES, DOMAINS, min_similarity=0.9)
    assert match.similarity == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("vector", "domains"),
    [
        pytest.param([1.0, 0.0], DOMAINS, id="dimensions differ"),
        pytest.param([1.0, 0.0, 0.0], DOMAINS[:2], id="a domain is missing"),
        pytest.param([np.nan, 0.0, 0.0], DOMAINS, id="not finite"),
    ],
)
def test_rejects(vector, domains):
    with pytest.raises(ValueError, match="must"):
        nearest_domain(np.array(vector, np.float32), EXAMPLES, domains, min_similarity=0.5)


@given(st.permutations(range(4)), st.lists(st.floats(-1, 1), min_size=3, max_size=3))
def test_the_order_of_examples_does_not_matter(order, vector):
    given_vector = np.array(vector, dtype=np.float32)
    shuffled = nearest_domain(
        given_vector, EXAMPLES[list(order)], [DOMAINS[i] for i in order], min_similarity=0.1
    )

    assert shuffled.domain == nearest(vector, at=0.1)


def test_a_lead_is_worth_something():
    assert 0.0 < MIN_LEAD < 0.2


def test_built_in_domains_are_shown_in_several_scripts():
    for name, examples in {**BUILT_IN, "none": NONE}.items():
        scripts = {
            script
            for script, first, last in (
                ("latin", "A", "z"),
                ("han", "一", "鿿"),
                ("arabic", "ء", "ي"),
            )
            if any(first <= char <= last for text in examples for char in text)
        }
        assert scripts == {"latin", "han", "arabic"}, name


def test_no_example_stands_for_two_domains():
    examples = [text for texts in (*BUILT_IN.values(), NONE) for text in texts]
    assert len(examples) == len(set(examples))
