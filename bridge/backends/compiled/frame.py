"""C++ that is the same in every program: what stands before a run's loop, and what calls it."""

HEAD = """\
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <new>
#include <type_traits>
#include <vector>

typedef REAL real;
// As wide as a number, so that a vector takes as many of both.
typedef std::conditional<sizeof(real) == 8, int64_t, int32_t>::type whole;
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
"""`REAL` stands for the type of the numbers."""

NORMALS = """\
// Of each population the noise of a sample's steps; empty where no trials share.
struct Normals {
    Room room;
    std::vector<real *> of;
};

static inline void normals_of(
    const int32_t *__restrict unit, const real *__restrict sd, const int64_t width,
    const int32_t key, real *__restrict row)
{
    #pragma GCC ivdep
    for (int64_t i = 0; i < width; ++i) row[i] = normal(unit[i], key) * sd[i];
}
"""
"""After the function `normal`."""

TAIL = """
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
"""After the functions `run` and `draw`."""
