"""R7: each part of a reply has its limit from the configuration: connection, first and next token."""

import pytest

from tests.fault.five import ends, jury, model, request
from tests.fault.stubs import Mode

TIMEOUT_S = 6.0
LIMIT_S = 0.4
LATE = {
    "deaf": ("connect_s", "CONNECTION"),
    "hang": ("first_token_s", "FIRST_TOKEN_LATE"),
    "silent": ("first_token_s", "FIRST_TOKEN_LATE"),
    "drip": ("first_token_s", "FIRST_TOKEN_LATE"),
    "stalls": ("between_tokens_s", "TOKEN_LATE"),
}
STALLS = Mode(text="one two three", token_delay_s=2.0)
SCRIPT = {"stalls": STALLS}


def shared_juries(places):
    """Two good jurors and one that is late with something; all three are waited for."""
    good = {name: model("four", places.url) for name in "ab"}
    parts = []
    for kind, (limit, _) in LATE.items():
        late = model(
            kind,
            places.deaf if kind == "deaf" else places.url,
            timeouts={limit: LIMIT_S},
            retry={"max_attempts": 1},
        )
        parts.append(jury({**good, kind: late}, f"late-{kind}", quorum=2, grace_s=5.0))
    return parts


@pytest.mark.parametrize("kind", LATE)
def test_each_limit_ends_the_attempt(row, gateway, kind):
    reply = gateway.Ask(request(f"late-{kind}-{row.turn}"), timeout=TIMEOUT_S)

    (part,) = [each for each in reply.manifest.participations if each.name == kind]
    took_s = part.duration.ToTimedelta().total_seconds()
    first_s = STALLS.token_delay_s if kind == "stalls" else 0.0  # before the pause that is too long
    assert LATE[kind][1] == ends(reply.manifest)[kind][1]
    assert "4" == reply.answer.text
    late_s = took_s - LIMIT_S - first_s
    row.at_most("R7", f"{LATE[kind][0]} kept within", late_s, 0.05, unit="s")
