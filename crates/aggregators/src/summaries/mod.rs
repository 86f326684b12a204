//! Destination tables: definition, written columns, owned rows, row ids.

mod columns;
pub mod gpu_summary;
pub mod ocp_all;
pub mod ocp_daily_summary;
pub mod ocp_infrastructure;
pub mod ocp_on_aws_derived;
pub mod ocp_on_aws_keys;
pub mod ocp_on_aws_project;
pub mod ocp_on_aws_ui;
pub mod row_id;
pub mod vm_resources;
