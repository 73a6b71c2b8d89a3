"""What a number of minutes costs: by the minute, in blocks, in steps. Integer cents, no rounding."""

from collections.abc import Sequence

from bookings.pricing.rules.terms import Block, Step


def block_cents(*, minutes: int, minute_cents: int, blocks: Sequence[Block]) -> int:
    """The cheapest price in cents of `minutes`, by the minute or by `blocks` (shortest first).

    Whole blocks of the longest kind, and for the rest the cheaper of one more block or the same
    question without that kind. Never falls as `minutes` grows.
    """
    if not blocks:
        return minutes * minute_cents
    *shorter, longest = blocks
    whole, rest = divmod(minutes, longest.minutes)
    remainder = block_cents(minutes=rest, minute_cents=minute_cents, blocks=shorter)
    with_block = whole * longest.cents + min(longest.cents, remainder)
    return min(with_block, block_cents(minutes=minutes, minute_cents=minute_cents, blocks=shorter))


def cheapest_cover(*, rates: Sequence[int], blocks: Sequence[Block]) -> int:
    """The same where minutes cost differently: `rates` are the cents of each minute in their order.

    A block covers consecutive minutes; of all ways to cover the ride the cheapest counts. Never
    falls as minutes are added at the end.
    """
    best = [0]
    for number, cents in enumerate(rates, start=1):
        covered = (best[max(0, number - block.minutes)] + block.cents for block in blocks)
        best.append(min(best[-1] + cents, *covered))
    return best[-1]


def steps_cents(*, minutes: int, steps: Sequence[Step]) -> int:
    """The price in cents of the first `minutes` of a ride that is sold in steps."""
    return sum(count * step.cents for count, step in started_steps(minutes=minutes, steps=steps))


def started_steps(*, minutes: int, steps: Sequence[Step]) -> list[tuple[int, Step]]:
    """How many of each step have begun after `minutes`, in order; a step that began counts whole."""
    begun, done = [], 0
    for step in steps:
        upto = minutes if step.until is None else min(minutes, step.until)
        count = -(-max(0, upto - done) // step.minutes)
        begun.append((count, step))
        done = max(done, upto)
    return begun
