"""Writes of rewards."""

from bookings.rewards.services.grant import (
    correct_rewards,
    earn_rewards,
    earned_perks,
    grant_rewards,
    sweep_rewards,
)
from bookings.rewards.services.promise import (
    NoRewards,
    RewardLimit,
    RewardPromised,
    promise_reward,
    release_reward,
    set_todays_budget,
)
from bookings.rewards.services.score import score_rewards

__all__ = [
    "NoRewards",
    "RewardLimit",
    "RewardPromised",
    "correct_rewards",
    "earn_rewards",
    "earned_perks",
    "grant_rewards",
    "promise_reward",
    "release_reward",
    "score_rewards",
    "set_todays_budget",
    "sweep_rewards",
]
