"""The quote of a model before anything runs: memory, operations, time and loss, all that planning knows of it together.

In reading order: `asked` (a step and a request, with what nobody said), `quote` (everything that follows), `budgeted`
(of the model that a budget buys), `tables` (as a person reads it).
"""
