"""How much each key of a search matters."""

from __future__ import annotations

import warnings

from optuna.importance import FanovaImportanceEvaluator, get_param_importances
from optuna.study import Study
from optuna.trial import TrialState

FEWEST = 4
"""Complete trials below which nothing can be said."""


def importances(study: Study) -> dict[str, float]:
    """Return the share of the figure's variance that each key explains, the largest first.

    Functional analysis of variance over a random forest (Hutter et al., "An Efficient Approach for
    Assessing Hyperparameter Importance", ICML 2014), over complete trials. Empty where there are
    too few, or all are equally good.
    """
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if len(complete) < FEWEST or len({trial.value for trial in complete}) < 2:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=0))
    return dict(sorted(found.items(), key=lambda item: -item[1]))
