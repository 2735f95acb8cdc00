"""Results that a node shows; the pack hands over plain tables."""
