"""Whether an answer declines to answer, in several languages.

Narrow on purpose: an opening that says that the author will not or cannot help. An answer that
merely says "cannot", or that helps after an apology and at length, is no refusal.
"""

# ruff: noqa: RUF001  (patterns are written in their own scripts)

import re
import unicodedata
from typing import Final

MAX_CHARS: Final = 1_200
"""A longer text says more than no."""
MOST_CHARS: Final = 3 * MAX_CHARS
"""The same before accents and syllables are put together: a syllable of Korean has up to three."""
OPENING_CHARS: Final = 240

_DO = r"(?:help|assist|comply|fulfil+|provide|answer|do that|do this|create|write|generate|share|discuss|engage|support|continue)"
PATTERNS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        # English
        rf"\bi(?:'m| am)? (?:(?:really |very )?sorry,? (?:but )?)?i?\s?(?:can't|cannot|can not|won't|will not|am unable to|'m unable to|am not able to|'m not able to|must decline to|have to decline to) (?:\w+ )?{_DO}\b",
        rf"\b(?:unable|not able) to {_DO} (?:with )?(?:that|this|your|the request)\b",
        r"\bi (?:must|have to|need to) (?:respectfully )?(?:decline|refuse)\b",
        r"\bas an ai\b.{0,80}\b(?:can't|cannot|unable|not able)\b",
        r"\b(?:can't|cannot) (?:help|assist) (?:you )?with (?:that|this)\b",
        # German
        r"\b(?:dabei|damit|hierbei|diese[rs]? (?:anfrage|bitte|aufgabe)|das|dir|ihnen).{0,40}\b(?:kann|darf|werde|möchte) ich (?:dir |ihnen |leider |dabei |damit )*nicht (?:\w+ )?(?:helfen|weiterhelfen|unterstützen|beantworten|nachkommen|erfüllen|bereitstellen|tun)\b",
        r"\bich (?:kann|darf|werde) (?:dir |ihnen |leider |dabei |damit |diese[rs]? \w+ )*nicht (?:\w+ )?(?:helfen|weiterhelfen|unterstützen|beantworten|nachkommen|erfüllen|bereitstellen)\b",
        # French
        r"\bje (?:suis désolée?,? (?:mais )?je )?(?:ne (?:peux|puis) pas|ne suis pas en mesure (?:de|d')|refuse de) ?(?:vous |t'|te |y )?(?:aider|répondre|fournir|satisfaire|faire cela|accéder)",
        # Spanish and Portuguese
        r"\bno (?:puedo|me es posible|estoy en condiciones de) (?:ayudar|ayudarte|ayudarle|asistir|responder|proporcionar|cumplir|hacer eso|realizar esa)",
        r"\bnão posso (?:ajudar|ajudá-l|ajudar-te|responder|fornecer|atender|fazer isso)",
        # Italian
        r"\bnon posso (?:aiutart|aiutarl|aiutare|rispondere|fornire|soddisfare)",
        # Russian
        r"\bя (?:не могу|не в состоянии|не буду|вынужден\w* отказать) (?:вам |тебе |с этим )*(?:помочь|ответить|предоставить|выполнить|помогать|в этом)",
        # Chinese
        "(?:抱歉|对不起|對不起|很遗憾).{0,12}(?:无法|無法|不能|不可以).{0,4}(?:提供|帮|幫|协助|協助|回答|满足|滿足|完成|讨论|討論|生成)",
        "我(?:无法|無法|不能)(?:为您|为你|為您)?(?:提供|帮助|幫助|协助|協助|回答|满足|滿足|完成)",
        # Japanese
        "申し訳(?:ありません|ございません|ない).{0,40}(?:できません|いたしかねます|お応えできません)",
        "(?:お手伝い|お答え|対応|ご要望にお応え).{0,6}(?:できません|できかねます|いたしかねます)",
        # Korean
        "죄송.{0,40}(?:도와드릴 수 없|답변(?:해 )?드릴 수 없|제공할 수 없|할 수 없)",
        # Arabic
        "(?:عذرا|آسف|أعتذر|للأسف).{0,40}(?:لا أستطيع|لا يمكنني|لن أتمكن)",
        "(?:لا أستطيع|لا يمكنني) (?:مساعدتك|المساعدة|تقديم|الإجابة)",
    )
)  # fmt: skip

HELPS: Final = re.compile(r"```|\bhere(?:'s| is| are)\b", re.IGNORECASE)
"""Signs that the text gives something after all."""


def refuses(text: str) -> bool:
    """Whether a text opens by declining.

    Examples
    --------
    >>> refuses("I'm sorry, but I can't help with that.")
    True
    >>> refuses("I cannot find an error: the function is correct.")
    False
    """
    said = text.strip()
    if len(said) > MOST_CHARS:
        return False
    bare = unicodedata.normalize("NFKC", said)
    if len(bare) > MAX_CHARS or HELPS.search(bare):
        return False
    opening = bare[:OPENING_CHARS].casefold().replace("\u2019", "'").replace("\u064b", "")
    return any(pattern.search(opening) for pattern in PATTERNS)
