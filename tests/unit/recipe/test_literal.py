"""Config files are read as mmcv reads them, without being run; all else is refused in one line."""

import random
from pathlib import Path

import pytest

from tsf.errors import UserError
from tsf.recipe.literal import digest, read_config, read_text


@pytest.fixture
def write(tmp_path):
    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def fault_of(path, run=False):
    with pytest.raises(UserError) as fault:
        read_config(path, run)
    assert "\n" not in str(fault.value)
    return str(fault.value)


PLAIN = '''"""What a config may hold."""
size = 224
norm = dict(mean=[127.5, -1, 0.0], to_bgr=False)
a = b = None
pipeline = [
    dict(type="Normalize", **norm),
    {"type": "Resize", "scale": (-1, size), **norm, "to_bgr": True},
]
root = "data/" + "k400"
path = f"{root}/val{size}"
twice = [0] * 2 + [size * 2 - 1, 1 / 4, 7 // 2]
__hidden = 3
_kept = __hidden
empty = dict()
keys = dict({".backbone.cls_token": dict(decay_mult=0.0), "lr": 1}, lr=2, **norm)
gpu_ids = range(0, 8)
'''
PLAIN_VALUES = {
    "size": 224,
    "norm": {"mean": [127.5, -1, 0.0], "to_bgr": False},
    "a": None,
    "b": None,
    "pipeline": [
        {"type": "Normalize", "mean": [127.5, -1, 0.0], "to_bgr": False},
        {"type": "Resize", "scale": (-1, 224), "mean": [127.5, -1, 0.0], "to_bgr": True},
    ],
    "root": "data/k400",
    "path": "data/k400/val224",
    "twice": [0, 0, 447, 0.25, 3],
    "_kept": 3,
    "empty": {},
    "keys": {
        ".backbone.cls_token": {"decay_mult": 0.0},
        "lr": 2,
        "mean": [127.5, -1, 0.0],
        "to_bgr": False,
    },
    "gpu_ids": [0, 1, 2, 3, 4, 5, 6, 7],
}


@pytest.mark.parametrize("run", [False, True])
def test_plain_values(write, run):
    assert read_config(write("plain.py", PLAIN), run) == PLAIN_VALUES


@pytest.mark.parametrize("run", [False, True])
def test_a_value_written_out_is_read_back(write, run):
    chance = random.Random(5)
    words = ["", "a b", 'quo"te', "über", "\\n{}", "line\nbreak"]

    def value(depth=0):
        kind = chance.randrange(8 if depth < 3 else 5)
        if kind >= 5:
            items = [value(depth + 1) for _ in range(chance.randrange(4))]
            names = chance.sample([*words, "type", 1, None], len(items))
            return [items, tuple(items), dict(zip(names, items, strict=True))][kind - 5]
        leaves = [None, chance.random() < 0.5, chance.randrange(-9, 9), chance.gauss(0, 1e5)]
        return [*leaves, chance.choice(words)][kind]

    for number in range(200):
        content = {"one": value(), "two": value()}
        text = "".join(f"{name} = {value!r}\n" for name, value in content.items())
        assert read_config(write(f"{number}.py", text), run) == content


@pytest.mark.parametrize(
    "line, named",
    [
        ("import os", "`import os`"),
        ("from math import pi", "`from math import pi`"),
        ("x = open('f')", "`open('f')`"),
        ("x = __import__('os').getcwd()", "`__import__('os').getcwd()`"),
        ("x = dict([(1, 2)])", "`dict([(1, 2)])`"),
        ("x = dict({1: 2}, {3: 4})", "`dict({1: 2}, {3: 4})`"),
        ("x = range(*[1])", "`*[1]`"),
        ("x = [i for i in [1]]", "`[i for i in [1]]`"),
        ("x = lambda: 1", "`lambda: 1`"),
        ("x = y", "`y` is a name that is not assigned before"),
        ("x = [1][0]", "`[1][0]`"),
        ("x = _base_.model", "`_base_.model`"),
        ("x = 1 if True else 2", "`1 if True else 2`"),
        ("x = {1, 2}", "`{1, 2}`"),
        ("x = b'a'", "`b'a'`"),
        ("x = ...", "`...`"),
        ("x = 2 ** 9", "`2 ** 9`"),
        ("x = not 1", "`not 1`"),
        ("x = [*[1]]", "`*[1]`"),
        ("x = f'{1:03d}'", "1:03d"),
        ("x = f'{open(1)}'", "`open(1)`"),
        ("x, y = 1, 2", "`x, y = (1, 2)`"),
        ("x: int = 1", "`x: int = 1`"),
        ("x += 1", "`x += 1`"),
        ("model['a'] = 1", "`model['a'] = 1`"),
        ("print(1)", "`print(1)`"),
        ("del model", "`del model`"),
        ("def f():\n    return 1", "`def f(): return 1`"),
        ("for i in [1]:\n    x = i", "`for i in [1]: x = i`"),
        ("if True:\n    x = 1", "`if True: x = 1`"),
        ("class A:\n    pass", "`class A: pass`"),
    ],
)
def test_what_is_more_than_plain_values_is_refused(write, line, named):
    path = write("more.py", f"model = dict()\n\n{line}\n")
    fault = fault_of(path)
    assert fault.startswith(f"{path}, line 3: ")
    assert named in fault and "model.run_config: true" in fault


