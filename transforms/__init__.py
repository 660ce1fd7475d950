"""What the facts mean: minutes to days, answers to scores, and the two joined."""
