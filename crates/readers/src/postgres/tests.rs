use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokaki_core::plugin::{Build, find};
use tokaki_core::{
    AccountAlias, Bill, Cluster, CostCategory, DateRange, Distribution, ErrorKind, NodeRole, PluginKind, TagMapping,
};
use xtask::postgres::Server as TestServer;

use super::*;

const TABLES: &str = include_str!("tests.sql");
/// The source that is loaded.
const SHOP: &str = "11111111-1111-4111-8111-111111111111";
/// Another source of the same customer.
const LAB: &str = "22222222-2222-4222-8222-222222222222";
const ROWS: &str = "
INSERT INTO reporting_tenant_api_provider (uuid, name, type) VALUES
    ('11111111-1111-4111-8111-111111111111', 'Shop', 'OCP'),
    ('22222222-2222-4222-8222-222222222222', 'Lab', 'OCP');
INSERT INTO reporting_ocpusagereportperiod
    (id, cluster_id, cluster_alias, report_period_start, report_period_end, provider_id) VALUES
    (1, 'c-shop', 'Shop', '2025-09-01 00:00Z', '2025-10-01 00:00Z', '11111111-1111-4111-8111-111111111111'),
    (2, 'c-shop', 'Shop', '2025-10-01 00:00Z', '2025-11-01 00:00Z', '11111111-1111-4111-8111-111111111111'),
    (3, 'c-shop', 'Shop', '2025-11-01 00:00Z', '2025-12-01 00:00Z', '11111111-1111-4111-8111-111111111111'),
    (4, 'c-lab', NULL, '2025-10-01 00:00Z', '2025-11-01 00:00Z', '22222222-2222-4222-8222-222222222222'),
    (5, 'c-lab', 'Lab', '2025-12-01 00:00Z', '2026-01-01 00:00Z', '22222222-2222-4222-8222-222222222222');
INSERT INTO reporting_enabledtagkeys (key, enabled, provider_type) VALUES
    ('zone', true, 'OCP'), ('app', true, 'OCP'), ('Zone', true, 'OCP'),
    ('owner', false, 'OCP'), ('stage', true, 'AWS'), ('app', true, 'Azure');
INSERT INTO reporting_ocp_cost_category_namespace (namespace, system_default, cost_category_id) VALUES
    ('openshift-%', true, 1), ('kube-%', true, 1), ('Kube', false, 2);
INSERT INTO reporting_ocp_clusters (uuid, cluster_id, cluster_alias, provider_id) VALUES
    ('aaaaaaaa-1111-4111-8111-111111111111', 'c-before', 'Shop', '11111111-1111-4111-8111-111111111111'),
    ('aaaaaaaa-2222-4222-8222-222222222222', 'c-lab', 'Lab', '22222222-2222-4222-8222-222222222222');
INSERT INTO reporting_ocp_nodes (node, resource_id, node_capacity_cpu_cores, cluster_id, node_role) VALUES
    ('n2', 'i-2', 4, 'aaaaaaaa-1111-4111-8111-111111111111', 'worker'),
    ('n1', 'i-1', 8, 'aaaaaaaa-1111-4111-8111-111111111111', 'worker'),
    ('n1', 'i-1', 4, 'aaaaaaaa-1111-4111-8111-111111111111', 'infra'),
    ('n1', NULL, 4, 'aaaaaaaa-1111-4111-8111-111111111111', NULL),
    ('n9', 'i-9', 4, 'aaaaaaaa-2222-4222-8222-222222222222', 'master');";

/// A database of its own.
struct Bench {
    url: String,
    connection: PgConnection,
}

impl Bench {
    async fn new() -> Self {
        let url = TestServer::shared().expect("a PostgreSQL server").create_database().expect("a database");
        let connection = PgConnection::connect(&url).await.expect("a connection");
        Self { url, connection }
    }

    /// A database with Koku's tables and the rows above in the schema `org1`, where all further statements find them.
    async fn with_rows() -> Self {
        let mut bench = Self::new().await;
        bench.execute(&format!("CREATE SCHEMA org1; SET search_path = org1; {TABLES}{ROWS}")).await;
        bench
    }

