"""The whole text of a program: a sample of a trial in one function, called until the trial ends.

Trials that see the same noise take their samples in turn: it is drawn once for all of them. Within
a step populations follow each other in their order, as in the contract that
`bridge.backends.reference.simulation` spells out. Every line that computes is one that a compiler
may neither reorder nor fuse, so the bits are the reference's.
"""

from bridge.backends.compiled import arrivals, populations, projections
from bridge.backends.compiled.form import DTYPES, Form
from bridge.backends.compiled.sheet import Sheet
from bridge.backends.native_noise import normal_code, step_code


def program(form: Form) -> Sheet:
    """The program of a form, with the names of what it has to be handed."""
    sheet = Sheet()
    real = DTYPES[form.dtype]
    sheet.add(_HEAD.replace("REAL", real))
    sheet.add(step_code("step_key"), normal_code("normal", real), _NORMALS)
    _draw_sample(sheet, form)
    head = (
        "static int64_t run(const void *const *given, const int64_t *numbers, const int64_t trial, "
        "const int64_t sample, const Normals &normals, Room &room, Left &left, "
        "volatile int32_t *stop, volatile int64_t *done)"
    )
    with sheet.block(head):
        _declare(sheet, form)
        _sample(sheet, form)
        _margins(sheet, form)
        sheet.add("return 0;")
    sheet.add(_TAIL)
    return sheet


def _trains(form: Form) -> range:
    """The numbers of the inputs that emit spikes."""
    return range(len(form.populations), len(form.populations) + form.trains)


def _draw_sample(sheet: Sheet, form: Form) -> None:
    """What draws the noise of a sample for all trials that share it."""
    head = (
        "static void draw(const void *const *given, const int64_t *numbers, const int64_t trial, "
        "const int64_t sample, Normals &normals)"
    )
    with sheet.block(head):
        drawn = [p for p, each in enumerate(form.populations) if each.noise == "counted"]
        sheet.number("sample_steps")
        sheet.array("noise_keys", "int32_t")
        sheet.add(f"normals.of.resize({len(form.populations)});")
        for number in drawn:
            sheet.number(f"size_{number}")
            sheet.add(f"const int64_t width_{number} = padded(size_{number});")
            sheet.array(f"unit_{number}", "int32_t")
            sheet.add(f"normals.of[{number}].resize(sample_steps * width_{number});")
        with sheet.block("for (int64_t tick = 0; tick < sample_steps; ++tick)"):
            sheet.add("const int64_t step = sample * sample_steps + tick;", _NOISE_KEY)
            for number in drawn:
                row = f"normals.of[{number}].data() + tick * width_{number}"
                sheet.add(f"normals_of(unit_{number}, width_{number}, noise_key, {row});")


def _declare(sheet: Sheet, form: Form) -> None:
    for name in ("trials", "samples", "sample_steps", "offset_steps", "channels"):
        sheet.number(name)
    sheet.array("inputs")
    sheet.array("gains")
    sheet.array("noise_keys", "int32_t")
    sheet.add("const real gain = gains[trial];")
    for m in range(form.stimulations):
        sheet.array(f"push_keys_{m}", "int32_t")
        for name in (f"push_start_{m}", f"push_stop_{m}", f"push_draws_{m}"):
            sheet.number(name)
    if form.stimulations:
        sheet.array("amplitudes")
    for number in range(len(form.populations)):
        populations.declare(sheet, form, number)
    for train in _trains(form):
        arrivals.declare_train(sheet, train)
    for number in range(len(form.projections)):
        projections.declare(sheet, form, number)
    widest = sheet.number("widest")
    sheet.kept("arrived", widest)
    if any(mine.stepped for mine in form.populations):
        sheet.number("window_start")
        sheet.number("window_stop")
    if form.margins:
        sheet.changed_array("margins")


def _sample(sheet: Sheet, form: Form) -> None:
    with sheet.block("for (int64_t tick = 0; tick < sample_steps; ++tick)"):
        sheet.add("if (*stop) return STOPPED;")
        sheet.add("const int64_t step = sample * sample_steps + tick;")
        _step(sheet, form)
    _end_of_sample(sheet, form)


