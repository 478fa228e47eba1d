"""What looks like somebody's address, number or secret is blotted out; what does not is left."""

import ipaddress
import re
import string
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.ledger.checksums import ACCOUNT_LENGTHS, ISSUED
from services.ledger.folding import folded
from services.ledger.redaction import NAMES, redactor

ALL = redactor(NAMES, {})

ISSUED_SO = [("51", 16), ("22", 16), ("37", 15), ("36", 14), ("35", 16), ("40", 13), ("62", 19)]
"""How numbers of cards begin, and how long they are."""

words = st.text(string.ascii_lowercase + " ", max_size=20)
gaps = st.sampled_from(["", " ", "-"])


CARD = "4111-1111-1111-1111"


def wide(text):
    """A text of ASCII in characters as wide as Chinese ones."""
    return "".join(chr(ord(each) + 0xFEE0) for each in text)


def only(name):
    return redactor((name,), {})


def luhn(digits):
    total = sum(sum(divmod(2 * int(each), 10)) for each in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + total) % 10 == 0


@st.composite
def cards(draw):
    """Numbers that networks give out, with the right check digit, in groups."""
    start, size = draw(st.sampled_from(ISSUED_SO))
    body = start + draw(st.text(string.digits, min_size=size - 3, max_size=size - 3))
    number = next(f"{body}{last}" for last in range(10) if luhn(f"{body}{last}"))
    if len(set(number)) == 1:
        number = "4111111111111111"
    gap = draw(gaps)
    return gap.join(number[at : at + 4] for at in range(0, len(number), 4))


@st.composite
def ibans(draw):
    """Account numbers with the right check digits, in groups."""
    country = draw(st.sampled_from(sorted(ACCOUNT_LENGTHS)))
    size = ACCOUNT_LENGTHS[country] - 4
    body = draw(st.text(string.digits + string.ascii_uppercase, min_size=size, max_size=size))
    rest = "".join(str(int(each, 36)) for each in f"{body}{country}00")
    packed = f"{country}{98 - int(rest) % 97:02d}{body}"
    return draw(gaps).join(packed[i : i + 4] for i in range(0, len(packed), 4))


@given(words, cards(), words)
def test_numbers_of_cards_go(before, card, after):
    assert f"{before} [card] {after}" == only("card").redacted(f"{before} {card} {after}")


@example("", "AD41AAAAAAAAAAAAAAAAAAAA", "")
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


def first_card(text):
    """Where the first card is, by trying all places: the longest of those that begin there."""
    shape = re.compile(r"\b[0-9]{4,}(?:[ -][0-9]{4,})*(?:[ -][0-9]{1,3})?\b")
    for start in range(len(text)):
        for end in range(len(text), start + 11, -1):
            digits = re.sub("[ -]", "", text[start:end])
            boundaries = re.match(r"\b", text[start:end]) and not text[end : end + 1].isdigit()
            if (
                boundaries
                and not text[start - 1 : start].isdigit()
                and shape.fullmatch(text[start:end])
                and ISSUED.fullmatch(digits.encode())
                and len(set(digits)) > 1
                and luhn(digits)
                and not re.match(r"(?:1[5-9]|20|21)[0-9]{2}(?![0-9])", text[start:end])
            ):
                return start, end
    return None


digits = st.text(string.digits, min_size=1, max_size=7)


@given(st.lists(digits, max_size=12), st.sampled_from([" ", "-", ", "]))
def test_cards_are_those_that_are_found_place_by_place(groups, gap):
    left, found = gap.join(groups), ""
    while span := first_card(left):
        found, left = f"{found}{left[: span[0]]}[card]", left[span[1] :]

    assert f"{found}{left}" == only("card").redacted(gap.join(groups))


@given(st.lists(st.text("0123456789abcdef:.", max_size=12), max_size=4))
def test_whatever_is_an_address_by_itself_goes(tokens):
    redacted = only("ip").redacted(" ".join(tokens)).split(" ")

    for token, left in zip(tokens or [""], redacted, strict=True):
        if is_address(token):
            assert "[ip]" == left


def is_address(token):
    try:
        ipaddress.ip_address(token)
    except ValueError:
        return False
    return any(each.isdigit() for each in token)


