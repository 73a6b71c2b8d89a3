"""What people are told, each in the way they chose: by mail, on their devices, or not at all."""
