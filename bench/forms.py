"""Forms of recorded rows, as the recordings' own documentation has them. Pure."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, NotRequired

from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

Line = dict[str, Any]
Unit = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Text = Annotated[str, Field(min_length=1)]
Id = str | int | None
Verdict = Any
"""1 or 2; anything else is a tie."""


def whole(form: str, row: Any) -> Line:
    """A row with what its form has, and nothing else.

    Raises
    ------
    ValueError
        If it is not of that form; tells the first field that is not.
    """
    try:
        found: Line = FORMS[form].validate_python(row)
    except ValidationError as err:
        first = err.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the row"
        raise ValueError(f"{where}: {first['msg'].lower()}") from err
    return found


def _graded(answer: Any) -> Any:
    """An answer and whether it is right; None where nobody said so."""
    if answer is None:
        return None
    if not isinstance(answer, list) or len(answer) < 2:
        raise ValueError("an answer is [text, correct, …]")
    if answer[1] is None:
        return None
    if answer[1] not in (0, 1):
        raise ValueError("correct is 0 or 1")
    return answer[:2]


def _only_graded(answer: Any) -> Any:
    """Drops an answer that nobody graded."""
    if isinstance(answer, Mapping) and None in (answer.get("correct", 0), answer.get("valid", 0)):
        return None
    return answer


def _lenient(answer: Any) -> Any:
    """Where no lenient grade is recorded at all the official one stands for it; null is no pass."""
    return None if answer is None else {**answer, "ok": bool(answer.get("ok", answer["valid"]))}


def _known(told: dict[str, Any]) -> dict[str, Any]:
    """Without those that tell nothing."""
    return {name: each for name, each in told.items() if each is not None}


def _both_orders(judges: dict[str, Any]) -> dict[str, Any]:
    """Strategies that tell of both orders; others give other numbers of verdicts."""
    return {name: told for name, told in judges.items() if told is not None and len(told) == 2}


class Worked(TypedDict):
    """An answer with its working."""

    ans: Any
    correct: bool
    text: str | None


Called = TypedDict(
    "Called",
    {
        "raw": str | None,
        "valid": bool,
        "ok": NotRequired[bool | None],
        "in": NotRequired[Amount | None],
        "out": NotRequired[Amount | None],
        "lat": NotRequired[Amount | None],
    },
)
"""An answer that calls tools."""


class Function(TypedDict):
    """A tool that was offered."""

    name: Text
    parameters: dict[str, Any]


class Short(TypedDict):
    """Short answers of many models."""

    id: NotRequired[Id]
    gold: NotRequired[Any]
    answers: dict[str, Annotated[Any, AfterValidator(_graded)]]


class Problem(TypedDict):
    """Word problems, answered with their working."""

    id: NotRequired[Id]
    answers: dict[str, Annotated[Worked | None, BeforeValidator(_only_graded)]]


class Calls(TypedDict):
    """Tool calls."""

    id: NotRequired[Id]
    category: str
    question: NotRequired[Any]
    functions: Function | list[Function]
    answers: dict[
        str,
        Annotated[Called | None, BeforeValidator(_only_graded), AfterValidator(_lenient)],
    ]


class Letters(TypedDict):
    """Multiple choice: a letter of each model."""

    id: NotRequired[Id]
    gold: Annotated[str, Field(min_length=1, max_length=1)]
    pred: Text
    category: NotRequired[str | None]
    question: NotRequired[str | None]
    options: NotRequired[list[str] | None]
    out_chars: NotRequired[list[Amount | None] | None]


class Pair(TypedDict):
    """How a weak and a strong model did."""

    id: NotRequired[Id]
    prompt: Text
    weak: Unit
    strong: Unit
    domain: NotRequired[str | None]
    contaminated: NotRequired[bool | None]


class Scores(TypedDict):
    """How well each of several models did."""

    id: NotRequired[Id]
    prompt: Text
    split: NotRequired[str | None]
    task: NotRequired[str | None]
    score: Annotated[dict[str, Unit | None], AfterValidator(_known), Field(min_length=1)]


class Outcome(TypedDict):
    """What a model answered, and at what cost."""

    score: Unit
    cost: Amount
    ct: Amount
    out: str | None


class Outcomes(TypedDict):
    """The same of several models, with their answers and costs."""

    id: NotRequired[Id]
    query: Text
    models: Annotated[dict[str, Outcome | None], AfterValidator(_known), Field(min_length=1)]


class Comparison(TypedDict):
    """Verdicts of judges on which of two outputs is better."""

    id: NotRequired[Id]
    subset: NotRequired[str | None]
    label: Literal[1, 2]
    judges: Annotated[dict[str, list[Verdict] | None], AfterValidator(_both_orders)]


class Claim(TypedDict):
    """A part of a response."""

    t: list[str]
    label: str


class Claims(TypedDict):
    """A response and its claims."""

    qid: str | int
    setting: str
    model: NotRequired[str]
    response: str
    claims: list[Claim]


class Summary(TypedDict):
    """A summary, faithful or not."""

    id: NotRequired[Id]
    doc_id: str | int
    summary: str
    label: Literal[0, 1]


class Document(TypedDict):
    """What summaries are of."""

    doc_id: str | int
    doc: str


class Raw(TypedDict):
    """Untouched texts of several models."""

    id: NotRequired[Id]
    raw: dict[str, Any]


class Annotations(TypedDict):
    """What several people think of two responses."""

    id: NotRequired[Id]
    annotators: list[Any]


class Turns(TypedDict):
    """Scores of two turns of a weak and a strong model."""

    id: NotRequired[Id]
    weak_scores: list[Any]
    strong_scores: list[Any]


FORMS: Final[Mapping[str, TypeAdapter[Any]]] = {
    "short answers": TypeAdapter(Short),
    "worked problems": TypeAdapter(Problem),
    "tool calls": TypeAdapter(Calls),
    "letters": TypeAdapter(Letters),
    "a pair of models": TypeAdapter(Pair),
    "scores": TypeAdapter(Scores),
    "outcomes": TypeAdapter(Outcomes),
    "comparisons": TypeAdapter(Comparison),
    "claims": TypeAdapter(Claims),
    "summaries": TypeAdapter(Summary),
    "documents": TypeAdapter(Document),
    "raw texts": TypeAdapter(Raw),
    "annotations": TypeAdapter(Annotations),
    "turns": TypeAdapter(Turns),
}
