//! Commands for the user's shell.

/// `text` as one word of a POSIX shell.
pub(crate) fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text.into() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// A query that shows the first rows of `table`, which is quoted already where it must be.
pub(crate) fn first_rows(table: &str) -> String {
    format!("SELECT * FROM {table} LIMIT 10")
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
