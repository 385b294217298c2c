import pytest
import torch


@pytest.fixture
def matrix():
    return torch.randn(9, 6, generator=torch.Generator().manual_seed(0))


def test_all_components_keep_all_distances(interp, matrix):
    points, explained = interp.pca(matrix, 6)
    torch.testing.assert_close(torch.cdist(points, points), torch.cdist(matrix, matrix))
    torch.testing.assert_close(explained.sum(), torch.tensor(1.0))
    assert (explained.diff() <= 0).all()


def test_explained_is_the_share_of_the_variance(interp, matrix):
    points, explained = interp.pca(matrix, 2)
    torch.testing.assert_close(explained, points.var(0) / matrix.var(0).sum())


def test_pca_does_not_depend_on_the_signs_that_svd_happens_to_give(interp, matrix):
    points, _ = interp.pca(matrix, 3)
    again, _ = interp.pca(-matrix, 3)
    torch.testing.assert_close(points, -again, atol=1e-5, rtol=0)


def test_two_directions_of_almost_one_share_are_told_apart(interp):
    """Their lengths differ in the seventh digit, which float32 cannot see: it turns the picture."""
    generator = torch.Generator().manual_seed(0)
    left, right = (
        torch.linalg.qr(torch.randn(n, 8, generator=generator, dtype=torch.float64)).Q
        for n in (400, 48)
    )
    lengths = torch.tensor([1 + 1e-7, 1.0, *torch.linspace(0.9, 0.5, 6)], dtype=torch.float64)
    half = (left @ (lengths[:, None] * right.T)).float()
    matrix = torch.cat([half, -half])
    points, _ = interp.pca(matrix, 2)
    u, s, _ = torch.linalg.svd(matrix.double(), full_matrices=False)
    expected = (u * s)[:, :2]
    cosines = (points.double() * expected).sum(0) / (points.double().norm(dim=0) * s[:2])
    torch.testing.assert_close(cosines.abs(), torch.ones_like(cosines), atol=1e-6, rtol=0)


def test_equal_rows_have_no_variance_and_no_nan(interp):
    points, explained = interp.pca(torch.ones(4, 3), 2)
    assert points.count_nonzero() == explained.count_nonzero() == 0


@pytest.mark.parametrize("n_components", [0, 7])
def test_pca_refuses_what_is_not_there(interp, matrix, n_components):
    with pytest.raises(ValueError, match=rf"1 \.\.\. 6.*not {n_components}"):
        interp.pca(matrix, n_components)


def test_cosines(interp):
    a = torch.tensor([[1.0, 0.0], [0.0, 0.0]])
    b = torch.tensor([[2.0, 0.0], [0.0, 3.0], [-1.0, 0.0]])
    assert interp.cosine_similarity(a, b).tolist() == [[1, 0, -1], [0, 0, 0]]


def test_neighbours_leave_out_the_token_itself(interp, matrix):
    cosines, ids = interp.nearest_neighbours(matrix, 4, 3)
    all_cosines = interp.cosine_similarity(matrix[4:5], matrix)[0]
    assert ids.tolist() == [i for i in all_cosines.argsort(descending=True).tolist() if i != 4][:3]
    torch.testing.assert_close(cosines, all_cosines[ids])
    assert len(interp.nearest_neighbours(matrix, 4, 99)[0]) == 8
    with pytest.raises(ValueError, match=r"0 \.\.\. 8, not 9"):
        interp.nearest_neighbours(matrix, 9, 1)
