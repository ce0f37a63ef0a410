"""What the provider asks of AWS for the golden files, before AWS's own models and before moto."""
