"""What all pair tasks have in common, dates, and number words."""

import datetime
import re

import pytest
import torch

NAMES = ["dates", "numbers", "grammar"]


@pytest.fixture(scope="module")
def tasks(t):
    return {name: t.make_pair_task(name, {}) for name in NAMES}


def texts(task, batch):
    """(source, target) of each row, without marks."""
    plain = task.tokenizer.plain
    rows = zip(batch.source.tolist(), batch.target.tolist(), strict=True)
    return [(plain(source), plain(target)) for source, target in rows]


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_begins_ends_and_pads_as_promised(t, tasks, name) -> None:
    task = tasks[name]
    assert isinstance(task, t.PairTask) and task.name == name and task.floor() == 0.0
    source, source_mask, target, loss_mask, answer_mask = task.sample(200, seed=3)
    pad, start, end = (task.tokenizer.mark_id(mark) for mark in ("<pad>", "<s>", "</s>"))
    assert torch.equal(source_mask, source != pad) and source_mask.any(0).all()
    assert not ((source == start) | (source == end)).any()
    assert (target[:, 0] == start).all() and not loss_mask[:, 0].any()
    assert torch.equal(loss_mask[:, 1:], target[:, 1:] != pad)
    assert torch.equal(answer_mask, loss_mask)
    last = loss_mask.sum(1)
    assert (target[torch.arange(200), last] == end).all() and ((target == end).sum(1) == 1).all()
    assert max(source.shape[1], target.shape[1]) <= task.n_ctx
    assert max(int(source.max()), int(target.max())) < task.d_vocab


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_batch(t, tasks, name) -> None:
    again, other = t.make_pair_task(name, {}).sample(32, seed=5), tasks[name].sample(32, seed=6)
    ours = tasks[name].sample(32, seed=5)
    assert all(torch.equal(one, two) for one, two in zip(ours, again, strict=True))
    assert texts(tasks[name], ours) != texts(tasks[name], other)


@pytest.mark.parametrize("name", NAMES)
def test_the_splits_share_no_text_and_a_source_has_one_target(tasks, name) -> None:
    sides, target_of = {}, {}
    for split in ("train", "held_out"):
        pairs = texts(tasks[name], tasks[name].sample(2000, seed=1, split=split))
        sides[split] = set(pairs)
        for source, target in pairs:
            assert target_of.setdefault(source, target) == target
    for side in (0, 1):
        train, held_out = ({pair[side] for pair in sides[split]} for split in sides)
        assert not train & held_out and len(held_out) > 1000


@pytest.mark.parametrize("name", NAMES)
def test_tokenizers_survive_the_disk(tasks, tmp_path, name) -> None:
    from tfs.tokenizers import load_tokenizer, save_tokenizer

    save_tokenizer(tasks[name].tokenizer, tmp_path / "tokenizer.json")
    loaded = load_tokenizer(tmp_path / "tokenizer.json")
    batch = tasks[name].sample(20, seed=0)
    for row in (*batch.source.tolist(), *batch.target.tolist()):
        assert loaded.str_tokens(row) == tasks[name].tokenizer.str_tokens(row)


def test_unknown_tasks_and_options(t, tmp_path) -> None:
    with pytest.raises(ValueError, match="no task 'mirror'; the tasks are dates, grammar"):
        t.make_pair_task("mirror", {})
    with pytest.raises(ValueError, match="the task dates has no option 'limit'; it has: none"):
        t.make_pair_task("dates", {"limit": 3})
    with pytest.raises(ValueError, match="limit of numbers must be of type int, not '10'"):
        t.make_pair_task("numbers", {"limit": "10"})
    with pytest.raises(ValueError, match="no task 'dates'; the tasks are masked-words"):
        t.make_labelled_task("dates", {})
    with pytest.raises(ValueError, match="the task tags has no option 'x'"):
        t.make_labelled_task("tags", {"x": 1})
    assert t.task_options("numbers", t.PAIR_TASKS) == {"limit": 100_000}


def test_every_style_of_a_date_literally() -> None:
    from tfs.tasks.dates import STYLES, written

    date = datetime.date(1994, 3, 7)
    assert [written(date, style) for style in STYLES] == [
        "7 March 1994",
        "March 7, 1994",
        "the 7th of March, 1994",
        "7th March 1994",
        "7 Mar 1994",
        "Mar 7, 1994",
        "Monday, 7 March 1994",
        "Mon Mar 7 1994",
        "March the 7th, 1994",
        "1994, March 7",
        "7.III.1994",
        "07-Mar-1994",
    ]


