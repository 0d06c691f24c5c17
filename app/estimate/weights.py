"""Which tensors go to the GPU (llama.cpp `llama_model::load_tensors`)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from lmdeck.estimate.gguf import Header, Tensor

_BLOCK = re.compile(r"blk\.(\d{1,4})\.")
# The input layer's tensors never leave the CPU.
_INPUT = ("token_embd", "token_types", "position_embd", "per_layer_token_embd")


@dataclass(frozen=True, slots=True)
class Weights:
    """Bytes of tensors in both places: `copied` are in both, `projector` is the vision projector's part."""

    gpu: int
    ram: int
    copied: int
    projector: int = 0

    @property
    def model(self) -> int:
        """The model's own tensors, each once."""
        return self.gpu + self.ram - self.copied - self.projector

    def with_projector(self, size: int, *, on_gpu: bool) -> Weights:
        """The same and a projector, which is in one place as a whole."""
        gpu, ram = (self.gpu + size, self.ram) if on_gpu else (self.gpu, self.ram + size)
        return Weights(gpu, ram, self.copied, size)


def layers_on_gpu(share: float, blocks: int) -> int:
    """A share of all layers, the output layer counted as one. LM Studio does not say how it rounds."""
    return round(share * (blocks + 1))


def split(header: Header, blocks: int, gpu_layers: int, *, cpu_experts: bool = False) -> Weights | None:
    """Blocks from `blocks + 1 - gpu_layers` on go to the GPU: the last ones first, the output layer only with all of
    them. Tied embeddings (no `output.weight`) get a second copy there. None if a tensor's type is unknown."""
    if any(tensor.bytes is None for tensor in header.tensors):
        return None
    first, whole = max(blocks + 1 - gpu_layers, 0), gpu_layers > blocks
    gpu = _total(t for t in header.tensors if _moves(t, first, whole) and not (cpu_experts and "_exps" in t.name))
    total = _total(header.tensors)
    tied = not any(t.name == "output.weight" for t in header.tensors)
    ties = any(t.name == "output_norm.weight" for t in header.tensors)  # an encoder has no output layer at all
    copied = 0
    if whole and tied and ties:
        copied = _total(t for t in header.tensors if t.name == "token_embd.weight")
    return Weights(gpu + copied, total - gpu, copied)


def _moves(tensor: Tensor, first: int, whole: bool) -> bool:
    if match := _BLOCK.match(tensor.name):
        return int(match[1]) >= first
    return whole and not tensor.name.startswith(_INPUT)


def _total(tensors: Iterable[Tensor]) -> int:
    return sum(tensor.bytes or 0 for tensor in tensors)
