"""Image sources: drawn faces with known truth, digits, maps, CelebA, and any folder."""
