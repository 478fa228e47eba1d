"""R7: each part of a reply has its limit from the configuration: connection, first and next token."""

import grpc
import pytest

from gremium.v1 import ensemble_pb2_grpc
from tests.fault.five import config, ends, jury, model, request
from tests.fault.stubs import Mode, deaf_port, stub
from tests.running import mesh_running

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


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    with (
        stub({"stalls": STALLS}) as provider,
        deaf_port() as deaf,
        mesh_running(tmp_path_factory.mktemp("r07t"), configured(provider.url, deaf)) as mesh,
        grpc.insecure_channel(mesh.address) as channel,
    ):
        yield ensemble_pb2_grpc.EnsembleServiceStub(channel)


def configured(url, deaf):
    """Two good jurors and one that is late with something; all three are waited for."""
    good = {name: model("four", url) for name in "ab"}
    parts = []
    for kind, (limit, _) in LATE.items():
        late = model(
            kind,
            deaf if kind == "deaf" else url,
            timeouts={limit: LIMIT_S},
            retry={"max_attempts": 1},
        )
        parts.append(jury({**good, kind: late}, kind, quorum=2, grace_s=5.0))
    return config(parts, url)


@pytest.mark.parametrize("kind", LATE)
def test_each_limit_ends_the_attempt(row, gateway, kind):
    reply = gateway.Ask(request(f"{kind}-{row.turn}"), timeout=TIMEOUT_S)

    (part,) = [each for each in reply.manifest.participations if each.name == kind]
    took_s = part.duration.ToTimedelta().total_seconds()
    first_s = STALLS.token_delay_s if kind == "stalls" else 0.0  # before the pause that is too long
    assert LATE[kind][1] == ends(reply.manifest)[kind][1]
    assert "4" == reply.answer.text
    late_s = took_s - LIMIT_S - first_s
    row.at_most("R7", f"{LATE[kind][0]} kept within", late_s, 0.05, unit="s")
