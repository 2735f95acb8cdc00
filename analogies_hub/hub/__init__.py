"""Models on the Hugging Face Hub: found by name, fetched once and checked, validated and published."""
