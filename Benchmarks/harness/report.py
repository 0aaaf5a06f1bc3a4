"""Medians, and the table."""

import statistics

COLUMNS = ["", "", "requests/s", "of pgbench", "p50 ms", "p99 ms", "server", "live", "database", "broker", "failed"]
PARTS = ["server_us", "live_us", "database_us", "broker_us"]


def medians(rounds):
    return {key: statistics.median(r[key] for r in rounds) for key in rounds[0]}


def summary(rounds_of):
    """Of one operation: subject → medians, with the ratio to pgbench of the same round."""
    result = {}
    for name, rounds in rounds_of.items():
        result[name] = medians(rounds) | {
            "rate_least": min(r["rate"] for r in rounds), "rate_most": max(r["rate"] for r in rounds),
            "failed": sum(r["failed"] for r in rounds),
            "of_pgbench": statistics.median(
                r["rate"] / base["rate"] for r, base in zip(rounds, rounds_of["pgbench"])
            ),
        }
    return result


def requests_table(operations):
    rows = [COLUMNS]
    for operation, subjects in operations.items():
        for name, values in subjects.items():
            spent = [f"{values[part]:,.0f}" if part in values else "" for part in PARTS]
            rate = f"{values['rate']:,.0f} ({values['rate_least']:,.0f}–{values['rate_most']:,.0f})"
            rows.append(
                [operation, name, rate, f"{values['of_pgbench']:.2f}", f"{values['p50']:.2f}", f"{values['p99']:.2f}"]
                + spent + [str(values["failed"])]
            )
            operation = ""
    return _markdown(rows)


def live_table(idle, fan_out, all_in_one_mib):
    per_post = fan_out["deliveries"] / max(1, fan_out["posts"])
    spent = ", ".join(f"{fan_out[part] * per_post:,.0f}" for part in ("server_us", "database_us", "broker_us"))
    rows = [
        ["live feed", ""],
        [f"memory of an idle connection, of {idle['connections']:,}", f"{idle['bytes_each'] / 1024:.1f} KiB"],
        ["the server's RSS before, after", f"{idle['rss_before_mib']:.0f}, {idle['rss_after_mib']:.0f} MiB"],
        ["followers, posts/s (asked)",
         f"{fan_out['followers']:,}, {fan_out['posts'] / fan_out['posting_seconds']:.0f} ({fan_out['rate']})"],
        ["POST sent → frame read, p50, p99, most",
         f"{fan_out['p50']:.1f}, {fan_out['p99']:.1f}, {fan_out['max']:.1f} ms"],
        ["frames that never came", f"{fan_out['expected'] - fan_out['deliveries']:,.0f}"],
        ["CPU a frame: live server, its client", f"{fan_out['live_us']:.2f}, {fan_out['client_us']:.2f} µs"],
        ["CPU a post: server, database, broker", f"{spent} µs"],
        ["idle RSS of the all-in-one server", f"{all_in_one_mib:.0f} MiB"],
    ]
    return _markdown(rows)


def _markdown(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    numeric = [i > 1 or len(widths) == 2 and i == 1 for i in range(len(widths))]

    def line(row):
        cells = [cell.rjust(w) if right else cell.ljust(w) for cell, w, right in zip(row, widths, numeric)]
        return "| " + " | ".join(cells) + " |"

    rule = "|" + "|".join("-" * (w + 1) + (":" if right else "-") for w, right in zip(widths, numeric)) + "|"
    return "\n".join([line(rows[0]), rule, *map(line, rows[1:])])
