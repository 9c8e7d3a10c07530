//! A place in the text of a version that is being read.

/// The rest of a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'t> {
    pub rest: &'t str,
}

impl<'t> Cursor<'t> {
    /// Takes `text`, if the rest starts with it.
    pub fn take(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Takes one of `characters`, if the rest starts with one.
    pub fn take_one(&mut self, characters: &[char]) -> bool {
        match self.rest.strip_prefix(characters) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Takes the first of `words` that the rest starts with.
    pub fn take_word(&mut self, words: &[&'static str]) -> Option<&'static str> {
        words.iter().copied().find(|word| self.take(word))
    }

    /// Takes the characters at the start that are `wanted`.
    pub fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'t str {
        let end = self.rest.find(|c| !wanted(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    /// Takes a number, if the rest starts with one.
    pub fn number(&mut self) -> Option<&'t str> {
        Some(self.take_while(|c| c.is_ascii_digit())).filter(|digits| !digits.is_empty())
    }

    /// Takes a number, or one of `separators` and a number.
    pub fn number_after(&mut self, separators: &[char]) -> Option<&'t str> {
        let mut ahead = *self;
        ahead.take_one(separators);
        let number = ahead.number()?;
        *self = ahead;
        Some(number)
    }
}
