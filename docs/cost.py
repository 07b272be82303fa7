#!/usr/bin/env python3
"""Makes docs/cost.md of docs/cost.json (measured) and the prices below. --check only compares.

The figures are measured by
    IOCAST_COST=write cargo test -p tests --test blackbox cost_sheet
"""

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent

# us-east-1, on demand, in dollars, November 2026; without free tiers.
READ_UNIT = 0.125e-6
WRITE_UNIT = 0.625e-6
TABLE_GB_MONTH = 0.25 + 0.20  # storage, point-in-time recovery
BUCKET_GB_MONTH = 0.023
BUCKET_GET = 0.4e-6
BUCKET_PUT = 5e-6  # and POST, LIST
API_CALL = 1.00e-6  # for each 512 KiB or part of it
API_BYTES = 512 * 1024
INVOCATION = 0.20e-6
GB_SECOND = 0.0000133334  # arm64
GB_OUT = 0.09
LOG_GB = 0.50
ALARM_METRIC = 0.10
CUSTOM_METRIC = 0.30
DASHBOARD = 3.00
SECRET = 0.40

MONTH_HOURS = 730
# A Lambda gets a whole processor at this memory, and a share of it below.
WHOLE_PROCESSOR_MB = 1769


def function_cost(ms, memory):
    """An invocation, as though all of its time were the processor's: an upper bound."""
    share = min(1.0, memory / WHOLE_PROCESSOR_MB)
    return INVOCATION + ms / share / 1000 * memory / 1024 * GB_SECOND


def table_cost(units):
    return units["read_units"] * READ_UNIT + units["write_units"] * WRITE_UNIT


def log_cost(written):
    return written / 1e9 * LOG_GB


