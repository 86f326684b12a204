#!/usr/bin/env python3
"""Sums of the measures over the hourly pod rows of a case that are in scope and have a node, read with pyarrow.

Independent of everything else here: it says what a right result must add up to.  Prints one JSON object.
"""
import argparse
import datetime as dt
import glob
import json
import math
import os

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

MEASURES = [
    f"pod_{kind}_{unit}_seconds"
    for unit in ("cpu_core", "memory_byte")
    for kind in ("usage", "request", "effective_usage", "limit")
]


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--case", required=True, help="folder with reference.json and input/")
    a = ap.parse_args()
    with open(os.path.join(a.case, "reference.json")) as file:
        r = json.load(file)
    start = dt.datetime.fromisoformat(r["start_date"])
    end = dt.datetime.fromisoformat(r["end_date"]) + dt.timedelta(days=1)
    files = glob.glob(os.path.join(
        a.case, "input", "data", "parquet", r["org"], "OCP", "pod_usage", f"source={r['source_uuid']}",
        f"year={r['year']}", f"month={r['month']}", "*.parquet"))
    rows, sums = 0, {m: [] for m in MEASURES}
    for path in files:
        t = pq.ParquetFile(path).read(columns=["interval_start", "node", *MEASURES])
        time = t["interval_start"]
        in_scope = pc.and_(pc.greater_equal(time, pa.scalar(start, time.type)), pc.less(time, pa.scalar(end, time.type)))
        t = t.filter(pc.and_(in_scope, pc.not_equal(t["node"], "")))
        rows += t.num_rows
        for m in MEASURES:
            sums[m].append(pc.sum(t[m], min_count=0).as_py())
    print(json.dumps({"rows": rows, "sums": {m: math.fsum(s) for m, s in sums.items()}}))


if __name__ == "__main__":
    main()
