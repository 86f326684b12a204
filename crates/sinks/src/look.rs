//! Commands for the user's shell.

use tokaki_core::Table;

/// `text` as one word of a POSIX shell.
pub(crate) fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text.into() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// A query that shows the first rows of `table` with what people look at first; `name` is quoted already where it must
/// be. The names of columns are our own and need no quotes.
pub(crate) fn first_rows(table: &Table, name: &str) -> String {
    let columns = if table.headline.is_empty() { "*".to_owned() } else { table.headline.join(", ") };
    format!("SELECT {columns} FROM {name} LIMIT 10")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_survives_the_shell() {
        assert_eq!(shell_word("/tmp/usage.db"), "/tmp/usage.db");
        assert_eq!(shell_word("my usage.db"), "'my usage.db'");
        assert_eq!(shell_word("it's"), r"'it'\''s'");
    }
}
