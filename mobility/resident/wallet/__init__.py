"""Cards, credit, passes, codes and documents of a resident."""
