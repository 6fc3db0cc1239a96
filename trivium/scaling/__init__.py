"""Scaling laws: what loss follows from size, data and compute, as published and as fitted from one's own runs.

In reading order: `parametric` (L = E + A/N^α + B/D^β), `points` (what a fit is made of), `tables` and `run_folders`
(where points come from).

Fitted: `frontier` (power laws of C), `estimates` (numbers with intervals), `cautions` (what points cannot say),
`envelope` (approach 1), `isoflop` (approach 2), `fit_frontier` (both to laws); for approach 3 `huber` (the objective),
`descent` (from all starts at once), `projection` (the same minimum by another road), `fit_parametric`; `bootstrap`,
`fitted` (what a fit says), `fit` (the way in), `fit_kaplan`, `plots`, `fit_report`.

Published: `law` (a rule and who fitted it to what), `kaplan`, `chinchilla`, `repetition` (data read more than once),
`inference_aware` (a model that will serve), `minimum` (of a function of one number), `laws` (all by name), `budget` (as
people write it), `recipe` (batch, learning rate, steps), `buildable` (the shape nearest to an optimum), `from_budget`
(all of it), `budget_plan` (what it returns), `chart`.
"""
