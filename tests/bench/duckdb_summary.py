#!/usr/bin/env python3
"""Koku's daily summary of pods and unallocated capacity, computed by DuckDB: what tokaki is measured against.

Needs only duckdb.  Reads a case folder as gen_bench.py makes it and writes one Parquet file; then prints one JSON
object about itself.  It is meant to be as fast as DuckDB can be, so it uses what is known about these inputs: all
columns exist and no measure is null, which allows hourly rows to be summed without deriving daily ones first.

What makes it fast, each measured on 1 and 7.4 million rows:

  * usage is grouped on the label text as it stands, and labels are parsed once for each distinct text;
  * from there on sets of labels are integers, and a text is put together once for each distinct combination;
  * resource_id is a grouping key until the rows are few, because max() of a text is dear;
  * only the needed columns are read; capacity is a second scan of four columns that cost next to nothing.

Tried and not faster: grouping on hash() or md5_number() of the text (the text must then be carried along as an
aggregate, or be read a second time), parsing labels row by row, lists of labels as grouping keys, one scan with
grouping sets for usage and capacity.
"""
import argparse
import json
import os
import resource
import time

import duckdb

MEASURES = [
    f"pod_{kind}_{unit}"
    for unit in ("cpu_core", "memory_byte")
    for kind in ("usage", "request", "effective_usage", "limit")
]
UNALLOCATED = "'Platform unallocated', 'Worker unallocated', 'Network unattributed', 'Storage unattributed'"


def hours(column):
    """An output column's name and its expression: core-seconds to core-hours, byte-seconds to GiB-hours."""
    return column.replace("_byte", "_gigabyte") + "_hours", f"{column} / 3600" + (
        " / 1073741824" if "memory" in column else "")


def text(value):
    return "NULL" if value is None else "'" + str(value).replace("'", "''") + "'"


class Case:
    def __init__(self, folder, daily):
        self.folder = folder
        self.daily = daily
        with open(os.path.join(folder, "reference.json")) as file:
            self.reference = json.load(file)
        keys = {*self.reference["enabled_tag_keys"], "vm_kubevirt_io_name"}
        self.keys = sorted(keys, key=lambda key: key.encode())
        self.in_scope = (f"interval_start >= TIMESTAMP '{self.reference['start_date']}' AND "
                         f"interval_start < TIMESTAMP '{self.reference['end_date']}' + INTERVAL 1 DAY")

    def table(self, report, daily):
        r = self.reference
        path = os.path.join(self.folder, "input", "data", "parquet", *(["daily"] if daily else []), r["org"], "OCP",
                            report, f"source={r['source_uuid']}", f"year={r['year']}", f"month={r['month']}", "*.parquet")
        return f"read_parquet({text(path)}, hive_partitioning = false)"

    def values(self, column):
        """The values of the kept keys, as JSON, absent ones null: one parse for all keys."""
        paths = ", ".join(text(f'$."{key}"') for key in self.keys)
        return f"json_extract({column}, [{paths}])"


def load_reference(con, reference):
    con.execute("CREATE TEMP TABLE categories (pattern VARCHAR, id INTEGER)")
    con.execute("CREATE TEMP TABLE nodes (node VARCHAR, resource_id VARCHAR, node_role VARCHAR)")
    for table, rows, columns in (
        ("categories", reference["cost_categories"], ("namespace_pattern", "cost_category_id")),
        ("nodes", reference["nodes"], ("node", "resource_id", "node_role")),
    ):
        if rows:
            lists = [[row[column] for row in rows] for column in columns]
            con.execute(f"INSERT INTO {table} SELECT unnest(?), unnest(?), unnest(?)" if len(columns) == 3 else
                        f"INSERT INTO {table} SELECT unnest(?), unnest(?)", lists)


def load_usage(con, case):
    sums = ", ".join(f"sum({m}_seconds) AS {m}" for m in MEASURES)
    con.execute(f"""
        CREATE TEMP TABLE usage_by_text AS
        SELECT CAST(interval_start AS DATE) AS day, namespace, node, resource_id, pod_labels AS labels,
               max(node_capacity_cpu_cores) AS cores, max(node_capacity_memory_bytes) AS bytes, {sums}
        FROM {case.table('pod_usage', case.daily)}
        WHERE {case.in_scope} AND node <> ''
        GROUP BY ALL""")
    con.execute(f"""
        CREATE TEMP TABLE capacity AS
        SELECT day, node, sum(cpu) AS cpu, sum(memory) AS memory
        FROM (SELECT interval_start, CAST(interval_start AS DATE) AS day, node,
                     max(node_capacity_cpu_core_seconds) AS cpu, max(node_capacity_memory_byte_seconds) AS memory
              FROM {case.table('pod_usage', False)} WHERE {case.in_scope} GROUP BY ALL)
        GROUP BY ALL""")


