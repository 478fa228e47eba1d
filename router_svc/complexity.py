"""How hard a prompt looks, feature by feature, in any language. Pure.

Nothing here is calibrated: the weights order prompts, they promise no probability.
"""

# ruff: noqa: RUF001  (signs of other scripts are what this file looks for)

import math
import re
from dataclasses import dataclass
from typing import Final

from router_svc.words import CONSTRAINTS, MATHS, REASONING, folded, matcher
from services.core.prompts import Prompt
from services.core.tokens import text_tokens

WEIGHTS: Final = {
    "length": 0.45,
    "code": 0.40,
    "maths": 0.45,
    "questions": 0.30,
    "constraints": 0.35,
    "reasoning": 0.45,
}
"""Complexity of a prompt that shows one feature to the full and no other."""

HEAD_CHARS: Final = 12_000
TAIL_CHARS: Final = 4_000
"""Of a longer task only its beginning and its end are searched for features."""

FENCE: Final = re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE)
TRACE: Final = re.compile(
    r"""Traceback\ \(most\ recent\ call\ last\)  # Python
    | ^[ \t]*File\ "[^"\n]{1,300}",\ line\ \d+
    | ^[ \t]*at\ [\w.$<>/]{1,200}\(?[^()\n]{0,200}:\d+  # Java, JavaScript, C#
    | \b\w{1,80}(?:Exception|Error)\b:
    | ^panic: | ^goroutine\ \d+ | panicked\ at\b  # Go, Rust
    | \b(?:error|warning)(?:\[E\d+\]|\ [A-Z]{1,4}\d{3,5}):  # Rust, C#, TypeScript
    | \b(?:segmentation\ fault|core\ dumped|stack\ overflow)\b
    | ^[\w./\\-]{1,200}:\d+(?::\d+)?:\ """,
    re.MULTILINE | re.VERBOSE,
)
IDENTIFIER: Final = re.compile(
    r"""\b[a-z][a-z0-9]{0,60}_[a-z0-9_]{1,60}\b  # snake_case
    | \b[a-z]{1,60}[a-z0-9]{0,20}[A-Z][A-Za-z0-9]{1,60}\b  # camelCase
    | \b[A-Za-z_]\w{0,60}(?:::|->|\.)[A-Za-z_]\w{0,60}\(  # a::b( a->b( a.b(
    | \b[A-Za-z_]\w{0,60}\([^()\n]{0,80}\)\s*[;{:]""",
    re.VERBOSE,
)
SYNTAX: Final = re.compile(
    r"""^[ \t]*(?:\#include|import\ [\w.{*"']|from\ [\w.]+\ import|using\ [\w.]+;|package\ \w+;?$|use\ \w+::)
    | \b(?:def|fn|func|function|class|struct|impl|interface|trait|enum|public|private|static|void|const|let|var)
        \ +[A-Za-z_]\w*\ *[(<{=:;]
    | (?i:\bselect\b[^;]{1,200}\bfrom\s+\w) | (?i:\b(?:insert\s+into|create\s+table|group\s+by)\s+\w)
    | [{;][ \t]*$ | =>|:=|!==?|===?|&&|\|\||\+\+|</[a-z]+>|\$\{ | ^[ \t]*\$\ \w+ | ^[#]!/""",
    re.MULTILINE | re.VERBOSE,
)
LATEX: Final = re.compile(
    r"\\(?:frac|sum|int|prod|sqrt|lim|begin|mathbb|mathcal|alpha|beta|theta|lambda|partial|infty"
    r"|leq?|geq?|cdot|times|in|forall|exists|to)\b|\$[^$\n]{1,200}\$|\\[(\[]"
)
OPERATOR: Final = re.compile(r"[∑∏∫∂√∞≤≥≠≈≡∈∉⊂⊆∪∩∀∃→⇒⇔±×÷∇⊕⊗]|(?<=[\w)])\s*[-+*/^=<>]\s*(?=[\w(])")
NUMERAL: Final = re.compile(r"\d+(?:[.,٫]\d+)*")
QUESTION: Final = re.compile(r"[?？؟՞፧⁇⁈⁉]+|ですか。|ますか。")
NUMBERED: Final = re.compile(
    r"^[ \t]*(?:\(?(?:\d{1,2}|[a-zа-я]|[ivx]{1,4})[.)][ \t]+|[\d一二三四五六七八九十]{1,2}[、．]|[①-⑳])",
    re.MULTILINE,
)
BULLET: Final = re.compile(r"^[ \t]*[-*•・‣–][ \t]+\S", re.MULTILINE)

