"""Compiled metric formulas. Import through ``load_kernels`` so that the disk cache is used."""
