"""From a generated document to its canonical form, ten times as fast as by models and a general serialiser.

What these modules do not know they leave to the plain path (:mod:`quantrail.strategy.parse`); what they
print is what the plain path prints.
"""

from quantrail.strategy.fast.form import FastForm, fast_form

__all__ = ["FastForm", "fast_form"]
