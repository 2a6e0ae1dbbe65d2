"""A model of the Llama family, small enough to be trained on one core, and its GGUF file."""

import dataclasses
import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).parent.parent / "gguf"))

import container  # noqa: E402


@dataclasses.dataclass
class Config:
    vocabulary: int = 1536
    width: int = 256
    layers: int = 4
    heads: int = 8
    kv_heads: int = 4
    hidden: int = 512
    context: int = 512
    base: float = 10000.0
    epsilon: float = 1e-5


class Norm(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(config.width))
        self.epsilon = config.epsilon

    def forward(self, x):
        return self.weight * x * torch.rsqrt(x.float().square().mean(-1, keepdim=True) + self.epsilon)


class Layer(nn.Module):
    def __init__(self, config):
        super().__init__()
        head = config.width // config.heads
        self.attn_norm, self.ffn_norm = Norm(config), Norm(config)
        self.attn_q = nn.Linear(config.width, config.width, bias=False)
        self.attn_k = nn.Linear(config.width, config.kv_heads * head, bias=False)
        self.attn_v = nn.Linear(config.width, config.kv_heads * head, bias=False)
        self.attn_output = nn.Linear(config.width, config.width, bias=False)
        self.ffn_gate = nn.Linear(config.width, config.hidden, bias=False)
        self.ffn_up = nn.Linear(config.width, config.hidden, bias=False)
        self.ffn_down = nn.Linear(config.hidden, config.width, bias=False)
        self.head, self.group = head, config.heads // config.kv_heads

    def forward(self, x, rotation, mask):
        batch, length, width = x.shape
        y = self.attn_norm(x)
        heads = lambda z: z.view(batch, length, -1, self.head).transpose(1, 2)
        q, k = rotated(heads(self.attn_q(y)), rotation), rotated(heads(self.attn_k(y)), rotation)
        v = heads(self.attn_v(y))
        k, v = k.repeat_interleave(self.group, 1), v.repeat_interleave(self.group, 1)
        pattern = torch.softmax(q @ k.transpose(2, 3) * self.head ** -0.5 + mask, -1)
        x = x + self.attn_output((pattern @ v).transpose(1, 2).reshape(batch, length, width))
        y = self.ffn_norm(x)
        return x + self.ffn_down(functional.silu(self.ffn_gate(y)) * self.ffn_up(y))


def rotated(x, rotation):
    """RoPE of neighbours, as GGUF files of the architecture llama have it. x [batch, heads, length, head]"""
    pairs = torch.view_as_complex(x.float().reshape(*x.shape[:-1], -1, 2))
    return torch.view_as_real(pairs * rotation).flatten(3)


class Llama(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.token_embd = nn.Embedding(config.vocabulary, config.width)
        self.blk = nn.ModuleList(Layer(config) for _ in range(config.layers))
        self.output_norm = Norm(config)
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                into = "attn_output" in name or "ffn_down" in name
                nn.init.normal_(parameter, 0, 0.03 / (2 * config.layers) ** 0.5 if into else 0.03)
        head = config.width // config.heads
        angles = torch.outer(torch.arange(config.context), config.base ** (-torch.arange(0, head, 2) / head))
        self.rotation = torch.polar(torch.ones_like(angles), angles)
        self.mask = torch.full((config.context, config.context), float("-inf")).triu(1)

    def forward(self, ids):
        """Logits [batch, length, vocabulary] of the tokens behind each of ids [batch, length]."""
        length = ids.shape[1]
        x = self.token_embd(ids)
        for layer in self.blk:
            x = layer(x, self.rotation[:length], self.mask[:length, :length])
        return functional.linear(self.output_norm(x), self.token_embd.weight)

    def write(self, path, metadata):
        """As a GGUF file in Q8_0, with metadata beside that of the architecture."""
        config = self.config
        settings = {"context_length": config.context, "embedding_length": config.width, "block_count": config.layers,
                    "feed_forward_length": config.hidden, "attention.head_count": config.heads,
                    "attention.head_count_kv": config.kv_heads, "attention.layer_norm_rms_epsilon": config.epsilon,
                    "rope.dimension_count": config.width // config.heads, "rope.freq_base": config.base,
                    "vocab_size": config.vocabulary}
        tensors = {name: (value.detach().numpy(), "Q8_0" if value.dim() == 2 else "F32")
                   for name, value in self.state_dict().items()}
        container.write(path, {"general.architecture": "llama", "general.file_type": 7,
                               **{"llama." + key: value for key, value in settings.items()}, **metadata}, tensors)
