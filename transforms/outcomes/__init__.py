"""Outcomes: answers to scores, scores to change and response, activity beside them."""
