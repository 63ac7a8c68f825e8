//! What stands in a cell, beside a label, or in a sentence: words, code, links, times, badges.

use askama::{Template, filters::HtmlSafe};

use super::Time;
use crate::moment::Moment;

/// What a coloured word is about. Colour alone never says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Nothing special.
    Plain,
    /// It is well.
    Good,
    /// Somebody should look at it.
    Warning,
    /// It is broken or over.
    Bad,
}

impl Tone {
    /// The class of a badge of it.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Plain => "badge",
            Self::Good => "badge badge-ok",
            Self::Warning => "badge badge-warn",
            Self::Bad => "badge badge-danger",
        }
    }
}

/// A coloured word behind a title.
#[derive(Debug, Clone, Template)]
#[template(source = r#"<span class="{{ tone.class() }}">{{ words }}</span>"#, ext = "html")]
pub struct Badge {
    /// What it is about.
    pub tone: Tone,
    /// The word.
    pub words: String,
}

impl HtmlSafe for Badge {}

/// A piece of content.
#[derive(Debug, Clone)]
pub enum Piece {
    /// Words.
    Words(String),
    /// Words that matter less.
    Muted(String),
    /// An identifier, a permission, or another text of machines.
    Code(String),
    /// An identifier of which the first part matters less.
    Prefixed(String, String),
    /// A link; its second member is what it is called.
    Link(String, String),
    /// A link whose words are a text of machines.
    CodeLink(String, String),
    /// The same, of which the first part matters less.
    PrefixedLink(String, String, String),
    /// Words on one line, of which all is seen only when one asks for it.
    OneLine(String),
    /// A time, as far from now as it is.
    Time(Moment),
    /// A time, by date and hour.
    At(Moment),
    /// A coloured word.
    Badge(Tone, String),
    /// A warning in words, with its icon.
    Warning(String),
    /// How much of what there may be there is: a bar beside the words that say so.
    Meter(u64, u64),
    /// A small chart of a few numbers, and what it says in words.
    Spark(Vec<u64>, String),
}

impl HtmlSafe for Piece {}

impl std::fmt::Display for Piece {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Shown { piece: self }.fmt(f)
    }
}

#[derive(Template)]
#[template(path = "component/piece.html")]
struct Shown<'a> {
    piece: &'a Piece,
}

impl Piece {
    /// The bars of a small chart: for each its distance from the left, from the top, and its height.
    fn bars(numbers: &[u64]) -> Vec<(usize, u64, u64)> {
        let most = numbers.iter().copied().max().unwrap_or(0).max(1);
        let bar = |(index, number): (usize, &u64)| {
            let height = if *number == 0 { 1 } else { (number * 16 / most).max(2) };
            (index * 5, 16 - height, height)
        };
        numbers.iter().enumerate().map(bar).collect()
    }
}

/// Some pieces, and a second line of those that matter less.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "component/content.html")]
pub struct Content {
    /// The pieces.
    pub pieces: Vec<Piece>,
    /// The second line; empty for none.
    pub meta: Vec<Piece>,
}

impl HtmlSafe for Content {}

impl Content {
    /// With a piece more.
    #[must_use]
    pub fn and(mut self, piece: Piece) -> Self {
        self.pieces.push(piece);
        self
    }

    /// With a piece more in the second line.
    #[must_use]
    pub fn below(mut self, piece: Piece) -> Self {
        self.meta.push(piece);
        self
    }

    /// Words.
    #[must_use]
    pub fn words(words: impl Into<String>) -> Self {
        Piece::Words(words.into()).into()
    }

    /// A text of machines.
    #[must_use]
    pub fn code(text: impl Into<String>) -> Self {
        Piece::Code(text.into()).into()
    }

    /// Each of these texts of machines; a word when there are none.
    #[must_use]
    pub fn codes(texts: &[String], none: &str) -> Self {
        if texts.is_empty() {
            return Piece::Muted(none.to_owned()).into();
        }
        Self { pieces: texts.iter().cloned().map(Piece::Code).collect(), meta: Vec::new() }
    }
}

impl From<Piece> for Content {
    fn from(piece: Piece) -> Self {
        Self { pieces: vec![piece], meta: Vec::new() }
    }
}
