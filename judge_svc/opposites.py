"""English words that cannot both be true of the same thing. Pure.

A list and three rules; narrow, for a pair that is none costs more than one that is missing.
"""

from collections.abc import Iterable
from typing import Final

PAIRS: Final = """
increase/decrease increased/decreased increasing/decreasing increases/decreases rise/fall
rose/fell rising/falling raise/lower raised/lowered raising/lowering grow/shrink grew/shrank
growth/decline grown/declined growing/declining gain/loss gains/losses gained/lost win/lose
won/lost wins/loses winning/losing winner/loser victory/defeat more/less more/fewer most/least
many/few high/low higher/lower highest/lowest above/below over/under up/down upward/downward
before/after early/late earlier/later earliest/latest first/last previous/next begin/end
began/ended begins/ends beginning/ending start/stop started/stopped start/finish starting/ending
open/close opened/closed opening/closing open/closed buy/sell bought/sold buying/selling
buyer/seller accept/reject accepted/rejected accepts/rejects accept/refuse accepted/refused
accepting/rejecting agreed/refused allow/forbid allowed/forbidden allow/prevent allowed/prevented
allows/prevents allow/prohibit allowed/prohibited include/exclude included/excluded
including/excluding includes/excludes support/oppose supported/opposed supports/opposes
supporting/opposing support/opposition supporter/opponent approve/reject approved/rejected
pass/fail passed/failed succeed/fail succeeded/failed success/failure positive/negative good/bad
better/worse best/worst strong/weak stronger/weaker strength/weakness strengthen/weaken
improve/worsen improved/worsened improves/worsens improve/deteriorate improvement/deterioration
improving/worsening help/hinder helps/hinders helped/hindered easy/hard easy/difficult
easier/harder simple/complex simple/complicated true/false right/wrong safe/dangerous
same/different similar/different always/never often/rarely frequently/rarely usually/rarely
sometimes/never all/none everyone/nobody everything/nothing with/without inside/outside
internal/external public/private rich/poor new/old young/old younger/older large/small
larger/smaller big/small bigger/smaller long/short longer/shorter short-term/long-term major/minor
majority/minority maximum/minimum maximize/minimize expensive/cheap cheaper/costlier fast/slow
faster/slower quickly/slowly accelerate/slow hot/cold love/hate loves/hates loved/hated happy/sad
optimistic/pessimistic confident/doubtful excited/bored alive/dead live/die lives/dies born/died
survive/die survived/died guilty/innocent guilty/acquitted convicted/acquitted arrested/released
male/female man/woman boy/girl husband/wife father/mother brother/sister son/daughter he/she
his/her north/south northern/southern east/west eastern/western left/right domestic/foreign
domestic/international local/global national/international continue/stop continued/stopped
continues/stops keep/discard remain/leave remains/leaves stay/leave stayed/left arrive/leave
arrived/left come/go came/went enter/exit enter/leave join/leave joined/left give/take gave/took
send/receive sent/received lend/borrow push/pull add/remove added/removed adding/removing
adds/removes attach/detach build/destroy built/destroyed create/destroy created/destroyed
create/eliminate protect/endanger protect/harm protect/attack attack/defend attacked/defended
praise/criticize praised/criticized praised/criticised praises/criticizes remember/forget
remembered/forgot remind/forget hide/reveal hid/revealed reveal/conceal revealed/concealed
confirm/deny confirmed/denied confirms/denies admit/deny admitted/denied affirm/deny
encourage/discourage encouraged/discouraged encourages/discourages enable/disable enables/disables
enable/prevent enabled/disabled expand/contract expanded/contracted expand/reduce
expanding/reducing extend/shorten extended/shortened widen/narrow widened/narrowed increase/reduce
increased/reduced increasing/reducing increases/reduces increase/reduction boost/reduce
boosted/reduced maximise/minimise exceed/miss exceeded/missed outperform/underperform
outperforms/underperforms outperformed/underperformed overestimate/underestimate benefit/harm
benefits/harms profit/loss revenue/expense income/expense income/expenses asset/liability
assets/liabilities cause/prevent causes/prevents attract/repel hire/fire hired/fired hiring/firing
employ/dismiss promote/demote promoted/demoted upgrade/downgrade upgraded/downgraded
online/offline indoor/outdoor upper/lower front/back top/bottom morning/evening day/night
today/yesterday today/tomorrow tonight/tomorrow yesterday/tomorrow summer/winter spring/autumn
past/future ancient/modern temporary/permanent temporarily/permanently optional/mandatory
voluntary/mandatory optional/required voluntary/compulsory vertical/horizontal supply/demand
question/answer cancel/confirm cancelled/confirmed canceled/confirmed delay/advance
delayed/expedited delay/expedite postponed/advanced ahead/behind leading/trailing near/far
close/far light/dark light/heavy clean/dirty full/empty busy/free wet/dry sick/healthy ill/healthy
single/married marry/divorce married/divorced friend/enemy ally/enemy allies/enemies peace/war
victim/perpetrator teacher/student parent/child doctor/patient employer/employee host/guest
landlord/tenant entire/partial fully/partially fully/partly completely/partially partial/full
only/also exclusively/partly significantly/slightly clear/vague careful/careless polite/rude
believe/doubt believes/doubts believed/doubted follow/lead followed/led ignore/consider
ignored/considered ignoring/considering avoid/seek avoids/seeks robust/fragile flexible/rigid
specific/general specifically/generally abstract/concrete theoretical/practical static/dynamic
sparse/dense shallow/deep automatic/manual automatically/manually explicit/implicit
explicitly/implicitly discrete/continuous upwards/downwards forward/backward rejects/approves
proceed/halt resume/pause resumed/suspended lift/impose lifted/imposed ban/allow banned/allowed
permit/ban permitted/banned loosen/tighten loosened/tightened relax/tighten relaxed/tightened
"""
PREFIXES: Final = ("un", "in", "im", "ir", "il", "dis", "non", "mis")
SHORTEST: Final = 4
"""Letters of a word that a prefix turns round."""


def _listed() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for pair in PAIRS.split():
        one, other = pair.split("/")
        found.setdefault(one, set()).add(other)
        found.setdefault(other, set()).add(one)
    return {word: frozenset(others) for word, others in found.items()}


OPPOSITES: Final = _listed()


def opposite_in(word: str, others: Iterable[str]) -> str:
    """The first of other words that is the opposite of a word; empty for none. Lower case.

    Examples
    --------
    >>> opposite_in("including", ["is", "excluding"]), opposite_in("likely", ["unlikely"])
    ('excluding', 'unlikely')
    """
    known = OPPOSITES.get(word, frozenset())
    return next((other for other in others if other in known or _turned(word, other)), "")


def _turned(one: str, other: str) -> bool:
    """Whether a prefix or a suffix makes one the opposite of the other."""
    short, long = sorted((one, other), key=len)
    if long.endswith(short) and len(short) >= SHORTEST:
        return long.removesuffix(short) in PREFIXES
    return one.removesuffix("less") + "ful" == other or other.removesuffix("less") + "ful" == one
