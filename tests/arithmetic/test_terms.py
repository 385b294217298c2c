import pytest


def every_term(arithmetic, cfg):
    return [
        *arithmetic.parameter_terms(cfg),
        *arithmetic.forward_flops_terms(cfg, pos=7, batch=3),
        *arithmetic.kv_cache_terms(cfg, pos=7, batch=3),
        *arithmetic.training_memory_terms(cfg),
        arithmetic.training_flops_6nd(cfg, pos=7, batch=3),
    ]


def test_the_text_with_numbers_is_the_value(arithmetic, make_config):
    for term in every_term(arithmetic, make_config()):
        assert eval(term.substituted) == term.value


def test_the_formula_with_the_configs_sizes_is_the_value(arithmetic, make_config):
    cfg = make_config()
    n_parameters = arithmetic.total(arithmetic.parameter_terms(cfg))
    run = {"pos": 7, "query_pos": 7, "key_pos": 7, "batch": 3, "bytes_per_element": 4}
    run |= {"n_parameters": n_parameters, "D": 21, "N": 2 * (4 * 20 * 15 + 2 * 20 * 28)}
    for term in every_term(arithmetic, cfg):
        assert eval(term.formula, {}, vars(cfg) | run) == term.value


def test_a_term_is_made_from_names_and_numbers(arithmetic):
    term = arithmetic.Term.product("x", (2, "pos", "pos", "d_head"), {"pos": 3, "d_head": 5})
    assert (term.formula, term.substituted, term.value) == (
        "2 * pos * pos * d_head",
        "2 * 3 * 3 * 5",
        90,
    )


def test_a_name_without_a_number_is_an_error(arithmetic):
    with pytest.raises(KeyError, match="d_head"):
        arithmetic.Term.product("x", ("d_head",), {"pos": 3})


def test_the_total_of_nothing_is_zero(arithmetic):
    assert arithmetic.total([]) == 0


@pytest.mark.parametrize("count", ["forward_flops_terms", "training_flops", "training_flops_6nd"])
@pytest.mark.parametrize(
    ("run", "message"),
    [
        ({"pos": 0}, "pos must be a whole number of at least 1, not 0"),
        ({"pos": 13}, "pos must be at most n_ctx = 12, not 13.*larger n_ctx"),
        ({"pos": 1, "batch": 0}, "batch must be a whole number of at least 1, not 0"),
        ({"pos": True}, "pos must be a whole number of at least 1, not True"),
    ],
)
def test_sizes_that_cannot_be_are_refused(arithmetic, make_config, count, run, message):
    for function in (getattr(arithmetic, count), arithmetic.kv_cache_terms):
        with pytest.raises(ValueError, match=message):
            function(make_config(), **run)


@pytest.mark.parametrize("count", ["weight_bytes", "training_memory_terms", "kv_cache_terms"])
def test_elements_have_at_least_one_byte(arithmetic, make_config, count):
    run = {"pos": 1} if count == "kv_cache_terms" else {}
    with pytest.raises(ValueError, match="bytes_per_element must be a whole number of at least 1"):
        getattr(arithmetic, count)(make_config(), **run, bytes_per_element=0)
