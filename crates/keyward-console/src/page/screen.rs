//! A screen of the console: a title, what can be done, and blocks.

use std::borrow::Cow;

use askama::Template;

use crate::{
    component::{Badge, Block, Confirmation, Deed},
    frame::Frame,
};

/// A view of a thing, beside others of the same.
#[derive(Debug, Clone)]
pub struct Tab {
    /// What it is called.
    pub label: String,
    /// Where it is.
    pub href: String,
    /// Whether it is the one that is shown.
    pub current: bool,
}

/// A screen.
#[derive(Clone, Template)]
#[template(path = "page/screen.html")]
pub struct Screen {
    /// Around it.
    pub frame: Frame,
    /// Its title.
    pub title: String,
    /// Said before the title where something is to be put right.
    pub mark: Cow<'static, str>,
    /// What to know, in a sentence.
    pub about: String,
    /// A coloured word behind the title.
    pub badge: Option<Badge>,
    /// The one thing that most come for.
    pub primary: Option<(String, String)>,
    /// What else can be done.
    pub deeds: Vec<Deed>,
    /// Other views of the same.
    pub tabs: Vec<Tab>,
    /// What is on it.
    pub blocks: Vec<Block>,
    /// A question that is open, on top of it.
    pub confirmation: Option<Confirmation>,
}

impl Screen {
    /// An empty screen.
    #[must_use]
    pub fn new(frame: Frame, title: impl Into<String>) -> Self {
        Self {
            frame,
            title: title.into(),
            mark: Cow::Borrowed(""),
            about: String::new(),
            badge: None,
            primary: None,
            deeds: Vec::new(),
            tabs: Vec::new(),
            blocks: Vec::new(),
            confirmation: None,
        }
    }

    /// With a block more.
    #[must_use]
    pub fn with(mut self, block: impl Into<Block>) -> Self {
        self.blocks.push(block.into());
        self
    }
}

/// Some blocks without a page around them, for what is fetched anew.
#[derive(Template)]
#[template(source = "{% for block in blocks %}{{ block }}{% endfor %}", ext = "html")]
pub struct Fragment {
    /// The blocks.
    pub blocks: Vec<Block>,
}
