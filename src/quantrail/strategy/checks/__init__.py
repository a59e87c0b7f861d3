"""What models cannot say: names that must exist, rules across fields, what engines run."""

from quantrail.strategy.checks.conditions import check_conditions
from quantrail.strategy.checks.features import check_feature, check_features
from quantrail.strategy.checks.modules import check_modules, check_section, check_settings

__all__ = [
    "check_conditions",
    "check_feature",
    "check_features",
    "check_modules",
    "check_section",
    "check_settings",
]
