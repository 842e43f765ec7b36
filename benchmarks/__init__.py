"""Measures Fairlead beside its peers, on one machine, in one run; see README.md."""
