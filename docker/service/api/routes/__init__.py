"""What there is to ask for, a file for each group of paths."""
