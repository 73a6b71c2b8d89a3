"""What a resident tells of themselves, agrees to, takes along and has erased."""
