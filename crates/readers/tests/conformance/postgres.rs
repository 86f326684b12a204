//! The reference source `postgres`, against a real server.

use async_trait::async_trait;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokaki_core::testkit::{fixture, references};
use tokaki_core::{ReferenceData, Scope, Section};
use xtask::postgres::Server;

use crate::store::settings;

/// Koku's tables in a database of their own.
struct Database {
    url: String,
}

impl Database {
    fn new() -> Self {
        Self { url: Server::shared().expect("a PostgreSQL server").create_database().expect("a database") }
    }
}

const TABLES: &str = include_str!("../../src/postgres/tests.sql");

#[async_trait]
impl references::Place for Database {
    fn section(&self) -> Section {
        settings("reference", json!({ "url": self.url }))
    }

    async fn put(&self, scope: &Scope, data: &ReferenceData) {
        let mut database = PgConnection::connect(&self.url).await.expect("a connection");
        let schema = &scope.org;
        let tables = format!("CREATE SCHEMA {schema}; SET search_path = {schema}; {TABLES}");
        sqlx::raw_sql(AssertSqlSafe(tables)).execute(&mut database).await.expect("tables");
        sqlx::query(
            "WITH provider AS (
                 INSERT INTO reporting_tenant_api_provider VALUES ($1::uuid, 'p', 'OCP') RETURNING uuid
             ), cluster AS (
                 INSERT INTO reporting_ocp_clusters (cluster_id, cluster_alias, provider_id)
                 SELECT $2, $3, uuid FROM provider RETURNING uuid
             ), period AS (
                 INSERT INTO reporting_ocpusagereportperiod
                     (id, cluster_id, cluster_alias, report_period_start, report_period_end, provider_id)
                 SELECT $4, $2, $3, $5::timestamptz, $5::timestamptz + interval '1 month', uuid FROM provider
             ), keys AS (
                 INSERT INTO reporting_enabledtagkeys (key, enabled, provider_type)
                 SELECT key, true, 'OCP' FROM unnest($6::text[]) key
             ), categories AS (
                 INSERT INTO reporting_ocp_cost_category_namespace (namespace, cost_category_id)
                 SELECT * FROM unnest($7::text[], $8::int[])
             )
             INSERT INTO reporting_ocp_nodes (node, resource_id, node_role, cluster_id)
             SELECT node.*, cluster.uuid FROM unnest($9::text[], $10::text[], $11::text[]) node, cluster",
        )
        .bind(&scope.source_uuid)
        .bind(&data.cluster_id)
        .bind(&data.cluster_alias)
        .bind(data.report_period_id)
        .bind(format!("{}-{}-01 00:00Z", scope.days.year(), scope.days.month()))
        .bind(&data.enabled_tag_keys)
        .bind(data.cost_categories.iter().map(|category| category.namespace_pattern.clone()).collect::<Vec<_>>())
        .bind(data.cost_categories.iter().map(|category| category.cost_category_id).collect::<Vec<_>>())
        .bind(data.nodes.iter().map(|node| node.node.clone()).collect::<Vec<_>>())
        .bind(data.nodes.iter().map(|node| node.resource_id.clone()).collect::<Vec<_>>())
        .bind(data.nodes.iter().map(|node| node.node_role.clone()).collect::<Vec<_>>())
        .execute(&mut database)
        .await
        .expect("rows");
    }
}

fixture!(Reference, "postgres", || Box::new(Database::new()));
