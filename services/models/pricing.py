"""What a model call costs: tokens and prices in, US dollars out."""

from dataclasses import replace

from services.config.tree import Model, Price
from services.core.answers import ModelReply, ModelRequest, Usage
from services.core.lease import Call, Lease, Purse
from services.core.tokens import text_tokens


def cost_usd(usage: Usage, price: Price) -> float:
    """Cost of a call by the configured price.

    Parameters
    ----------
    usage : Usage
        Tokens, each count >= 0; `cached_input_tokens` is a part of `input_tokens`
        and `reasoning_tokens` of `output_tokens`.
    price : Price
        US dollars per million tokens, each >= 0. Without a price for cached
        input, it costs as much as any input.

    Returns
    -------
    float
        US dollars, >= 0.

    Examples
    --------
    >>> price = Price(
    ...     input_usd_per_mtok=2.0, cached_input_usd_per_mtok=0.5, output_usd_per_mtok=8.0
    ... )
    >>> cost_usd(Usage(input_tokens=1000, cached_input_tokens=600, output_tokens=100), price)
    0.0019
    """
    cached_price = price.cached_input_usd_per_mtok
    if cached_price is None:
        cached_price = price.input_usd_per_mtok
    cached = min(usage.cached_input_tokens, usage.input_tokens)
    total = (
        (usage.input_tokens - cached) * price.input_usd_per_mtok
        + cached * cached_price
        + usage.output_tokens * price.output_usd_per_mtok
    )
    return total / 1e6


def reply_cost_usd(reply: ModelReply, price: Price) -> float:
    """Cost of a reply: by the configured price; without one, what its provider says."""
    if price.free and reply.cost_usd is not None:
        return reply.cost_usd
    return cost_usd(reply.usage, price)


def counted(told: Usage | None, request: ModelRequest, written: str) -> tuple[Usage, bool]:
    """Usage as the provider counted it, and whether it is an estimate because it did not.

    Nobody reads a prompt in 0 tokens: such a count is none.
    """
    if told is not None and told.input_tokens > 0:
        return told, False
    return estimated_usage(request, written), True


def estimated_input(request: ModelRequest) -> Usage:
    """Usage of a call whose input was read, as far as its texts tell."""
    return Usage(input_tokens=text_tokens(request.instruction) + request.prompt.tokens)


def estimated_usage(request: ModelRequest, written: str) -> Usage:
    """Usage of a call whose provider gave none that can be used but replied `written`."""
    return estimated_input(request) + Usage(output_tokens=text_tokens(written))


def usage_so_far(request: ModelRequest, written: str, told: Usage | None) -> Usage:
    """Usage of a call that broke off: what its provider had told, and estimates beyond that.

    Parameters
    ----------
    request : ModelRequest
        What was sent.
    written : str
        All that was heard of the model, its reasoning included.
    told : Usage or None
        What the provider last said that the call had used; more may have been
        written since.
    """
    estimated = estimated_usage(request, written)
    if told is None or told.input_tokens == 0:
        return estimated
    return replace(told, output_tokens=max(told.output_tokens, estimated.output_tokens))


def dearest(request: ModelRequest, spec: Model) -> Call:
    """What a call costs at most: its estimated input, and as much output as it may write."""
    return Call(
        input_tokens=estimated_input(request).input_tokens,
        output_tokens=request.prompt.params.max_output_tokens or spec.max_output_tokens,
        input_usd_per_mtok=spec.price.input_usd_per_mtok,
        output_usd_per_mtok=spec.price.output_usd_per_mtok,
    )


def spare(lease: Lease, *first: tuple[ModelRequest, Model]) -> Purse:
    """What the lease holds for retries, once the first calls have what they may need."""
    calls = [dearest(request, spec) for request, spec in first]
    return Purse(
        lease.less(
            cost_usd=sum(call.cost_usd for call in calls),
            model_calls=len(calls),
            tokens=sum(call.tokens for call in calls),
        )
    )


def limited(request: ModelRequest, most: int, call: Call) -> ModelRequest:
    """The request, with a limit on its output only where `most` is less than it wants."""
    if most >= call.output_tokens:
        return request
    params = replace(request.prompt.params, max_output_tokens=most)
    return replace(request, prompt=replace(request.prompt, params=params))
