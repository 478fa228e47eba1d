"""Whether an answer says that it gives none: that it refuses, or does not know.

Narrow on purpose: an opening that says so, and nothing after it that gives an answer after all. An
answer that merely doubts is none of these.
"""

# ruff: noqa: RUF001  (patterns are written in their own scripts)

import re
import unicodedata
from typing import Final

from services.core.refusal import MOST_CHARS, refuses

REFUSED: Final = "REFUSED"
"""The answer declines to answer."""
ABSTAINED: Final = "ABSTAINED"
"""The answer says that it does not know, or that nothing on offer is right."""
TOLD: Final = {
    REFUSED: "the answer declines to answer",
    ABSTAINED: "the answer says that it does not know",
}

MAX_CHARS: Final = 600
"""A longer text that begins so says more than that."""

_MARKUP: Final = " \t\r\n*_`\"'“”„«»()[]<>.,:;!?#$"
_CUE: Final = re.compile(
    r"(?:the |my |die |la |a |o )?(?:final |correct )?"
    r"(?:answer|label|result|antwort|réponse|respuesta|resposta|risposta|ответ|答案|答え|回答)"
    r"[\s*_\"'`]*(?:is|ist|est|es|é|è|是|は|:|=)?[\s*_\"'`:]*"
)
_SORRY: Final = (
    r"(?:(?:i(?:'m| am) )?(?:very |really |so )?(?:sorry|afraid),? (?:but )?(?:that )?"
    r"|unfortunately,? |honestly,? )?"
)
_FITS: Final = (
    r"(?: (?:fits?|appl(?:y|ies)|match(?:es)?|(?:is|are) (?:correct|right|suitable|applicable)))?"
)
_END: Final = r"\s*(?:[.!,;:\n]|$)"
BARE: Final = re.compile(
    r"null|none|n/?a|unknown|unsure|unclear|undetermined|not (?:sure|known|given|stated|available)"
    r"|unbekannt|unklar|inconnu|desconocid[oa]|desconhecid[oa]|sconosciut[oa]|неизвестно"
    r"|不明|未知|不知道|わかりません|分かりません|모르겠습니다|모름"
)
OPENINGS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        # English
        rf"{_SORRY}i (?:really |honestly |simply |just )?(?:don't|do not|can't|cannot|can not) (?:know|tell|say|determine|be sure)\b",
        rf"{_SORRY}i(?:'m| am) (?:really |honestly )?(?:not sure|unsure|uncertain|not certain|unable to (?:determine|tell|say|know))\b",
        rf"{_SORRY}(?:it|this|that|the (?:answer|label|number|value))(?: is|'s) (?:unknown|unclear|undetermined|not (?:known|given|stated|clear)|(?:impossible|not possible) to (?:say|tell|know|determine))\b",
        rf"{_SORRY}(?:it |this |that |the (?:answer|label|number|value) )?(?:cannot|can't|can not|could not|couldn't) be (?:determined|known|answered|inferred|told|said)\b",
        rf"{_SORRY}(?:there(?:'s| is|'s| are) )?(?:not enough|insufficient|too little) (?:information|info|data|context|evidence)\b",
        rf"{_SORRY}(?:i have )?no idea\b",
        rf"none of (?:these|those|them|the (?:above|given|listed|options|labels|choices|answers|categories))(?: (?:given|listed|options|labels|choices|answers|categories|above))*{_FITS}{_END}",
        # German
        r"(?:leider )?(?:(?:das |es )?wei(?:ß|ss) ich|ich wei(?:ß|ss)(?: das| es)?) (?:leider )?nicht\b",
        r"(?:das|es|die antwort) lässt sich (?:\w+ ){0,2}nicht (?:sagen|bestimmen|beantworten|ermitteln)\b",
        rf"keine?s? (?:davon|der (?:genannten|oben|angegebenen|optionen|antworten|möglichkeiten))(?: \w+)?{_END}",
        r"keine ahnung\b",
        # French
        r"(?:désolée?,? )?je ne (?:le )?sais pas\b",
        r"(?:il est )?impossible (?:de le |à )(?:dire|déterminer|savoir)\b",
        rf"aucune? (?:de ces|des) (?:réponses|options|étiquettes|choix)(?: \w+)?{_END}",
        # Spanish, Portuguese, Italian
        r"(?:lo siento,? )?(?:pero )?no (?:lo )?sé\b",
        r"(?:desculpe,? )?(?:mas )?(?:eu )?não sei\b",
        r"(?:mi dispiace,? )?(?:ma )?non (?:lo )?so\b",
        rf"(?:ningun[oa] de (?:l[oa]s|est[oa]s)|nenhuma? d(?:as|os|estas|estes)|nessun[oa] d(?:elle|ei|i queste|i questi))(?: \w+){{0,2}}{_END}",
        # Russian
        r"(?:к сожалению,? )?(?:я )?не знаю\b",
        rf"ни один из (?:них|этих|вариантов)(?: \w+)?{_END}",
        # Chinese, Japanese, Korean, Arabic
        "(?:抱歉|对不起|對不起)?[,，]?(?:我)?(?:不知道|不清楚|无法(?:确定|判断|得知)|無法(?:確定|判斷|得知))",
        "以上(?:都|皆)(?:不|非)",
        "(?:すみません[、,]?)?(?:わかりません|分かりません|判断できません|不明です)",
        "(?:죄송(?:하지만|합니다)?[,.]? ?)?(?:잘 )?(?:모르겠|알 수 없)",
        "(?:عذرا[،,]? ?)?(?:لا أعرف|لا أدري|لا أعلم)",
    )
)  # fmt: skip
_AFTER_ALL: Final = re.compile(
    r"\b(?:but|however|probably|likely|perhaps|maybe|presumably|guess)\b"
    r"|\bi(?:'d| would) (?:say|pick|choose|go)\b"
    r"|\b(?:aber|jedoch|wahrscheinlich|vermutlich|mais|peut-être|pero|quizás?|mas|talvez|ma|forse)\b"
    r"|\b(?:но|вероятно|наверное)\b|但|可能|大概|でも|しかし|たぶん|하지만|아마|```"
)
"""Signs that a text gives an answer all the same."""
_GIVES: Final = re.compile(r"\b(?:answer|label|result)\b[\s*_]*(?:is\b|:|=)")


def declined(text: str) -> str:
    """REFUSED or ABSTAINED where a text says that it gives no answer; else empty.

    Examples
    --------
    >>> declined("I don't know."), declined("I'm sorry, but I can't help with that.")
    ('ABSTAINED', 'REFUSED')
    >>> declined("I'm not sure, but probably 5."), declined("None of these is wrong.")
    ('', '')
    """
    if len(text) > MOST_CHARS:
        return ""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("\u2019", "'").strip(_MARKUP)
    cue = _CUE.match(plain)
    begin = cue.end() if cue else 0
    if _GIVES.search(plain, begin):
        return ""
    if len(plain) <= MAX_CHARS and _does_not_know(plain[begin:]):
        return ABSTAINED
    return REFUSED if refuses(text) else ""


def _does_not_know(plain: str) -> bool:
    if BARE.fullmatch(plain):
        return True
    for opening in OPENINGS:
        if found := opening.match(plain):
            return _AFTER_ALL.search(plain, found.end()) is None
    return False