def _step(sheet: Sheet, form: Form) -> None:
    _hashes(sheet, form)
    parts = list(enumerate(form.projections))
    for train in _trains(form):
        arrivals.train_lines(sheet, train)
    for number, part in parts:
        if part.source < 0:
            projections.input_lines(sheet, form, number)
        elif part.source in _trains(form) and part.within_step:
            projections.decay_loop(sheet, form, number)
            projections.take_lines(sheet, form, number)
    for population in range(len(form.populations)):
        populations.step_lines(sheet, form, population)
        for number, part in parts:
            if part.source == population and part.within_step:
                projections.decay_loop(sheet, form, number)
                projections.take_lines(sheet, form, number)
    _after_all(sheet, form)


def _after_all(sheet: Sheet, form: Form) -> None:
    """What is done when all populations have emitted."""
    for number, part in enumerate(form.projections):
        if not part.within_step:
            # Populations let the filters that they hold decay themselves.
            if part.owner < 0 or part.owner in _trains(form):
                projections.decay_loop(sheet, form, number)
            projections.take_lines(sheet, form, number)
    if any(mine.stepped for mine in form.populations):
        with sheet.block("if (step >= window_start && step < window_stop)"):
            for number in range(len(form.populations)):
                populations.keep_step(sheet, form, number)


def _hashes(sheet: Sheet, form: Form) -> None:
    """What all neurons of a trial share in a step: the noise's key, and how hard each push is."""
    if any(each.noise == "counted" for each in form.populations):
        sheet.add(_NOISE_KEY)
    for m in range(form.stimulations):
        keys = f"push_keys_{m}[2 * trial], push_keys_{m}[2 * trial + 1]"
        sheet.add(
            f"const bool inside_{m} = step >= push_start_{m} && step < push_stop_{m} && "
            f"(int64_t)(uint32_t)step_key((int32_t)step, {keys}) < push_draws_{m};",
            f"const real push_{m} = inside_{m} ? amplitudes[{m}] : (real)0;",
        )


def _end_of_sample(sheet: Sheet, form: Form) -> None:
    """What is wanted is kept, and a state that is no longer a number ends the trial."""
    for number, mine in enumerate(form.populations):
        populations.keep_sample(sheet, form, number)
        for place, state in enumerate(mine.states):
            with sheet.block(f"if (!finite(state_{number}_{state}, size_{number}))"):
                sheet.add(f"left.population = {number};", f"left.state = {place};")
                sheet.add(
                    f"left.neuron_at = broken(state_{number}_{state}, size_{number});",
                    "left.last_step = (sample + 1) * sample_steps - 1;",
                    "return NOT_FINITE;",
                )
    sheet.add("*done = sample + 1;")


def _margins(sheet: Sheet, form: Form) -> None:
    if not form.margins:
        return
    sheet.add("if (sample + 1 < samples) return 0;", "margins[trial] = (real)INFINITY;")
    for number, mine in enumerate(form.populations):
        if mine.fires:
            with sheet.block(f"for (int64_t i = 0; i < size_{number}; ++i)"):
                margin = f"margin_{number}[i]"
                sheet.add(f"if ({margin} < margins[trial]) margins[trial] = {margin};")


