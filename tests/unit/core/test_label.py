"""A label counts when it is the only one that the answer can mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.label import label_in
from services.core.unreadable import UnreadableError

LETTERS = ("A", "B", "C", "D")
SAFETY = ("safe", "unsafe")


@pytest.mark.parametrize(
    ("text", "labels", "label"),
    [
        ("B", LETTERS, "B"),
        (" b ", LETTERS, "B"),
        ("**(B).**", LETTERS, "B"),
        ("Answer: B.", LETTERS, "B"),
        ("The answer is **B) Paris**", LETTERS, "B"),
        ("The answer is B because A is wrong", LETTERS, "B"),
        ("A train left. Answer: C", LETTERS, "C"),
        ("I think it is B", LETTERS, "B"),
        ("not A but B", LETTERS, "B"),
        (r"\boxed{B}", LETTERS, "B"),
        ("B\n\nA is wrong since …", LETTERS, "B"),
        ("答案是B。", LETTERS, "B"),
        ("This is UNSAFE!", SAFETY, "unsafe"),
        ("It is safe, not unsafe.", SAFETY, "safe"),
        ("It is never not safe.", SAFETY, "safe"),
        ("New  York", ("new york", "york"), "new york"),
        ("正面", ("正面", "负面"), "正面"),
        ("我觉得是正面的", ("正面", "负面"), "正面"),
        ("**C#**", ("C", "C#"), "C#"),
        ("**C**", ("C", "C#"), "C"),
        (r"\boxed{C\#}", ("C", "C#"), "C#"),
        ("Es ist die Straße.", ("Straße", "Weg"), "Straße"),
        ("Ich wähle die STRASSE.", ("Straße", "Weg"), "Straße"),
        ("C'est ne\u0301gatif.", ("négatif", "positif"), "négatif"),
    ],
)
def test_reads(text, labels, label):
    assert label == label_in(text, labels)[0]


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        pytest.param("A or B", LETTERS, id="two"),
        pytest.param("Answer: A? No. Answer: B", LETTERS, id="two claims"),
        pytest.param("A dog barks.", LETTERS, id="an article"),
        pytest.param("It is not safe", SAFETY, id="denied"),
        pytest.param("This isn't safe", SAFETY, id="denied in short"),
        pytest.param("It is not at all safe", SAFETY, id="denied from afar"),
        pytest.param("Unsafe or safe, but not safe", SAFETY, id="two, and one denied"),
        pytest.param("perhaps", SAFETY, id="none"),
    ],
)
def test_refuses(text, labels):
    with pytest.raises(UnreadableError) as caught:
        label_in(text, labels)

    assert "UNKNOWN_LABEL" == caught.value.reason


@given(st.lists(st.text(min_size=1), min_size=2, unique_by=str.casefold))
def test_every_label_is_itself(labels):
    assert labels[0].casefold() == label_in(labels[0], labels)[0].casefold() or (
        not labels[0].strip()
    )
