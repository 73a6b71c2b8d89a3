"""What an offer to riders is worth and where it is earned, without database and clock."""
