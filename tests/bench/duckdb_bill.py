#!/usr/bin/env python3
"""What DuckDB takes to read and group what an attribution of a bill is made of, without attributing anything.

    duckdb_bill.py --case CASE        a folder that gen_aws.py made

The rules of an attribution (ocp-on-aws § 5 to § 9) are no matter of one query, so this is a floor and no contender: the
clusters' daily rows and the bill's rows are summed by the keys that any attribution needs, sizes of disks are found, and
nothing is joined. Prints one JSON object about itself. Needs only duckdb.
"""
import argparse
import json
import os
import resource
import time

import duckdb

BILL_KEYS = ["lineitem_usagestartdate", "lineitem_resourceid", "resourcetags", "lineitem_productcode",
             "product_productname", "bill_billingentity", "product_productfamily", "product_instancetype",
             "product_region", "lineitem_availabilityzone", "pricing_unit", "lineitem_currencycode",
             "lineitem_usageaccountid", "lineitem_lineitemtype", "lineitem_usagetype", "lineitem_operation",
             "costcategory"]
BILL_SUMS = ["lineitem_usageamount", "lineitem_unblendedcost", "lineitem_blendedcost",
             "savingsplan_savingsplaneffectivecost"]
POD_KEYS = ["interval_start", "namespace", "node", "resource_id", "pod_labels"]
POD_SUMS = [f"pod_{kind}_{unit}_seconds" for unit in ("cpu_core", "memory_byte")
            for kind in ("usage", "request", "effective_usage", "limit")]
STORAGE_KEYS = ["interval_start", "namespace", "node", "pod", "persistentvolumeclaim", "persistentvolume", "storageclass",
                "csi_volume_handle", "persistentvolume_labels", "persistentvolumeclaim_labels"]


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--case", required=True)
    args.add_argument("--threads", type=int, default=2)
    args = args.parse_args()
    with open(os.path.join(args.case, "reference.json"), encoding="utf-8") as file:
        reference = json.load(file)
    started = time.monotonic()
    connection = duckdb.connect(config={"threads": args.threads, "preserve_insertion_order": "false"})

    def files(provider, report, daily):
        folder = os.path.join(args.case, "input", "data", "parquet", *(["daily"] if daily else []), reference["org"],
                              provider, report, "**", "*.parquet")
        return "read_parquet('" + folder.replace("'", "''") + "', hive_partitioning = false)"

    def groups(keys, measures, rows):
        query = f"SELECT {', '.join(keys + measures)} FROM {rows} GROUP BY {', '.join(keys)}"
        # Kept: what is only counted is not computed.
        return connection.execute(f"CREATE OR REPLACE TEMP TABLE kept AS {query}").fetchone()[0]

    sums = lambda names: [f"sum({name}) AS {name}" for name in names]
    counted = {
        "bill": groups(BILL_KEYS, sums(BILL_SUMS), files("AWS", "*", True)),
        "disks": groups(["lineitem_usagestartdate", "lineitem_resourceid", "pricing_unit"],
                        ["max(lineitem_unblendedcost) AS cost", "max(lineitem_unblendedrate) AS rate"],
                        files("AWS", "*", False)),
        "pods": groups(POD_KEYS, sums(POD_SUMS), files("OCP", "pod_usage", True)),
        "storage": groups(STORAGE_KEYS, ["max(persistentvolumeclaim_capacity_bytes) AS bytes"],
                          files("OCP", "storage_usage", True)),
    }
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"groups": counted, "wall_seconds": round(time.monotonic() - started, 3),
                      "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 3), "peak_kib": usage.ru_maxrss}))


if __name__ == "__main__":
    main()
