"""Compiled inner loops of engine A. Import through ``load_kernels`` so that the disk cache is used."""