@pytest.mark.parametrize(
    "line, named",
    [
        ("x = 1 + 'a'", "unsupported operand"),
        ("x = 1 / 0", "division by zero"),
        ("x = dict(a=1, **dict(a=2))", "got 'a' twice"),
        ("x = {[]: 1}", "unhashable"),
        ("x = -'a'", "bad operand"),
        ("x = range('a')", "cannot be interpreted as an integer"),
        ("x = range()", "range expected at least 1 argument"),
    ],
)
def test_what_python_cannot_compute_either(write, line, named):
    path = write("wrong.py", f"\n{line}\n")
    fault = fault_of(path)
    assert fault.startswith(f"{path}, line 2: ") and named in fault
    assert "running it failed" in fault_of(path, run=True)


@pytest.mark.parametrize("run", [False, True])
@pytest.mark.parametrize(
    "text, named",
    [
        ("x = (1,\n", "line 1: no Python"),
        ("x = dict(a=1, a=2)\n", "line 1: no Python (keyword argument repeated: a)"),
        (b"x = '\xff'\n", "is not UTF-8"),
        ("x = 1\0\n", "no Python"),
        ("x = '{{ fileBasename }}'", "is a template of mmcv"),
        ("x = 'a/{{ _base_.root }}'", "is a template of mmcv"),
        ("x = '{{$HOME:/root}}'", "is a template of mmcv"),
        ("x = {{ _base_.root }}", "is a template of mmcv"),
        ("_base_ = 3", "_base_ is 3, neither a path nor a list"),
        ("_base_ = './none.py'", "_base_ './none.py' is no file"),
        ("_base_ = ['mmaction::x.py']", "is no file"),
        ("_base_ = './faulty.py'", "its _base_ leads back to it"),
    ],
)
def test_a_faulty_file_is_one_line(write, text, named, run):
    path = write("faulty.py", text)
    fault = fault_of(path, run)
    assert fault.startswith(str(path)) and named in fault


@pytest.mark.parametrize("run", [False, True])
@pytest.mark.parametrize(
    "number", ["0x" + "f" * 5000, f"0x1{'0' * 1500} * 0x1{'0' * 1500}", "-0x1" + "0" * 2500]
)
def test_an_integer_that_cannot_be_printed_is_one_line(write, number, run):
    path = write("long.py", f"model = dict(x={number})")
    assert "an integer of more than 10000 bits" in fault_of(path, run)


def test_a_range_that_fills_the_memory_is_one_line(write):
    assert "too long" in fault_of(write("long.py", "x = range(10000000000)"))


def test_of_a_text_only_what_the_names_need_is_read():
    where = Path("its own config")
    text = "a = [inf]\nn = 3\nhalf = n\nmodel = dict(n=half)\nother = mine()\n"
    assert read_text(text, where, ("model", "data")) == {"model": {"n": 3}}
    for more in ("model = dict(n=other)", "model['n'] = 4", "import os", "model = mine()"):
        with pytest.raises(
            UserError, match=r"^its own config, line [56]: .*no plain value$"
        ) as fault:
            read_text(f"{text}{more}\n", where, ("model", "data"))
        assert "run_config" not in str(fault.value)


def test_deep_nesting_is_one_line(write):
    assert "nested" in fault_of(write("deep.py", "x = " + "[" * 250 + "]" * 250))
    assert "nested" in fault_of(write("deep.py", "x = " + "1 + " * 5000 + "1"))


def test_other_files_are_no_config(write, tmp_path):
    assert "a config is a .py file" in fault_of(write("config.yaml", "a: 1"))
    assert "cannot be read" in fault_of(tmp_path / "none.py")


def test_bases_are_merged(write):
    write("base/a.py", "model = dict(head=dict(n=400, p=0.5), test_cfg=dict(x=1))\nlist_ = [1, 2]")
    write("base/b.py", "_base_ = 'c.py'\ndata = dict(test=dict(root='b'))")
    write("base/c.py", "data = dict(test=dict(root='c', pipeline=[1]), workers=2)")
    path = write(
        "my.py",
        "_base_ = ['base/a.py', './base/b.py']\n"
        "model = dict(head=dict(n=8), test_cfg=dict(_delete_=True, y=2))\nlist_ = [3]",
    )
    assert read_config(path) == {
        "model": {"head": {"n": 8, "p": 0.5}, "test_cfg": {"y": 2}},
        "list_": [3],
        "data": {"test": {"root": "b", "pipeline": [1]}, "workers": 2},
    }


