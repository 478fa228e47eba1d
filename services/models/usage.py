"""Token counts as each provider tells them, read as the contract has them."""

from collections.abc import Mapping
from typing import Any

from services.core.answers import Usage
from services.models.reading import count, mapping, tokens


def chat_usage(usage: Mapping[str, Any]) -> Usage | None:
    """Token counts as the contract has them: cached within input, reasoning within output.

    Some servers leave reasoning out of `completion_tokens`; their total tells.
    None: they are missing or no counts.
    """
    read, written = count(usage.get("prompt_tokens")), count(usage.get("completion_tokens"))
    if read is None or written is None:
        return None
    written = max(written, tokens(usage.get("total_tokens")) - read)
    details = mapping(usage.get("prompt_tokens_details"))
    cached = tokens(details.get("cached_tokens", usage.get("prompt_cache_hit_tokens")))
    thought = tokens(mapping(usage.get("completion_tokens_details")).get("reasoning_tokens"))
    return Usage(read, min(cached, read), written, min(thought, written))


def messages_usage(usage: Mapping[str, Any]) -> Usage | None:
    """Token counts as the contract has them: the API counts cached input apart.

    None: they are missing or no counts.
    """
    fresh, written = count(usage.get("input_tokens")), count(usage.get("output_tokens"))
    if fresh is None or written is None:
        return None
    cached = tokens(usage.get("cache_read_input_tokens"))
    stored = tokens(usage.get("cache_creation_input_tokens"))
    return Usage(fresh + cached + stored, cached, written)


def content_usage(usage: Mapping[str, Any]) -> Usage | None:
    """Token counts as the contract has them: the API counts thoughts apart from candidates.

    It leaves out counts of 0. None: they are missing or no counts.
    """
    asked = count(usage.get("promptTokenCount"))
    thought = count(usage.get("thoughtsTokenCount", 0))
    said = count(usage.get("candidatesTokenCount", 0))
    if asked is None or thought is None or said is None:
        return None
    read, written = asked + tokens(usage.get("toolUsePromptTokenCount")), said + thought
    return Usage(read, min(tokens(usage.get("cachedContentTokenCount")), read), written, thought)
