"""What residents tell us about their rides."""
