#!/usr/bin/env python3
"""Deterministic AWS bill beside a cluster that gen_bench.py made: a case folder about a bill (ocp-on-aws § 16).

    gen_bench.py --scale xlarge --pods 20000 --days 6 --out CASE
    gen_aws.py --case CASE --rows 1000000

Adds input/data/parquet/[daily/]ORG/AWS/… and turns reference.json into that of a bill with this one cluster. Of the daily
rows, each node and each volume has some every day; of the others one in a hundred names a namespace, one in 500 has a tag
that is a label of the cluster (and so goes to each of the namespaces that have it), one in 2000 names the cluster, and
the rest belong to nobody. Hourly rows are there for volumes alone: nothing
else of them is read. Needs pyarrow and numpy.
"""
import argparse
import datetime as dt
import glob
import json
import os
import uuid

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

AWS_SOURCE = "96317af3-0570-4f8a-ac04-3414f07a6e2d"
HOURLY_RATE = 0.08 / 744  # of a GB of gp3 in a month of 31 days

NODE_ITEMS = [  # product family, usage type, operation, unit
    ("Compute Instance", "BoxUsage:m5.4xlarge", "RunInstances", "Hrs"),
    ("Compute Instance", "EBSOptimized:m5.4xlarge", "Hourly", "Hrs"),
    ("Data Transfer", "DataTransfer-In-Bytes", "RunInstances", "GB"),
    ("Data Transfer", "DataTransfer-Out-Bytes", "RunInstances", "GB"),
    ("Data Transfer", "DataTransfer-Regional-Bytes", "InterZone-In", "GB"),
    ("System Operation", "CPUCredits", "RunInstances", "vCPU-Hours"),
]
DISK_ITEMS = [("Storage", "EBS:VolumeUsage.gp3", "CreateVolume-Gp3", "GB-Mo"),
              ("System Operation", "EBS:VolumeP-IOPS.gp3", "CreateVolume-Gp3", "IOPS-Mo")]
PRODUCTS = ["AmazonS3", "AmazonRDS", "AWSLambda", "AmazonVPC", "AmazonDynamoDB", "AWSELB"]


def cluster(case, reference):
    """Volume handles with sizes, enabled label pairs, namespaces."""
    root = f"{case}/input/data/parquet/daily/{reference['org']}/OCP"
    volumes, pairs, namespaces = {}, set(), set()
    for file in sorted(glob.glob(f"{root}/storage_usage/**/*.parquet", recursive=True)):
        columns = ["csi_volume_handle", "persistentvolumeclaim_capacity_bytes"]
        table = pq.read_table(file, columns=columns, partitioning=None)
        for handle, size in zip(table[0].to_pylist(), table[1].to_pylist()):
            if handle:
                volumes[handle] = size / 2**30
    file = sorted(glob.glob(f"{root}/pod_usage/**/*.parquet", recursive=True))[0]
    table = pq.read_table(file, columns=["pod_labels", "namespace"], partitioning=None)
    for labels in table[0].to_pylist()[:20000]:
        pairs |= {(k, v) for k, v in json.loads(labels).items() if k in reference["enabled_tag_keys"] and v}
    namespaces |= set(table[1].to_pylist())
    return volumes, sorted(pairs), sorted(n for n in namespaces if n)