def load_labels(con, case):
    for report, subject in (("node_labels", "node"), ("namespace_labels", "namespace")):
        con.execute(f"""
            CREATE TEMP TABLE {subject}_texts AS
            SELECT DISTINCT CAST(interval_start AS DATE) AS day, {subject} AS subject, {report} AS labels
            FROM {case.table(report, case.daily)} WHERE {case.in_scope}""")
    con.execute(f"""
        CREATE TEMP TABLE parsed AS
        SELECT labels, {case.values('labels')} AS kept
        FROM (SELECT labels FROM usage_by_text UNION SELECT labels FROM node_texts
              UNION SELECT labels FROM namespace_texts)""")
    con.execute("""
        CREATE TEMP TABLE sets AS
        SELECT kept, CAST(row_number() OVER () AS INTEGER) AS id FROM (SELECT DISTINCT kept FROM parsed)""")
    con.execute("CREATE TEMP TABLE set_of_text AS SELECT labels, id FROM parsed JOIN sets USING (kept)")
    for subject in ("node", "namespace"):
        con.execute(f"""
            CREATE TEMP TABLE {subject}_sets AS
            SELECT DISTINCT day, subject, id FROM {subject}_texts JOIN set_of_text USING (labels)""")


def merge(con, case):
    """Usage with its merged labels: later ones win, and a join with several sets repeats the usage, as Koku's does."""
    sums = ", ".join(f"sum({m}) AS {m}" for m in MEASURES)
    con.execute(f"""
        CREATE TEMP TABLE joined AS
        WITH by_set AS (
            SELECT day, namespace, node, resource_id, id AS pod_set, max(cores) AS cores, max(bytes) AS bytes, {sums}
            FROM usage_by_text JOIN set_of_text USING (labels) GROUP BY ALL)
        SELECT u.*, s.id AS namespace_set, n.id AS node_set
        FROM by_set u LEFT JOIN node_sets n ON n.day = u.day AND n.subject = u.node
        LEFT JOIN namespace_sets s ON s.day = u.day AND s.subject = u.namespace""")
    pairs = ", ".join(
        text(json.dumps(key) + ":") + f" || coalesce(p.kept[{i}], s.kept[{i}], n.kept[{i}])"
        for i, key in enumerate(case.keys, 1))
    con.execute(f"""
        CREATE TEMP TABLE merged AS
        WITH texts AS (
            SELECT pod_set, namespace_set, node_set, '{{' || concat_ws(',', {pairs}) || '}}' AS labels
            FROM (SELECT DISTINCT pod_set, namespace_set, node_set FROM joined)
            JOIN sets p ON p.id = pod_set LEFT JOIN sets s ON s.id = namespace_set LEFT JOIN sets n ON n.id = node_set)
        SELECT *, CAST(dense_rank() OVER (ORDER BY labels) AS INTEGER) AS id FROM texts""")
    con.execute("CREATE TEMP TABLE merged_texts AS SELECT DISTINCT id, labels FROM merged")


def group(con):
    sums = ", ".join(f"sum({m}) AS {m}" for m in MEASURES)
    measures = ", ".join(f"{expression} AS {name}" for name, expression in map(hours, MEASURES))
    con.execute(f"""
        CREATE TEMP TABLE pods AS
        WITH category_of AS (
            SELECT namespace, c.id FROM (SELECT DISTINCT namespace FROM joined) JOIN categories c
            ON namespace LIKE c.pattern ESCAPE '\\'),
        grouped AS (
            SELECT day, j.namespace, node, m.id AS labels_id, max(resource_id) AS resource_id, max(cores) AS cores,
                   max(bytes) AS bytes, max(c.id) AS cost_category_id, {sums}
            FROM joined j
            JOIN merged m ON m.pod_set = j.pod_set AND m.namespace_set IS NOT DISTINCT FROM j.namespace_set
                         AND m.node_set IS NOT DISTINCT FROM j.node_set
            LEFT JOIN category_of c ON c.namespace = j.namespace
            GROUP BY ALL),
        cluster AS (SELECT day, sum(cpu) AS cpu, sum(memory) AS memory FROM capacity GROUP BY day)
        SELECT g.day AS usage_start, namespace, g.node, resource_id, labels_id, {measures},
               cores AS node_capacity_cpu_cores, coalesce(n.cpu, 0) / 3600 AS node_capacity_cpu_core_hours,
               bytes / 1073741824 AS node_capacity_memory_gigabytes,
               coalesce(n.memory, 0) / 3600 / 1073741824 AS node_capacity_memory_gigabyte_hours,
               coalesce(c.cpu, 0) / 3600 AS cluster_capacity_cpu_core_hours,
               coalesce(c.memory, 0) / 3600 / 1073741824 AS cluster_capacity_memory_gigabyte_hours, cost_category_id
        FROM grouped g LEFT JOIN capacity n ON n.day = g.day AND n.node = g.node LEFT JOIN cluster c ON c.day = g.day""")


