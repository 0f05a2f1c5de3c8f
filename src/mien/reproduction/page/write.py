"""The whole page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from mien.evaluation.unvaried import wilson
from mien.files import whole_file
from mien.reproduction.findings import Findings
from mien.reproduction.page.averages import averages
from mien.reproduction.page.classes import classes
from mien.reproduction.page.draws import draws
from mien.reproduction.page.grids import grids
from mien.reproduction.page.leakage import leakage
from mien.reproduction.page.markdown import duration, section
from mien.reproduction.page.papers import headlines, papers
from mien.reproduction.page.picture import beside, draw, panels, picture

TITLE = "# The five papers, run again\n"

INTRODUCTION = """\
Five papers on facial expression recognition with convolutional networks, their experiments run
again with `mien`: the accuracies that they report, what comes out under their own protocol, and
what is left of it on people, or images, that were not trained on. Every figure of ours is made
from the files in `results/`, a JSON a run with its recipe, seed, versions and data fingerprint;
`mien reproduce --page docs/reproduction.md` writes this page and its picture from them, and a test
checks that it did.
"""

QUICK = (
    "**These are quick runs on a few faces, to see that everything works: their figures mean"
    " nothing.**"
)

WHAT = """\
- **The paper's protocol** is its recipe as the authors describe it, and where they are silent, as
  the header of the recipe says, which each row's name leads to; what matters most stands above
  each table. Its figures are of the split that the paper reports, which for
  some is the one that the epoch was selected on.
- **The honest protocol** trains the same network in the same way, selects the epoch on validation
  and measures it once on test. Beside the paper's it differs in the division, in what selects, and
  often in how much is trained on: the distance of the two columns is not leakage alone. That is
  measured further below. CK+48 is divided 64:16:20 with each person on one side only.
  FER2013 has its official splits, and training images with a pixel-identical twin in PublicTest
  or PrivateTest are left out; near copies of test images, and whoever is shown in both, stay in
  ([how many](protocol.md)). What else a paper does to all of its data is done to all splits: where
  one leaves identical images out, or draws at most so many faces of a class, the test is a part of
  the official one. Of datasets put together there is none: nothing keeps all people apart.
- Where the faces do not fill the last batch of an epoch, our epochs leave that batch out, each time
  with other faces; Keras trains on it.
- **Figures** are accuracies, the honest ones with macro F1 beside them. Brackets are 95 %
  intervals. Of one seed it is a bootstrap, over the people where they are known, as on CK+48, else
  over faces, and Wilson's bound where everything is right: it holds the chance of the faces, and
  not that of the training. Of several seeds that are judged on the same faces it is this and
  Student's over the seeds, added in squares. Where each seed divides the faces anew it is the wider
  of the two; the same people are divided each time, so that the seeds are not independent. A seed
  changes weights, order and, where the paper divides at random, the division. Some means are over
  seeds that were computed in different precision.
- **Ours less the paper's** has the chance of both in its interval: ours, and of the paper's figure
  Wilson's, added in squares (Newcombe, 1998), for the number of faces that the paper's division
  would have here, or that its digits tell: Kusno & Chowanda's eight figures on CK+ are multiples of
  1/320. The chance of the paper's training, which nobody can know, is not in it, so it is rather
  too narrow. *Higher* and *lower* mean that it lies above or below 0, and neither is a
  reproduction; *not told apart*, that it holds 0, which says little where it is wide. *Altered*
  experiments depart from the paper on purpose, to find out why, and those that had to be given
  other datasets are not compared.
- Not compared are losses, which depend on a temperature or a clipping that the papers do not name,
  and figures of training; AUC, precision and recall of classes are in our reports
  (`mien evaluate`).
- No figure of CK+ is of the very images that a paper had: Kusno & Chowanda's test had more, and
  Mahastama et al. had a neutral class, which CK+48 lacks. Their outcomes compare methods on
  similar data and no more.
- Times of what is not run yet are estimates for 2 idle cores that compute in bf16; on cores that
  cannot, wide networks take several times as long.
