//! `reporting_ocpaws_…_summary_p`: what the user interface shows of an AWS bill's cost in clusters (ocp-on-aws § 10.1).

use tokaki_core::{Field, FieldKind, Index, Table};

use super::columns::{field, required};
use super::ocp_on_aws_derived::{ALIAS, DerivedTable};
use super::ocp_on_aws_project::ACCOUNT;

/// All eight.
pub static TABLES: [DerivedTable; 8] = [
    of_all(&COST, &[]),
    of_all(&BY_ACCOUNT, &[ACCOUNT]),
    of_all(&BY_REGION, &[ACCOUNT, "region", "availability_zone"]),
    of_all(&BY_SERVICE, &[ACCOUNT, "product_code", "product_family"]),
    DerivedTable {
        counts: |row| row.text("instance_type").is_some(),
        ..of_all(&COMPUTE, &[ACCOUNT, "instance_type", "resource_id"])
    },
    DerivedTable {
        counts: |row| {
            row.text("unit") == Some("GB-Mo") && row.text("product_family").is_some_and(|it| it.contains("Storage"))
        },
        ..of_all(&STORAGE, &[ACCOUNT, "product_family"])
    },
    DerivedTable {
        counts: |row| row.text("product_code").is_some_and(|code| NETWORK_SERVICES.contains(&code)),
        ..of_all(&NETWORK, &[ACCOUNT, "product_code"])
    },
    DerivedTable {
        counts: |row| row.text("product_code").is_some_and(|code| DATABASE_SERVICES.contains(&code)),
        ..of_all(&DATABASE, &[ACCOUNT, "product_code"])
    },
];

/// A table that counts all rows.
const fn of_all(table: &'static Table, keys: &'static [&'static str]) -> DerivedTable {
    DerivedTable { table, counts: |_| true, keys, renamed: &[], constants: &[] }
}

const NETWORK_SERVICES: [&str; 4] = ["AmazonVPC", "AmazonCloudFront", "AmazonRoute53", "AmazonAPIGateway"];
const DATABASE_SERVICES: [&str; 6] =
    ["AmazonRDS", "AmazonDynamoDB", "AmazonElastiCache", "AmazonNeptune", "AmazonRedshift", "AmazonDocumentDB"];

/// A table with the columns of all, and its own.
macro_rules! ui_table {
    ($table:ident, $name:literal, [$($own:expr),*]) => {
        static $table: Table = Table {
            name: concat!("reporting_ocpaws_", $name, "_p"),
            fields: &[
                required("id", FieldKind::Uuid),
                required("usage_start", FieldKind::Date),
                required("usage_end", FieldKind::Date),
                field("cluster_id", FieldKind::Text(50)),
                field("cluster_alias", FieldKind::Text(256)),
                $($own,)*
                field("unblended_cost", FieldKind::Measure),
                field("markup_cost", FieldKind::Measure),
                field("blended_cost", FieldKind::Measure),
                field("markup_cost_blended", FieldKind::Measure),
                field("savingsplan_effective_cost", FieldKind::Measure),
                field("markup_cost_savingsplan", FieldKind::Measure),
                field("calculated_amortized_cost", FieldKind::Measure),
                field("markup_cost_amortized", FieldKind::Measure),
                field("currency_code", FieldKind::Text(10)),
                field("source_uuid", FieldKind::Uuid),
            ],
            day_field: Some("usage_start"),
            primary_key: &["usage_start", "id"],
            indexes: &[Index::Ordered("usage_start")],
            headline: &["usage_start", "cluster_alias", "unblended_cost", "calculated_amortized_cost"],
        };
    };
}

const ACCOUNT_FIELD: Field = field(ACCOUNT, FieldKind::Text(50));
const ALIAS_FIELD: Field = field(ALIAS, FieldKind::Integer);
const PRODUCT: Field = field("product_code", FieldKind::Text(0));
const FAMILY: Field = field("product_family", FieldKind::Text(150));
const USAGE: Field = field("usage_amount", FieldKind::Measure);
const UNIT: Field = field("unit", FieldKind::Text(63));
const CATEGORY: Field = field("cost_category_id", FieldKind::Integer);

ui_table!(COST, "cost_summary", [CATEGORY]);
ui_table!(BY_ACCOUNT, "cost_summary_by_account", [ACCOUNT_FIELD, ALIAS_FIELD]);
ui_table!(
    BY_REGION,
    "cost_summary_by_region",
    [ACCOUNT_FIELD, ALIAS_FIELD, field("region", FieldKind::Text(50)), field("availability_zone", FieldKind::Text(50))]
);
ui_table!(BY_SERVICE, "cost_summary_by_service", [ACCOUNT_FIELD, ALIAS_FIELD, PRODUCT, FAMILY]);
ui_table!(
    COMPUTE,
    "compute_summary",
    [
        ACCOUNT_FIELD,
        ALIAS_FIELD,
        field("instance_type", FieldKind::Text(50)),
        field("resource_id", FieldKind::Text(253)),
        USAGE,
        UNIT
    ]
);
ui_table!(STORAGE, "storage_summary", [ACCOUNT_FIELD, ALIAS_FIELD, FAMILY, USAGE, UNIT]);
ui_table!(NETWORK, "network_summary", [ACCOUNT_FIELD, ALIAS_FIELD, PRODUCT, USAGE, UNIT]);
ui_table!(DATABASE, "database_summary", [ACCOUNT_FIELD, ALIAS_FIELD, PRODUCT, USAGE, UNIT]);
