//! What was found out about a text, so that it is found out once and not for each row.

use tokaki_core::Result;
use tokaki_core::rollup::Interner;

/// Verdicts about the texts of a column. Forgets them when there are too many: a column of distinct texts would fill
/// the memory for nothing.
#[derive(Debug, Clone, Default)]
pub struct Verdicts {
    texts: Interner,
    verdicts: Vec<bool>,
}

impl Verdicts {
    /// The verdict of `judge` about `text`; a null is judged each time.
    ///
    /// # Errors
    /// That of `judge`.
    pub fn of(&mut self, text: Option<&str>, judge: impl FnOnce(Option<&str>) -> Result<bool>) -> Result<bool> {
        const MOST: usize = 1 << 16;
        let Some(known) = text else { return judge(None) };
        if self.verdicts.len() == MOST {
            *self = Self::default();
        }
        let position = self.texts.id(known) as usize - 1;
        if position == self.verdicts.len() {
            self.verdicts.push(judge(text)?);
        }
        Ok(self.verdicts.get(position).copied().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_is_judged_once() {
        let mut verdicts = Verdicts::default();
        let mut judged = 0;
        for text in [Some("a"), Some("b"), Some("a"), Some(""), Some("b")] {
            let verdict = verdicts.of(text, |text| {
                judged += 1;
                Ok(text == Some("a"))
            });
            assert_eq!(verdict.expect("a verdict"), text == Some("a"));
        }
        assert_eq!(judged, 3);
    }
}
