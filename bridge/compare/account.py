"""How much of a whole comparison is done, of which parts are run one after the other."""

from collections.abc import Callable, Mapping

Report = Callable[[str, float], None]
Parts = dict[str, float]
"""Names of parts, and about how long each takes compared with the others."""


class Account:
    """Takes the fraction done of each part, and reports the fraction done of all of them."""

    def __init__(self, parts: Mapping[str, float], on_progress: Report) -> None:
        """Expect parts, with about how long each takes."""
        self._lengths, self._report = dict(parts), on_progress
        self._done = dict.fromkeys(parts, 0.0)

    def __call__(self, part: str, fraction: float) -> None:
        """Report that a part is being done, and how much of everything is done by now.

        A part that was not expected, as the search for the first difference, is only named.
        """
        if part in self._done:
            # A part that turns out to be longer does not go back.
            self._done[part] = max(self._done[part], fraction)
            number = list(self._done).index(part) + 1
            part = f"part {number} of {len(self._done)}: {part}, {self._done[part]:.0%}"
        self._report(part, self._whole())

    def _whole(self) -> float:
        done = sum(length * self._done[part] for part, length in self._lengths.items())
        return done / (sum(self._lengths.values()) or 1.0)
