//! The blocks that a screen of the console is put together from.

use askama::{Template, filters::HtmlSafe};

use super::{
    Badge, Chart, CodePanel, Compared, Content, CopyField, Empty, Filters, FormBlock, Notice, Pager,
    SecretShown, Steps, Table, Tone,
};
use crate::page::{TestStep, Verdict};

/// A block.
#[derive(Clone)]
pub enum Block {
    /// A banner.
    Notice(Notice),
    /// What a list is narrowed by.
    Filters(Filters),
    /// A table.
    Table(Table),
    /// Two things side by side.
    Compared(Compared),
    /// Where in a list the page is.
    Pager(Pager),
    /// What a place is for that has nothing in it.
    Empty(Empty),
    /// A part with a title.
    Panel(Panel),
    /// Labels with what they say.
    Facts(Facts),
    /// Words.
    Text(Content),
    /// A form.
    Form(Box<FormBlock>),
    /// Something to take away.
    Copy(CopyField),
    /// How to do the same by machine.
    Code(CodePanel),
    /// A secret, this once.
    Secret(Box<SecretShown>),
    /// A chart.
    Chart(Chart),
    /// Figures that lead to what they count.
    Figures(Figures),
    /// Steps to be taken.
    Steps(Steps),
    /// Steps with verdicts.
    Verdicts(Verdicts),
    /// What is fetched anew now and then.
    Live(Live),
}

impl HtmlSafe for Block {}

impl std::fmt::Display for Block {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Notice(block) => block.fmt(f),
            Self::Filters(block) => block.fmt(f),
            Self::Table(block) => block.fmt(f),
            Self::Compared(block) => block.fmt(f),
            Self::Pager(block) => block.fmt(f),
            Self::Empty(block) => block.fmt(f),
            Self::Panel(block) => block.fmt(f),
            Self::Facts(block) => block.fmt(f),
            Self::Text(block) => write!(f, "<p>{block}</p>"),
            Self::Form(block) => block.fmt(f),
            Self::Copy(block) => block.fmt(f),
            Self::Code(block) => block.fmt(f),
            Self::Secret(block) => block.fmt(f),
            Self::Chart(block) => block.fmt(f),
            Self::Figures(block) => block.fmt(f),
            Self::Steps(block) => block.fmt(f),
            Self::Verdicts(block) => block.fmt(f),
            Self::Live(block) => block.fmt(f),
        }
    }
}

/// Something to be done: a link, or a form that is one button.
#[derive(Debug, Clone)]
pub enum Deed {
    /// A link.
    Link {
        /// What it is called.
        label: String,
        /// Where it leads.
        href: String,
    },
    /// A button that does it.
    Button {
        /// What it is called.
        label: String,
        /// Where it is sent.
        action: String,
        /// The token against forged requests.
        csrf: String,
    },
}

impl Deed {
    /// A link.
    #[must_use]
    pub fn link(label: impl Into<String>, href: impl Into<String>) -> Self {
        Self::Link { label: label.into(), href: href.into() }
    }

    /// A button.
    #[must_use]
    pub fn button(label: impl Into<String>, action: impl Into<String>, csrf: impl Into<String>) -> Self {
        Self::Button { label: label.into(), action: action.into(), csrf: csrf.into() }
    }
}

/// A part of a screen, with a title.
#[derive(Clone, Template)]
#[template(path = "block/panel.html")]
pub struct Panel {
    /// Its place in the page.
    pub id: String,
    /// Its title.
    pub title: String,
    /// A coloured word behind the title.
    pub badge: Option<Badge>,
    /// What to know about it.
    pub help: String,
    /// What is in it.
    pub blocks: Vec<Block>,
    /// What can be done.
    pub deeds: Vec<Deed>,
}

impl HtmlSafe for Panel {}

impl Panel {
    /// A part with a title.
    #[must_use]
    pub fn new(id: impl Into<String>, title: impl Into<String>, blocks: Vec<Block>) -> Self {
        Self {
            id: id.into(),
            title: title.into(),
            badge: None,
            help: String::new(),
            blocks,
            deeds: Vec::new(),
        }
    }

    /// With something to know about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// With what can be done.
    #[must_use]
    pub fn deeds(mut self, deeds: Vec<Deed>) -> Self {
        self.deeds = deeds;
        self
    }
}

impl From<Panel> for Block {
    fn from(panel: Panel) -> Self {
        Self::Panel(panel)
    }
}

/// Labels with what they say.
#[derive(Debug, Clone, Default, Template)]
#[template(
    source = r#"<dl class="facts facts-wide">{% for (label, content) in facts %}<div><dt>{{ label }}</dt><dd>{{ content }}</dd></div>{% endfor %}</dl>"#,
    ext = "html"
)]
pub struct Facts {
    /// The labels and what they say.
    pub facts: Vec<(String, Content)>,
}

impl HtmlSafe for Facts {}

impl Facts {
    /// With one more.
    #[must_use]
    pub fn and(mut self, label: &str, content: impl Into<Content>) -> Self {
        self.facts.push((label.to_owned(), content.into()));
        self
    }

    /// With one more, where there is something to say.
    #[must_use]
    pub fn and_maybe(self, label: &str, content: Option<Content>) -> Self {
        match content {
            Some(content) => self.and(label, content),
            None => self,
        }
    }
}

impl From<Facts> for Block {
    fn from(facts: Facts) -> Self {
        Self::Facts(facts)
    }
}

/// A figure.
#[derive(Debug, Clone)]
pub struct Figure {
    /// How many, or how much.
    pub number: String,
    /// Of what.
    pub label: String,
    /// Where they are listed.
    pub href: String,
    /// Whether somebody should look.
    pub tone: Tone,
}

/// Figures side by side.
#[derive(Debug, Clone, Template)]
#[template(
    source = r#"<ul class="figures">{% for figure in figures %}<li{% if figure.tone != Tone::Plain %} class="figure-warn"{% endif %}><a href="{{ figure.href }}"><strong>{{ figure.number }}</strong> <span>{{ figure.label }}</span></a></li>{% endfor %}</ul>"#,
    ext = "html"
)]
pub struct Figures {
    /// The figures.
    pub figures: Vec<Figure>,
}

impl HtmlSafe for Figures {}

/// Steps with verdicts.
#[derive(Debug, Clone, Template)]
#[template(path = "block/verdicts.html")]
pub struct Verdicts {
    /// The steps.
    pub steps: Vec<TestStep>,
}

impl HtmlSafe for Verdicts {}

/// What is fetched anew every few seconds; without a script it stays as it is, with a link.
#[derive(Clone, Template)]
#[template(
    source = r#"<div data-live="{{ from }}" data-every="{{ seconds }}" aria-live="polite">{% for block in blocks %}{{ block }}{% endfor %}</div>"#,
    ext = "html"
)]
pub struct Live {
    /// Where it is fetched from.
    pub from: String,
    /// How often, in seconds.
    pub seconds: u32,
    /// What is in it now.
    pub blocks: Vec<Block>,
}

impl HtmlSafe for Live {}
