#!/usr/bin/env python3
"""Deterministic benchmark inputs: one OpenShift cluster's usage line items as Parquet.

Needs only pyarrow and numpy.  The same arguments always give the same rows (and, with the same pyarrow, the same
bytes).  One upload (24 / --files-per-day hours of rows) is built at a time, so memory does not grow with --days.

Layout below --out (a case folder as `tokaki run --case` takes it, without expected rows):

  input/data/parquet/ORG/OCP/REPORT/source=UUID/year=YYYY/month=MM/*.parquet          hourly line items
  input/data/parquet/daily/ORG/OCP/REPORT/source=UUID/year=YYYY/month=MM/*.parquet    the same, grouped by day, file part
                                                                                   by file part
  reference.json    what the database would answer: enabled keys, cost categories, nodes and roles, identifiers, dates

REPORT is pod_usage, storage_usage, node_labels or namespace_labels.  Files: Snappy, pyarrow's default row group
size, timestamps in ms without zone, labels as JSON text, empty text (not null) where a value is unknown, 0.0 where a
number is unknown.

What the rows imitate:
  * a slot runs one pod at a time; it lives in one namespace and on one node; --pods slots give exactly
    pods * 24 * days hourly pod rows;
  * workloads: Deployments (pod_template_hash), StatefulSets (own pod name as a label), DaemonSets (one pod per node)
    and Jobs (a controller uid per pod): so many label texts are unique to a pod, though the keys that make them so
    are not enabled;
  * every pod has 5 to 15 label keys, about 4 of them enabled; node and namespace labels share keys with pods so
    that precedence matters; some label values hold quotes, backslashes and non-ASCII text;
  * --churn of the pods are replaced at some hour of each day (a rollout changes the label text, a reschedule may
    change the node);
  * rows are ordered by hour and shuffled within the hour;
  * 1 slot in 5 has a volume claim; 1 claim in 50 is mounted by a second pod; 1 pod in 2000 has no node yet;
  * 1 row in 100 reports slightly less than the node's capacity, so a maximum per node and hour is needed.

Named scales (--scale NAME; any of the numbers may be overridden):
"""
import argparse
import calendar
import datetime as dt
import json
import os
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

#                 pods   nodes  namespaces  days   hourly pod rows
SCALES = {
    "small": (917, 10, 40, 1),             # 22,008
    "medium": (4_167, 40, 150, 1),         # 100,008
    "large": (10_417, 100, 300, 1),        # 250,008
    "xlarge": (20_834, 200, 600, 1),       # 500,016
    "prod-medium": (41_667, 400, 1_000, 1),  # 1,000,008
    "month-10k": (10_000, 100, 300, 31),   # 7,440,000: a 10,000-pod cluster for a whole month
    "month-67k": (67_205, 640, 1_600, 31),  # 50,000,520: about 10 GB of files, generate on demand only
}
__doc__ += "\n".join(
    f"  {n:12} {p:>7,} pods {k:>4} nodes {s:>5,} namespaces {d:>2} days = {p * 24 * d:>10,} hourly pod rows"
    for n, (p, k, s, d) in SCALES.items()
)

ENABLED = [
    "app", "app_kubernetes_io_name", "cost_center", "env", "region", "team", "tier", "version", "storage_class_tier",
]
DISABLED_POOL = [
    "app_kubernetes_io_instance", "app_kubernetes_io_managed_by", "app_kubernetes_io_component", "helm_sh_chart",
    "deployment", "deploymentconfig", "k8s_app", "component", "openshift_io_component", "monitoring", "sidecar_inject",
    "service_istio_io_canonical_name", "security_istio_io_tlsMode", "owner_email", "git_commit", "release",
    "prometheus_scrape", "logging_format", "backup_policy", "data_class", "network_zone", "maintenance_window",
]
ODD_VALUES = ['say "hi"', "back\\slash", "café", "名前", "a/b:c", "", "tab\there"]
CONSONANTS = "bcdfghjklmnpqrstvwxz2456789"
GIB = 1 << 30


def rand_hash(rng, n, k):
    idx = rng.integers(0, len(CONSONANTS), (n, k))
    table = np.array(list(CONSONANTS))
    return ["".join(r) for r in table[idx]]


