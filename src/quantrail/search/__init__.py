"""Candidate generators and the application of constraints to the search space."""
