"""NIR graphs step by step as their equations stand, in plain loops over nodes: the oracle.

No line of it is the importer's. A graph is nodes by name and edges; which of these act a step
later is said by whoever made the graph. All sums run in the order of what arrives: the biases of
all edges first, then edge by edge, by the names of the nodes, from the first number on.
"""

import numpy as np

CELLS = ("I", "LI", "IF", "LIF", "CubaLI", "CubaLIF", "Threshold")


class Reading:
    """A graph in progress.

    Args:
        nodes: (name, kind, fields) with shapes as they are in this graph, no batch.
        edges: Pairs of names; an edge of a Linear or Affine node gives W x and b apart.
        back: The edges that act a step later.
        dt_ms: Time step.
        reset: "value", "subtract" or "subtract-late"; at: Whether threshold itself fires.
    """

    def __init__(self, nodes, edges, back, dt_ms, *, reset="value", at=False, silent=False):
        self.nodes, self.edges, self.back = nodes, sorted(edges), set(back)
        self.dt_ms, self.reset, self.at, self.silent = dt_ms, reset, at, silent
        self.v, self.i, self.late = {}, {}, {}
        self.sent, self.before, self.past = {}, {}, []

    def step(self, inputs):
        """What each node gives in a step, by name."""
        self.before, self.sent = self.sent, dict(inputs)
        for name in self.nodes:
            self.give(name)
        self.past.append(self.sent)
        return self.sent

    def give(self, name):
        if name not in self.sent:
            fields = self.nodes[name]
            kind = fields["type"]
            self.sent[name] = self.cell(name, kind, fields) if kind in CELLS else self.whole(name)
        return self.sent[name]

    def from_edge(self, source, target):
        """What the source of an edge gives, of this step or of the one before."""
        if (source, target) in self.back:
            return self.before.get(source, np.zeros(self.nodes[source]["size"]))
        return self.give(source)

    def sources(self, name):
        return [a for a, b in self.edges if b == name]

    def whole(self, name):
        """A node without a state: its bias, and what it makes of each that arrives."""
        fields = self.nodes[name]
        total = bias_of(fields)
        for source in self.sources(name):
            for part in self.parts(name, source):
                total = total + part
        return total

    def parts(self, name, source):
        """What a node without a state makes of an edge; of what is delayed in part, one by one."""
        x = self.from_edge(source, name)
        late = self.late_ones(source)
        if late is None or late.all() or not late.any():
            return [self.part(name, x)]
        return [self.part(name, x, ~late), self.part(name, x, late)]

    def late_ones(self, name):
        """Which numbers of a delay come later; None where it is none, or of an input."""
        if self.nodes[name]["type"] != "Delay":
            return None
        before = name
        while self.nodes[before]["type"] in ("Delay", "Flatten"):
            (before,) = self.sources(before)
        return None if self.nodes[before]["type"] == "Input" else self.nodes[name]["delay"] > 0

    def part(self, name, x, kept=slice(None)):
        """What a node without a state makes of numbers, without its bias."""
        fields = self.nodes[name]
        if fields["type"] == "Delay":
            steps = np.round(fields["delay"] / self.dt_ms * 1000).astype(int)
            (source,) = self.sources(name)
            columns = [
                (x if ago == 0 else self.ago(source, ago))[number]
                for number, ago in enumerate(steps)
            ]
            return np.array(columns, dtype=float)
        if fields.get("matrix") is None:
            return x
        return product(fields["matrix"][:, kept], x[kept])

    def ago(self, source, steps):
        if steps > len(self.past):
            return np.zeros(self.nodes[source]["size"])
        return self.past[-steps][source]

    def arriving(self, name):
        """What drives a cell: the biases on all edges, and then all else, edge by edge."""
        total = np.zeros(self.nodes[name]["size"])
        sources = self.sources(name)
        for source in sources:
            if self.nodes[source]["type"] not in CELLS and not self.later(source):
                total = total + bias_of(self.nodes[source])
        for source in sources:
            for part in self.without_bias(source, name):
                total = total + part
            if self.later(source) and self.past:
                total = total + bias_of(self.nodes[source])
        return total

    def later(self, source):
        """Whether its bias acts from the second step on only."""
        return self.silent and any((a, source) in self.back for a in self.sources(source))

    def without_bias(self, source, name):
        """What an edge into a cell gives, part by part."""
        if self.nodes[source]["type"] in (*CELLS, "Input", "Delay", "Flatten"):
            return [self.from_edge(source, name)]
        return [part for each in self.sources(source) for part in self.parts(source, each)]

    def cell(self, name, kind, fields):
        x, n = self.arriving(name), fields["size"]
        if kind == "Threshold":
            return self.fires(x, fields["threshold"])
        v = self.v.get(name, np.zeros(n))
        drive = x
        if kind.startswith("Cuba"):
            i = self.i.get(name, np.zeros(n))
            rate = self.dt_ms / (fields["tau_syn"] * 1000.0)
            drive = self.i[name] = i + (fields["w_in"] * x - i) * rate
        if kind in ("I", "IF"):
            v = v + fields["r"] * drive * (self.dt_ms / 1000.0)
        else:
            tau = fields["tau_mem" if kind.startswith("Cuba") else "tau"]
            v = v + (fields["v_leak"] - v + fields["r"] * drive) * (self.dt_ms / (tau * 1000.0))
        if not kind.endswith("IF"):
            self.v[name] = v
            return v
        return self.spiked(name, kind, fields, v)

    def spiked(self, name, kind, fields, v):
        threshold = fields["v_threshold"]
        v = v - self.late.get(name, 0.0)
        z = self.fires(v, threshold)
        if self.reset == "value":
            v = np.where(z > 0, fields["v_reset"], v)
        elif self.reset == "subtract" or kind == "IF":
            v = v - z * threshold
        else:
            self.late[name] = z * threshold
        self.v[name] = v
        return z

    def fires(self, v, threshold):
        return ((v >= threshold) if self.at else (v > threshold)).astype(float)


def bias_of(fields):
    return np.broadcast_to(fields.get("bias", 0.0), fields["size"]).astype(float)


def product(matrix, x):
    """W x, summed one after the other."""
    total = np.zeros(len(matrix))
    for column, value in zip(matrix.T, x, strict=True):
        total = total + column * value
    return total


def convolution(weight, shape, stride, padding, dilation, groups):
    """(post, pre) of torch's conv2d, written as the loops over its definition."""
    out, of_group, rows, cols = weight.shape
    channels, height, width = shape
    tall = (height + 2 * padding[0] - dilation[0] * (rows - 1) - 1) // stride[0] + 1
    wide = (width + 2 * padding[1] - dilation[1] * (cols - 1) - 1) // stride[1] + 1
    matrix = np.zeros((out, tall, wide, channels, height, width))
    for o, y, x in np.ndindex(out, tall, wide):
        for c, dy, dx in np.ndindex(of_group, rows, cols):
            at_y = y * stride[0] + dy * dilation[0] - padding[0]
            at_x = x * stride[1] + dx * dilation[1] - padding[1]
            if 0 <= at_y < height and 0 <= at_x < width:
                channel = o // (out // groups) * of_group + c
                matrix[o, y, x, channel, at_y, at_x] += weight[o, c, dy, dx]
    return matrix.reshape(out * tall * wide, -1), (out, tall, wide)