    async fn execute(&mut self, statements: &str) {
        sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut self.connection).await.expect("a statement");
    }

    fn source(&self) -> Arc<dyn ReferenceSource> {
        source("postgres", json!({ "url": self.url })).expect("a source")
    }

    async fn load(&self, source_uuid: &str, day: &str) -> Result<ReferenceData> {
        self.source().load(&scope("org1", source_uuid, day)).await
    }
}

fn source(plugin: &str, settings: Value) -> Result<Arc<dyn ReferenceSource>> {
    let Build::Reference(build) = find(PluginKind::Reference, plugin, "reference.type")?.build else {
        unreachable!("it was looked for among reference sources");
    };
    build(&Section::new("reference", settings.as_object().cloned().unwrap_or_default()))
}

fn scope(org: &str, source_uuid: &str, day: &str) -> Scope {
    let day = day.parse().expect("a date");
    let days = DateRange::new(day, day).expect("one day");
    Scope { org: org.to_owned(), source_uuid: source_uuid.to_owned(), days }
}

fn node(node: &str, resource_id: Option<&str>, node_role: Option<&str>) -> NodeRole {
    let [resource_id, node_role] = [resource_id, node_role].map(|text| text.map(str::to_owned));
    NodeRole { node: Some(node.to_owned()), resource_id, node_role }
}

fn category(namespace_pattern: &str, cost_category_id: i32) -> CostCategory {
    CostCategory { namespace_pattern: namespace_pattern.to_owned(), cost_category_id }
}

#[tokio::test]
async fn only_what_concerns_the_source_and_the_month_is_loaded_and_sorted() {
    let bench = Bench::with_rows().await;
    let expected = ReferenceData {
        bill: None,
        report_period_id: 2,
        cluster_id: "c-shop".into(),
        cluster_alias: "Shop".into(),
        enabled_tag_keys: ["Zone", "app", "zone"].map(str::to_owned).into(),
        cost_categories: vec![category("Kube", 2), category("kube-%", 1), category("openshift-%", 1)],
        nodes: vec![
            node("n1", None, None),
            node("n1", Some("i-1"), Some("infra")),
            node("n1", Some("i-1"), Some("worker")),
            node("n2", Some("i-2"), Some("worker")),
        ],
    };
    for day in ["2025-10-01", "2025-10-31"] {
        assert_eq!(bench.load(SHOP, day).await.expect("reference data"), expected);
    }
    assert_eq!(bench.load(&SHOP.to_uppercase(), "2025-11-01").await.expect("reference data").report_period_id, 3);
}

#[tokio::test]
async fn a_month_begins_at_midnight_utc() {
    let mut bench = Bench::with_rows().await;
    bench
        .execute("UPDATE reporting_ocpusagereportperiod SET report_period_start = '2025-11-01 01:00+02' WHERE id = 3")
        .await;
    bench.execute("DELETE FROM reporting_ocpusagereportperiod WHERE id = 2").await;
    assert_eq!(bench.load(SHOP, "2025-10-05").await.expect("reference data").report_period_id, 3);
    assert!(bench.load(SHOP, "2025-11-05").await.is_err());
}

#[tokio::test]
async fn a_null_alias_becomes_the_cluster_id() {
    let lab = Bench::with_rows().await.load(LAB, "2025-10-01").await.expect("reference data");
    assert_eq!((lab.cluster_id.as_str(), lab.cluster_alias.as_str()), ("c-lab", "c-lab"));
    assert_eq!(lab.nodes, [node("n9", Some("i-9"), Some("master"))]);
}

#[tokio::test]
async fn a_month_without_report_period_is_an_error() {
    let bench = Bench::with_rows().await;
    let error = bench.load(SHOP, "2025-12-10").await.expect_err("only the other source has December");
    assert_eq!(error.kind(), ErrorKind::Reference);
    assert_eq!(error.message(), format!("in 2025-12 the source {SHOP} has no report period"));
    assert_eq!(error.place().table.as_deref(), Some("org1.reporting_ocpusagereportperiod"));
    assert!(error.help_text().is_some());
}

#[tokio::test]
async fn several_report_periods_are_an_error() {
    let mut bench = Bench::with_rows().await;
    bench
        .execute(
            "INSERT INTO reporting_ocpusagereportperiod SELECT 9, 'c-new', NULL, report_period_start, \
             report_period_end, provider_id FROM reporting_ocpusagereportperiod WHERE id = 2",
        )
        .await;
    let error = bench.load(SHOP, "2025-10-01").await.expect_err("two periods");
    assert_eq!(error.kind(), ErrorKind::Reference);
    assert!(
        error.message().ends_with("has several report periods: 2 of cluster c-shop, 9 of cluster c-new"),
        "{error}"
    );
}

