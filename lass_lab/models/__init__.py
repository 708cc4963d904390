"""Networks and their weights: a query network, a separation network, and the separator they make together."""

from lass_lab.models.resunet import ResUNet, ResUNetConfig
from lass_lab.models.separator import LanguageSeparator
from lass_lab.models.weights import load_separator

__all__ = ["LanguageSeparator", "ResUNet", "ResUNetConfig", "load_separator"]
