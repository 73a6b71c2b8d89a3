"""The pure part of planning: demand, what a vehicle is worth where, moves, and a draft plan."""