def money(dollars):
    return f"{dollars:,.2f}" if dollars >= 0.005 or dollars == 0 else f"{dollars:.4f}"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def call_rows(figures):
    deployed = figures["deployed"]
    for name, call in figures["calls"].items():
        parts = [
            API_CALL * max(1, -(-call["bytes"] // API_BYTES)),
            function_cost(call["ms"], deployed["memory"][call["function"]]),
            table_cost(call)
            + deployed["limiter_write_units"] * WRITE_UNIT
            + deployed["bucket_gets"].get(name, 0) * BUCKET_GET,
            call["bytes"] / 1e9 * GB_OUT,
            log_cost(deployed["access_log_bytes"] + deployed["invocation_log_bytes"] + deployed["request_line_bytes"]),
        ]
        measured = [f"{call['read_units']:g}", f"{call['write_units']:g}", f"{call['bytes']:,}", f"{call['ms']:.1f}"]
        million = [money(part * 1e6) for part in [*parts, sum(parts)]]
        yield [name, *measured, *million]


def object_lines(figures):
    one = figures["object"]
    batch = figures["deployed"]["objects_a_request"]
    # Ingest and projection, each with the whole time measured for both.
    memory = [figures["deployed"]["memory"][name] for name in ("IngestFunction", "ProjectFunction")]
    time = sum(function_cost(one["ms"], each) - INVOCATION + INVOCATION / batch for each in memory)
    stored = one["stored_bytes"] / 1e9 * TABLE_GB_MONTH
    parts = [
        ("requests (the API, one for each %d)" % batch, API_CALL / batch),
        ("functions", time),
        ("write units: %g each" % one["write_units"], one["write_units"] * WRITE_UNIT),
        ("read units: %g each" % one["read_units"], one["read_units"] * READ_UNIT),
    ]
    rows = [[name, money(part * 1e6)] for name, part in parts]
    rows.append(["**in all, once**", money(sum(part for _, part in parts) * 1e6)])
    rows.append(["kept, a month", money(stored * 1e6)])
    return table(["a million objects", "$"], rows)


def stream_lines(figures):
    deployed = figures["deployed"]
    seconds = MONTH_HOURS * 3600
    memory = deployed["memory"]["LiveStreamFunction"]
    time = seconds * memory / 1024 * GB_SECOND
    reads = deployed["stream_idle_read_units_an_hour"] * MONTH_HOURS * READ_UNIT
    again = seconds / deployed["stream_connection_seconds"] * INVOCATION
    rows = [
        ["the open connection (%d MB)" % memory, money(time)],
        ["polls: %s read units an hour" % f"{deployed['stream_idle_read_units_an_hour']:,}", money(reads)],
        ["a new connection every %d s" % deployed["stream_connection_seconds"], money(again)],
        ["**in all**", money(time + reads + again)],
    ]
    return table(["a reader who never hangs up, a month", "$"], rows)


def idle_lines(figures):
    deployed = figures["deployed"]
    rows, total = [], 0.0
    for function, run in figures["idle_run"].items():
        runs = MONTH_HOURS * 60 / deployed["every_minutes"][function]
        memory = deployed["memory"][function]
        gets = deployed["bucket_gets"].get(function, 0) * BUCKET_GET
        logs = log_cost(deployed["invocation_log_bytes"] + run["log_bytes"])
        cost = runs * (function_cost(run["ms"], memory) + table_cost(run) + gets + logs)
        total += cost
        rows.append([f"{function}, {runs:,.0f} runs of {run['ms']:g} ms", money(cost)])
    fixed = [
        ("alarms, %d metrics" % deployed["alarm_metrics"], deployed["alarm_metrics"] * ALARM_METRIC),
        ("metrics of its own, %d" % deployed["custom_metrics"], deployed["custom_metrics"] * CUSTOM_METRIC),
        ("dashboard", DASHBOARD),
    ]
    rows.append(["secret", money(SECRET)])
    rows.append(["**in all, with `Monitoring=false`**", money(total + SECRET)])
    for name, cost in fixed:
        total += cost
        rows.append([name, money(cost)])
    return table(["nobody asks, a month", "$"], [*rows, ["**in all**", money(total + SECRET)]])


def idle(figures):
    """What an idle month costs in all, and without monitoring."""
    last = idle_lines(figures).splitlines()
    without = next(line for line in last if "Monitoring=false" in line)
    return [line.split("|")[2].strip() for line in (last[-1], without)]


def claims(figures):
    """What other pages say of this one, which has to be true."""
    whole, without = idle(figures)
    readme = (HERE.parent / "README.md").read_text(encoding="utf-8")
    for said in (f"${whole} a month", f"${without}"):
        if said not in readme:
            yield f"README.md does not say {said}"
    units = f'{figures["deployed"]["stream_idle_read_units_an_hour"]:,} read units an hour'
    if units not in (HERE / "performance.md").read_text(encoding="utf-8"):
        yield f"docs/performance.md does not say {units}"


def feed_lines(figures):
    edition, deployed = figures["edition"], figures["deployed"]
    parts = [
        ("%d PUTs, %d GETs" % (edition["puts"], edition["gets"]), edition["puts"] * BUCKET_PUT + edition["gets"] * BUCKET_GET),
        ("function, %.0f ms" % edition["ms"], function_cost(edition["ms"], deployed["memory"]["CsvPublishFunction"]) - INVOCATION),
        ("%g read units" % edition["read_units"], table_cost(edition)),
    ]
    rows = []
    for every in (5, 60):
        editions = MONTH_HOURS * 60 / every
        each = ", ".join("%s %s" % (name, money(part * editions)) for name, part in parts)
        rows.append(["every %d minutes (%s)" % (every, each), money(sum(part for _, part in parts) * editions)])
    return table(["a feed that has new rows each time, a month", "$"], rows)


def sheet(figures):
    head = ["a million calls", "read units", "write units", "bytes", "ms"]
    head += ["API $", "function $", "tables, bucket $", "out $", "logs $", "all $"]
    return f"""# What it costs
Made by `docs/cost.py` of `docs/cost.json`; do not edit. Prices: us-east-1, on demand, arm64, November 2026, in dollars, without free tiers. Units, bytes and milliseconds are measured by

```sh
{figures["measured_by"]["calls, object, idle_run, edition"]}
```

The other inputs are under `deployed` in `docs/cost.json`, each with where it comes from. Milliseconds are those of warm handlers on the machine that measured, tests' build, embedded engine included; they are charged as though all were the processor's, at the share of one that the function's memory buys. That is an upper bound for what the code takes; what DynamoDB itself takes on AWS (a few milliseconds a request) is not in it, nor are cold starts.

## Calls
By a key on the plan `enterprise`, whose counts take {figures["deployed"]["limiter_write_units"]:g} write units a request beside those below. Answers as they are without compression; a client that takes gzip pays a fraction of "out".

{table(head, list(call_rows(figures)))}

A front (CloudFront) adds $1.00 a million requests and replaces $0.09 a GB out by $0.085; public feeds are then answered from its cache.

The tables are encrypted with the key that AWS keeps for DynamoDB in the account: $0.03 for 10,000 of its uses, of which DynamoDB makes one when a caller comes to a table after five minutes of silence.

## Objects
{figures["deployed"]["objects_a_request"]} objects a request, each into one collection and the built-in logs.

{object_lines(figures)}

A POST to TAXII waits for `ProjectFunction` to have brought its objects into the log, and is charged that time as though it computed; what the projection takes is under Objects.

## Feeds
{feed_lines(figures)}

Of 2,000 rows, one of them new. An edition puts its claim, its two formats, what the next one is carried on from and the document that names them, and lists what may go: {figures["edition"]["puts"]} requests at the price of a PUT. Larger files take one more for each 5 MiB, and time by their size.

## Live streams
{stream_lines(figures)}

Bytes out come on top, at ${GB_OUT:.2f} a GB, and metrics while anybody reads: {figures["deployed"]["stream_metrics"]} of each stream and {figures["deployed"]["stream_metrics"]} of all together, at ${CUSTOM_METRIC:.2f} a month each.

## Idle
Dashboard, alarms and metrics are most of it, and go with `Monitoring=false`; an `AlarmTopicArn` adds nothing. One feed and one collection; each further feed adds its share of `CsvPublishFunction`.

{idle_lines(figures)}
"""


def main():
    figures = json.loads((HERE / "cost.json").read_text(encoding="utf-8"))
    made, path = sheet(figures), HERE / "cost.md"
    if "--check" not in sys.argv:
        path.write_text(made, encoding="utf-8")
        return
    wrong = list(claims(figures))
    if path.read_text(encoding="utf-8") != made:
        wrong.append("docs/cost.md is not what docs/cost.py makes; run it")
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
