//! The laws, for every aggregator that this crate registers.

tokaki_core::testkit::conformance!(
    tokaki_aggregators,
    // A bill that is attributed by tags, by machines and by volumes.
    "resourcetags" = [r#"{"k": "x"}"#, r#"{"openshift_project": "a"}"#, "{}"],
    "lineitem_productcode" = ["AmazonEC2", "AmazonEBS", "AWSDataTransfer"],
);