- CK+ is CK+48 here, the public cut of 981 frames; FER2013 is put together of public copies, 177 of
  its rows of a resampled one ([protocol](protocol.md)); IMED is given out on request and is not at
  hand. Experiments with it have complete recipes and run as soon as someone has it.
"""

FOLLOWS = """\
- A figure of a random division of CK+ is of frames of people whom the network knows. It says
  nothing of strangers; only a division by subject does.
- A figure of the split that the epoch was selected on is too good, the more so the smaller the
  split and the longer the training. Keep a third split, and use it once.
- Accuracies of different data, label sets or tests are not comparable, however alike they look;
  compare on the same faces, with a paired interval (`mien compare`).
- 156 right of 200 images are {share:.3f}, with a 95 % interval (Wilson) from {low:.3f} to
  {high:.3f}. Quote the number of images with every figure.
"""

AGAIN = """\
```
mien reproduce                                                    # what is done, what is to run
mien reproduce chen --data CK+48.zip                              # a paper, raw data to its table
mien reproduce chen --protocol honest --seed 0 --data CK+48.zip   # a part of it
mien reproduce all --data CK+48.zip --data fer2013.zip            # everything, cheapest first
mien reproduce all --jobs 4 --data CK+48.zip --data fer2013.zip   # four at once: many cores, a GPU
mien reproduce --quick --data CK+48.zip --data fer2013.zip        # minutes: does it run?
mien reproduce --page docs/reproduction.md                        # this page, from results/ alone
```

Interrupt it or kill it whenever you like: the same command goes on after the last whole epoch, and
never runs again what has a result. Weights and all else go to `runs/reproduction/`, but what
networks that are averaged predict for val and test is kept beside their results as Parquet, so that
averages need no training; `mien compare` reads these files, too.
"""


def write_page(findings: Findings, path: Path) -> list[Path]:
    """Write the page of all results, and its picture beside it; links are relative to the page.

    Returns:
        What was written: no picture where there is nothing to draw.
    """
    drawn = panels(findings)
    if drawn:
        draw(drawn, beside(path))
    with whole_file(path) as temporary:
        temporary.write_text(page(findings, path), encoding="utf-8")
    return [path, beside(path)] if drawn else [path]


def page(findings: Findings, path: Path) -> str:
    """Return the page as Markdown, as it would stand at a path."""
    return "\n".join(part.rstrip() + "\n" for part in _parts(findings, path))


def _parts(findings: Findings, path: Path) -> Iterator[str]:
    yield TITLE
    if findings.store.quick:
        yield QUICK
    yield INTRODUCTION
    yield section("How it was done", WHAT, _made_with(findings))
    yield section("What came out", *headlines(findings), picture(findings, path))
    yield from papers(findings, path)
    yield from classes(findings)
    yield from grids(findings)
    yield leakage(findings)
    yield draws(findings)
    yield from averages(findings)
    low, high = wilson(156, 200)
    yield section("What follows", FOLLOWS.format(share=156 / 200, low=low, high=high))
    yield section("Run it yourself", AGAIN)


def _made_with(findings: Findings) -> str:
    """Say what the runs were made with, and what they cost."""
    results = findings.all()
    if not results:
        return ""
    environments = [result.environment for result in results]
    versions = (f"{n} {v}" for e in environments for n, v in e.versions.items())
    systems = _listed(e.system for e in environments)
    threads = _listed(str(e.threads) for e in environments)
    convolutions = _listed(sorted(e.convolutions for e in environments))
    precisions = Counter(e.precision for e in environments).most_common()
    total = duration(sum(result.seconds for result in results))
    return (
        f"{len(results)} runs, {total} together, beside other work: Python"
        f" {_listed(e.python for e in environments)}, {_listed(versions)}; {systems}, threads:"
        f" {threads}; convolutions: {convolutions}; computed in"
        f" {', '.join(f'{name} ({count} runs)' for name, count in precisions)}."
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names))
