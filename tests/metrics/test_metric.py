"""A metric prints what it may be trusted to."""

from trivium.metrics.metric import Metric


def test_it_prints_its_interval() -> None:
    assert str(Metric("accuracy", 0.80714, 0.7801, 0.8302, 1000)) == "0.8071 (0.7801 to 0.8302)"
    assert str(Metric("accuracy", 0.80714)) == "0.8071"
    assert Metric("accuracy", 0.5, items=4).to_dict()["items"] == 4