def test_every_day_is_read_back_by_another_reader(tasks) -> None:
    """In all styles: the month by its name, the day and the year as the numbers that they are."""
    from tfs.tasks.dates import MONTHS, ROMAN, STYLES, written

    task = tasks["dates"]
    longest = 0
    for day in [*task.days["train"][::97].tolist(), *task.days["held_out"][::97].tolist()]:
        date = datetime.date.fromordinal(day)
        for style in STYLES:
            text = written(date, style)
            longest = max(longest, len(task.tokenizer.encode(text)))
            numbers = sorted(int(number) for number in re.findall(r"\d+", text))
            names = [n for n, month in enumerate(MONTHS, 1) if re.search(month[:3], text)]
            names += [n for n, roman in enumerate(ROMAN, 1) if f".{roman}." in text]
            assert datetime.date(numbers[1], names[0], numbers[0]) == date and len(names) == 1
            weekday = re.match("(Mon|Tue|Wed|Thu|Fri|Sat|Sun)", text)
            assert not weekday or weekday[0] == f"{date:%a}"
    assert longest <= task.n_ctx


def test_ordinals() -> None:
    from tfs.tasks.dates import ordinal

    shown = [ordinal(n) for n in (1, 2, 3, 4, 10, 11, 12, 13, 20, 21, 22, 23, 30, 31)]
    assert " ".join(shown) == "1st 2nd 3rd 4th 10th 11th 12th 13th 20th 21st 22nd 23rd 30th 31st"


def test_all_days_of_two_centuries_are_on_one_side(tasks) -> None:
    days = tasks["dates"].days
    both = torch.cat(list(days.values())).sort().values
    first, last = datetime.date(1900, 1, 1), datetime.date(2099, 12, 31)
    assert torch.equal(both, torch.arange(first.toordinal(), last.toordinal() + 1))
    assert len(days["held_out"]) / len(both) == pytest.approx(0.1, abs=0.005)
    fields = [datetime.date.fromordinal(day) for day in days["train"].tolist()]
    assert {(date.month, date.day) for date in fields if date.day < 29} == {
        (month, day) for month in range(1, 13) for day in range(1, 29)
    }
    assert {date.year for date in fields} == set(range(1900, 2100))


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "zero"),
        (13, "thirteen"),
        (40, "forty"),
        (99, "ninety-nine"),
        (100, "one hundred"),
        (115, "one hundred and fifteen"),
        (1000, "one thousand"),
        (12_005, "twelve thousand and five"),
        (12_345, "twelve thousand three hundred and forty-five"),
        (
            999_999,
            "nine hundred and ninety-nine thousand nine hundred and ninety-nine",
        ),
    ],
)
def test_numbers_in_words(number, words) -> None:
    from tfs.tasks.numbers import in_words

    assert in_words(number) == words


VALUES = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
        "fifteen sixteen seventeen eighteen nineteen".split()
    )
} | {
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "seventy": 70,
    "eighty": 80,
    "ninety": 90,
}


def parsed(words: str) -> int:
    """The value of a number in words, read from left to right."""
    total = group = 0
    for word in words.replace("-", " ").split():
        if word == "thousand":
            total, group = total + 1000 * group, 0
        elif word == "hundred":
            group *= 100
        elif word != "and":
            group += VALUES[word]
    return total + group


def test_every_number_is_read_back_by_another_reader(tasks) -> None:
    from tfs.tasks.numbers import in_words

    task = tasks["numbers"]
    longest = 0
    for number in range(100_000):
        words = in_words(number)
        longest = max(longest, len(words))
        assert parsed(words) == number
    assert longest == task.n_ctx
    for number in range(100_000, 1_000_000, 487):
        assert parsed(in_words(number)) == number


def test_what_is_held_out_of_the_numbers_follows_no_rule_of_arithmetic(t, tasks) -> None:
    """Each digit at each place, and each pair of digits, is met in training nearly as often."""
    sides = tasks["numbers"].numbers
    held_out = sides["held_out"]
    assert int(held_out.min()) >= 1000 and (sides["train"][:1000] == torch.arange(1000)).all()
    assert len(held_out) / 99_000 == pytest.approx(0.1, abs=0.005)
    assert len(held_out) + len(sides["train"]) == 100_000
    for one in range(5):
        for other in range(one):
            pair = held_out // 10**one % 10 * 10 + held_out // 10**other % 10
            counts = torch.bincount(pair, minlength=100)
            expected = len(held_out) / 100
            above = counts[10:] if one == 4 else counts
            assert (above > 0.4 * expected).all() and (above < 1.7 * expected).all()
    larger = t.NumbersTask(limit=1_000_000)
    three = "three hundred and seventy-three"
    assert larger.n_ctx == len(f"{three} thousand {three}")
    with pytest.raises(ValueError, match="limit must be one of 10000, 100000, 1000000, not 500"):
        t.NumbersTask(limit=500)