REASONING_WORD: Final = matcher(REASONING)
CONSTRAINT_WORD: Final = matcher(CONSTRAINTS)
MATHS_WORD: Final = matcher(MATHS)


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one feature added."""

    feature: str
    value: float
    """Its share of the score; all shares add up to it."""


@dataclass(frozen=True, slots=True)
class Complexity:
    """How hard a prompt looks."""

    score: float
    """In [0, 1)."""
    contributions: tuple[Contribution, ...]
    """Largest first; features that added nothing are left out."""


def complexity_of(prompt: Prompt) -> Complexity:
    """Rate how hard a prompt looks.

    Parameters
    ----------
    prompt : Prompt
        Its last user turn is searched for features; all its text counts for
        length, its output format and tools as constraints.

    Returns
    -------
    Complexity
        Score in [0, 1) and what made it up.

    Notes
    -----
    Features combine as a noisy-or [1]_: ``1 - prod(1 - weight * level)``, so
    each one adds less the harder the prompt already looks, and the score
    never exceeds one. A feature's share is its part of the log-product.
    Linear in the length of the task, of which 16,000 characters are read.

    References
    ----------
    .. [1] J. Pearl. Probabilistic Reasoning in Intelligent Systems, 4.3.2.
       Morgan Kaufmann, 1988.

    Examples
    --------
    >>> from services.core.prompts import Message
    >>> easy = complexity_of(Prompt((Message("user", ("What is the capital of France?",)),)))
    >>> hard = complexity_of(Prompt((Message("user", ("Prove that √2 is irrational.",)),)))
    >>> easy.score < 0.1 < hard.score
    True
    """
    task = _sample(prompt.question if prompt.question.strip() else prompt.text)
    words, code = folded(task), _code(task)
    return combined(
        {
            "length": _length(prompt),
            "code": code,
            "maths": _maths(task, words, code),
            "questions": _questions(task),
            "constraints": _constraints(prompt, words),
            "reasoning": _saturated(_count(REASONING_WORD, words), 1.5),
        }
    )


def combined(levels: dict[str, float]) -> Complexity:
    """The score of feature levels, each in [0, 1], by `WEIGHTS`."""
    logs = {name: -math.log1p(-WEIGHTS[name] * level) for name, level in levels.items()}
    total = sum(logs.values())
    if total == 0.0:
        return Complexity(0.0, ())
    score = -math.expm1(-total)
    shares = [Contribution(name, score * part / total) for name, part in logs.items() if part]
    return Complexity(score, tuple(sorted(shares, key=lambda c: (-c.value, c.feature))))


def _sample(text: str) -> str:
    if len(text) <= HEAD_CHARS + TAIL_CHARS:
        return text
    return f"{text[:HEAD_CHARS]}\n{text[-TAIL_CHARS:]}"


def _length(prompt: Prompt) -> float:
    """0 for nothing, 1 from about 2,000 tokens on; even steps for each doubling."""
    return min(1.0, math.log2(1.0 + text_tokens(prompt.text) / 24.0) / 6.4)


def _code(task: str) -> float:
    signs = (
        3 * min(2, _count(FENCE, task))
        + 3 * _count(TRACE, task)
        + _count(SYNTAX, task)
        + 0.7 * _count(IDENTIFIER, task)
    )
    return _saturated(signs, 5.0)


def _maths(task: str, words: str, code: float) -> float:
    signs = (
        1.5 * _count(LATEX, task)
        + 0.7 * _count(OPERATOR, task)
        + 1.2 * _count(MATHS_WORD, words)
        + 0.2 * _count(NUMERAL, task)
    )
    return _saturated(signs * (1.0 - 0.8 * code), 3.5)


def _questions(task: str) -> float:
    parts = max(_count(QUESTION, task), _count(NUMBERED, task))
    return _saturated(max(0, parts - 1), 2.0)


def _constraints(prompt: Prompt, words: str) -> float:
    system = " ".join(turn.text for turn in prompt.messages if turn.role == "system")[:TAIL_CHARS]
    signs = (
        _count(CONSTRAINT_WORD, words)
        + 0.5 * _count(CONSTRAINT_WORD, folded(system))
        + 0.7 * _count(BULLET, words)
        + 1.0 * (prompt.output_format.kind == "json")
        + 1.0 * bool(prompt.tools)
    )
    return _saturated(signs, 4.0)


def _saturated(signs: float, scale: float) -> float:
    """Signs of a feature as a level in [0, 1): the first ones count most."""
    return -math.expm1(-signs / scale)


def _count(pattern: re.Pattern[str], text: str) -> int:
    return sum(1 for _ in pattern.finditer(text))