def unallocated():
    """The query of unallocated rows, from those of `pods`."""
    rests = ["usage", "request", "effective_usage"]
    names = [f"pod_{kind}_cpu_core_hours" for kind in rests] + [f"pod_{kind}_memory_gigabyte_hours" for kind in rests]
    capacities = ["node_capacity_cpu_cores", "node_capacity_cpu_core_hours", "node_capacity_memory_gigabytes",
                  "node_capacity_memory_gigabyte_hours", "cluster_capacity_cpu_core_hours",
                  "cluster_capacity_memory_gigabyte_hours"]
    difference = ", ".join(
        f"max(node_capacity_{'cpu_core' if 'cpu' in name else 'memory_gigabyte'}_hours) - sum({name}) AS {name}"
        for name in names)
    most = ", ".join(f"max({name}) AS {name}" for name in ["resource_id", *capacities])
    return f"""
        WITH of_namespaces AS (SELECT * FROM pods WHERE namespace NOT IN ({UNALLOCATED})),
        roles AS (
            SELECT usage_start, node, max(node_role) AS role
            FROM (SELECT DISTINCT usage_start, node, resource_id FROM of_namespaces) JOIN nodes USING (node, resource_id)
            GROUP BY ALL),
        rests AS (SELECT usage_start, node, {difference}, {most} FROM of_namespaces GROUP BY ALL),
        named AS (
            SELECT rests.*, CASE WHEN role IN ('master', 'infra') THEN 'Platform unallocated'
                                 WHEN role = 'worker' THEN 'Worker unallocated' END AS namespace
            FROM rests LEFT JOIN roles USING (usage_start, node))
        SELECT named.*, NULL AS pod_labels, '{{}}' AS all_labels, NULL AS infrastructure_usage_cost,
               c.id AS cost_category_id
        FROM named LEFT JOIN categories c ON namespace LIKE c.pattern ESCAPE '\\'"""


def write(con, case, out):
    r = case.reference
    cost = text('{"cpu": 0.0, "memory": 0.0, "storage": 0.0}')
    con.execute(f"""
        COPY (
            SELECT CAST({r['report_period_id']} AS INTEGER) AS report_period_id, {text(r['cluster_id'])} AS cluster_id,
                   {text(r['cluster_alias'])} AS cluster_alias, 'Pod' AS data_source, usage_start,
                   usage_start AS usage_end, * EXCLUDE (usage_start), {text(r['source_uuid'])} AS source_uuid
            FROM (SELECT pods.* EXCLUDE (labels_id), labels AS pod_labels, labels AS all_labels,
                         {cost} AS infrastructure_usage_cost
                  FROM pods JOIN merged_texts ON id = labels_id
                  UNION ALL BY NAME ({unallocated()}))
        ) TO {text(out)} (FORMAT parquet)""")


def peak_memory_bytes():
    """This program's own mark where the system keeps one: ru_maxrss begins with what the process was before."""
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) * 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--case", required=True, help="folder with reference.json and input/")
    ap.add_argument("--form", choices=("hourly", "daily"), default="hourly", help="which pod and label tables to read")
    ap.add_argument("--out", required=True, help="Parquet file to write")
    ap.add_argument("--threads", type=int, default=os.cpu_count())
    a = ap.parse_args()
    started, used = time.perf_counter(), cpu_seconds()
    case = Case(a.case, a.form == "daily")
    con = duckdb.connect(config={"threads": a.threads, "preserve_insertion_order": False})
    load_reference(con, case.reference)
    load_usage(con, case)
    load_labels(con, case)
    merge(con, case)
    group(con)
    write(con, case, a.out)
    print(json.dumps({
        "version": duckdb.__version__,
        "seconds": time.perf_counter() - started,
        "cpu_seconds_without_start": cpu_seconds() - used,
        "peak_memory_bytes": peak_memory_bytes(),
    }))


if __name__ == "__main__":
    main()
