"""Reads a published feed with Python's csv, with pandas and line by line, and its NDJSON line by
line, and compares each with what is expected: {"columns": [...], "rows": [[...], ...], "lines":
[{...}, ...]}, in any order, the last column being the moment by which rows are ordered, the newest
first.

feed.py URL KEY EXPECTED
"""

import csv
import io
import json
import sys

import pandas
import requests

url, key, expected_file = sys.argv[1:]
with open(expected_file, encoding="utf-8") as file:
    expected = json.load(file)
columns, wanted = expected["columns"], sorted(expected["rows"])

answer = requests.get(url, headers={"X-API-Key": key}, timeout=60)
answer.raise_for_status()
assert answer.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
text = answer.content.decode("utf-8")
assert not text.startswith("\ufeff")


def check(reader, header, rows):
    assert header == columns, (reader, header)
    moments = [row[-1] for row in rows]
    assert moments == sorted(moments, reverse=True), reader
    got = sorted(row[:-1] for row in rows)
    for one, other in zip(got, wanted):
        assert one == other, f"{reader}: {one} is not {other}"
    assert len(got) == len(wanted), (reader, len(got), len(wanted))


# Python's csv, as its documentation says to open files.
lines = io.StringIO(text, newline="")
rows = list(csv.reader((line for line in lines if not line.startswith("#")), strict=True))
check("csv", rows[0], rows[1:])

# pandas, which takes what follows a # outside quotes for a comment.
frame = pandas.read_csv(io.StringIO(text), comment="#", dtype=str, keep_default_na=False)
check("pandas", list(frame.columns), frame.values.tolist())

# A reader that splits at every line break Unicode knows, and then each line by itself.
lines = [line for line in text.splitlines() if not line.startswith("#")]
rows = [next(csv.reader([line], strict=True)) for line in lines]
check("lines", rows[0], rows[1:])

# NDJSON by a reader that splits at every line break Unicode knows: every text as it was.
answer_json = requests.get(url.removesuffix("csv") + "json", headers={"X-API-Key": key}, timeout=60)
answer_json.raise_for_status()
objects = [json.loads(line) for line in answer_json.content.decode("utf-8").splitlines()]
moments = [line.pop(columns[-1]) for line in objects]
assert moments == sorted(moments, reverse=True)


def order(line):
    return json.dumps(line, sort_keys=True)


for one, other in zip(sorted(objects, key=order), sorted(expected["lines"], key=order)):
    assert one == other, f"NDJSON: {one} is not {other}"
assert len(objects) == len(expected["lines"])

# The file says how much it holds, first and last.
banner = [line for line in text.splitlines() if line.startswith("#")]
assert f"# rows: {len(wanted)}" in banner, banner
assert banner[-1] == f"# END {len(wanted)} rows", banner
assert answer.headers["X-Feed-Rows"] == str(len(wanted))
print(f"{len(wanted)} rows")
