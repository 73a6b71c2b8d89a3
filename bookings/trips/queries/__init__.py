"""Reads of trips: what one costs, and what stands in the way of its end."""

from bookings.trips.queries.price import (
    MOVING,
    EndCondition,
    PlaceJudged,
    judge_place,
    price_lines,
)

__all__ = ["MOVING", "EndCondition", "PlaceJudged", "judge_place", "price_lines"]
