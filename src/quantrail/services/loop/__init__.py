"""The loop: generate, screen, score, verify, explain, constrain, and again.

One module a step, in the order they run: ``start`` (S00), ``candidates`` (S20, S30), ``screening``
(S40-S60), ``verification`` (S70, S75), ``learning`` (S80, S90), ``recording`` (S95); ``runner`` calls them.
"""
