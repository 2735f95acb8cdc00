"""Scores of results, each defined once and tested on cases with a known answer."""
