"""Weights in the text of a run: columns added, and sums over all presynaptic neurons.

Sums run in ascending order of the presynaptic neuron, product by product, as in the reference.
Factored weights B D sum onto the factors first, and then from these onto the neurons.
"""

from dataclasses import dataclass

from bridge.backends.compiled.form import Form
from bridge.backends.compiled.sheet import Sheet


@dataclass(frozen=True)
class MatrixText:
    """A matrix as the text of a run names it.

    Attributes:
        name: Ends the names of its arrays.
        dense: Whether all weights are kept, a padded row for each presynaptic neuron.
        width: The padded number of neurons it sums onto.
        count: The number of those it sums over.
    """

    name: str
    dense: bool
    width: str
    count: str

    def declare(self, sheet: Sheet) -> None:
        """The arrays of its weights."""
        if not self.dense:
            sheet.array(f"synapses_{self.name}", "int64_t")
            sheet.array(f"post_{self.name}", "int32_t")
        sheet.array(f"weights_{self.name}")

    def add_column(self, sheet: Sheet, into: str, factor: str = "") -> None:
        """Add the weights of presynaptic neuron j, times a factor, to their targets."""
        if self.dense:
            sheet.add(f"const real *__restrict const w = weights_{self.name} + j * {self.width};")
            with sheet.each(self.width):
                sheet.add(f"{into}[i] = {into}[i] + {factor}w[i];")
            return
        first, last = f"synapses_{self.name}[j]", f"synapses_{self.name}[j + 1]"
        with sheet.block(f"for (int64_t s = {first}; s < {last}; ++s)"):
            cell = f"{into}[post_{self.name}[s]]"
            sheet.add(f"{cell} = {cell} + {factor}weights_{self.name}[s];")

    def sum_all(self, sheet: Sheet, held: str, into: str) -> None:
        """Set `into` to the weighted sum of the numbers of all presynaptic neurons."""
        sheet.add(f"fill({into}, {self.width});")
        with sheet.block(f"for (int64_t j = 0; j < {self.count}; ++j)"):
            sheet.add(f"const real x = {held}[j];")
            # A product with 0 would change nothing.
            with sheet.block("if (x != 0)"):
                self.add_column(sheet, into, "x * ")


@dataclass(frozen=True)
class WeightsText:
    """The weights of a projection: a matrix, or two with the factors between them."""

    number: int
    inner: MatrixText
    outer: MatrixText | None

    def declare(self, sheet: Sheet) -> None:
        """The arrays of all weights, and those of the factors."""
        if self.outer is not None:
            sheet.number(f"rank_{self.number}")
            sheet.add(f"const int64_t width_rank_{self.number} = padded(rank_{self.number});")
            sheet.kept(self.between, self.inner.width)
            self.outer.declare(sheet)
        self.inner.declare(sheet)

    @property
    def between(self) -> str:
        """What is summed onto the factors."""
        return f"factors_{self.number}"

    def sum_all(self, sheet: Sheet, held: str, into: str) -> None:
        """Set `into` to the weighted sum of the numbers of all presynaptic neurons."""
        if self.outer is None:
            self.inner.sum_all(sheet, held, into)
        else:
            self.inner.sum_all(sheet, held, self.between)
            self.outer.sum_all(sheet, self.between, into)

    def sum_spikes(self, sheet: Sheet, into: str) -> None:
        """Set `into` to the summed weights of the `hits` neurons of `hit`."""
        first = into if self.outer is None else self.between
        sheet.add(f"fill({first}, {self.inner.width});")
        with sheet.block("for (int64_t k = 0; k < hits; ++k)"):
            sheet.add("const int64_t j = hit[k];")
            self.inner.add_column(sheet, first)
        if self.outer is not None:
            self.outer.sum_all(sheet, self.between, into)


def weights_text(form: Form, number: int) -> WeightsText:
    """The weights of a projection."""
    part = form.projections[number]
    count = f"channels_{number}" if part.source < 0 else f"size_{part.source}"
    target = f"width_{part.target}"
    if len(part.dense) == 1:
        return WeightsText(number, MatrixText(str(number), part.dense[0], target, count), None)
    onto, rank = f"width_rank_{number}", f"rank_{number}"
    inner = MatrixText(str(number), part.dense[0], onto, count)
    return WeightsText(number, inner, MatrixText(f"{number}_outer", part.dense[1], target, rank))