@pytest.mark.parametrize(
    "a, b, child, named",
    [
        ("x = 1", "x = 2", "", "two files of _base_ assign x"),
        ("m = dict(x=[1])", "", "m = dict(x=dict())", "m.x is a dict, but in its _base_ a list"),
    ],
)
def test_bases_that_do_not_fit(write, a, b, child, named):
    write("a.py", a)
    write("b.py", b)
    assert named in fault_of(write("my.py", f"_base_ = ['a.py', 'b.py']\n{child}"))


def test_a_cycle_of_two(write):
    write("a.py", "_base_ = 'b.py'")
    assert "its _base_ leads back to it" in fault_of(write("b.py", "_base_ = './a.py'"))


MERGES = [
    "model = dict(a=dict(x=9))",
    "model = dict(a=dict(_delete_=True, x=9), new=dict(_delete_=True, y=1))",
    "model = dict(a=dict(_delete_=False, x=9))",
    "model = dict(a=3, c=[1])",
    # both names are one dict, of which mmcv makes two
    "shared = dict(_delete_=True, x=9)\nmodel = dict(a=shared, b=shared)",
    "model = dict(_delete_=True, a=dict(_delete_=True, x=1))",
]


@pytest.mark.parametrize("child", MERGES)
def test_the_merge_is_mmcvs(mmaction2, write, child):
    from mmcv import Config

    write("base.py", "model = dict(a=dict(x=1, z=dict(u=1)), b=dict(w=2), c=[dict(x=1)])\nk = 1")
    path = write("my.py", f"_base_ = './base.py'\n{child}\n")
    expected = Config.fromfile(str(path))._cfg_dict.to_dict()
    assert read_config(path) == expected == read_config(path, run=True)


def test_mmaction2s_own_configs_are_read_as_mmcv_reads_them(mmaction2):
    from mmcv import Config

    files = sorted((mmaction2 / "mmaction/.mim/configs/recognition").rglob("*.py"))[::5]
    refused = []
    for path in files:
        try:
            content = read_config(path)
        except UserError as fault:
            refused.append(str(fault))
        else:
            expected = Config.fromfile(str(path))._cfg_dict.to_dict()
            if "gpu_ids" in expected:  # a range, read as a list
                expected["gpu_ids"] = list(expected["gpu_ids"])
            assert content == expected, path
    assert all("model.run_config: true" in fault for fault in refused)
    assert len(refused) < len(files) / 10


def test_a_file_is_run_when_that_is_allowed(write):
    write("base.py", "import os\nfrom math import sqrt\nmodel = dict(width=int(sqrt(16)), n=1)")
    path = write(
        "my.py",
        "from pathlib import Path\n_base_ = './base.py'\n\ndef double(n):\n    return 2 * n\n\n"
        "class Mine:\n    pass\n\n"
        "model = dict(n=double(4), type=Mine)\nroot = Path('a') / 'b'\n",
    )
    assert "`from pathlib import Path`" in fault_of(path)
    assert read_config(path, run=True) == {
        "model": {"width": 4, "n": 8, "type": "Mine"},
        "root": "a/b",
    }


@pytest.mark.parametrize(
    "text, named",
    [
        ("import nosuchmodule", "ModuleNotFoundError: No module named 'nosuchmodule'"),
        ("raise SystemExit(3)", "running it failed (SystemExit: 3)"),
        ("raise ValueError('a\\nb')", "running it failed (ValueError: a b)"),
        ("x = dict(y={1})", "x.y is a set, no plain value"),
        ("x = [print]", "x is a builtin_function_or_method, no plain value"),
    ],
)
def test_a_run_that_fails_is_one_line(write, text, named):
    path = write("run.py", text)
    assert named in fault_of(path, run=True)


def test_nothing_is_run_unless_allowed(write, tmp_path):
    path = write("my.py", f"x = open({str(tmp_path / 'made')!r}, 'w')")
    fault_of(path)
    assert not (tmp_path / "made").exists()


def test_the_digest_is_of_the_content(write):
    first = digest(read_config(write("a.py", PLAIN)))
    other_layout = "# a comment\n" + PLAIN.replace("dict(mean=", "dict(\n    mean=")
    assert digest(read_config(write("elsewhere/b.py", other_layout))) == first
    write("base.py", PLAIN)
    assert digest(read_config(write("c.py", "_base_ = './base.py'"))) == first
    changed = [
        PLAIN.replace("224", "225"),
        PLAIN.replace("-1, 0.0", "0.0, -1"),
        PLAIN.replace("False", "None"),
        PLAIN + "more = 1",
        PLAIN.replace("empty = dict()", "empty = []"),
    ]
    digests = {digest(read_config(write("d.py", text))) for text in changed}
    assert len(digests) == len(changed) and first not in digests