def table(rows, start, count):
    """`count` rows from columns of texts and numbers, all of the instants `start`."""
    columns = {"lineitem_usagestartdate": pa.array(start, pa.timestamp("ms"))}
    for name, values in rows.items():
        columns[name] = pa.array(values)
        assert len(columns[name]) == count, name
    return pa.table(columns)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--case", required=True)
    args.add_argument("--rows", type=int, default=1_000_000, help="daily rows of all days")
    args.add_argument("--seed", type=int, default=1)
    args = args.parse_args()
    with open(f"{args.case}/reference.json", encoding="utf-8") as file:
        reference = json.load(file)
    if "clusters" in reference:  # made before
        reference |= reference.pop("clusters")[0] | {"enabled_tag_keys": reference["enabled_tag_keys"]["OCP"]}
        del reference["aws"], reference["distribution"]
    volumes, pairs, namespaces = cluster(args.case, reference)
    handles, sizes = list(volumes), np.array(list(volumes.values()))
    nodes = [node["resource_id"] for node in reference["nodes"] if node["resource_id"]]
    first, last = (dt.date.fromisoformat(reference[day]) for day in ("start_date", "end_date"))
    days = [first + dt.timedelta(n) for n in range((last - first).days + 1)]
    random = np.random.default_rng(args.seed)
    for day in days:
        ids, family, kind, operation, unit, product, tags = [], [], [], [], [], [], []

        def add(resource, item, code, tag):
            ids.append(resource), family.append(item[0]), kind.append(item[1]), operation.append(item[2])
            unit.append(item[3]), product.append(code), tags.append(tag)

        for node in nodes:
            for item in NODE_ITEMS:
                add(f"{node}", item, "AmazonEC2", '{"Name": "node"}')
        for handle in handles:
            for item in DISK_ITEMS:
                add(f"arn:aws:ec2:us-east-1:1:volume/{handle}", item, "AmazonEC2", "{}")
        for n in range(max(0, args.rows // len(days) - len(ids))):
            chance = random.random()
            if chance < 0.002:
                key, value = pairs[random.integers(len(pairs))]
                tag = json.dumps({"Name": f"r{n % 997}", key: value})
            elif chance < 0.012:
                tag = json.dumps({"openshift_project": namespaces[random.integers(len(namespaces))]})
            elif chance < 0.0125:
                tag = json.dumps({"openshift_cluster": reference["cluster_id"]})
            else:
                tag = json.dumps({"Name": f"r{n % 4999}", "owner": f"o{n % 101}"})
            code = PRODUCTS[n % len(PRODUCTS)]
            add(f"arn:aws:{code}:us-east-1:1:resource/{n % 60000:08x}", ("Storage", "Requests", "Put", "Requests"), code, tag)
        count = len(ids)
        costs = random.random(count).round(6)
        same = lambda text: np.repeat(text, count)
        midnight = np.datetime64(day, "ms")
        rows = {
            "lineitem_resourceid": ids, "lineitem_productcode": product, "product_productname": product,
            "bill_billingentity": same("AWS"), "product_productfamily": family, "product_instancetype": same(""),
            "product_region": same("us-east-1"), "lineitem_availabilityzone": same(""), "pricing_unit": unit,
            "lineitem_currencycode": same("USD"), "lineitem_usageaccountid": [f"{9 * 10**11 + n % 7}" for n in range(count)],
            "lineitem_lineitemtype": same("Usage"), "lineitem_usagetype": kind, "lineitem_operation": operation,
            "resourcetags": tags, "costcategory": same("{}"), "lineitem_usageamount": np.repeat(24.0, count),
            "lineitem_unblendedcost": costs, "lineitem_blendedcost": costs,
            "savingsplan_savingsplaneffectivecost": np.zeros(count), "lineitem_unblendedrate": np.repeat(0.1, count),
        }
        write(args.case, reference, day, "daily/", "AWS/raw", table(rows, np.repeat(midnight, count), count))
        hours = np.repeat(midnight + np.arange(24).astype("timedelta64[h]"), len(handles))
        cost = np.tile(sizes * 2 * HOURLY_RATE, 24)
        rows = {
            "lineitem_resourceid": [f"arn:aws:ec2:us-east-1:1:volume/{handle}" for handle in handles] * 24,
            "pricing_unit": np.repeat("GB-Mo", len(cost)), "lineitem_unblendedcost": cost,
            "lineitem_unblendedrate": np.repeat(0.08, len(cost)),
        }
        write(args.case, reference, day, "", "AWS", table(rows, hours, len(cost)))
    of_cluster = ["source_uuid", "cluster_id", "cluster_alias", "report_period_id", "nodes"]
    bill = {name: value for name, value in reference.items() if name not in of_cluster}
    keys = reference["enabled_tag_keys"]
    bill["enabled_tag_keys"] = {"AWS": keys, "OCP": keys}
    bill["aws"] = {"source_uuid": AWS_SOURCE, "cost_entry_bill_id": 1, "markup_percent": "10", "account_aliases": []}
    bill["clusters"] = [{name: reference[name] for name in of_cluster} | {"distribution": "cpu"}]
    with open(f"{args.case}/reference.json", "w", encoding="utf-8") as file:
        json.dump(bill, file, indent=1)


def write(case, reference, day, daily, provider, rows):
    folder = (f"{case}/input/data/parquet/{daily}{reference['org']}/{provider}/source={AWS_SOURCE}"
              f"/year={day.year}/month={day.month:02}")
    os.makedirs(folder, exist_ok=True)
    name = uuid.uuid5(uuid.NAMESPACE_OID, f"{daily}{day}")
    pq.write_table(rows, f"{folder}/{day}_{name}.parquet", compression="snappy")


if __name__ == "__main__":
    main()
