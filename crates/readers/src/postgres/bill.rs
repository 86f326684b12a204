//! Koku's tables about an account at a cloud provider, and the clusters that run on it (ocp-on-aws § 2.3, § 2.4).

use std::sync::Arc;

use sea_orm::prelude::Uuid;
use sea_orm::sea_query::{Expr, ExprTrait, Order};
use sea_orm::{DatabaseTransaction, FromQueryResult};
use tokaki_core::{
    AccountAlias, Bill, Cluster, DateRange, Distribution, Error, ErrorKind, ReferenceData, Result, TagMapping,
};

use super::tables::{Tables, midnight};

/// Sources of the customer.
const SOURCES: &str = "reporting_tenant_api_provider";
const BILLS: &str = "reporting_awscostentrybill";
const ALIASES: &str = "reporting_awsaccountalias";
const CATEGORY_KEYS: &str = "reporting_awsenabledcategorykeys";
const TAG_KEYS: &str = "reporting_enabledtagkeys";
const TAG_MAPPINGS: &str = "reporting_tagmapping";
const COST_MODELS: &str = "cost_model";
const COST_MODEL_OF: &str = "cost_model_map";
/// Tables of all customers, and their schema.
const PUBLIC: &str = "public";
const PROVIDERS: &str = "api_provider";
const INFRASTRUCTURES: &str = "api_providerinfrastructuremap";
const CREDENTIALS: &str = "api_providerauthentication";

/// The kind of source, as Koku spells it in its tables of keys.
const AWS: &str = "AWS";

#[derive(FromQueryResult)]
struct BillId {
    id: i32,
}

#[derive(FromQueryResult)]
struct Alias {
    id: i32,
    account_id: String,
    account_alias: Option<String>,
}

#[derive(FromQueryResult)]
struct Key {
    key: String,
}

#[derive(FromQueryResult)]
struct TagKey {
    uuid: Uuid,
    key: String,
    enabled: bool,
    provider_type: String,
}

#[derive(FromQueryResult)]
struct ParentOf {
    parent_id: Uuid,
    child_id: Uuid,
}

#[derive(FromQueryResult)]
struct CostModel {
    markup: Option<String>,
    distribution: Option<String>,
}

#[derive(FromQueryResult)]
struct ClusterSource {
    uuid: Uuid,
    name: String,
    cluster_id: Option<String>,
    infrastructure_id: Option<i32>,
}

