//! Fragments: some records of a pack, by position. (RFC 8428 §9)

use crate::{Error, ErrorKind};

/// A fragment like `rec=3-5,10,19-*`: positions count from 1, `*` is the last record.
///
/// ```
/// use manywire_senml::Fragment;
///
/// let fragment = Fragment::parse("rec=2,4-*")?;
/// let selected: Vec<usize> = (0..5).filter(|&index| fragment.selects(index, 5)).collect();
/// assert_eq!(selected, [1, 3, 4]);
/// # Ok::<(), manywire_senml::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment<'a> {
    /// What stands after `rec=`, checked.
    selection: &'a str,
}

/// One end of a range.
#[derive(Clone, Copy)]
enum Position {
    /// From 1.
    At(usize),
    Last,
}

impl<'a> Fragment<'a> {
    /// Reads a fragment, with or without the `#` before it.
    ///
    /// # Errors
    /// [`ErrorKind::FragmentForm`].
    pub fn parse(text: &'a str) -> Result<Self, Error> {
        let form = Error::new(ErrorKind::FragmentForm);
        let selection = text
            .strip_prefix('#')
            .unwrap_or(text)
            .strip_prefix("rec=")
            .ok_or(form)?;
        for part in selection.split(',') {
            range(part).ok_or(form)?;
        }
        Ok(Self { selection })
    }

    /// Whether record number `index`, counted from 0, of a pack with `records` records is selected.
    #[must_use]
    pub fn selects(&self, index: usize, records: usize) -> bool {
        let position = |position: Position| match position {
            Position::At(at) => at,
            Position::Last => records,
        };
        self.selection
            .split(',')
            .filter_map(range)
            .any(|(first, last)| (position(first)..=position(last)).contains(&(index + 1)))
    }
}

fn range(text: &str) -> Option<(Position, Position)> {
    match text.split_once('-') {
        Some((first, last)) => Some((parse(first)?, parse(last)?)),
        None => parse(text).map(|position| (position, position)),
    }
}

fn parse(text: &str) -> Option<Position> {
    if text == "*" {
        return Some(Position::Last);
    }
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let at = text.parse().ok().filter(|&at: &usize| digits && at > 0)?;
    Some(Position::At(at))
}
