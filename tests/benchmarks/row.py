"""One row of the table: a comparison and its target."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One comparison: `figure` is a ratio or seconds, and holds its target from above or below."""

    what: str
    ours: str
    peer: str
    figure: float
    target: float
    unit: str = "x"
    at_most: bool = False
    gflops: float | None = None  # per second
    percent_of_peak: float | None = None

    def passes(self) -> bool:
        return self.figure <= self.target if self.at_most else self.figure >= self.target
