"""What good means, in numbers: each field's own metrics, with their intervals. No torch.

In reading order: `metric` (a figure with its interval), `bootstrap` (how such an interval is drawn, of one system and
of the difference of two), `tally` (labels: accuracy, F1, MCC), `entities` (F1 of named entities), `calibration`,
`numbers` (correlations), `answers` (exact match and token F1), `texts` (BLEU, chrF, ROUGE).
"""
