"""The largest counts that a description or a recording may hold: beyond, memory or time would end.

Steps are counted in 32 bits by every backend, also the sum of a step and a refractory time.
"""

# Of a trial: 14 hours in steps of 0.05 ms.
LONGEST_TRIAL_STEPS = 10**9
# Of a refractory time, of a sample of the input and of its offset: 50 s in steps of 0.05 ms.
LONGEST_WAIT_STEPS = 10**6
# Of a delay, for which what is under way is kept in every step: 5 s in steps of 0.05 ms.
LONGEST_DELAY_STEPS = 10**5
# Of a network: each of its parameters takes 0.8 GB.
MOST_NEURONS = 10**8
# Of a recording: pairs of a trial and a neuron. A statistic of them takes 2 GiB.
MOST_CELLS = 2**28
MOST_INT32 = 2**31 - 1
# Of every time step, ms.
SHORTEST_STEP_MS, LONGEST_STEP_MS = 1e-6, 1e6