PIECES = [
    "\\n",
    "\\u00fc",
    "\\ud83d",
    "\\u0031",
    "%20",
    "%40",
    wide("1"),
    "\u2013",
    "\u200d",
    "4111",
    "é",
]
read_otherwise = st.lists(st.sampled_from(PIECES) | st.text(max_size=3)).map("".join)


@given(read_otherwise)
def test_what_is_read_has_each_character_in_its_place(text):
    assert len(text) == len(folded(text))


@given(st.text() | read_otherwise)
def test_what_was_redacted_stays_as_it_is(text):
    once = ALL.redacted(text)

    assert once == ALL.redacted(once)


@given(
    st.text(
        st.characters(blacklist_categories=("Nd", "Cs"), blacklist_characters=f"@-:+%\\{wide('@')}")
    )
)
def test_texts_without_numbers_and_signs_are_left(text):
    assert text == redactor([name for name in NAMES if name != "secret"], {}).redacted(text)


def test_one_that_follows_another_is_found():
    text = "DE89370400440532013000 DE89370400440532013000 4111111111111111 1 4111111111111111"

    assert "[iban] [iban] [card] 1 [card]" == ALL.redacted(text)


def test_what_stands_around_it_is_left_in_any_language():
    assert "äöü [email] 日本" == ALL.redacted("äöü a@b.org 日本")


def test_addresses_that_run_into_each_other_leave_none_over():
    assert "[ip][ip]" == ALL.redacted("::1::2::3:4::")[:8]
    assert "[ip][ip]" == ALL.redacted("1::2::3")


def test_own_patterns_stand_for_themselves():
    own = redactor((), {"ticket": r"ACME-\d+", "ümlaut": "ü+"})

    assert "see [ticket], [ümlaut]" == own.redacted("see ACME-12, üü")


def test_own_patterns_take_a_text_by_the_letter():
    own = redactor(NAMES, {"wide": wide("1") + "+ ", "break": r"\\n"})

    assert "[wide][break] [card]" == own.redacted(rf"{wide('11')} \n {wide(CARD)}")


def test_a_kind_that_is_not_wanted_is_left():
    assert "a@b.org [card]" == only("card").redacted("a@b.org 4111111111111111")


def test_ip_addresses_of_every_form_are_known():
    for text in ("::1", "fe80::", "2001:db8::1", "::ffff:192.0.2.1", "1:2:3:4:5:6:7:8"):
        assert ipaddress.ip_address(text)
        assert "[ip]" == only("ip").redacted(text)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        pytest.param(f"é{wide(CARD)}é", "é[card]é", id="card"),
        pytest.param(f"日{wide('a@b')}.org本", "[email]", id="email"),
        pytest.param(f"日 {wide('a@b')}.org 本", "日 [email] 本", id="email by itself"),
        pytest.param(
            f"{wide('4')}111 1111 1111 1111 and {wide('192')}.0.2.1", "[card] and [ip]", id="two"
        ),
    ],
)
def test_what_is_read_otherwise_goes_where_it_stands(text, left):
    assert left == ALL.redacted(text)


def cost_s(text):
    """CPU seconds, of the best of three times."""
    costs = []
    for _ in range(3):
        began = time.thread_time()
        ALL.redacted(text)
        costs.append(time.thread_time() - began)
    return min(costs)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("000 00 ", id="one digit alone"),
        pytest.param("012345 ", id="too long for a telephone"),
        pytest.param("4444 4444 4445 ", id="no check digit is right"),
        pytest.param("DE12 ", id="no account"),
        pytest.param("1::2::", id="no address"),
        pytest.param("12:", id="times"),
        pytest.param("a::b ", id="no digit"),
        pytest.param("sk-a AKIA-eyJ.", id="beginnings of keys"),
    ],
)
def test_a_text_made_to_take_long_takes_no_longer_than_one_full_of_addresses(text):
    size = 20_000
    full = cost_s(("a@b.org " * size)[:size])

    assert cost_s((text * size)[:size]) < 6 * full
    assert cost_s((text * 4 * size)[: 4 * size]) < 24 * full
