"""Notebook 05's estimate of how long a recipe trains."""

from dataclasses import replace

from lass_lab.course.nb05.timing import step_seconds
from lass_lab.experiments.recipes import RECIPES


def test_a_step_of_more_items_is_told_to_take_longer():
    small = replace(RECIPES["paper"], items=replace(RECIPES["paper"].items, seconds=0.4), batch=2)
    one, many = step_seconds(small), step_seconds(replace(small, batch=200))
    assert 0 < one < many
