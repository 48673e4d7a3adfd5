"""The C++ of `cell_loops`."""

TEXT = r"""
#include <cmath>
#include <cstdint>
#include <cstring>

namespace {
constexpr int64_t CELLS = 128;

// e^x for |x| below 80: the nearest power of two, and the rest by its series.
inline float power(float x)
{
    const float n = std::floor(x * 1.44269504f + 0.5f);
    const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    float s = 1.0f / 5040;
    s = s * r + 1.0f / 720;
    s = s * r + 1.0f / 120;
    s = s * r + 1.0f / 24;
    s = s * r + 1.0f / 6;
    s = s * r + 0.5f;
    s = s * r + 1.0f;
    s = s * r + 1.0f;
    const int32_t bits = ((int32_t)n + 127) << 23;
    float scale;
    std::memcpy(&scale, &bits, sizeof scale);
    return s * scale;
}

inline float bent(float x)
{
    x = x > 9.0f ? 9.0f : x < -9.0f ? -9.0f : x;
    return 1.0f - 2.0f / (power(2.0f * x) + 1.0f);
}

inline float gate(float x) { return 1.0f / (1.0f + power(x < -60.0f ? 60.0f : -x)); }
inline double bent(double x) { return std::tanh(x); }
inline double gate(double x) { return 1.0 / (1.0 + std::exp(-x)); }

template <typename F, bool SMOOTH> inline F left(F h, F z_hyp, F z_dep, F gating)
{
    if (SMOOTH)
        return z_hyp + gating * gate(F(10) * (h - F(0.5)));
    return h > F(0.5) ? z_dep : z_hyp;
}

// current, emitted, slope_h, slope_i: (steps, all); constants: (11, size); state: (3, all).
template <typename F, bool SMOOTH, bool NEW>
void advance(const F *current, const F *constants, const F *state, F *emitted, F *slope_h,
             F *slope_i, int64_t steps, int64_t all, int64_t size, int32_t bypass)
{
    for (int64_t first = 0; first < all; first += CELLS) {
        const int64_t n = all - first < CELLS ? all - first : CELLS;
        F c[11][CELLS], i[CELLS], h[CELLS], slow[CELLS];
        for (int64_t j = 0; j < n; ++j) {
            for (int part = 0; part < 11; ++part)
                c[part][j] = constants[part * size + (first + j) % size];
            i[j] = state[first + j];
            h[j] = state[all + first + j];
            slow[j] = state[2 * all + first + j];
        }
        for (int64_t step = 0; step < steps; ++step) {
            const int64_t at = step * all + first;
            const F *u = current + at;
            F *out = emitted + at, *a = slope_h + at, *b = slope_i + at;
            for (int64_t j = 0; j < n; ++j) {
                const F integrated = c[0][j] * i[j] + u[j];
                const F q = bent(integrated * c[2][j]);
                const F old = h[j], before = slow[j];
                const F driven = c[1][j] * q + c[3][j] * old + c[4][j] * before + c[10][j];
                const F t = bent(driven);
                const F now = c[5][j] * old + c[6][j] * t;
                const F z = left<F, SMOOTH>(NEW ? now : old, c[7][j], c[8][j], c[9][j]);
                i[j] = integrated;
                h[j] = now;
                slow[j] = z * before + (F(1) - z) * old;
                // No number stays none: a training that diverges is to be seen in its loss.
                out[j] = now <= F(0) ? F(0) : now;
                a[j] = bypass || now > F(0) ? c[6][j] * (F(1) - t * t) : F(0);
                b[j] = F(1) - q * q;
            }
        }
    }
}

// gradient: (steps, all) of what is emitted; of_current: the same of the current; of_bias: (all).
template <typename F>
void turn_back(const F *gradient, const F *slope_h, const F *slope_i, const F *alpha,
               F *of_current, F *of_bias, int64_t steps, int64_t all, int64_t size)
{
    for (int64_t first = 0; first < all; first += CELLS) {
        const int64_t n = all - first < CELLS ? all - first : CELLS;
        F kept[CELLS], later[CELLS], sum[CELLS];
        for (int64_t j = 0; j < n; ++j) {
            kept[j] = alpha[(first + j) % size];
            later[j] = sum[j] = F(0);
        }
        for (int64_t step = steps - 1; step >= 0; --step) {
            const int64_t at = step * all + first;
            const F *g = gradient + at, *a = slope_h + at, *b = slope_i + at;
            F *e = of_current + at;
            for (int64_t j = 0; j < n; ++j) {
                const F d = g[j] * a[j];
                sum[j] += d;
                later[j] = kept[j] * later[j] + d * b[j];
                e[j] = later[j];
            }
        }
        for (int64_t j = 0; j < n; ++j)
            of_bias[first + j] = sum[j];
    }
}

template <typename F>
void chosen(const F *u, const F *c, const F *s, F *out, F *a, F *b, int64_t steps, int64_t all,
            int64_t size, int32_t bypass, int32_t smooth, int32_t newer)
{
    auto run = smooth ? (newer ? advance<F, true, true> : advance<F, true, false>)
                      : (newer ? advance<F, false, true> : advance<F, false, false>);
    run(u, c, s, out, a, b, steps, all, size, bypass);
}
}

#define EXPORTED(F) \
extern "C" void advance_##F(const F *u, const F *c, const F *s, F *out, F *a, F *b, int64_t steps, \
    int64_t all, int64_t size, int32_t bypass, int32_t smooth, int32_t newer) \
{ chosen<F>(u, c, s, out, a, b, steps, all, size, bypass, smooth, newer); } \
extern "C" void turn_back_##F(const F *g, const F *a, const F *b, const F *alpha, F *e, F *bias, \
    int64_t steps, int64_t all, int64_t size) \
{ turn_back<F>(g, a, b, alpha, e, bias, steps, all, size); }

EXPORTED(float)
EXPORTED(double)
"""
