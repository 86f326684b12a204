//! What the database has already, compared with what a run needs.

use std::collections::BTreeMap;

use sqlx::PgConnection;
use tokaki_core::{DateRange, Error, ErrorKind, FieldKind, Result, Scope};

use super::fault::Fault;
use super::partition;
use super::server::Server;
use crate::target::Target;

/// What exists of a destination. Existing things fit, or there would have been an error.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    /// The schema exists.
    pub(super) schema: bool,
    /// The table exists.
    pub(super) table: bool,
    /// Rows of the month have a partition, or need none.
    pub(super) month: bool,
}

impl Found {
    /// Looks at a destination.
    ///
    /// # Errors
    /// `Destination` if what exists does not fit, `Access` if a needed right is missing, `Database` otherwise.
    pub(super) async fn look(
        connection: &mut PgConnection,
        server: &Server,
        schema: &str,
        target: &Target,
        scope: &Scope,
    ) -> Result<Self, Fault> {
        let failed = |error| server.fault(&error);
        let Some(relation) = Relation::find(connection, schema, target.table.name).await.map_err(failed)? else {
            let schema = schema_exists(connection, schema).await.map_err(failed)?;
            return Ok(Self { schema, table: false, month: false });
        };
        relation.check(target)?;
        let columns = columns(connection, relation.oid).await.map_err(failed)?;
        check_columns(&columns, target)?;
        let month = match &relation.partition_key {
            Some(_) => partition::exists(connection, relation.oid, scope.days).await.map_err(failed)?,
            None => true,
        };
        Ok(Self { schema: true, table: true, month })
    }

    /// Whether nothing is missing.
    pub(super) fn is_complete(self) -> bool {
        self.schema && self.table && self.month
    }

    /// Refuses a destination of which something is missing.
    pub(super) fn require_complete(self, target: &Target, days: DateRange) -> Result<()> {
        let missing = match self {
            Self { schema: false, .. } => "the schema does not exist".into(),
            Self { table: false, .. } => "the table does not exist".into(),
            Self { month: false, .. } => {
                format!("the table has no partition {}", partition::name(target.table.name, days))
            }
            _ => return Ok(()),
        };
        Err(Error::new(ErrorKind::Destination, missing)
            .at(&target.place(None))
            .help("set sink.create_missing = true, or have Koku create it"))
    }
}

/// A table or what looks like one.
struct Relation {
    oid: i64,
    kind: String,
    partition_key: Option<String>,
    writable: bool,
}

impl Relation {
    async fn find(connection: &mut PgConnection, schema: &str, table: &str) -> sqlx::Result<Option<Self>> {
        let query = "SELECT c.oid::int8, c.relkind::text, pg_get_partkeydef(c.oid), \
             has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT') \
             AND has_table_privilege(c.oid, 'DELETE') \
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2";
        let row: Option<(i64, String, Option<String>, bool)> =
            sqlx::query_as(query).bind(schema).bind(table).persistent(false).fetch_optional(connection).await?;
        Ok(row.map(|(oid, kind, partition_key, writable)| Self { oid, kind, partition_key, writable }))
    }

    fn check(&self, target: &Target) -> Result<()> {
        let expected_key = target.table.day_field.map(|day| format!("RANGE ({day})"));
        let expected_key = expected_key.unwrap_or_else(|| "nothing".to_owned());
        let (kind, message) = match (self.kind.as_str(), &self.partition_key) {
            ("p", Some(key)) if *key != expected_key => {
                (ErrorKind::Destination, format!("expected a table partitioned by {expected_key}, found {key}"))
            }
            ("p" | "r", _) if self.writable => return Ok(()),
            ("p" | "r", _) => (ErrorKind::Access, "the user lacks one of the rights SELECT, INSERT and DELETE".into()),
            _ => (ErrorKind::Destination, "expected a table, found a view or something else of that name".into()),
        };
        Err(Error::new(kind, message).at(&target.place(None)))
    }
}

async fn schema_exists(connection: &mut PgConnection, schema: &str) -> sqlx::Result<bool> {
    let query = "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)";
    sqlx::query_scalar(query).bind(schema).persistent(false).fetch_one(connection).await
}

/// Whether `schema` has a table of this name, or something else that can be read like one.
pub(super) async fn is_table(connection: &mut PgConnection, schema: &str, name: &str) -> sqlx::Result<bool> {
    let query = "SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = $1 AND c.relname = $2)";
    sqlx::query_scalar(query).bind(schema).bind(name).persistent(false).fetch_one(connection).await
}

/// A column as the database has it.
struct Column {
    /// As `format_type` writes it.
    data_type: String,
    /// It may not be null and nothing fills it.
    must_be_given: bool,
}

async fn columns(connection: &mut PgConnection, table: i64) -> sqlx::Result<BTreeMap<String, Column>> {
    let query = "SELECT attname::text, format_type(atttypid, atttypmod), \
         attnotnull AND NOT atthasdef AND attidentity = '' AND attgenerated = '' \
         FROM pg_attribute WHERE attrelid = $1::oid AND attnum > 0 AND NOT attisdropped";
    let rows: Vec<(String, String, bool)> =
        sqlx::query_as(query).bind(table).persistent(false).fetch_all(connection).await?;
    let column = |(name, data_type, must_be_given)| (name, Column { data_type, must_be_given });
    Ok(rows.into_iter().map(column).collect())
}

/// A binary `COPY` converts nothing: a wrong type is an error at best, and garbage at worst.
fn check_columns(columns: &BTreeMap<String, Column>, target: &Target) -> Result<()> {
    let refuse =
        |column: &str, message| Err(Error::new(ErrorKind::Destination, message).at(&target.place(Some(column))));
    for field in &target.fields {
        let expected = type_name(field.kind);
        match columns.get(field.name) {
            Some(Column { data_type: found, .. }) if fits(field.kind, found) => {}
            Some(Column { data_type: found, .. }) => {
                return refuse(field.name, format!("expected a column of type {expected}, found {found}"));
            }
            None => return refuse(field.name, format!("the table lacks the column, expected {expected}")),
        }
    }
    let is_written = |name: &str| target.fields.iter().any(|field| field.name == name);
    match columns.iter().find(|(name, column)| column.must_be_given && !is_written(name)) {
        Some((name, _)) => refuse(name, "the column must not be null, and nothing is written there".into()),
        None => Ok(()),
    }
}

fn type_name(kind: FieldKind) -> String {
    match kind {
        FieldKind::Uuid => "uuid".into(),
        FieldKind::Text(0) => "text".into(),
        FieldKind::Text(length) => format!("character varying({length})"),
        FieldKind::Texts(length) => format!("{}[]", type_name(FieldKind::Text(length))),
        FieldKind::Integer => "integer".into(),
        FieldKind::Date => "date".into(),
        FieldKind::Instant => "timestamp without time zone".into(),
        FieldKind::Measure => "numeric(33,15)".into(),
        FieldKind::Json => "jsonb".into(),
    }
}

/// Lengths and precisions may differ: they change no byte on the way, and the server checks them.
fn fits(kind: FieldKind, found: &str) -> bool {
    match kind {
        FieldKind::Text(_) => found == "text" || found.starts_with("character varying") && !found.ends_with("[]"),
        // A list names the type of its texts, and the server takes no other.
        FieldKind::Texts(0) => found == "text[]",
        FieldKind::Texts(_) => found.starts_with("character varying") && found.ends_with("[]"),
        FieldKind::Measure => found == "numeric" || found.starts_with("numeric("),
        _ => found == type_name(kind),
    }
}
