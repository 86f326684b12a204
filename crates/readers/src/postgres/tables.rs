//! Koku's tables as reference data.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::{Expr, ExprTrait, IntoIden, Order, Query, SelectStatement};
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, FromQueryResult};
use tokaki_core::{CostCategory, DateRange, Error, ErrorKind, NodeRole, Place, ReferenceData, Result};

use super::server::Server;

const REPORT_PERIODS: &str = "reporting_ocpusagereportperiod";
const TAG_KEYS: &str = "reporting_enabledtagkeys";
const COST_CATEGORIES: &str = "reporting_ocp_cost_category_namespace";
const CLUSTERS: &str = "reporting_ocp_clusters";
const NODES: &str = "reporting_ocp_nodes";

#[derive(FromQueryResult)]
pub(super) struct ReportPeriod {
    pub(super) id: i32,
    cluster_id: String,
    cluster_alias: Option<String>,
}

#[derive(FromQueryResult)]
struct TagKey {
    key: String,
}

#[derive(FromQueryResult)]
struct CategoryNamespace {
    namespace: String,
    cost_category_id: i32,
}

#[derive(FromQueryResult)]
struct Node {
    node: Option<String>,
    resource_id: Option<String>,
    node_role: Option<String>,
}

/// The tables of one customer, as far as they concern one source.
pub(super) struct Tables<'a> {
    pub(super) server: &'a Server,
    pub(super) schema: &'a str,
    /// Provider uuid of the source.
    pub(super) source: Uuid,
}

impl Tables<'_> {
    /// Everything that is known for the month of `days`, as of one moment.
    ///
    /// # Errors
    /// `Reference` if the tables do not hold it, `Access` or `Database` if they cannot be read.
    pub(super) async fn read(&self, database: &DatabaseConnection, days: DateRange) -> Result<ReferenceData> {
        let snapshot = self.server.snapshot(database).await?;
        let periods = self.report_periods(&snapshot, days).await?;
        if periods.is_empty() && self.is_account(&snapshot).await? {
            return self.account(&snapshot, days).await;
        }
        let period = self.only(periods, days)?;
        Ok(ReferenceData {
            bill: None,
            report_period_id: period.id,
            cluster_alias: period.cluster_alias.unwrap_or_else(|| period.cluster_id.clone()),
            cluster_id: period.cluster_id,
            enabled_tag_keys: self.enabled_tag_keys(&snapshot).await?,
            cost_categories: self.cost_categories(&snapshot).await?,
            nodes: self.nodes(&snapshot).await?,
        })
    }

    /// The report periods of the source that begin in the month of `days`.
    pub(super) async fn report_periods(
        &self,
        snapshot: &DatabaseTransaction,
        days: DateRange,
    ) -> Result<Vec<ReportPeriod>> {
        let (first, next) = days.month_bounds();
        let mut select = self.select(REPORT_PERIODS, ["id", "cluster_id", "cluster_alias"]);
        select
            .and_where(Expr::col("provider_id").eq(self.source))
            .and_where(Expr::col("report_period_start").gte(midnight(first)))
            .and_where(Expr::col("report_period_start").lt(midnight(next)))
            .order_by("id", Order::Asc);
        self.rows(snapshot, REPORT_PERIODS, &select).await
    }

    /// The report period, if it is one.
    fn only(&self, periods: Vec<ReportPeriod>, days: DateRange) -> Result<ReportPeriod> {
        let (message, help) = match <[_; 1]>::try_from(periods) {
            Ok([period]) => return Ok(period),
            Err(none) if none.is_empty() => (
                "no report period".to_owned(),
                "Koku makes one with the month's first report; look whether source, month and schema are right",
            ),
            Err(several) => {
                let shown = several.iter().map(|period| format!("{} of cluster {}", period.id, period.cluster_id));
                (
                    format!("several report periods: {}", shown.collect::<Vec<_>>().join(", ")),
                    "remove the outdated ones, or give the right one with the reference source `file`",
                )
            }
        };
        let month = days.month_bounds().0.format("%Y-%m");
        Err(Error::new(ErrorKind::Reference, format!("in {month} the source {} has {message}", self.source))
            .at(&self.place(REPORT_PERIODS))
            .help(help))
    }

    pub(super) async fn enabled_tag_keys(&self, snapshot: &DatabaseTransaction) -> Result<Vec<String>> {
        let mut select = self.select(TAG_KEYS, ["key"]);
        select.and_where(Expr::col("enabled").eq(true)).and_where(Expr::col("provider_type").eq("OCP"));
        let keys: Vec<TagKey> = self.rows(snapshot, TAG_KEYS, &select).await?;
        let mut keys: Vec<_> = keys.into_iter().map(|row| row.key).collect();
        keys.sort();
        Ok(keys)
    }

    pub(super) async fn cost_categories(&self, snapshot: &DatabaseTransaction) -> Result<Vec<CostCategory>> {
        let select = self.select(COST_CATEGORIES, ["namespace", "cost_category_id"]);
        let mut rows: Vec<CategoryNamespace> = self.rows(snapshot, COST_CATEGORIES, &select).await?;
        rows.sort_by(|a, b| (&a.namespace, a.cost_category_id).cmp(&(&b.namespace, b.cost_category_id)));
        let category = |CategoryNamespace { namespace, cost_category_id }| CostCategory {
            namespace_pattern: namespace,
            cost_category_id,
        };
        Ok(rows.into_iter().map(category).collect())
    }

    /// The nodes of the source's cluster (spec § 8).
    pub(super) async fn nodes(&self, snapshot: &DatabaseTransaction) -> Result<Vec<NodeRole>> {
        let mut clusters = self.select(CLUSTERS, ["uuid"]);
        clusters.and_where(Expr::col("provider_id").eq(self.source));
        let mut select = self.select(NODES, ["node", "resource_id", "node_role"]);
        select.and_where(Expr::col("cluster_id").in_subquery(clusters));
        let mut rows: Vec<Node> = self.rows(snapshot, NODES, &select).await?;
        rows.sort_by(|a, b| (&a.node, &a.resource_id, &a.node_role).cmp(&(&b.node, &b.resource_id, &b.node_role)));
        let role = |Node { node, resource_id, node_role }| NodeRole { node, resource_id, node_role };
        Ok(rows.into_iter().map(role).collect())
    }

    /// Selects columns of a table, unsorted: the order of a text depends on the database's collation.
    pub(super) fn select<const N: usize>(&self, table: &'static str, columns: [&'static str; N]) -> SelectStatement {
        let mut select = Query::select();
        select.columns(columns.map(IntoIden::into_iden)).from((self.schema.to_owned(), table));
        select
    }

    pub(super) async fn rows<R: FromQueryResult>(
        &self,
        snapshot: &DatabaseTransaction,
        table: &str,
        select: &SelectStatement,
    ) -> Result<Vec<R>> {
        let rows = snapshot.query_all(select).await;
        let rows: Result<Vec<R>, DbErr> =
            rows.and_then(|rows| rows.iter().map(|row| R::from_query_result(row, "")).collect());
        rows.map_err(|error| self.server.error(&error).at(&self.place(table)))
    }

    pub(super) fn place(&self, table: &str) -> Place {
        Place { table: Some(format!("{}.{table}", self.schema)), ..Place::default() }
    }
}

pub(super) fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}
