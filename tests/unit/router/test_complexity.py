"""Complexity tells easy prompts from hard ones, in any language, and says why."""

# ruff: noqa: RUF001  (prompts are written in their own scripts)

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router_svc.complexity import WEIGHTS, combined, complexity_of
from services.core.prompts import Message, OutputFormat, Prompt, Tool
from tests.unit.router.tiers import prompt


def shares(text, **more):
    return {c.feature: c.value for c in complexity_of(prompt(text, **more)).contributions}


def score(text, **more):
    return complexity_of(prompt(text, **more)).score


REASONING = [
    pytest.param("Prove that there are infinitely many primes.", "Name a prime.", id="English"),
    pytest.param(
        "Beweise, dass es unendlich viele Primzahlen gibt.", "Nenne eine Primzahl.", id="German"
    ),
    pytest.param("Pourquoi le ciel est-il bleu ?", "Le ciel est bleu.", id="French"),
    pytest.param("Explica paso a paso cómo vuela un avión.", "El avión vuela.", id="Spanish"),
    pytest.param("为什么天空是蓝色的？请逐步解释。", "天空是蓝色的。", id="Chinese"),
    pytest.param("なぜ空は青いのか、理由を説明してください。", "空は青いです。", id="Japanese"),
    pytest.param("لماذا السماء زرقاء؟ اشرح خطوة بخطوة.", "السماء زرقاء.", id="Arabic"),
    pytest.param("Почему небо голубое? Объясни подробно.", "Небо голубое.", id="Russian"),
]


@pytest.mark.parametrize(("hard", "easy"), REASONING)
def test_sees_reasoning_words(hard, easy):
    assert "reasoning" in shares(hard)
    assert "reasoning" not in shares(easy)


@pytest.mark.parametrize(("hard", "easy"), REASONING)
def test_rates_reasoning_harder_than_its_plain_statement(hard, easy):
    assert score(hard) > 2 * score(easy)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("```python\nprint(1)\n```", id="fence"),
        pytest.param("Fix `user_name` in parse_header(line);", id="identifiers"),
        pytest.param(
            'Traceback (most recent call last):\n  File "a.py", line 3, in f', id="Python trace"
        ),
        pytest.param("  at com.acme.Main.run(Main.java:12)", id="Java trace"),
        pytest.param("thread 'main' panicked at src/main.rs:4:5", id="Rust panic"),
        pytest.param("panic: runtime error\ngoroutine 1 [running]:", id="Go panic"),
        pytest.param("SELECT name FROM users WHERE id = 1", id="SQL"),
        pytest.param("fn add(a: i32) -> i32 { a + 1 }", id="Rust"),
        pytest.param("#include <stdio.h>\nint main(void) {", id="C"),
        pytest.param("这个函数 getUserName() 报错 NullPointerException: x", id="amid Chinese"),
    ],
)
def test_sees_code(text):
    assert shares(text)["code"] > 0.05


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(r"Simplify \frac{a}{b} + \sqrt{2}.", id="LaTeX"),
        pytest.param("3 * 4 + 7 = ?", id="operators"),
        pytest.param("∫ x² dx ≤ ∞", id="symbols"),
        pytest.param("Berechne die Wahrscheinlichkeit.", id="German"),
        pytest.param("求这个方程的解，并计算概率。", id="Chinese"),
        pytest.param("この方程式を解いてください。", id="Japanese"),
        pytest.param("حل المعادلة واحسب المجموع", id="Arabic"),
        pytest.param("Вычисли интеграл функции.", id="Russian"),
    ],
)
def test_sees_maths(text):
    assert shares(text)["maths"] > 0.05


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Who? And when? And where?", id="question marks"),
        pytest.param("谁？什么时候？", id="full-width marks"),
        pytest.param("من هو؟ وأين؟", id="Arabic marks"),
        pytest.param("1. Name it.\n2. Date it.\n3. Place it.", id="numbered list"),
        pytest.param("① 名前\n② 日付", id="circled numbers"),
        pytest.param("一、定义\n二、举例", id="Chinese numbers"),
    ],
)
def test_sees_several_questions(text):
    assert shares(text)["questions"] > 0.05


def test_one_question_is_not_several():
    assert "questions" not in shares("What is the capital of France?")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("It must have exactly three lines.", id="English"),
        pytest.param("Es muss genau drei Zeilen haben.", id="German"),
        pytest.param("必须恰好三行，不得超过十个字。", id="Chinese"),
        pytest.param("必ず三行以内で、ひらがなだけを使う。", id="Japanese"),
        pytest.param("يجب ألا يزيد على ثلاثة أسطر فقط", id="Arabic"),
        pytest.param("Должно быть ровно три строки.", id="Russian"),
    ],
)
def test_sees_constraints(text):
    assert shares(text)["constraints"] > 0.05


def test_a_word_within_another_is_no_sign():
    assert shares("The mustard is on the table.").keys() <= {"length"}


def test_a_schema_and_tools_are_constraints():
    plain, formatted = (
        shares("Who is it?"),
        shares("Who is it?", output_format=OutputFormat("json")),
    )
    assert "constraints" not in plain
    assert "constraints" in formatted
    assert "constraints" in shares("Who is it?", tools=(Tool("find"),))


def test_longer_is_harder_whatever_the_script():
    assert score("word " * 20) < score("word " * 200) < score("word " * 2000)
    assert score("字" * 20) < score("字" * 200) < score("字" * 2000)


def test_dense_scripts_are_not_taken_for_short():
    assert shares("字" * 400)["length"] > shares("a" * 400)["length"]


def test_only_the_last_user_turn_is_the_task():
    turns = (
        Message("user", ("Prove that pi is irrational.",)),
        Message("assistant", ("Done.",)),
        Message("user", ("Thanks!",)),
    )

    found = {c.feature for c in complexity_of(Prompt(turns)).contributions}
    assert found == {"length"}


def test_an_empty_task_is_easy():
    assert complexity_of(prompt("")).score == 0.0


@given(st.dictionaries(st.sampled_from(sorted(WEIGHTS)), st.floats(0, 1), min_size=1))
def test_shares_add_up_to_the_score(levels):
    result = combined(levels)

    assert 0.0 <= result.score < 1.0
    assert sum(c.value for c in result.contributions) == pytest.approx(result.score)


@given(st.sampled_from(sorted(WEIGHTS)), st.floats(0, 0.9), st.floats(0, 1))
def test_more_of_a_feature_is_never_easier(feature, level, other):
    rest = {name: other for name in WEIGHTS if name != feature}

    low, high = combined({**rest, feature: level}), combined({**rest, feature: level + 0.1})
    assert low.score <= high.score


@given(st.text(max_size=300))
def test_rates_any_text(text):
    result = complexity_of(prompt(text))

    assert 0.0 <= result.score < 1.0
    values = [c.value for c in result.contributions]
    assert values == sorted(values, reverse=True)


@pytest.mark.parametrize("text", ["\n" * 300_000, "a_" * 150_000, "1+" * 150_000, "((" * 150_000])
def test_a_hostile_text_costs_little(text):
    began = time.perf_counter()
    complexity_of(prompt(text))

    assert time.perf_counter() - began < 2.0
