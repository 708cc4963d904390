"""Muon: orthogonal steps of the kernels, and AdamW's of all else."""

import torch

from authoring.training.muon import Muon, orthogonalised


def test_singular_values_are_brought_near_one():
    for shape in ((20, 90), (90, 20), (16, 16)):
        matrix = torch.randn(shape, generator=torch.Generator().manual_seed(1)) * 1e-3
        left, values, right = torch.linalg.svd(matrix, full_matrices=False)
        found = torch.linalg.svdvals(orthogonalised(matrix))
        big = values > 0.1 * values.max()  # what is far smaller than the rest is left on its way
        assert found.max() < 1.3 and found[: big.sum()].min() > 0.6
        assert torch.einsum("ik,ij,jk->k", left, orthogonalised(matrix), right.mT)[big].min() > 0.6  # same directions


def test_kernels_step_by_one_length_and_all_else_as_adamw_would():
    kernel, bias = torch.nn.Parameter(torch.zeros(4, 3, 3, 3)), torch.nn.Parameter(torch.zeros(4))
    alone = torch.nn.Parameter(torch.zeros(4))
    both = Muon([{"params": [kernel], "kernels": True, "lr": 0.1}, {"params": [bias], "lr": 0.1}])
    adamw = torch.optim.AdamW([alone], lr=0.1, weight_decay=0.0)
    gradient = torch.randn(4, 3, 3, 3)
    for scale in (1.0, 1000.0):
        kernel.data.zero_()
        kernel.grad = scale * gradient
        bias.grad, alone.grad = scale * torch.arange(4.0), scale * torch.arange(4.0)
        both.step()
        adamw.step()
        values = torch.linalg.svdvals(kernel.detach().flatten(1))
        expected = 0.2 * 0.1 * 27**0.5
        assert 0.6 * expected < values.min() and values.max() < 1.3 * expected  # whatever the gradient's size
        assert (kernel * gradient).sum() < 0
    assert torch.equal(bias, alone)
