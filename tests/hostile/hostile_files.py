"""What lies in the folder: a person's files, and hostile ones."""

from __future__ import annotations

import json
import os
from pathlib import Path

HEADER = "params,tokens,loss,teacher_loss,group,run"
ROWS = [
    f"{n}e8,{d}e9,{2.9 - 0.05 * n - 0.004 * d},{t},{'ab'[i % 2]},r{i}"
    for i, (n, d, t) in enumerate((n, d, t) for n in (1, 2, 4) for d in (4, 8, 16) for t in (2, 3))
]
CARD = """name = "mine"
law = "chinchilla"
[priors.floor]
family = "lognormal"
median = 0.8
sd = {sd}
[priors.level]
family = "lognormal"
median = 0.2
sd = 1.0
[priors.share]
family = "logitnormal"
median = 0.5
sd = 1.0
[priors.slope_params]
family = "lognormal"
median = 0.1
sd = 1.0
[priors.slope_tokens]
family = "lognormal"
median = 0.1
sd = 1.0
"""
NAMES = ["[/]", "[red]x", ":smile:", "\x1b[31mred\x07", "a\u202eb", "=1+1", "$\\frac{$", "`quit()`"]
TEXTS = {
    "runs.csv": "\n".join([HEADER, *ROWS]) + "\n",
    "design.csv": "params,tokens,teacher_loss\n1e9,2e10,2.2\n2e9,4e10,2.1\n",
    "notes.txt": "my only copy\n",
    "notes.html": "<html>my page</html>\n",
    "notes.json": '{"mine": 1}\n',
    "notes.csv": "day,what\nMonday,nothing\n",
    "notes.nc": "not a fit\n",
    "notes.png": "not a picture\n",
    "empty.nc": "",
    "empty.csv": "",
    "empty.toml": "",
    "empty.json": "",
    "plan.json": '{"rows": []}\n',
    "words.json": '{"rows": 3}\n',
    "list.json": "[]\n",
    "deep.json": "[" * 100_000,
    "deep.toml": "x = " + "[" * 50_000,
    "deep.jsonl": '{"params": ' + "[" * 100_000 + "\n",
    "surrogate.jsonl": json.dumps(
        {"params": 1e9, "tokens": 2e10, "loss": 2.5, "group": "\ud800", "run": "\udcff"}
    )
    + "\n",
    "sd-inf.toml": CARD.format(sd="inf"),
    "sd-nan.toml": CARD.format(sd="nan"),
    "sd-huge.toml": CARD.format(sd="1e308"),
    "sd-tiny.toml": CARD.format(sd="1e-308"),
    "sd-zero.toml": CARD.format(sd="0.0"),
    "sd-negative.toml": CARD.format(sd="-1.0"),
    "good.toml": CARD.format(sd="1.0"),
    "reference.toml": CARD.format(sd="1.0") + "[reference]\nloss = 1e-300\n",
    "reference-inf.toml": CARD.format(sd="1.0") + "[reference]\nparams = inf\n",
    "code.toml": CARD.format(sd="1.0") + '[likelihood]\nfamily = "os:system"\n',
    "code-2.toml": CARD.format(sd="1.0") + "[likelihood]\nfamily = \"__import__('os')\"\n",
    "law.toml": CARD.format(sd="1.0").replace("chinchilla", "os.system"),
    "members.toml": 'name = "x"\nlaw = "stacked"\nmembers = []\n',
    "name.toml": CARD.format(sd="1.0").replace('"mine"', '"../../mine"'),
    "map.toml": '[columns]\nparams = "nothing"\n',
    "map-unknown.toml": '[columns]\nnonsense = "x"\n',
    "map-type.toml": "columns = 3\n",
    "teachers.csv": "name,teacher_loss\n"
    + "".join(f'"{name}",{2.0 + i / 10}\n' for i, name in enumerate(NAMES) if "\x1b" not in name),
    "control.csv": f'{HEADER}\n1e9,2e10,2.5,,"\x1b[31mred\x07",x\n1e9,2e10,-1,,"\x1b]0;t\x07",y\n',
    "semicolons.csv": "params;tokens;loss\n1;2;3\n",
    "wide.csv": ",".join(f"column{i}" for i in range(20_000)) + "\n1" + "," * 19_999 + "\n",
    "long-row.csv": f"{HEADER}\n1e9,2e10,2.5,,a,b{',x' * 50}\n",
    "quotes.csv": f'{HEADER}\n"1e9,2e10\n',
    "long-cell.csv": f"{HEADER}\n{'9' * 5000},2e10,2.5,,a,b\n",
    "words.csv": f"{HEADER}\none,two,three,,a,b\n",
    "infinite.csv": f"{HEADER}\ninf,2e10,2.5,,a,b\n",
    "negative.csv": f"{HEADER}\n-1e9,2e10,2.5,,a,b\n",
    "twice.jsonl": '{"params": 1e9, "params": 2e9, "tokens": 1e9, "loss": 2}\n',
    "big-number.jsonl": '{"params": 1' + "0" * 5000 + ', "tokens": 1e9, "loss": 2}\n',
    "no-object.jsonl": "3\n",
    "at-negative.csv": "params,tokens,teacher_loss\n1e9,-2,2.1\n",
    "at-small.csv": "params,tokens,teacher_loss,teacher_loss_se\n1e9,2e10,1e-300,\n1e9,2e10,2,50\n",
    "wide-errors.csv": "loss,loss_se\n2,5\n2,2\n2,0.1\n",
    "at-words.csv": "params,tokens,teacher_loss\n1e9,many,2.1\n",
    "at-lacking.csv": "params\n1e9\n",
    "same.csv": f"{HEADER}\n" + "1e9,2e10,2.5,2.0,a,b\n" * 30,
}


def write_files(folder: Path) -> None:
    """Write everything."""
    for name, text in TEXTS.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "nul.csv").write_bytes(b"params,tokens,loss\n1\0,2,3\n")
    (folder / "latin.csv").write_bytes(b"params,tokens,loss,group\n1e9,2e10,2.5,\xe9\n")
    (folder / "latin.toml").write_bytes(b'name = "\xe9"\n')
    (folder / "parquet.parquet").write_bytes(b"PAR1" + bytes(40) + b"PAR1")
    (folder / "head.nc").write_bytes((folder / "fit.nc").read_bytes()[:3000])
    (folder / "folder").mkdir()
    (folder / "full").mkdir()
    (folder / "full" / "mine.npz").write_bytes(b"mine")
    (folder / "full.nc.unfinished").mkdir()
    (folder / "full.nc.unfinished" / "mine.npz").write_bytes(b"mine")
    (folder / "linked").symlink_to("folder")
    (folder / "linked.nc.unfinished").symlink_to("full")
    (folder / "link.csv").symlink_to("runs.csv")
    (folder / "link.nc").symlink_to("runs.csv")
    (folder / "loop.nc").symlink_to("loop.nc")
    (folder / "nowhere.nc").symlink_to("none/there.nc")
    (folder / "link.html").symlink_to("notes.txt")
    os.link(folder / "fit.nc", folder / "hard.nc")
    os.link(folder / "runs.csv", folder / "hard.csv")
    os.mkfifo(folder / "pipe.nc")
    os.mkfifo(folder / "pipe.csv")
    os.mkfifo(folder / "pipe.toml")
