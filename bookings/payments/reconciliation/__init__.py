"""What providers state, held against what we booked."""
