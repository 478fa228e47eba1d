"""What must never be delivered is found, and hardly anything else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge_svc.exposure import exposures, luhn, mod_97

KEY = "AKIA" + "Q3EXAMPLEZ7PLKQM"
TOKEN = "ghp_" + "a1B2" * 9
CARD = "4539 5787 6362 1486"
IBAN = "DE75 5121 0800 1245 1261 99"


def kinds(text, known=""):
    return [(e.kind, e.what) for e in exposures(text, known=known)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(f"Use {KEY}.", ("secret", "AWS access key"), id="AWS"),
        pytest.param(f"token={TOKEN}", ("secret", "GitHub token"), id="GitHub"),
        pytest.param(
            "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIE" * 20, ("secret", "private key"), id="PEM"
        ),
        pytest.param(f"sk-ant-api03-{'aB3' * 20}", ("secret", "Anthropic key"), id="Anthropic"),
        pytest.param(f"sk-proj-{'aB3' * 20}", ("secret", "OpenAI key"), id="OpenAI"),
        pytest.param(f"Pay with {CARD}.", ("pii", "payment card number"), id="card"),
        pytest.param(f"Send it to {IBAN}.", ("pii", "bank account number (IBAN)"), id="IBAN"),
        pytest.param("Just kill yourself.", ("safety", "incitement to self-harm"), id="English"),
        pytest.param("Bring dich um.", ("safety", "incitement to self-harm"), id="German"),
    ],
)
def test_finds(text, expected):
    assert kinds(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Write to ann@example.org or call +49 30 1234567.", id="contact"),
        pytest.param("Test with 4111 1111 1111 1111.", id="test card"),
        pytest.param("An IBAN looks like GB82 WEST 1234 5698 7654 32.", id="example IBAN"),
        pytest.param("Order 4539578763621487 has shipped.", id="fails Luhn's sum"),
        pytest.param("pi = 3.14159265358979323846", id="digits of pi"),
        pytest.param("If you think of killing yourself, call a helpline.", id="help"),
        pytest.param("sk-learn and AKIA are prefixes.", id="prefixes"),
        pytest.param("0000 0000 0000 0000", id="zeros"),
        pytest.param("Say 4444 4444 4444 4448.", id="hardly any digits"),
    ],
)
def test_passes(text):
    assert kinds(text) == []


@pytest.mark.parametrize("thing", [KEY, TOKEN, CARD, IBAN])
def test_what_the_caller_gave_is_no_exposure(thing):
    assert kinds(f"You gave {thing}.", known=f"my data: {thing.replace(' ', '')}") == []


def test_never_repeats_the_thing_itself():
    assert KEY not in str(exposures(KEY, known=""))


@given(st.integers(10**11, 10**18))
def test_luhn_finds_every_wrong_digit(number):
    body = str(number)
    check = next(d for d in "0123456789" if luhn(body + d))
    assert sum(luhn(body + d) for d in "0123456789") == 1
    assert luhn(body + check)


def test_an_iban_with_swapped_digits_is_none():
    assert mod_97("GB82WEST12345698765432")
    assert not mod_97("GB82WEST12345698765423")


@given(st.text(max_size=200))
def test_reads_anything(text):
    assert exposures(text, known=text) == []
