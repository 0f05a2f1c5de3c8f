"""A first look at a dataset: counts, pixels, mean faces, projections, a nearest-neighbour baseline.

Choudhari et al. (2025) begin with such an exploration of FER2013.
"""
