//! The line items of AWS's cost and usage report (ocp-on-aws § 2.1).

use tokaki_core::{ColumnKind, Input, Source, WantedColumn};

use super::{number, text};

/// Kind of the source, as paths name it.
pub const PROVIDER: &str = "AWS";
/// The one report type.
pub const REPORT_TYPE: &str = "line_items";
/// Column that dates a row; midnight in daily rows.
pub const USAGE_START: &str = "lineitem_usagestartdate";

/// What was used.
pub const RESOURCE_ID: &str = "lineitem_resourceid";
/// Service that was used.
pub const PRODUCT_CODE: &str = "lineitem_productcode";
/// Name of the product, which counts for what the marketplace sells.
pub const PRODUCT_NAME: &str = "product_productname";
/// Who bills: AWS or its marketplace.
pub const BILLING_ENTITY: &str = "bill_billingentity";
/// Kind of product.
pub const PRODUCT_FAMILY: &str = "product_productfamily";
/// Kind of machine.
pub const INSTANCE_TYPE: &str = "product_instancetype";
/// Region.
pub const REGION: &str = "product_region";
/// Zone within the region.
pub const AVAILABILITY_ZONE: &str = "lineitem_availabilityzone";
/// Unit of the usage amount.
pub const UNIT: &str = "pricing_unit";
/// Currency of the costs.
pub const CURRENCY: &str = "lineitem_currencycode";
/// Account that used it.
pub const ACCOUNT: &str = "lineitem_usageaccountid";
/// Kind of line item, for instance `Usage`, `Tax`, `SavingsPlanCoveredUsage`.
pub const LINE_ITEM_TYPE: &str = "lineitem_lineitemtype";
/// What was used, in the words of the service.
pub const USAGE_TYPE: &str = "lineitem_usagetype";
/// What the service did.
pub const OPERATION: &str = "lineitem_operation";
/// The user's tags, a JSON object as Python writes it.
pub const TAGS: &str = "resourcetags";
/// Cost categories, a JSON object.
pub const CATEGORY: &str = "costcategory";

/// How much was used.
pub const USAGE_AMOUNT: &str = "lineitem_usageamount";
/// Cost as billed.
pub const UNBLENDED_COST: &str = "lineitem_unblendedcost";
/// Cost at the organisation's average rate.
pub const BLENDED_COST: &str = "lineitem_blendedcost";
/// Cost under a savings plan.
pub const SAVINGS_PLAN_COST: &str = "savingsplan_savingsplaneffectivecost";
/// Price of a unit as billed.
pub const UNBLENDED_RATE: &str = "lineitem_unblendedrate";

/// The daily rows, or the hourly ones that they are derived from, with these columns.
pub fn daily(columns: &[WantedColumn]) -> Input {
    of(Source::DailyOrDerived(REPORT_TYPE), columns)
}

/// The hourly rows with these columns.
pub fn hourly(columns: &[WantedColumn]) -> Input {
    of(Source::Hourly(REPORT_TYPE), columns)
}

fn of(source: Source, columns: &[WantedColumn]) -> Input {
    Input::table(source, columns.to_vec()).of_provider(PROVIDER, USAGE_START)
}

/// What an attribution is made of.
pub const COLUMNS: [WantedColumn; 20] = [
    text(RESOURCE_ID),
    text(PRODUCT_CODE),
    text(PRODUCT_NAME),
    text(BILLING_ENTITY),
    text(PRODUCT_FAMILY),
    text(INSTANCE_TYPE),
    text(REGION),
    text(AVAILABILITY_ZONE),
    text(UNIT),
    text(CURRENCY),
    text(ACCOUNT),
    text(LINE_ITEM_TYPE),
    text(USAGE_TYPE),
    text(OPERATION),
    text(TAGS),
    text(CATEGORY),
    number(USAGE_AMOUNT),
    number(UNBLENDED_COST),
    number(BLENDED_COST),
    number(SAVINGS_PLAN_COST),
];

/// What the size of a disk is computed from (ocp-on-aws § 6).
pub const DISK_COLUMNS: [WantedColumn; 4] =
    [text(RESOURCE_ID), text(UNIT), number(UNBLENDED_COST), number(UNBLENDED_RATE)];

/// What machines are found in (ocp-on-aws § 2.4).
pub const ID_COLUMNS: [WantedColumn; 1] = [text(RESOURCE_ID)];

/// What candidate tags are found in (ocp-on-aws § 4). As text: the spelling counts.
pub const TAG_COLUMNS: [WantedColumn; 1] = [WantedColumn::new(TAGS, ColumnKind::Text)];
