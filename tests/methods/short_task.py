"""Go-NoGo in 100 ms instead of 1 s."""

import functools

from bridge.tasks import go_nogo

SHORT_TASK = functools.partial(
    go_nogo.GoNoGo, steps=20, stimulus_start=5, stimulus_stop=8, spiking_window_start=10
)
