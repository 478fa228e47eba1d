"""Who was right, by what is known of some. Pure."""

from collections.abc import Mapping


def labelled(
    keys: Mapping[str, str], correct: Mapping[str, bool], gold: str | None
) -> dict[str, bool] | None:
    """Whether each juror was right; None where the labels leave it open.

    Parameters
    ----------
    keys : mapping of str to str
        By juror: the class of its ballot; empty: none, which is never right.
    correct : mapping of str to bool
        What is known of single jurors. All of a class are as right as most of
        those that it tells of.
    gold : str, optional
        The right class. What `correct` says of a juror stands over it.

    Notes
    -----
    Where one class is known to be right, the others are wrong. Where those that
    are known are all wrong, and others are not known, it is open.

    Examples
    --------
    >>> labelled({"a": "x", "b": "x", "c": "y"}, {"a": True}, None)
    {'a': True, 'b': True, 'c': False}
    >>> labelled({"a": "x", "b": "y"}, {"a": False}, None) is None
    True
    >>> labelled({"a": "x", "b": "y"}, {}, "y")
    {'a': False, 'b': True}
    """
    known = _of_classes(keys, correct)
    if gold is not None:
        known = {key: key == gold for key in keys.values()} | known
    unknown = {key for key in keys.values() if key and key not in known}
    if unknown and not any(known.values()):
        return None
    return {
        juror: bool(key) and correct.get(juror, known.get(key, False))
        for juror, key in keys.items()
    }


def _of_classes(keys: Mapping[str, str], correct: Mapping[str, bool]) -> dict[str, bool]:
    told: dict[str, list[bool]] = {}
    for juror, right in correct.items():
        if keys.get(juror):
            told.setdefault(keys[juror], []).append(right)
    return {key: 2 * sum(marks) >= len(marks) for key, marks in told.items()}
