"""What may follow a ride: a photo, an objection, a case, money given back."""
