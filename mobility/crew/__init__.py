"""The pages of crews: the day's route on a phone, the load sheet, the route on paper."""