_HEAD = """\
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <new>
#include <vector>

typedef REAL real;
enum { STOPPED = 1, NOT_FINITE = 2, NO_MEMORY = 3 };

// What a trial leaves: its spikes, and which state is no longer a number.
struct Left {
    std::vector<int32_t> step, neuron;
    int64_t population, state, last_step;
    int64_t neuron_at;
    void take(const int32_t at, const int32_t who) { step.push_back(at); neuron.push_back(who); }
};

// Arrays of a trial, each from a multiple of 64 bytes on, given back together. They are made, and
// start, in its first sample; in every later one they are handed out again in the same order.
struct Room {
    std::vector<void *> parts;
    // Not a vector: what was handed out stays where it is.
    std::deque<std::vector<std::vector<int32_t>>> ways;
    bool fresh = true;
    size_t next_part = 0, next_way = 0;
    ~Room() { for (void *part : parts) std::free(part); }
    void leave() { fresh = false; next_part = next_way = 0; }
    std::vector<std::vector<int32_t>> &way(const int64_t turns) {
        if (fresh) ways.emplace_back(turns);
        return ways[next_way++];
    }
    template <class kind> kind *take(const int64_t width, const kind start) {
        if (!fresh) return (kind *)parts[next_part++];
        const size_t bytes = ((size_t)width * sizeof(kind) + 63) / 64 * 64 + 64;
        void *part = std::aligned_alloc(64, bytes);
        if (!part) throw std::bad_alloc();
        parts.push_back(part);
        kind *const made = (kind *)part;
        for (int64_t i = 0; i < width; ++i) made[i] = start;
        return made;
    }
};

static inline int64_t padded(const int64_t size) { return (size + 15) / 16 * 16; }

static inline void fill(real *to, const int64_t width) {
    std::memset(to, 0, (size_t)width * sizeof(real));
}

static inline void copy(real *to, const real *from, const int64_t width) {
    std::memcpy(to, from, (size_t)width * sizeof(real));
}

static inline bool finite(const real *values, const int64_t size) {
    int32_t bad = 0;
    for (int64_t i = 0; i < size; ++i) bad |= !(values[i] - values[i] == 0);
    return !bad;
}

static inline int64_t broken(const real *values, const int64_t size) {
    int64_t i = 0;
    while (i < size - 1 && values[i] - values[i] == 0) ++i;
    return i;
}

// The neurons that fired, ascending; mostly there are none in eight of them.
static inline int64_t found(const int8_t *fired, const int64_t width, int32_t *hit) {
    int64_t hits = 0;
    for (int64_t w = 0; w < width; w += 8) {
        uint64_t eight;
        std::memcpy(&eight, fired + w, 8);
        if (!eight) continue;
        for (int64_t j = w; j < w + 8; ++j) if (fired[j]) hit[hits++] = (int32_t)j;
    }
    return hits;
}
"""

_NOISE_KEY = (
    "const int32_t noise_key = "
    "step_key((int32_t)step, noise_keys[2 * trial], noise_keys[2 * trial + 1]);"
)

_NORMALS = """\
// Of each population the standard normal numbers of a sample's steps; empty where no trials share.
struct Normals { std::vector<std::vector<real>> of; };

static inline void normals_of(
    const int32_t *__restrict unit, const int64_t width, const int32_t key, real *__restrict row)
{
    #pragma GCC ivdep
    for (int64_t i = 0; i < width; ++i) row[i] = normal(unit[i], key);
}
"""

_TAIL = """
// Trials that see the same noise, sample by sample.
static int64_t together(
    const void *const *given, const int64_t *numbers, const int64_t *members, const int64_t count,
    const int64_t samples, Left *const *left, volatile int32_t *stop, volatile int64_t *done,
    int64_t *at)
{
    std::vector<Room> rooms(count);
    Normals normals;
    for (int64_t sample = 0; sample < samples; ++sample) {
        if (count > 1) draw(given, numbers, members[0], sample, normals);
        for (*at = 0; *at < count; ++*at) {
            const int64_t trial = members[*at];
            const int64_t status = run(
                given, numbers, trial, sample, normals, rooms[*at], *left[*at], stop, done + trial);
            if (status) return status;
            rooms[*at].leave();
        }
    }
    return 0;
}

extern "C" Left *begin() { return new (std::nothrow) Left(); }

extern "C" void drop(Left *left) { delete left; }

extern "C" int64_t simulate(
    const void *const *given, const int64_t *numbers, const int64_t *members, const int64_t count,
    const int64_t samples, Left *const *left, volatile int32_t *stop, volatile int64_t *done,
    int64_t *at)
{
    try {
        return together(given, numbers, members, count, samples, left, stop, done, at);
    } catch (const std::bad_alloc &) {
        return NO_MEMORY;
    }
}

extern "C" int64_t count(const Left *left) { return (int64_t)left->step.size(); }

extern "C" void spikes(const Left *left, int32_t *step, int32_t *neuron) {
    if (left->step.empty()) return;
    std::memcpy(step, left->step.data(), left->step.size() * sizeof(int32_t));
    std::memcpy(neuron, left->neuron.data(), left->neuron.size() * sizeof(int32_t));
}

extern "C" void failure(const Left *left, int64_t *where) {
    where[0] = left->population;
    where[1] = left->state;
    where[2] = left->neuron_at;
    where[3] = left->last_step;
}
"""
