"""A question is cut only where its parts are certain to stand for themselves."""

import pytest

from router_svc.cutting import cut


def parts(text):
    found = cut(text)
    return None if found is None else (found.how, [part.text for part in found.parts])


@pytest.mark.parametrize(
    ("text", "how", "found"),
    [
        pytest.param(
            "1. What is the capital of France?\n2. Who wrote Emma?",
            "list",
            ["What is the capital of France?", "Who wrote Emma?"],
            id="numbered questions",
        ),
        pytest.param(
            "Please answer these questions:\n\n- What is the capital of France?\n- Who wrote Emma?\n",
            "list",
            ["What is the capital of France?", "Who wrote Emma?"],
            id="bullets after a lead",
        ),
        pytest.param(
            "a) Translate 'tree' to German\nb) List three prime numbers",
            "list",
            ["Translate 'tree' to German", "List three prime numbers"],
            id="lettered orders",
        ),
        pytest.param(
            "(1) Define entropy in physics.\n(2) Name the capital of Chad.",
            "list",
            ["Define entropy in physics.", "Name the capital of Chad."],
            id="brackets",
        ),
        pytest.param(
            "What is the boiling point of water? Who painted Guernica? When did Rome fall?",
            "questions",
            [
                "What is the boiling point of water?",
                "Who painted Guernica?",
                "When did Rome fall?",
            ],
            id="questions in a line",
        ),
        pytest.param(
            "For each of France, Spain and Peru, name the capital.",
            "each",
            ["France", "Spain", "Peru"],
            id="for each",
        ),
        pytest.param(
            "Explain the meaning of each of the following words:\n- entropy\n- enthalpy",
            "each",
            ["entropy", "enthalpy"],
            id="each of a list",
        ),
        pytest.param(
            "Summarise the plot of Emma and then translate it into French.",
            "in_a_row",
            ["Summarise the plot of Emma", "translate it into French."],
            id="and then",
        ),
    ],
)
def test_parts_that_stand_for_themselves_are_cut(text, how, found):
    assert (how, found) == parts(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("Why?", id="one word"),
        pytest.param("What is the capital of France?", id="one question"),
        pytest.param("What is the capital of Peru? How many people live there?", id="there"),
        pytest.param("Who wrote Emma? When was she born?", id="she"),
        pytest.param("Who wrote Emma? Why?", id="a rest of a question"),
        pytest.param(
            "How would a Freudian treat agoraphobia? How might a behaviorist?",
            id="no verb of its own",
        ),
        pytest.param("Who wrote Emma? What about Ulysses?", id="what about"),
        pytest.param("Who wrote Emma? And who wrote Ulysses?", id="joined by and"),
        pytest.param("What is a monad? I know Haskell.", id="a statement between"),
        pytest.param("I know Haskell. What is a monad? What is a functor?", id="a statement first"),
        pytest.param("What is Dr. No about? Who wrote Emma?", id="abbreviation"),
        pytest.param("What is 3.5 times 2? What is pi?", id="decimal point"),
        pytest.param("Is a tomato a fruit? Which is better for soup?", id="better"),
        pytest.param("If x is 2, what is x + 1? What is 2 x?", id="condition"),
        pytest.param("Was ist Eis? Wer schrieb Faust?", id="German"),
        pytest.param("Qu'est-ce que l'eau? Qui a écrit Candide?", id="French"),
        pytest.param("Pick one:\n1. What is love?\n2. What is hate?", id="a choice"),
        pytest.param(
            "Which of these is a question?\n1. What is love?\n2. What is hate?", id="about the list"
        ),
        pytest.param(
            "1. What is the capital of Peru?\n2. What is the difference to Chile?", id="difference"
        ),
        pytest.param("1. Name a prime number.\n2. Add 2 to the result.", id="result"),
        pytest.param("1. Write a poem about rain.\n2. Translate it to German.", id="it"),
        pytest.param("1. Name a city in Peru.\n2. Describe the same city.", id="same"),
        pytest.param("1. Find x in x + 1 = 2.\n2. Use question 1 to find y.", id="question 1"),
        pytest.param("1. Chop two onions\n2. Fry them in butter", id="a recipe"),
        pytest.param("1. apples and pears\n2. bread and butter", id="things"),
        pytest.param("Fix this list:\n1. What is love?\n3. What is hate?", id="a lead with a task"),
        pytest.param("1. What is love?\n3. What is hate?", id="wrong count"),
        pytest.param("1. What is the sun?\n- What is the moon?", id="mixed marks"),
        pytest.param(
            "1. What is the sun?\n2. What is the moon?\n\nThen say which is larger.", id="a tail"
        ),
        pytest.param(
            "1. What is the sun?\nIt is hot.\n2. What is the moon?", id="a line between items"
        ),
        pytest.param("1. What is the sun? Is it hot?\n2. What is the moon?", id="two in an item"),
        pytest.param("Compare:\n- What is TCP?\n- What is UDP?", id="compare"),
        pytest.param(
            "What does this print?\n```\n1. What is the sun?\n2. What is the moon?\n```", id="code"
        ),
        pytest.param("> 1. What is the sun?\n> 2. What is the moon?", id="quotation"),
        pytest.param("1. What is {prompt} here?\n2. What is the moon?", id="a place"),
        pytest.param("1. What is the sun?\n2. What is the sun?", id="the same twice"),
        pytest.param(
            "Is it A or B?\nA) the sun of our system\nB) the moon of the earth", id="options"
        ),
        pytest.param("For each of France, Spain and Peru, rank the capital.", id="rank each"),
        pytest.param(
            "For each of France, Spain and Peru, name the capital. Then sort.", id="each and then"
        ),
        pytest.param("For each of the above, name the capital.", id="each of the above"),
        pytest.param("For each of these, name the capital.", id="each of nothing named"),
        pytest.param("Go to the shop and then tell me a joke.", id="no order before then"),
        pytest.param("Explain what happens when I sleep and then wake up.", id="then within"),
        pytest.param("Write a story in which Bob leaves, then returns.", id="then in a story"),
        pytest.param("\n".join(f"{n}. What is the square of {n}?" for n in range(1, 14)), id="13"),
        pytest.param("1. Write a novel about the sea?\n" + "2. What is x? " * 900, id="too long"),
        pytest.param(
            "My plan has these parts:\n1. Write the tests today\n2. Explain the design", id="a plan"
        ),
        pytest.param("See https://x.org? What is the sun? What is the moon?", id="address"),
    ],
)
def test_a_doubt_keeps_a_question_whole(text):
    assert parts(text) is None


def test_what_is_asked_of_each_thing_is_as_hard_as_the_task():
    found = cut("For each of France and Peru, name the capital.")

    assert ["name the capital. France", "name the capital. Peru"] == [p.task for p in found.parts]
