"""Prompts, answers and verdicts with one thing set at a time."""

import json

from services.core.answers import Answer, FinishReason
from services.core.prompts import Message, Passage, Prompt

CRITERIA = ("hallucination", "safety", "logic")


def prompt(text="What is 6 x 7?", *, passages=(), **more):
    named = tuple(Passage(name, words) for name, words in passages)
    return Prompt((Message("user", (text,)),), passages=named, **more)


def answer(text="It is 42.", *, finish=FinishReason.STOP, **more):
    return Answer("a", text, family=more.pop("family", "gpt"), finish_reason=finish, **more)


def finding(*, ok=True, score=0.9, evidence="It is right.", quote=""):
    return {"evidence": evidence, "quote": quote, "pass": ok, "score": score}


def verdict(*, criteria=CRITERIA, **findings):
    return {criterion: findings.get(criterion, finding()) for criterion in criteria}


def verdict_json(**findings):
    return json.dumps(verdict(**findings))
