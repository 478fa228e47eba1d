"""Packs a question of the command line into a request. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from gremium.v1.ensemble_pb2 import AskRequest
from gremium.v1.types_pb2 import (
    ROLE_SYSTEM,
    ROLE_USER,
    Budget,
    JsonFormat,
    LabelFormat,
    Message,
    NumberFormat,
    OutputFormat,
    Part,
    Prompt,
    Role,
)


@dataclass(frozen=True, slots=True)
class Question:
    """What the command line asks."""

    text: str
    ensemble: str = ""
    system: str = ""
    labels: Sequence[str] = ()
    schema_json: str | None = None
    """JSON Schema of the answer; None: no JSON is asked for."""
    number: bool = False
    may_abstain: bool = False
    """Whether an answer may say that it does not know."""
    request_id: str = ""
    max_cost_usd: float | None = None
    attest: bool = False
    """Whether the reply is to carry its record as it was signed."""

    @property
    def shapes(self) -> list[str]:
        """Options that were given for the shape of the answer; at most one makes sense."""
        given = {
            "--label": bool(self.labels),
            "--schema": self.schema_json is not None,
            "--number": self.number,
        }
        return [option for option, is_given in given.items() if is_given]


def request_of(question: Question) -> AskRequest:
    return AskRequest(
        request_id=question.request_id,
        ensemble=question.ensemble,
        prompt=Prompt(messages=_messages(question), output_format=_output_format(question)),
        budget=Budget(max_cost_usd=question.max_cost_usd),
        attest=question.attest,
    )


def _messages(question: Question) -> list[Message]:
    turns = [(ROLE_SYSTEM, question.system), (ROLE_USER, question.text)]
    return [_message(role, text) for role, text in turns if text or role == ROLE_USER]


def _message(role: Role.ValueType, text: str) -> Message:
    return Message(role=role, parts=[Part(text=text)])


def _output_format(question: Question) -> OutputFormat | None:
    may = question.may_abstain
    if question.labels:
        return OutputFormat(labels=LabelFormat(labels=question.labels), may_abstain=may)
    if question.schema_json is not None:
        form = JsonFormat(schema_json=question.schema_json)
        return OutputFormat(json=form, may_abstain=may)
    if question.number:
        return OutputFormat(number=NumberFormat(), may_abstain=may)
    return OutputFormat(may_abstain=True) if may else None
