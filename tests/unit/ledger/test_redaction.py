"""What looks like somebody's address, number or secret is blotted out; what does not is left."""

import ipaddress
import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ledger.redaction import NAMES, redactor
from services.ledger.sensitive import IBAN_LENGTHS

ALL = redactor(NAMES, {})

digits = st.text(string.digits, min_size=1)
words = st.text(string.ascii_lowercase + " ", max_size=20)
gaps = st.sampled_from(["", " ", "-"])


def only(name):
    return redactor((name,), {})


@st.composite
def cards(draw):
    """Numbers with the right check digit, in groups."""
    body = [int(each) for each in draw(st.text(string.digits, min_size=11, max_size=18))]
    total = sum(sum(divmod(2 * each, 10)) for each in body[-1::-2]) + sum(body[-2::-2])
    number = "".join(map(str, [*body, -total % 10]))
    if len(set(number)) == 1:
        number = "4111111111111111"
    gap = draw(gaps)
    return gap.join(number[at : at + 4] for at in range(0, len(number), 4))


@st.composite
def ibans(draw):
    """Account numbers with the right check digits, in groups."""
    country = draw(st.sampled_from(sorted(IBAN_LENGTHS)))
    size = IBAN_LENGTHS[country] - 4
    body = draw(st.text(string.digits + string.ascii_uppercase, min_size=size, max_size=size))
    rest = "".join(str(int(each, 36)) for each in f"{body}{country}00")
    packed = f"{country}{98 - int(rest) % 97:02d}{body}"
    return draw(
        st.sampled_from([packed, " ".join(packed[i : i + 4] for i in range(0, 34, 4)).strip()])
    )


@given(words, cards(), words)
def test_numbers_of_cards_go(before, card, after):
    assert f"{before} [card] {after}" == only("card").redacted(f"{before} {card} {after}")


@given(words, ibans(), words)
def test_account_numbers_go(before, iban, after):
    assert f"{before} [iban] {after}" == only("iban").redacted(f"{before} {iban} {after}")


@given(words, st.ip_addresses(), words)
def test_addresses_of_the_internet_protocol_go(before, address, after):
    if not any(each.isdigit() for each in str(address)):
        return
    assert f"{before} [ip] {after}" == only("ip").redacted(f"{before} {address} {after}")


@given(words, st.emails(), words)
def test_addresses_of_mail_leave_no_host(before, address, after):
    _, _, host = address.rpartition("@")

    assert host not in only("email").redacted(f"{before} {address} {after}")


@pytest.mark.parametrize(
    "number",
    [
        "+49 170 1234567",
        "+1 (555) 123-4567",
        "+442079460958",
        "0049 30 123456",
        "(030) 123 4567",
        "030/1234567",
        "0171 234 5678",
        "555-123-4567",
    ],
)
def test_telephone_numbers_go(number):
    assert "call [phone]." == ALL.redacted(f"call {number}.")


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-abcdefghijklmnopqrst",
        "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
        "github_pat_11ABCDEFG0abcdefghijkl",
        "glpat-abcdefghijklmnopqrst",
        "xoxb-123456789012-abcdef",
        "AKIAIOSFODNN7EXAMPLE",
        "AIzaSyA1234567890abcdefghijklmnopqrstuv",
        "hf_abcdefghijklmnopqrstuvwxyz",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP",
        "Bearer abcdefghijklmnop0123==",
        "-----BEGIN PRIVATE KEY-----\nMC4CAQAw\n-----END PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----\nMC4CAQAw never ended",
    ],
)
def test_keys_and_tokens_go(secret):
    assert "use [secret]" == ALL.redacted(f"use {secret}")


@pytest.mark.parametrize(
    "text",
    [
        "In 2024-01-02 at 12:30:45 it was 3.14159265358979.",
        "The ratio 3:1, the call std::abs(x), version 1.2.3.",
        "4111 1111 1111 1112 is no card, DE88370400440532013000 no account.",
        "1234567890 and 0.25",
        "x@y, a @ b",
        "sk-short, the Bearer of news",
        "0000 0000 0000 0000",
    ],
)
def test_what_only_looks_so_is_left(text):
    assert text == ALL.redacted(text)


@given(st.text())
def test_what_was_redacted_stays_as_it_is(text):
    once = ALL.redacted(text)

    assert once == ALL.redacted(once)


@given(st.text(st.characters(blacklist_categories=("Nd", "Cs"), blacklist_characters="@-:+")))
def test_texts_without_numbers_and_signs_are_left(text):
    assert text == redactor([name for name in NAMES if name != "secret"], {}).redacted(text)


def test_one_that_follows_another_is_found():
    text = "DE89370400440532013000 DE89370400440532013000 4111111111111111 1 4111111111111111"

    assert "[iban] [iban] [card] 1 [card]" == ALL.redacted(text)


def test_what_stands_around_it_is_left_in_any_language():
    assert "äöü [email] 日本" == ALL.redacted("äöü a@b.org 日本")


def test_own_patterns_stand_for_themselves():
    own = redactor((), {"ticket": r"ACME-\d+", "ümlaut": "ü+"})

    assert "see [ticket], [ümlaut]" == own.redacted("see ACME-12, üü")


def test_a_kind_that_is_not_wanted_is_left():
    assert "a@b.org [card]" == only("card").redacted("a@b.org 4111111111111111")


def test_long_texts_made_to_take_long_do_not():
    text = ("1 2 " * 1000 + "DE12 " * 1000 + "12:" * 1000 + "a." * 1000) * 2

    began = time.process_time()
    ALL.redacted(text)

    assert time.process_time() - began < 5.0


def test_ip_addresses_of_every_form_are_known():
    for text in ("::1", "fe80::", "2001:db8::1", "::ffff:192.0.2.1", "1:2:3:4:5:6:7:8"):
        assert ipaddress.ip_address(text)
        assert "[ip]" == only("ip").redacted(text)
