"""Words of NumPy's `SeedSequence` for many trials at once: the same bits, without an object each.

The hash is O'Neill's `seed_seq` alternative (2015, "Developing a seed_seq alternative"), as NumPy
documents it to stay: a pool of four 32-bit words, into which the seed and the spawn key are mixed.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint32]

_POOL = 4
_INTO, _INTO_TIMES = 0x43B0D7E5, 0x931E8875
_OUT, _OUT_TIMES = 0x8B51F9DD, 0x58F38DED
_LEFT, _RIGHT = 0xCA01F9DD, 0x4973F715
_WORD = 0xFFFFFFFF


def seed_words(seed: int, stream: int, trials: Sequence[int], count: int) -> Words:
    """(B, count) first words of `SeedSequence(seed, spawn_key=(stream, trial))` for each trial."""
    numbers = np.asarray(trials, dtype=np.uint64)
    if numbers.size and int(numbers.max()) > _WORD:
        # Such numbers are two words of the key.
        sequences = (np.random.SeedSequence(seed, spawn_key=(stream, each)) for each in trials)
        return np.array([each.generate_state(count) for each in sequences])
    given = [*_words_of(seed)]
    given += [0] * (_POOL - len(given))
    entropy = [np.full(numbers.size, word, np.uint32) for word in (*given, *_words_of(stream))]
    return _drawn(_mixed([*entropy, numbers.astype(np.uint32)]), count)


def _words_of(number: int) -> Iterator[int]:
    """The 32-bit words of a number, the lowest first; 0 has one."""
    yield number & _WORD
    while number := number >> 32:
        yield number & _WORD


def _mixed(entropy: list[Words]) -> list[Words]:
    """The pool: its own words mixed with each other, then with what else there is."""
    constants = _constants(_INTO, _INTO_TIMES)
    pool = [_hashed(word, constants) for word in entropy[:_POOL]]
    for source in range(_POOL):
        for place in range(_POOL):
            if place != source:
                pool[place] = _merged(pool[place], _hashed(pool[source], constants))
    for word in entropy[_POOL:]:
        for place in range(_POOL):
            pool[place] = _merged(pool[place], _hashed(word, constants))
    return pool


def _drawn(pool: list[Words], count: int) -> Words:
    constants = _constants(_OUT, _OUT_TIMES)
    return np.stack([_hashed(pool[n % _POOL], constants) for n in range(count)], axis=-1)


def _constants(first: int, factor: int) -> Iterator[tuple[np.uint32, np.uint32]]:
    """What a word is mixed with, and multiplied by, each time."""
    while True:
        following = first * factor & _WORD
        yield np.uint32(first), np.uint32(following)
        first = following


def _hashed(word: Words, constants: Iterator[tuple[np.uint32, np.uint32]]) -> Words:
    before, after = next(constants)
    return _folded((word ^ before) * after)


def _merged(word: Words, other: Words) -> Words:
    return _folded(word * np.uint32(_LEFT) - other * np.uint32(_RIGHT))


def _folded(word: Words) -> Words:
    folded: Words = word ^ (word >> np.uint32(16))
    return folded
