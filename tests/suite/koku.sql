-- The daily summary and what it hangs on, as Koku's migrations leave them in a customer's schema.
CREATE SCHEMA org1234567;
SET search_path = org1234567;

CREATE TABLE reporting_ocpusagereportperiod (
    id serial PRIMARY KEY,
    cluster_id varchar(50) NOT NULL,
    cluster_alias varchar(256),
    report_period_start timestamptz NOT NULL,
    report_period_end timestamptz NOT NULL,
    provider_id uuid NOT NULL
);
CREATE TABLE reporting_ocp_cost_category (
    id serial PRIMARY KEY,
    name text NOT NULL,
    namespace text[] NOT NULL,
    source_type text NOT NULL,
    system_default boolean NOT NULL
);
CREATE TABLE reporting_ocpusagelineitem_daily_summary (
    uuid uuid NOT NULL,
    report_period_id integer REFERENCES reporting_ocpusagereportperiod (id) DEFERRABLE INITIALLY DEFERRED,
    cluster_id varchar(50),
    cluster_alias varchar(256),
    data_source varchar(64),
    namespace varchar(253),
    node varchar(253),
    resource_id varchar(253),
    usage_start date NOT NULL,
    usage_end date NOT NULL,
    pod_labels jsonb,
    pod_usage_cpu_core_hours numeric(33, 15),
    pod_request_cpu_core_hours numeric(33, 15),
    pod_effective_usage_cpu_core_hours numeric(33, 15),
    pod_limit_cpu_core_hours numeric(33, 15),
    pod_usage_memory_gigabyte_hours numeric(33, 15),
    pod_request_memory_gigabyte_hours numeric(33, 15),
    pod_effective_usage_memory_gigabyte_hours numeric(33, 15),
    pod_limit_memory_gigabyte_hours numeric(33, 15),
    node_capacity_cpu_cores numeric(33, 15),
    node_capacity_cpu_core_hours numeric(33, 15),
    node_capacity_memory_gigabytes numeric(33, 15),
    node_capacity_memory_gigabyte_hours numeric(33, 15),
    cluster_capacity_cpu_core_hours numeric(33, 15),
    cluster_capacity_memory_gigabyte_hours numeric(33, 15),
    persistentvolumeclaim varchar(253),
    persistentvolume varchar(253),
    storageclass varchar(253),
    volume_labels jsonb,
    all_labels jsonb,
    persistentvolumeclaim_capacity_gigabyte numeric(33, 15),
    persistentvolumeclaim_capacity_gigabyte_months numeric(33, 15),
    volume_request_storage_gigabyte_months numeric(33, 15),
    persistentvolumeclaim_usage_gigabyte_months numeric(33, 15),
    infrastructure_raw_cost numeric(33, 15),
    infrastructure_project_raw_cost numeric(33, 15),
    infrastructure_data_in_gigabytes numeric(33, 15),
    infrastructure_data_out_gigabytes numeric(33, 15),
    infrastructure_usage_cost jsonb,
    infrastructure_markup_cost numeric(33, 15),
    infrastructure_project_markup_cost numeric(33, 15),
    infrastructure_monthly_cost numeric(33, 15),
    infrastructure_monthly_cost_json jsonb,
    infrastructure_project_monthly_cost jsonb,
    supplementary_usage_cost jsonb,
    supplementary_monthly_cost numeric(33, 15),
    supplementary_monthly_cost_json jsonb,
    supplementary_project_monthly_cost jsonb,
    cost_model_cpu_cost numeric(33, 15),
    cost_model_memory_cost numeric(33, 15),
    cost_model_volume_cost numeric(33, 15),
    cost_model_gpu_cost numeric(33, 15),
    cost_model_rate_type text,
    monthly_cost_type text,
    source_uuid uuid,
    raw_currency text,
    distributed_cost numeric(33, 15),
    cost_category_id integer REFERENCES reporting_ocp_cost_category (id) DEFERRABLE INITIALLY DEFERRED,
    PRIMARY KEY (usage_start, uuid)
) PARTITION BY RANGE (usage_start);
CREATE INDEX summary_ocp_usage_idx ON reporting_ocpusagelineitem_daily_summary (usage_start);
CREATE INDEX summary_namespace_idx ON reporting_ocpusagelineitem_daily_summary (namespace varchar_pattern_ops);
CREATE INDEX summary_node_idx ON reporting_ocpusagelineitem_daily_summary (node varchar_pattern_ops);
CREATE INDEX summary_data_source_idx ON reporting_ocpusagelineitem_daily_summary (data_source);
CREATE INDEX monthly_cost_type_idx ON reporting_ocpusagelineitem_daily_summary (monthly_cost_type);
CREATE INDEX cost_model_rate_type_idx ON reporting_ocpusagelineitem_daily_summary (cost_model_rate_type);
CREATE INDEX all_labels_idx ON reporting_ocpusagelineitem_daily_summary USING gin (all_labels);
CREATE INDEX pod_labels_idx ON reporting_ocpusagelineitem_daily_summary USING gin (pod_labels);
CREATE INDEX volume_labels_idx ON reporting_ocpusagelineitem_daily_summary USING gin (volume_labels);
CREATE TABLE reporting_ocpusagelineitem_daily_summary_2025_10
    PARTITION OF reporting_ocpusagelineitem_daily_summary FOR VALUES FROM ('2025-10-01') TO ('2025-11-01');
