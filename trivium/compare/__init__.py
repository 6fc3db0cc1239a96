"""Which family serves a task best: the same examples through each, with the evidence."""
