"""Italian: without the day of the week before each moment."""

DATETIME_FORMAT = "d/m/Y H:i"