impl Tables<'_> {
    /// Whether the source is an AWS account.
    pub(super) async fn is_account(&self, snapshot: &DatabaseTransaction) -> Result<bool> {
        #[derive(FromQueryResult)]
        struct Kind {
            r#type: String,
        }
        let mut select = self.select(SOURCES, ["type"]);
        select.and_where(Expr::col("uuid").eq(self.source));
        let kinds: Vec<Kind> = self.rows(snapshot, SOURCES, &select).await?;
        Ok(kinds.iter().any(|kind| [AWS, "AWS-local"].contains(&kind.r#type.as_str())))
    }

    /// Everything that is known of the account and its clusters for the month of `days`.
    ///
    /// # Errors
    /// `Reference` if there is no bill, `Access` or `Database` if tables cannot be read.
    pub(super) async fn account(&self, snapshot: &DatabaseTransaction, days: DateRange) -> Result<ReferenceData> {
        let of_clusters = self.enabled_tag_keys(snapshot).await?;
        let keys = self.tag_keys(snapshot).await?;
        let mut enabled: Vec<String> =
            keys.iter().filter(|key| key.enabled && key.provider_type == AWS).map(|key| key.key.clone()).collect();
        enabled.sort();
        let bill = Bill {
            id: self.bill_id(snapshot, days).await?,
            markup_percent: self
                .cost_model(snapshot, self.source)
                .await?
                .and_then(|it| it.markup)
                .unwrap_or("0".into()),
            account_aliases: self.aliases(snapshot).await?,
            enabled_tag_keys: enabled,
            enabled_category_keys: Some(self.category_keys(snapshot).await?),
            tag_mappings: self.tag_mappings(snapshot, &keys).await?,
            clusters: self.clusters(snapshot, days, &of_clusters).await?,
        };
        Ok(ReferenceData { enabled_tag_keys: of_clusters, bill: Some(bill), ..ReferenceData::default() })
    }

    /// The first bill of the month; Koku too takes the first of several.
    async fn bill_id(&self, snapshot: &DatabaseTransaction, days: DateRange) -> Result<i32> {
        let (first, next) = days.month_bounds();
        let mut select = self.select(BILLS, ["id"]);
        select
            .and_where(Expr::col("provider_id").eq(self.source))
            .and_where(Expr::col("billing_period_start").gte(midnight(first)))
            .and_where(Expr::col("billing_period_start").lt(midnight(next)))
            .order_by("id", Order::Asc);
        let bills: Vec<BillId> = self.rows(snapshot, BILLS, &select).await?;
        bills.first().map(|bill| bill.id).ok_or_else(|| {
            let month = first.format("%Y-%m");
            Error::new(ErrorKind::Reference, format!("in {month} the source {} has no bill", self.source))
                .at(&self.place(BILLS))
                .help("Koku makes one with the month's first report; look whether source, month and schema are right")
        })
    }

    async fn aliases(&self, snapshot: &DatabaseTransaction) -> Result<Vec<AccountAlias>> {
        let select = self.select(ALIASES, ["id", "account_id", "account_alias"]);
        let mut rows: Vec<Alias> = self.rows(snapshot, ALIASES, &select).await?;
        rows.sort_by(|a, b| (&a.account_id, a.id).cmp(&(&b.account_id, b.id)));
        let alias = |Alias { id, account_id, account_alias }| AccountAlias { id, account_id, account_alias };
        Ok(rows.into_iter().map(alias).collect())
    }

    async fn category_keys(&self, snapshot: &DatabaseTransaction) -> Result<Vec<String>> {
        let mut select = self.select(CATEGORY_KEYS, ["key"]);
        select.and_where(Expr::col("enabled").eq(true));
        let keys: Vec<Key> = self.rows(snapshot, CATEGORY_KEYS, &select).await?;
        let mut keys: Vec<_> = keys.into_iter().map(|row| row.key).collect();
        keys.sort();
        Ok(keys)
    }

    async fn tag_keys(&self, snapshot: &DatabaseTransaction) -> Result<Vec<TagKey>> {
        let select = self.select(TAG_KEYS, ["uuid", "key", "enabled", "provider_type"]);
        self.rows(snapshot, TAG_KEYS, &select).await
    }

    /// Enabled child keys of AWS or OpenShift, with their parents.
    async fn tag_mappings(&self, snapshot: &DatabaseTransaction, keys: &[TagKey]) -> Result<Vec<TagMapping>> {
        let select = self.select(TAG_MAPPINGS, ["parent_id", "child_id"]);
        let rows: Vec<ParentOf> = self.rows(snapshot, TAG_MAPPINGS, &select).await?;
        let key = |uuid: Uuid| keys.iter().find(|key| key.uuid == uuid);
        let counts = |key: &&TagKey| key.enabled && [AWS, "OCP"].contains(&key.provider_type.as_str());
        let mapping = |row: ParentOf| {
            let child = key(row.child_id).filter(counts)?;
            Some(TagMapping { child: child.key.clone(), parent: key(row.parent_id)?.key.clone() })
        };
        let mut mappings: Vec<_> = rows.into_iter().filter_map(mapping).collect();
        mappings.sort_by(|a, b| (&a.child, &a.parent).cmp(&(&b.child, &b.parent)));
        Ok(mappings)
    }

    /// The cost model of a source; Koku takes the first by name.
    async fn cost_model(&self, snapshot: &DatabaseTransaction, source: Uuid) -> Result<Option<CostModel>> {
        let mut of_source = self.select(COST_MODEL_OF, ["cost_model_id"]);
        of_source.and_where(Expr::col("provider_uuid").eq(source));
        let mut select = self.select::<0>(COST_MODELS, []);
        select
            .expr_as(Expr::cust("markup->>'value'"), "markup")
            .expr_as(Expr::cust("distribution_info->>'distribution_type'"), "distribution")
            .and_where(Expr::col("uuid").in_subquery(of_source))
            .order_by("name", Order::Asc)
            .order_by("uuid", Order::Asc);
        Ok(self.rows(snapshot, COST_MODELS, &select).await?.into_iter().next())
    }

    /// The clusters that Koku has found to run on the account, and those that it has found on none, by source.
    async fn clusters(
        &self,
        snapshot: &DatabaseTransaction,
        days: DateRange,
        enabled_tag_keys: &[String],
    ) -> Result<Vec<Cluster>> {
        let cost_categories = self.cost_categories(snapshot).await?;
        let mut clusters = Vec::new();
        for ClusterSource { uuid, name, cluster_id, infrastructure_id } in self.cluster_sources(snapshot).await? {
            let of_cluster = Tables { server: self.server, schema: self.schema, source: uuid };
            let periods = of_cluster.report_periods(snapshot, days).await?;
            let (Some(cluster_id), Some(period)) = (cluster_id, periods.first()) else {
                // Koku ends here as well, with success (ocp-on-aws § 1).
                tracing::warn!(
                    "the cluster of source {uuid} is left out: no cluster id, or no report period in the month"
                );
                continue;
            };
            let distribution = self.cost_model(snapshot, uuid).await?.and_then(|model| model.distribution);
            clusters.push(Cluster {
                source_uuid: uuid.to_string(),
                mapped: infrastructure_id.is_some(),
                distribution: Distribution::of(distribution.as_deref()),
                reference: Arc::new(ReferenceData {
                    bill: None,
                    report_period_id: period.id,
                    cluster_id,
                    cluster_alias: name,
                    enabled_tag_keys: enabled_tag_keys.to_vec(),
                    cost_categories: cost_categories.clone(),
                    nodes: of_cluster.nodes(snapshot).await?,
                }),
            });
        }
        clusters.sort_by(|a, b| a.source_uuid.cmp(&b.source_uuid));
        Ok(clusters)
    }

    async fn cluster_sources(&self, snapshot: &DatabaseTransaction) -> Result<Vec<ClusterSource>> {
        let public = Tables { server: self.server, schema: PUBLIC, source: self.source };
        let mut on_account = public.select(INFRASTRUCTURES, ["id"]);
        on_account.and_where(Expr::col("infrastructure_provider_id").eq(self.source));
        let of_customer = self.select(SOURCES, ["uuid"]);
        let infrastructure = || Expr::col((PROVIDERS, "infrastructure_id"));
        let mut select = public.select::<0>(PROVIDERS, []);
        select
            .column((PROVIDERS, "uuid"))
            .column((PROVIDERS, "name"))
            .column((PROVIDERS, "infrastructure_id"))
            .expr_as(Expr::cust("credentials->>'cluster_id'"), "cluster_id")
            .left_join((PUBLIC, CREDENTIALS), Expr::col((CREDENTIALS, "id")).equals((PROVIDERS, "authentication_id")))
            .and_where(Expr::col((PROVIDERS, "type")).eq("OCP"))
            .and_where(Expr::col((PROVIDERS, "uuid")).in_subquery(of_customer))
            .and_where(infrastructure().in_subquery(on_account).or(infrastructure().is_null()));
        public.rows(snapshot, PROVIDERS, &select).await
    }
}
