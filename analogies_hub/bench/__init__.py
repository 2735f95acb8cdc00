"""Speed, memory and scores, measured in one run on one machine. Importing this package loads no torch."""
