"""Features of many faces as points in a plane."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mien.data.explore.projection import Components, principal_components

PERPLEXITY = 30.0
"""How many neighbours t-SNE keeps near each face; a third of the faces if there are few."""

COMPONENTS = 50
"""Principal components that t-SNE begins with, as its authors do."""


def pca(rows: NDArray[np.float32]) -> Components:
    """Project features (N, F) on their first two principal components."""
    return principal_components(rows, 2)


def tsne(rows: NDArray[np.float32]) -> Components:
    """Place features (N, F) so that neighbours stay near; distances between groups mean nothing.

    van der Maaten and Hinton, "Visualizing Data using t-SNE", JMLR 2008. Begins with the principal
    components and always comes out the same.

    Raises:
        ImportError: If scikit-learn is not installed.
    """
    from sklearn.manifold import TSNE

    components = principal_components(rows, min(COMPONENTS, *rows.shape)).points
    perplexity = min(PERPLEXITY, (len(rows) - 1) / 3)
    points = TSNE(perplexity=perplexity, init="pca", random_state=0).fit_transform(components)
    return Components(np.asarray(points, dtype=np.float32), np.empty(0))


PROJECTIONS: dict[str, Callable[[NDArray[np.float32]], Components]] = {"pca": pca, "t-sne": tsne}