#[tokio::test]
async fn the_schema_is_the_org_unless_set_and_is_quoted() {
    let mut bench = Bench::with_rows().await;
    bench.execute(r#"ALTER SCHEMA org1 RENAME TO "Org ""1"";--'" "#).await;
    let set = source("postgres", json!({ "url": bench.url, "schema": "Org \"1\";--'" })).expect("a source");
    assert!(set.load(&scope("org1", SHOP, "2025-10-01")).await.is_ok());
    assert!(bench.source().load(&scope("Org \"1\";--'", SHOP, "2025-10-01")).await.is_ok());
    let error = bench.load(SHOP, "2025-10-01").await.expect_err("no such schema");
    assert_eq!(error.kind(), ErrorKind::Reference);
    assert!(error.message().contains(r#""org1.reporting_ocpusagereportperiod" does not exist"#), "{error}");
    assert!(error.help_text().is_some_and(|help| help.contains("reference.schema")));
}

#[tokio::test]
async fn a_missing_table_is_named() {
    for table in [
        "reporting_ocpusagereportperiod",
        "reporting_enabledtagkeys",
        "reporting_ocp_cost_category_namespace",
        "reporting_ocp_clusters",
        "reporting_ocp_nodes",
    ] {
        let mut bench = Bench::with_rows().await;
        bench.execute(&format!("DROP TABLE {table} CASCADE")).await;
        let error = bench.load(SHOP, "2025-10-01").await.expect_err("a table is missing");
        assert_eq!(error.kind(), ErrorKind::Reference);
        assert!(error.message().contains(&format!("\"org1.{table}\" does not exist")), "{error}");
    }
}

#[tokio::test]
async fn tables_of_another_shape_are_refused() {
    for (change, named) in [
        ("reporting_ocp_nodes DROP COLUMN node_role", "node_role"),
        ("reporting_ocp_cost_category_namespace ALTER COLUMN cost_category_id TYPE text", "cost_category_id"),
        ("reporting_ocp_clusters ALTER COLUMN provider_id TYPE text", "text = uuid"),
    ] {
        let mut bench = Bench::with_rows().await;
        bench
            .execute("ALTER TABLE reporting_ocp_clusters DROP CONSTRAINT reporting_ocp_clusters_provider_id_fkey")
            .await;
        bench.execute(&format!("ALTER TABLE {change}")).await;
        let error = bench.load(SHOP, "2025-10-01").await.expect_err("another shape");
        assert_eq!(error.kind(), ErrorKind::Reference, "{error}");
        assert!(error.message().contains(named), "{error}");
        assert!(error.place().table.is_some());
    }
    let mut bench = Bench::with_rows().await;
    bench.execute("ALTER TABLE reporting_enabledtagkeys ALTER COLUMN key DROP NOT NULL").await;
    bench.execute("UPDATE reporting_enabledtagkeys SET key = NULL WHERE key = 'zone'").await;
    let error = bench.load(SHOP, "2025-10-01").await.expect_err("a key without text");
    assert_eq!(error.kind(), ErrorKind::Reference, "{error}");
}

#[tokio::test]
async fn a_user_without_rights_is_refused() {
    let mut bench = Bench::with_rows().await;
    let stranger = format!("reference_stranger_{}", std::process::id());
    bench
        .execute(&format!("CREATE ROLE {stranger} LOGIN PASSWORD 'secret'; GRANT USAGE ON SCHEMA org1 TO {stranger}"))
        .await;
    let mut url = url::Url::parse(&bench.url).expect("a url");
    url.set_username(&stranger).expect("a user");
    url.set_password(Some("secret")).expect("a password");
    let stranger_source = source("postgres", json!({ "url": url.as_str() })).expect("a source");
    let outcome = stranger_source.load(&scope("org1", SHOP, "2025-10-01")).await;
    bench.execute(&format!("DROP OWNED BY {stranger}; DROP ROLE {stranger}")).await;
    let error = outcome.expect_err("no rights");
    assert_eq!(error.kind(), ErrorKind::Access);
    assert!(error.help_text().is_some_and(|help| help.contains(&stranger)));
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_named_without_the_password() {
    let nowhere = source("postgres", json!({ "url": "postgresql://me:secret@127.0.0.1:1/koku" })).expect("a source");
    let scope = scope("org1", SHOP, "2025-10-01");
    let loading = tokio::time::timeout(Duration::from_secs(5), nowhere.load(&scope)).await;
    let error = loading.expect("no waiting").expect_err("no server");
    assert_eq!(error.kind(), ErrorKind::Database);
    assert!(error.message().contains("127.0.0.1:1") && error.message().contains("refused"), "{error}");
    assert!(!format!("{error:?}").contains("secret"));
}

#[tokio::test]
async fn a_source_that_is_no_uuid_is_refused_before_connecting() {
    let nowhere = source("postgres", json!({ "url": "postgresql://127.0.0.1:1/koku" })).expect("a source");
    let error = nowhere.load(&scope("org1", "shop", "2025-10-01")).await.expect_err("no uuid");
    assert_eq!((error.kind(), error.key()), (ErrorKind::Config, Some("scope.source_uuid")));
}

#[test]
fn debug_shows_no_password() {
    let config = PostgresConfig { url: "postgresql://me:secret@db/koku".into(), schema: Some("org1".into()) };
    assert_eq!(format!("{config:?}"), r#"PostgresConfig { schema: Some("org1"), .. }"#);
}

#[tokio::test]
async fn a_snapshot_is_repeatable_and_changes_nothing() {
    let bench = Bench::new().await;
    let server = Server::parse(&bench.url, "reference.url").expect("a server");
    let database = server.connect().await.expect("a connection");
    let snapshot = server.snapshot(&database).await.expect("a transaction");
    for (setting, expected) in
        [("transaction_isolation", "repeatable read"), ("transaction_read_only", "on"), ("application_name", "tokaki/")]
    {
        let statement = sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, format!("SHOW {setting}"));
        let row = sea_orm::ConnectionTrait::query_one_raw(&snapshot, statement).await.expect("an answer");
        let value: String = row.expect("a row").try_get_by_index(0).expect("a text");
        assert!(value.starts_with(expected), "{setting} = {value}");
    }
}

#[tokio::test]
async fn a_commit_between_the_reads_is_not_seen() {
    let mut bench = Bench::with_rows().await;
    let before = bench.load(SHOP, "2025-10-01").await.expect("reference data");
    // The lock holds the load up in the middle: it has read the report period, and not yet the nodes.
    bench.execute("BEGIN; LOCK TABLE reporting_ocp_nodes IN ACCESS EXCLUSIVE MODE").await;
    let source = bench.source();
    let load = tokio::spawn(async move { source.load(&scope("org1", SHOP, "2025-10-01")).await });
    let waiting = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() \
         AND application_name LIKE 'tokaki/%' AND wait_event_type = 'Lock')";
    let mut observer = PgConnection::connect(&bench.url).await.expect("a connection");
    while !sqlx::query_scalar::<_, bool>(waiting).fetch_one(&mut observer).await.expect("an answer") {
        assert!(!load.is_finished(), "the load did not wait");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    bench
        .execute(
            "DELETE FROM reporting_ocp_nodes WHERE node = 'n2'; UPDATE reporting_ocp_nodes SET node_role = 'master'; \
             UPDATE reporting_ocpusagereportperiod SET cluster_alias = 'New'; COMMIT",
        )
        .await;
    assert_eq!(load.await.expect("no panic").expect("reference data"), before);
    let after = bench.load(SHOP, "2025-10-01").await.expect("reference data");
    assert_eq!((after.cluster_alias.as_str(), after.nodes.len()), ("New", 3));
}

#[tokio::test]
async fn the_tables_say_what_the_file_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios/random-10/reference.json");
    let text = std::fs::read_to_string(&path).expect("a scenario of this repository");
    let job: Value = serde_json::from_str(&text).expect("json");
    let of_job = |key: &str| job[key].as_str().expect("a text").to_owned();
    let scope = scope(&of_job("org"), &of_job("source_uuid"), &of_job("start_date"));
    let mut file = source("file", json!({ "path": path })).expect("a source").load(&scope).await.expect("a file");

    let mut bench = Bench::new().await;
    bench.execute(&format!("CREATE SCHEMA {org}; SET search_path = {org}; {TABLES}", org = scope.org)).await;
    // The keys of the file are the columns of the tables but for two, so PostgreSQL itself can unfold it.
    let fill = "
        INSERT INTO reporting_tenant_api_provider VALUES (($1->>'source_uuid')::uuid, 'any', 'OCP');
        INSERT INTO reporting_ocpusagereportperiod SELECT ($1->>'report_period_id')::int, $1->>'cluster_id',
            $1->>'cluster_alias', date_trunc('month', ($1->>'start_date')::timestamp) AT TIME ZONE 'UTC',
            now(), ($1->>'source_uuid')::uuid;
        INSERT INTO reporting_enabledtagkeys (key, enabled, provider_type)
            SELECT key, true, 'OCP' FROM jsonb_array_elements_text($1->'enabled_tag_keys') AS key;
        INSERT INTO reporting_ocp_cost_category_namespace (namespace, cost_category_id)
            SELECT c->>'namespace_pattern', (c->>'cost_category_id')::int
            FROM jsonb_array_elements($1->'cost_categories') AS c;
        INSERT INTO reporting_ocp_clusters (cluster_id, provider_id)
            VALUES ($1->>'cluster_id', ($1->>'source_uuid')::uuid);
        INSERT INTO reporting_ocp_nodes (node, resource_id, node_role, cluster_id)
            SELECT n->>'node', n->>'resource_id', n->>'node_role', (SELECT uuid FROM reporting_ocp_clusters)
            FROM jsonb_array_elements($1->'nodes') AS n";
    for statement in fill.split(';') {
        let query = sqlx::query(AssertSqlSafe(statement.replace("$1", "$1::text::jsonb"))).bind(&text);
        query.execute(&mut bench.connection).await.expect("a statement");
    }
    let tables = bench.source().load(&scope).await.expect("reference data");

    file.enabled_tag_keys.sort();
    file.cost_categories.sort_by(|a, b| a.namespace_pattern.cmp(&b.namespace_pattern));
    file.nodes.sort_by(|a, b| (&a.node, &a.resource_id).cmp(&(&b.node, &b.resource_id)));
    assert_eq!(tables, file);
}

/// An account, with a cluster on it, one whose month has no report, and one that may be anywhere.
const ACCOUNT: &str = "33333333-3333-4333-8333-333333333333";
const ACCOUNT_ROWS: &str = "
INSERT INTO reporting_tenant_api_provider (uuid, name, type) VALUES
    ('33333333-3333-4333-8333-333333333333', 'Payer', 'AWS'),
    ('44444444-4444-4444-8444-444444444444', 'New', 'OCP');
INSERT INTO reporting_awscostentrybill (id, bill_type, billing_period_start, billing_period_end, provider_id) VALUES
    (6, 'Anniversary', '2025-09-01 00:00Z', '2025-10-01 00:00Z', '33333333-3333-4333-8333-333333333333'),
    (8, 'Refund', '2025-10-01 00:00Z', '2025-11-01 00:00Z', '33333333-3333-4333-8333-333333333333'),
    (7, 'Anniversary', '2025-10-01 00:00Z', '2025-11-01 00:00Z', '33333333-3333-4333-8333-333333333333');
INSERT INTO reporting_awsaccountalias (id, account_id, account_alias) VALUES (2, '900', 'nine'), (1, '100', NULL);
INSERT INTO reporting_awsenabledcategorykeys (key, enabled) VALUES ('Team', true), ('Product', true), ('Old', false);
INSERT INTO reporting_tagmapping (parent_id, child_id)
    SELECT parent.uuid, child.uuid FROM reporting_enabledtagkeys parent, reporting_enabledtagkeys child
    WHERE (parent.key, parent.provider_type, child.key, child.provider_type)
        IN (('app', 'OCP', 'stage', 'AWS'), ('app', 'OCP', 'owner', 'OCP'), ('zone', 'OCP', 'app', 'Azure'));
INSERT INTO cost_model (uuid, name, source_type, markup, distribution, distribution_info) VALUES
    ('cccccccc-1111-4111-8111-111111111111', 'b', 'AWS', '{\"value\": 99}', 'cpu', '{}'),
    ('cccccccc-2222-4222-8222-222222222222', 'a', 'AWS', '{\"value\": \"12.50\", \"unit\": \"percent\"}', 'cpu', '{}'),
    ('cccccccc-3333-4333-8333-333333333333', 'c', 'OCP', '{}', 'cpu', '{\"distribution_type\": \"memory\"}');
INSERT INTO cost_model_map (provider_uuid, cost_model_id) VALUES
    ('33333333-3333-4333-8333-333333333333', 'cccccccc-1111-4111-8111-111111111111'),
    ('33333333-3333-4333-8333-333333333333', 'cccccccc-2222-4222-8222-222222222222'),
    ('22222222-2222-4222-8222-222222222222', 'cccccccc-3333-4333-8333-333333333333');
INSERT INTO public.api_providerauthentication (id, credentials) VALUES
    (1, '{\"cluster_id\": \"c-shop\"}'), (2, '{\"cluster_id\": \"c-lab\"}'), (3, '{\"role_arn\": \"secret\"}'),
    (4, '{\"cluster_id\": \"c-new\"}');
INSERT INTO public.api_provider (uuid, name, type, authentication_id, infrastructure_id) VALUES
    ('33333333-3333-4333-8333-333333333333', 'Payer', 'AWS', 3, NULL),
    ('11111111-1111-4111-8111-111111111111', 'Shop', 'OCP', 1, NULL),
    ('22222222-2222-4222-8222-222222222222', 'Lab, renamed', 'OCP', 2, 1),
    ('44444444-4444-4444-8444-444444444444', 'New', 'OCP', 4, 1);
INSERT INTO public.api_providerinfrastructuremap VALUES (1, 'AWS', '33333333-3333-4333-8333-333333333333');";

#[tokio::test]
async fn an_account_comes_with_its_bill_and_the_clusters_that_koku_has_found_on_it() {
    let mut bench = Bench::with_rows().await;
    bench.execute(ACCOUNT_ROWS).await;
    let reference = bench.load(ACCOUNT, "2025-10-05").await.expect("an account");
    let lab = ReferenceData {
        bill: None,
        report_period_id: 4,
        cluster_id: "c-lab".into(),
        cluster_alias: "Lab, renamed".into(),
        enabled_tag_keys: ["Zone", "app", "zone"].map(str::to_owned).into(),
        cost_categories: vec![category("Kube", 2), category("kube-%", 1), category("openshift-%", 1)],
        nodes: vec![node("n9", Some("i-9"), Some("master"))],
    };
    let shop = bench.load(SHOP, "2025-10-05").await.expect("a cluster");
    let shop =
        Cluster { source_uuid: SHOP.into(), mapped: false, distribution: Distribution::Cpu, reference: Arc::new(shop) };
    let alias = |id, account_id: &str, alias: Option<&str>| AccountAlias {
        id,
        account_id: account_id.to_owned(),
        account_alias: alias.map(str::to_owned),
    };
    let expected = Bill {
        id: 7,
        markup_percent: "12.50".into(),
        account_aliases: vec![alias(1, "100", None), alias(2, "900", Some("nine"))],
        enabled_tag_keys: vec!["stage".into()],
        enabled_category_keys: Some(vec!["Product".into(), "Team".into()]),
        // The others are not enabled, or of another cloud.
        tag_mappings: vec![TagMapping { child: "stage".into(), parent: "app".into() }],
        // Koku has found one of them there, and the other nowhere.
        clusters: vec![
            shop,
            Cluster {
                source_uuid: LAB.into(),
                mapped: true,
                distribution: Distribution::Memory,
                reference: Arc::new(lab),
            },
        ],
    };
    assert_eq!(reference.bill, Some(expected));
    assert_eq!(reference.enabled_tag_keys, ["Zone", "app", "zone"]);
    assert!(!format!("{reference:?}").contains("secret"));
}

#[tokio::test]
async fn an_account_without_a_bill_is_told_so() {
    let mut bench = Bench::with_rows().await;
    bench.execute(ACCOUNT_ROWS).await;
    let error = bench.load(ACCOUNT, "2025-11-05").await.expect_err("no bill");
    assert_eq!(error.kind(), ErrorKind::Reference);
    assert_eq!(error.message(), format!("in 2025-11 the source {ACCOUNT} has no bill"));
}
