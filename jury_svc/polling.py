"""Reads the ballots of a deliberation as they come in, and tells whether they have decided."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

from jury_svc.leads import Fit, Poll, Vote, Voter
from jury_svc.stopping import Rule, Terms, could_decide, is_decided, may_change, rule_of, statistic
from services.core.answers import Answer
from services.core.canonical import NO_CALL, PROSE, Ballot, number_of, prose_ballot
from services.core.prompts import Prompt

AS_OTHERS: Final = Voter("")


@dataclass(frozen=True, slots=True)
class Counting:
    """When to stop, and how the ballots will be counted."""

    terms: Terms
    voters: Mapping[str, Voter]
    """By name."""
    fit: Fit | None
    letters: bool
    """Whether free text is compared by its letters."""
    unlisted: Voter = AS_OTHERS
    """What a juror counts that is not listed."""


class Polls:
    """The ballots of one deliberation."""

    def __init__(self, counting: Counting, prompt: Prompt, *, quorum: int) -> None:
        self._counting = counting
        self._prompt = prompt
        self._quorum = quorum
        is_number = prompt.output_format.kind == "number"
        tolerance = prompt.output_format.relative_tolerance if is_number else 0.0
        self._empty = Poll((), (), counting.fit, tolerance)
        self._votes: list[Vote] = []

    def read(self, answer: Answer, vote: Ballot) -> Ballot:
        """The ballot of an answer, as it is counted here."""
        by_letters = vote.reason == PROSE and self._counting.letters
        return prose_ballot(answer.text) if by_letters else vote

    def take(self, answer: Answer, read: Ballot) -> None:
        """Note the ballot of an answer that came in; prose that declines is counted by meaning."""
        if read.key and self._has_ballots:
            self._votes.append(_vote(self._voter(answer.juror), read))

    @property
    def ballots(self) -> int:
        """How many are in."""
        return len(self._votes)

    def is_decided(self, still_open: Collection[str]) -> bool:
        """Whether the rule lets the jury stop while these are out."""
        if self.ballots < self._quorum or self._will_be_prose:
            return False
        return is_decided(self._poll(still_open), self._counting.terms)

    def may_change(self, still_open: Collection[str]) -> bool:
        """Whether these could still change the winner; of what has no ballots there is none."""
        return self.ballots > 0 and may_change(self._poll(still_open), self._counting.terms)

    def could_decide(self, out: Collection[str], still_open: Collection[str]) -> bool:
        """Whether those who are out could let the jury stop, if all agreed; true without ballots."""
        if not self.ballots and not self._has_ballots:
            return True
        voters = [self._voter(name) for name in out]
        return could_decide(self._poll(still_open), voters, self._counting.terms)

    def finding(self, still_open: Collection[str]) -> tuple[Rule, float | None] | None:
        """The rule and what it goes by; None where there are no ballots to go by."""
        if not self.ballots or self._will_be_prose:
            return None
        poll, terms = self._poll(still_open), self._counting.terms
        return rule_of(poll, terms), statistic(poll, terms)

    @property
    def _has_ballots(self) -> bool:
        """Whether answers to the prompt are more than free text."""
        asked = self._prompt
        return asked.output_format.kind != "text" or bool(asked.tools) or self._counting.letters

    @property
    def _will_be_prose(self) -> bool:
        """Whether the aggregator would compare the answers as prose: nobody calls any tool."""
        return not self._counting.letters and all(vote.key == NO_CALL.key for vote in self._votes)

    def _voter(self, name: str) -> Voter:
        listed = self._counting.voters.get(name)
        return replace(self._counting.unlisted, name=name) if listed is None else listed

    def _poll(self, still_open: Collection[str]) -> Poll:
        voters = tuple(self._voter(name) for name in still_open)
        return replace(self._empty, votes=tuple(self._votes), still_open=voters)


def _vote(voter: Voter, read: Ballot) -> Vote:
    return Vote(voter, read.key, number_of(read))