class Cluster:
    """Everything that does not change from hour to hour, and the state that changes from day to day."""

    def __init__(self, a):
        self.a = a
        rng = np.random.default_rng([a.seed, 1])
        self.rng = rng
        # nodes
        n = a.nodes
        self.node_names = [f"ip-10-{i >> 8}-{i & 255}-{rng.integers(1, 255)}.compute.internal" for i in range(n)]
        self.node_res = [f"i-{rng.integers(0, 1 << 62):017x}" for _ in range(n)]
        role = np.array(["worker"] * n, dtype=object)
        role[: max(1, min(3, n // 3))] = "master"
        role[max(1, min(3, n // 3)) : max(1, min(3, n // 3)) + max(0, n // 30)] = "infra"
        self.node_role = list(role)
        cores = rng.choice([16, 32, 48, 64, 96], n, p=[0.15, 0.3, 0.2, 0.25, 0.1]).astype(float)
        self.node_cores = np.append(cores, 0.0)  # the last entry stands for "no node"
        self.node_mem = np.append(cores * 4 * GIB - rng.integers(0, 1 << 28, n), 0.0)
        card = a.label_cardinality
        self.values = {
            k: [f"{k[:4]}-{v}" for v in rand_hash(rng, card, 5)] for k in ENABLED if k not in ("app", "version")
        }
        self.values["env"] = ["prod", "stage", "dev", "test", "qa"][: max(1, min(5, card))]
        self.values["version"] = [f"v{i // 10}.{i % 10}" for i in range(max(1, card))]
        for k in ("team", "cost_center"):
            self.values[k][-1] = ODD_VALUES[rng.integers(0, len(ODD_VALUES))]
        # namespaces
        m = a.namespaces
        system = ["openshift-monitoring", "openshift-logging", "openshift-ingress", "kube-system", "openshift-dns"]
        self.ns = [
            system[i] if i < len(system)
            else (f"openshift-op-{i}" if i < m // 6 else f"{self.values['team'][i % card] or 'team'}-svc{i}"
                  .replace(" ", "-").replace('"', "").replace("\\", "").replace("/", "-").replace("\t", ""))
            for i in range(m)
        ]
        weight = 1.0 / (np.arange(m) + 3.0) ** 0.7
        weight = rng.permutation(weight)
        weight /= weight.sum()
        # workloads
        self.w_ns, self.w_kind, self.w_name = [], [], []
        slot_w = []
        left = a.pods
        ds_budget = int(a.pods * 0.12)
        while ds_budget >= n and left >= n:
            self._workload(rng, weight, "ds", slot_w, n, system=True)
            ds_budget -= n
            left -= n
        while left > 0:
            kind = ("dep", "sts", "job")[rng.choice(3, p=[0.72, 0.15, 0.13])]
            size = 1 if kind == "job" else int(min(left, rng.geometric(0.3)))
            self._workload(rng, weight, kind, slot_w, size)
            left -= size
        self.slot_w = np.array(slot_w, dtype=np.int32)
        p = len(slot_w)
        self.kind = np.array(self.w_kind, dtype=object)[self.slot_w]
        self.slot_ns = np.array(self.w_ns, dtype=np.int32)[self.slot_w]
        self.node = rng.integers(0, n, p).astype(np.int32)
        is_ds = self.kind == "ds"
        self.node[is_ds] = np.arange(is_ds.sum()) % n
        self.node[rng.random(p) < 0.0005] = n  # pending
        self.ordinal = np.zeros(p, dtype=np.int32)
        seen = {}
        for i, w in enumerate(slot_w):
            self.ordinal[i] = seen.get(w, 0)
            seen[w] = self.ordinal[i] + 1
        nw = len(self.w_name)
        self.w_hash = rand_hash(rng, nw, 9)
        self.suffix = rand_hash(rng, p, 5)
        # label dictionaries per workload (without the keys that depend on the revision or on the pod)
        self.w_labels = []
        for w in range(nw):
            d = {}
            for k, prob in (("app", 0.9), ("app_kubernetes_io_name", 0.6), ("env", 0.6), ("team", 0.6),
                            ("version", 0.5), ("tier", 0.4), ("cost_center", 0.3), ("region", 0.15)):
                if rng.random() < prob:
                    d[k] = self.w_name[w] if k in ("app", "app_kubernetes_io_name") else self.values[k][
                        rng.integers(0, len(self.values[k]))]
            extra = max(5 - len(d), int(rng.integers(2, 10)))
            for j in rng.permutation(len(DISABLED_POOL))[: min(extra, 14 - len(d))]:
                k = DISABLED_POOL[j]
                d[k] = f"{self.w_name[w]}-{k[:3]}" if j < 6 else ("true", "false", "daily", "internal", "v1beta1",
                                                                    "restricted")[rng.integers(0, 6)]
            self.w_labels.append(d)
        # what a slot asks for
        self.cpu_req = rng.choice([0, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2], p, p=[.15, .1, .15, .2, .15, .15, .07, .03])
        self.cpu_lim = np.where(rng.random(p) < 0.4, 0.0, self.cpu_req * rng.choice([1, 2, 4], p))
        self.cpu_base = np.maximum(0.0005, self.cpu_req * rng.lognormal(-1.0, 0.8, p) + rng.exponential(0.01, p))
        self.mem_req = rng.choice([0, 64, 128, 256, 512, 1024, 2048, 8192], p,
                                  p=[.15, .1, .2, .2, .15, .12, .06, .02]) * float(1 << 20)
        self.mem_lim = np.where(rng.random(p) < 0.4, 0.0, self.mem_req * rng.choice([1, 2], p))
        self.mem_base = np.maximum(4e6, self.mem_req * rng.lognormal(-0.4, 0.5, p) + rng.exponential(3e7, p))
        # claims: stateful sets first, then any slot that is not a job
        want = int(round(a.pods * 0.2))
        order = np.concatenate([rng.permutation(np.flatnonzero(self.kind == "sts")),
                                rng.permutation(np.flatnonzero(self.kind == "dep"))])
        self.pvc_slot = order[:want].astype(np.int32)
        k = len(self.pvc_slot)
        self.pvc_name = [f"data-{self.w_name[self.slot_w[s]]}-{self.ordinal[s]}" for s in self.pvc_slot]
        self.pv_name = [f"pvc-{uuid.UUID(int=int(x) << 64 | int(y))}"
                        for x, y in rng.integers(0, 1 << 63, (k, 2))]
        self.pvc_cap = rng.choice([1, 5, 10, 20, 50, 100, 500], k) * float(GIB)
        self.pvc_fill = rng.random(k)
        self.pvc_class = rng.choice(["gp3-csi", "ocs-storagecluster-cephfs", "ocs-storagecluster-ceph-rbd", "nfs"], k)
        drv = {"gp3-csi": "ebs.csi.aws.com", "nfs": "", "ocs-storagecluster-cephfs":
               "openshift-storage.cephfs.csi.ceph.com", "ocs-storagecluster-ceph-rbd":
               "openshift-storage.rbd.csi.ceph.com"}
        self.pvc_driver = [drv[c] for c in self.pvc_class]
        self.pvc_handle = [f"vol-{h}" if d else "" for h, d in zip(rand_hash(rng, k, 17), self.pvc_driver)]
        self.pv_labels, self.pvc_labels = [], []
        for i, s in enumerate(self.pvc_slot):
            w = self.slot_w[s]
            d = {}
            if rng.random() < 0.5:
                d["storage_class_tier"] = self.values["storage_class_tier"][rng.integers(0, card)]
            if rng.random() < 0.3:
                d["topology_ebs_csi_aws_com_zone"] = f"us-east-1{'abc'[rng.integers(0, 3)]}"
            self.pv_labels.append(json.dumps(d))
            d = {}
            for key in ("app", "team", "tier"):
                if key in self.w_labels[w] and rng.random() < 0.7:
                    d[key] = self.w_labels[w][key]
            if rng.random() < 0.4:
                d["backup_policy"] = "daily"
            self.pvc_labels.append(json.dumps(d))
        # a second pod (of the same namespace where there is one) mounts 1 claim in 50
        by_ns = {}
        for s in np.flatnonzero(self.kind != "job"):
            by_ns.setdefault(self.slot_ns[s], []).append(s)
        mounts = [(i, s) for i, s in enumerate(self.pvc_slot)]
        for i in np.flatnonzero(rng.random(k) < 0.02):
            others = by_ns.get(self.slot_ns[self.pvc_slot[i]], [])
            if len(others) > 1:
                o = others[rng.integers(0, len(others))]
                if o != self.pvc_slot[i]:
                    mounts.append((i, o))
        self.mount_pvc = np.array([m[0] for m in mounts], dtype=np.int32)
        self.mount_slot = np.array([m[1] for m in mounts], dtype=np.int32)
        # node and namespace labels (the enabled part is fixed; one key that is not enabled changes now and then)
        self.node_lab = []
        for i in range(n):
            d = {"kubernetes_io_arch": "amd64", "kubernetes_io_os": "linux", "kubernetes_io_hostname":
                 self.node_names[i].split(".")[0], "node_kubernetes_io_instance_type":
                 f"m5.{int(self.node_cores[i]) // 4}xlarge", f"node_role_kubernetes_io_{self.node_role[i]}": "",
                 "topology_kubernetes_io_zone": f"us-east-1{'abc'[i % 3]}", "region": f"us-east-{1 + i % 2}"}
            if rng.random() < 0.4:
                d["env"] = "prod"
            if rng.random() < 0.3:
                d["cost_center"] = self.values["cost_center"][rng.integers(0, card)]
            self.node_lab.append(d)
        self.ns_lab = []
        for i, name in enumerate(self.ns):
            d = {"kubernetes_io_metadata_name": name, "pod_security_kubernetes_io_enforce": "restricted"}
            if rng.random() < 0.7:
                d["team"] = self.values["team"][rng.integers(0, card)]
            if rng.random() < 0.5:
                d["cost_center"] = self.values["cost_center"][rng.integers(0, card)]
            if rng.random() < 0.4:
                d["env"] = self.values["env"][rng.integers(0, len(self.values["env"]))]
            if name.startswith("openshift-"):
                d["openshift_io_cluster_monitoring"] = "true"
            self.ns_lab.append(d)
        self.labels_now = [self.label_text(s) for s in range(p)]
        self.name_now = [self.pod_name(s) for s in range(p)]

    def _workload(self, rng, weight, kind, slot_w, size, system=False):
        w = len(self.w_name)
        ns = int(rng.integers(0, min(5, len(weight)))) if system else int(rng.choice(len(weight), p=weight))
        word = ("api", "web", "worker", "cache", "db", "ingest", "auth", "billing", "report", "proxy", "queue",
                "search")[rng.integers(0, 12)]
        self.w_name.append(f"{word}-{'agent' if kind == 'ds' else 'svc'}-{w}")
        self.w_ns.append(ns)
        self.w_kind.append(kind)
        slot_w.extend([w] * size)

    def pod_name(self, s):
        w = self.slot_w[s]
        k = self.w_kind[w]
        if k == "dep":
            return f"{self.w_name[w]}-{self.w_hash[w]}-{self.suffix[s]}"
        if k == "sts":
            return f"{self.w_name[w]}-{self.ordinal[s]}"
        return f"{self.w_name[w]}-{self.suffix[s]}"

    def label_text(self, s):
        w = self.slot_w[s]
        k = self.w_kind[w]
        d = dict(self.w_labels[w])
        if k == "dep":
            d["pod_template_hash"] = self.w_hash[w]
        elif k == "sts":
            d["controller_revision_hash"] = f"{self.w_name[w]}-{self.w_hash[w]}"
            d["statefulset_kubernetes_io_pod_name"] = f"{self.w_name[w]}-{self.ordinal[s]}"
        elif k == "ds":
            d["controller_revision_hash"] = self.w_hash[w]
            d["pod_template_generation"] = "1"
        else:
            d["job_name"] = f"{self.w_name[w]}-{self.suffix[s]}"
            d["controller_uid"] = f"{self.suffix[s]}-{self.w_hash[w]}-4a6b-9c1d-{self.suffix[s]}{self.suffix[s]}"
        return json.dumps(dict(sorted(d.items())))

    def day(self, d):
        """Advance one day.  Gives the pods seen that day as arrays, and per slot (first, second, switch hour)."""
        rng = np.random.default_rng([self.a.seed, 2, d])
        p = len(self.slot_w)
        first = np.arange(p, dtype=np.int32)
        names, labels = list(self.name_now), list(self.labels_now)
        nodes = [self.node.copy()]
        slots = [first]
        half = self.a.churn / 2
        roll_w = rng.random(len(self.w_name)) < half
        roll_hour = rng.integers(1, 24, len(self.w_name)).astype(np.int8)
        is_roll = roll_w[self.slot_w]
        is_move = (rng.random(p) < half) & ~is_roll
        # jobs: a new pod each time; daemon sets only roll
        changed = np.flatnonzero(is_roll | (is_move & (self.kind != "ds")))
        switch = np.full(p, 24, dtype=np.int8)
        switch[changed] = np.where(is_roll[changed], roll_hour[self.slot_w[changed]],
                                   rng.integers(1, 24, len(changed)).astype(np.int8))
        for w, h in zip(np.flatnonzero(roll_w), rand_hash(rng, int(roll_w.sum()), 9)):
            self.w_hash[w] = h
        second = first.copy()
        second[changed] = p + np.arange(len(changed), dtype=np.int32)
        moved = changed[(self.kind[changed] != "ds") & (rng.random(len(changed)) < 0.8)]
        self.node[moved] = rng.integers(0, self.a.nodes, len(moved))
        for s, x in zip(changed, rand_hash(rng, len(changed), 5)):
            self.suffix[s] = x
        for s in changed:
            self.name_now[s] = self.pod_name(s)
            self.labels_now[s] = self.label_text(s)
            names.append(self.name_now[s])
            labels.append(self.labels_now[s])
        nodes.append(self.node[changed])
        slots.append(changed.astype(np.int32))
        node = np.concatenate(nodes)
        slot = np.concatenate(slots)
        ni = pa.array(node)
        cols = {
            "pod": pa.array(names, pa.string()),
            "namespace": pa.array(self.ns, pa.string()).take(pa.array(self.slot_ns[slot])),
            "node": pa.array(self.node_names + [""], pa.string()).take(ni),
            "resource_id": pa.array(self.node_res + [""], pa.string()).take(ni),
            "node_role": pa.array(self.node_role + [""], pa.string()).take(ni),
            "pod_labels": pa.array(labels, pa.string()),
        }
        return cols, node, first, second, switch


def ms(base, hours):
    return pa.array(np.datetime64(base, "ms") + np.asarray(hours).astype("timedelta64[h]"), pa.timestamp("ms"))


class Writer:
    def __init__(self, a, year, month):
        self.a = a
        self.ym = (year, month)
        self.pool = ThreadPoolExecutor(2)
        self.waiting = []
        self.rows = {}
        self.bytes = 0

    def path(self, report, daily):
        y, m = self.ym
        p = os.path.join(self.a.out, "input", "data", "parquet", *(["daily"] if daily else []), self.a.org, "OCP", report,
                         f"source={self.a.source_uuid}", f"year={y}", f"month={m:02d}")
        os.makedirs(p, exist_ok=True)
        return p

    def _write(self, path, t):
        pq.write_table(t, path, compression="snappy", coerce_timestamps="ms", allow_truncated_timestamps=True)
        return os.path.getsize(path)

    def put(self, report, day, part, table):
        for i, start in enumerate(range(0, table.num_rows, self.a.batch_rows)):
            t = table.slice(start, self.a.batch_rows)
            stem = f"{report}.{day}.{self.a.manifest}.{part}"
            self._submit(report, False, f"{stem}_{i}.parquet", t)
            if not self.a.no_daily:
                self._submit(report, True, f"{stem}_daily_{i}.parquet", daily_form(report, t))

    def _submit(self, report, daily, name, t):
        key = ("daily/" if daily else "") + report
        f, r = self.rows.get(key, (0, 0))
        self.rows[key] = (f + 1, r + t.num_rows)
        self.waiting.append(self.pool.submit(self._write, os.path.join(self.path(report, daily), name), t))
        while len(self.waiting) > 3:
            self.bytes += self.waiting.pop(0).result()

    def close(self):
        for w in self.waiting:
            self.bytes += w.result()
        self.pool.shutdown()


GROUPS = {
    "pod_usage": (["namespace", "node", "pod", "pod_labels"], {
        "report_period_start": "max", "report_period_end": "max", "resource_id": "max",
        "pod_usage_cpu_core_seconds": "sum", "pod_request_cpu_core_seconds": "sum",
        "pod_effective_usage_cpu_core_seconds": "sum", "pod_limit_cpu_core_seconds": "sum",
        "pod_usage_memory_byte_seconds": "sum", "pod_request_memory_byte_seconds": "sum",
        "pod_effective_usage_memory_byte_seconds": "sum", "pod_limit_memory_byte_seconds": "sum",
        "node_capacity_cpu_cores": "max", "node_capacity_cpu_core_seconds": "sum",
        "node_capacity_memory_bytes": "max", "node_capacity_memory_byte_seconds": "sum", "node_role": "max"}),
    "storage_usage": (["namespace", "node", "pod", "persistentvolumeclaim", "persistentvolume", "storageclass",
                       "csi_driver", "csi_volume_handle", "persistentvolume_labels", "persistentvolumeclaim_labels"], {
        "report_period_start": "max", "report_period_end": "max", "persistentvolumeclaim_capacity_bytes": "max",
        "persistentvolumeclaim_capacity_byte_seconds": "sum", "volume_request_storage_byte_seconds": "sum",
        "persistentvolumeclaim_usage_byte_seconds": "sum"}),
    "node_labels": (["node", "node_labels"], {"report_period_start": "max", "report_period_end": "max"}),
    "namespace_labels": (["namespace", "namespace_labels"], {"report_period_start": "max",
                                                             "report_period_end": "max"}),
}


def daily_form(report, t):
    """One row per group and day: the form Koku writes next to the hourly one."""
    keys, aggs = GROUPS[report]
    t = t.set_column(t.schema.get_field_index("interval_start"), "interval_start",
                     pc.floor_temporal(t["interval_start"], unit="day").cast(pa.timestamp("ms")))
    g = t.group_by(keys + ["interval_start"], use_threads=False).aggregate(list(aggs.items()))
    g = g.rename_columns([c if c in keys or c == "interval_start" else c.rsplit("_", 1)[0] for c in g.column_names])
    return g.select(keys + ["interval_start"] + list(aggs))


def generate(a):
    start = dt.date.fromisoformat(a.start)
    year, month = start.year, start.month
    last = calendar.monthrange(year, month)[1]
    if start.day + a.days - 1 > last:
        sys.exit(f"--days {a.days} from {a.start} leaves the month: one month per run")
    c = Cluster(a)
    out = Writer(a, year, month)
    p = len(c.slot_w)
    rp_start = np.datetime64(f"{year}-{month:02d}-01", "ms")
    rp_end = np.datetime64(dt.date(year + month // 12, month % 12 + 1, 1), "ms")
    nfiles = a.files_per_day
    for d in range(a.days):
        date = start + dt.timedelta(days=d)
        pods, pod_node, first, second, switch = c.day(d)
        # a few nodes are down for part of an hour
        rng = np.random.default_rng([a.seed, 3, d])
        up = np.where(rng.random((a.nodes + 1, 24)) < 0.002, 2700.0, 3600.0)
        extra = {i: f"2025-{rng.integers(1, 13):02d}" for i in np.flatnonzero(rng.random(a.nodes) < 0.1)}
        node_text = [[json.dumps(dict(c.node_lab[i])), json.dumps(dict(c.node_lab[i], maintenance_window=extra[i]))
                      if i in extra else json.dumps(dict(c.node_lab[i]))] for i in range(a.nodes)]
        ns_text = [json.dumps(x) for x in c.ns_lab]
        for f in range(nfiles):
            hours = np.arange(24 * f // nfiles, 24 * (f + 1) // nfiles)
            if not len(hours):
                continue
            rng = np.random.default_rng([a.seed, 4, d, f])
            period = lambda k: {  # noqa: E731
                "report_period_start": pa.array(np.full(k, rp_start), pa.timestamp("ms")),
                "report_period_end": pa.array(np.full(k, rp_end), pa.timestamp("ms"))}
            # pods
            slot = rng.permuted(np.tile(np.arange(p, dtype=np.int32), (len(hours), 1)), axis=1).ravel()
            hour = np.repeat(hours, p)
            ver = np.where(hour < switch[slot], first[slot], second[slot])
            node = pod_node[ver]
            k = len(slot)
            day_wave = 0.7 + 0.3 * np.sin((hour - 6) / 24 * 2 * np.pi)
            cpu = np.round(c.cpu_base[slot] * day_wave * rng.lognormal(0, 0.25, k) * 3600, 6)
            mem = np.round(c.mem_base[slot] * (1 + 0.08 * rng.standard_normal(k)).clip(0.1) * 3600, 3)
            cpu_req, mem_req = c.cpu_req[slot] * 3600, c.mem_req[slot] * 3600
            live = np.where(rng.random(k) < 0.01, 59 / 60, 1.0) * up[node, hour]
            vi = pa.array(ver)
            t = pa.table({
                **period(k),
                "interval_start": ms(date, hour), "interval_end": ms(date, hour + 1),
                "node": pods["node"].take(vi), "namespace": pods["namespace"].take(vi), "pod": pods["pod"].take(vi),
                "pod_usage_cpu_core_seconds": cpu, "pod_request_cpu_core_seconds": cpu_req,
                "pod_limit_cpu_core_seconds": c.cpu_lim[slot] * 3600,
                "pod_usage_memory_byte_seconds": mem, "pod_request_memory_byte_seconds": mem_req,
                "pod_limit_memory_byte_seconds": c.mem_lim[slot] * 3600,
                "node_capacity_cpu_cores": c.node_cores[node],
                "node_capacity_cpu_core_seconds": np.round(c.node_cores[node] * live, 6),
                "node_capacity_memory_bytes": c.node_mem[node],
                "node_capacity_memory_byte_seconds": np.round(c.node_mem[node] * live, 3),
                "node_role": pods["node_role"].take(vi), "resource_id": pods["resource_id"].take(vi),
                "pod_labels": pods["pod_labels"].take(vi),
                "pod_effective_usage_cpu_core_seconds": np.maximum(cpu, cpu_req),
                "pod_effective_usage_memory_byte_seconds": np.maximum(mem, mem_req),
            })
            out.put("pod_usage", date, f, t)
            del t
            # claims
            m = len(c.mount_pvc)
            if m:
                mi = rng.permuted(np.tile(np.arange(m, dtype=np.int32), (len(hours), 1)), axis=1).ravel()
                hour = np.repeat(hours, m)
                pv, s = c.mount_pvc[mi], c.mount_slot[mi]
                vi = pa.array(np.where(hour < switch[s], first[s], second[s]))
                pi = pa.array(pv)
                cap = c.pvc_cap[pv]
                tk = lambda x: pa.array(list(x), pa.string()).take(pi)  # noqa: E731
                out.put("storage_usage", date, f, pa.table({
                    **period(len(mi)),
                    "interval_start": ms(date, hour), "interval_end": ms(date, hour + 1),
                    "namespace": pods["namespace"].take(vi), "pod": pods["pod"].take(vi),
                    "node": pods["node"].take(vi),
                    "persistentvolumeclaim": tk(c.pvc_name), "persistentvolume": tk(c.pv_name),
                    "storageclass": tk(c.pvc_class), "csi_driver": tk(c.pvc_driver),
                    "csi_volume_handle": tk(c.pvc_handle),
                    "persistentvolumeclaim_capacity_bytes": cap,
                    "persistentvolumeclaim_capacity_byte_seconds": cap * 3600,
                    "volume_request_storage_byte_seconds": cap * 3600,
                    "persistentvolumeclaim_usage_byte_seconds": np.round(
                        cap * c.pvc_fill[pv] * rng.uniform(0.95, 1.0, len(mi)) * 3600, 3),
                    "persistentvolume_labels": tk(c.pv_labels), "persistentvolumeclaim_labels": tk(c.pvc_labels),
                }))
            # labels of nodes and namespaces
            hour = np.repeat(hours, a.nodes)
            i = np.tile(np.arange(a.nodes), len(hours))
            text = [node_text[x][int(h >= 12)] for x, h in zip(i, hour)]
            out.put("node_labels", date, f, pa.table({
                **period(len(i)), "interval_start": ms(date, hour), "interval_end": ms(date, hour + 1),
                "node": pa.array(c.node_names, pa.string()).take(pa.array(i)),
                "node_labels": pa.array(text, pa.string())}))
            hour = np.repeat(hours, a.namespaces)
            i = pa.array(np.tile(np.arange(a.namespaces), len(hours)))
            out.put("namespace_labels", date, f, pa.table({
                **period(len(i)), "interval_start": ms(date, hour), "interval_end": ms(date, hour + 1),
                "namespace": pa.array(c.ns, pa.string()).take(i),
                "namespace_labels": pa.array(ns_text, pa.string()).take(i)}))
    out.close()
    end = start + dt.timedelta(days=a.days - 1)
    ref = {
        "org": a.org, "source_uuid": a.source_uuid, "cluster_id": a.cluster_id,
        "cluster_alias": a.cluster_alias, "report_period_id": 1,
        "year": str(year), "month": f"{month:02d}", "start_date": str(start), "end_date": str(end),
        "enabled_tag_keys": sorted(ENABLED),
        "cost_categories": [{"namespace_pattern": p, "cost_category_id": 1}
                            for p in ("openshift-%", "kube-%", "Platform unallocated")],
        "nodes": [{"node": n, "resource_id": r, "node_role": o}
                  for n, r, o in zip(c.node_names, c.node_res, c.node_role)],
        "generator": {k: getattr(a, k) for k in ("scale", "pods", "nodes", "namespaces", "days", "files_per_day",
                                                 "batch_rows", "label_cardinality", "churn", "seed")},
        "files": {k: {"files": f, "rows": r} for k, (f, r) in sorted(out.rows.items())},
    }
    with open(os.path.join(a.out, "reference.json"), "w") as fh:
        json.dump(ref, fh, indent=1)
    print(json.dumps({"out": a.out, "bytes": out.bytes, "files": ref["files"]}))


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--out", required=True, help="folder to fill (made if missing)")
    ap.add_argument("--scale", choices=SCALES, default="small")
    ap.add_argument("--pods", type=int)
    ap.add_argument("--nodes", type=int)
    ap.add_argument("--namespaces", type=int)
    ap.add_argument("--days", type=int)
    ap.add_argument("--files-per-day", type=int, default=4, help="one upload every 24/N hours (default 4)")
    ap.add_argument("--batch-rows", type=int, default=200_000, help="most rows in one file (default 200000)")
    ap.add_argument("--label-cardinality", type=int, default=40, help="distinct values per enabled key (default 40)")
    ap.add_argument("--churn", type=float, default=0.2, help="share of pods replaced each day (default 0.2)")
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--start", default="2025-10-01", help="first day; the days must stay in its month")
    ap.add_argument("--org", default="org1234567")
    ap.add_argument("--source-uuid", default="3f1c0f6e-7f5a-4d0e-9c58-1b7a3a0c9d11")
    ap.add_argument("--cluster-id", default="bench-cluster-001")
    ap.add_argument("--cluster-alias", default="Bench cluster")
    ap.add_argument("--manifest", type=int, default=1)
    ap.add_argument("--no-daily", action="store_true", help="leave out the daily forms")
    a = ap.parse_args()
    for name, v in zip(("pods", "nodes", "namespaces", "days"), SCALES[a.scale]):
        if getattr(a, name) is None:
            setattr(a, name, v)
    if min(a.pods, a.nodes, a.namespaces, a.days, a.files_per_day, a.label_cardinality, a.batch_rows) < 1:
        sys.exit("every count must be at least 1")
    os.makedirs(a.out, exist_ok=True)
    generate(a)


if __name__ == "__main__":
    main()
