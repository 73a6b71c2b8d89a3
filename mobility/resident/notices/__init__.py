"""What residents hear of without asking: the words for facts of every room, and what is about to happen."""
