import math

import pytest
import torch


@pytest.fixture(scope="module")
def outliers():
    import tfs.interp.outliers

    return tfs.interp.outliers


@pytest.fixture(scope="module")
def cloud():
    return torch.randn(60, 8, generator=torch.Generator().manual_seed(0))


def test_rows_far_from_all_others_are_found(outliers, cloud):
    cloud = cloud.clone()
    cloud[[3, 17, 40]] += 30
    assert outliers.group_apart(cloud) == [3, 17, 40]
    assert outliers.group_apart(-cloud) == [3, 17, 40]


def test_a_cloud_has_no_group_and_one_row_is_none(outliers, cloud):
    assert outliers.group_apart(cloud) == []
    assert outliers.group_apart(torch.ones(5, 3)) == []
    assert outliers.group_apart(torch.ones(1, 3)) == []
    alone = cloud.clone()
    alone[5] += 30
    assert outliers.group_apart(alone) == []


def test_the_mean_cosine_is_the_mean_over_all_pairs(outliers, cloud):
    rows = cloud + 1
    cosines = [
        torch.nn.functional.cosine_similarity(rows[i], rows[j], dim=0).item()
        for i in range(60)
        for j in range(60)
        if i != j
    ]
    assert outliers.mean_cosine(rows) == pytest.approx(sum(cosines) / len(cosines), abs=1e-5)
    assert math.isnan(outliers.mean_cosine(rows[:1]))
