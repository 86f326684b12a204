//! `reporting_ocpallcostlineitem_…_summary_p`: cost of clusters in whatever cloud (ocp-on-aws § 10.3), as far as it is on
//! an AWS bill. What is called unblended cost there is the amortized cost.

use tokaki_core::{Field, FieldKind, Index, Table};

use super::columns::{field, required};
use super::ocp_on_aws_derived::{ALIAS, Constant, DerivedTable};
use super::ocp_on_aws_project::ACCOUNT;

/// Characters that the tables take of a product code; the project table takes any number.
pub const PRODUCT_CODE: u16 = 50;

/// Both.
pub static TABLES: [DerivedTable; 2] = [
    DerivedTable {
        table: &PROJECT,
        counts: |_| true,
        keys: &[
            "data_source",
            "namespace",
            "node",
            "pod_labels",
            ACCOUNT,
            "resource_id",
            "product_code",
            "product_family",
            "instance_type",
            "region",
            "availability_zone",
        ],
        renamed: &[("unblended_cost", COST), ("project_markup_cost", MARKUP)],
        constants: &[SOURCE_TYPE],
    },
    DerivedTable {
        table: &DAILY,
        counts: |_| true,
        keys: &[
            "namespace",
            "node",
            "tags",
            ALIAS,
            "resource_id",
            "product_code",
            "product_family",
            "instance_type",
            "region",
            "availability_zone",
        ],
        renamed: &[("unblended_cost", COST), ("markup_cost", MARKUP)],
        constants: &[SOURCE_TYPE, ("shared_projects", Constant::Integer(1))],
    },
];

const COST: &str = "calculated_amortized_cost";
const MARKUP: &str = "markup_cost_amortized";
const SOURCE_TYPE: (&str, Constant) = ("source_type", Constant::Text("AWS"));

/// One of the tables. Koku has them without a common definition, with these columns in common.
macro_rules! ocp_all_table {
    ($table:ident, $name:literal, [$($own:expr),*], $labels:literal) => {
        static $table: Table = Table {
            name: $name,
            fields: &[
                required("id", FieldKind::Uuid),
                required("source_type", FieldKind::Text(0)),
                field("cluster_id", FieldKind::Text(50)),
                field("cluster_alias", FieldKind::Text(256)),
                $($own,)*
                field("node", FieldKind::Text(253)),
                field("resource_id", FieldKind::Text(253)),
                required("usage_start", FieldKind::Date),
                required("usage_end", FieldKind::Date),
                field(ACCOUNT, FieldKind::Text(50)),
                field(ALIAS, FieldKind::Integer),
                field("product_code", FieldKind::Text(PRODUCT_CODE)),
                field("product_family", FieldKind::Text(150)),
                field("instance_type", FieldKind::Text(50)),
                field("region", FieldKind::Text(50)),
                field("availability_zone", FieldKind::Text(50)),
                field($labels, FieldKind::Json),
                field("usage_amount", FieldKind::Measure),
                field("unit", FieldKind::Text(63)),
                field("unblended_cost", FieldKind::Measure),
                field("currency_code", FieldKind::Text(10)),
                field("source_uuid", FieldKind::Uuid),
                field("cost_category_id", FieldKind::Integer),
            ],
            day_field: Some("usage_start"),
            primary_key: &["usage_start", "id"],
            indexes: &[
                Index::Ordered("usage_start"),
                Index::Ordered("namespace"),
                Index::Ordered("node"),
                Index::Ordered("resource_id"),
                Index::Json($labels),
                Index::Ordered("product_family"),
                Index::Ordered("instance_type"),
            ],
            headline: &["usage_start", "cluster_alias", "namespace", "node", "product_code", "unblended_cost"],
        };
    };
}

const NAMESPACES: Field = required("namespace", FieldKind::Texts(253));

ocp_all_table!(
    PROJECT,
    "reporting_ocpallcostlineitem_project_daily_summary_p",
    [
        field("data_source", FieldKind::Text(64)),
        field("namespace", FieldKind::Text(253)),
        field("project_markup_cost", FieldKind::Measure)
    ],
    "pod_labels"
);
ocp_all_table!(
    DAILY,
    "reporting_ocpallcostlineitem_daily_summary_p",
    [NAMESPACES, field("markup_cost", FieldKind::Measure), required("shared_projects", FieldKind::Integer)],
    "tags"
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summaries::ocp_on_aws_derived::cut;

    #[test]
    fn a_product_code_is_cut_between_characters() {
        let code = "ö".repeat(51);
        assert_eq!(cut(&code, PRODUCT_CODE), "ö".repeat(50));
        assert_eq!(cut("AmazonEC2", PRODUCT_CODE), "AmazonEC2");
        assert_eq!(cut(&code, 0), code);
    }
}
