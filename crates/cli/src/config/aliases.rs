//! Koku's own variables, so that a pod of Koku's with its Secret and ConfigMap as they are can run tokaki.
//!
//! They are weaker than a configuration file: such a pod has them always, and whoever writes a file means what it says.

use std::collections::BTreeMap;

use url::Url;

use super::text::Text;

/// Variables that are one setting each. Of two for one setting the later one is stronger, as in Koku.
const PLAIN: [(&str, &str); 9] = [
    ("S3_ENDPOINT", "store.endpoint"),
    ("S3_REGION", "store.region"),
    ("AWS_ACCESS_KEY_ID", "store.access_key_id"),
    ("AWS_SECRET_ACCESS_KEY", "store.secret_access_key"),
    ("AWS_SESSION_TOKEN", "store.session_token"),
    ("S3_ACCESS_KEY", "store.access_key_id"),
    ("S3_SECRET", "store.secret_access_key"),
    ("AWS_CA_BUNDLE", "store.ca_bundle"),
    ("AWS_PROFILE", "store.profile"),
];
/// Variables that name the bucket.
const BUCKET: [&str; 2] = ["REQUESTED_BUCKET", "S3_BUCKET_NAME"];
const DATABASE_HOST: &str = "DATABASE_SERVICE_HOST";
const DATABASE_PORT: &str = "DATABASE_SERVICE_PORT";
const DATABASE_NAME: &str = "DATABASE_NAME";
const DATABASE_USER: &str = "DATABASE_USER";
const DATABASE_PASSWORD: &str = "DATABASE_PASSWORD";
const DATABASE_SSLMODE: &str = "PGSSLMODE";
/// PostgreSQL's own port.
const DEFAULT_PORT: &str = "5432";

/// Whether `name` is one of Koku's variables.
pub(super) fn is_alias(name: &str) -> bool {
    PLAIN.iter().any(|(variable, _)| *variable == name)
        || BUCKET.contains(&name)
        || [DATABASE_HOST, DATABASE_PORT, DATABASE_NAME, DATABASE_USER, DATABASE_PASSWORD, DATABASE_SSLMODE]
            .contains(&name)
}

/// The settings that Koku's variables stand for, the later ones stronger.
pub(super) fn settings(variables: &BTreeMap<String, String>) -> Vec<Text> {
    let given = |name: &str| variables.get(name).filter(|value| !value.is_empty());
    let mut settings: Vec<Text> =
        PLAIN.iter().filter_map(|(name, key)| given(name).map(|value| Text::new(*key, value, *name))).collect();
    settings.extend(
        BUCKET
            .iter()
            .filter_map(|name| given(name).map(|bucket| Text::new("store.url", format!("s3://{bucket}"), *name))),
    );
    settings.extend(database_url(given).map(|url| Text::new("sink.url", url, DATABASE_HOST)));
    settings
}

/// The database, if its host, name and user are given. The host alone says nothing: Kubernetes tells every pod the host
/// of any Service that is called `database`.
fn database_url<'a>(given: impl Fn(&str) -> Option<&'a String>) -> Option<String> {
    let (host, name, user) = (given(DATABASE_HOST)?, given(DATABASE_NAME)?, given(DATABASE_USER)?);
    let port = given(DATABASE_PORT).map_or(DEFAULT_PORT, String::as_str);
    let mut url = Url::parse("postgresql://host").ok()?;
    url.set_host(Some(host)).ok()?;
    url.set_port(port.parse().ok()).ok()?;
    url.set_username(user).ok()?;
    url.set_password(given(DATABASE_PASSWORD).map(String::as_str)).ok()?;
    url.path_segments_mut().ok()?.push(name);
    if let Some(mode) = given(DATABASE_SSLMODE) {
        url.query_pairs_mut().append_pair("sslmode", mode);
    }
    Some(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Vec<(String, String, String)> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        settings(&variables).into_iter().map(|text| (text.key, text.raw, text.origin)).collect()
    }

    #[test]
    fn a_database_is_one_url_with_its_parts_encoded() {
        let mut variables = vec![
            ("DATABASE_SERVICE_HOST", "db"),
            ("DATABASE_SERVICE_PORT", "15432"),
            ("DATABASE_NAME", "my koku"),
            ("DATABASE_USER", "koku"),
            ("DATABASE_PASSWORD", "p@ss/w#rd"),
            ("PGSSLMODE", "verify-full"),
        ];
        let url = "postgresql://koku:p%40ss%2Fw%23rd@db:15432/my%20koku?sslmode=verify-full";
        assert_eq!(of(&variables), [("sink.url".into(), url.into(), "DATABASE_SERVICE_HOST".into())]);
        variables.truncate(2);
        assert_eq!(of(&variables), [], "a Service that happens to be called `database`");
    }

    #[test]
    fn the_bucket_koku_got_is_stronger_than_the_one_it_requested() {
        let settings = of(&[("S3_BUCKET_NAME", "koku-7f"), ("REQUESTED_BUCKET", "koku"), ("S3_ENDPOINT", "")]);
        let urls: Vec<&str> = settings.iter().map(|(_, url, _)| url.as_str()).collect();
        assert_eq!(urls, ["s3://koku", "s3://koku-7f"]);
    }
}
