//! Fields of the console's forms, which are made from data.

use askama::{Template, filters::HtmlSafe};

use super::{Grid, Notice};
use crate::form::Form;

/// What a field takes.
#[derive(Debug, Clone)]
pub enum Takes {
    /// A line, by its `type` in HTML: `text`, `email`, `date`, `number`, `url`, `password`.
    Line(&'static str),
    /// A text machines read.
    Code,
    /// Several lines.
    Lines,
    /// One of several: values with their names.
    One(Vec<(String, String)>),
    /// Any of several: values with their names. The field is sent once for each.
    Any(Vec<(String, String)>),
    /// Yes or no.
    Yes,
}

/// A field.
#[derive(Debug, Clone, Template)]
#[template(path = "component/input.html")]
pub struct Input {
    /// The name, which is that of the member of the request as far as there is one.
    pub name: String,
    /// What it is called.
    pub label: String,
    /// What it takes.
    pub takes: Takes,
    /// What is in it; each value of its own line for [`Takes::Any`].
    pub value: String,
    /// What to know about it.
    pub help: String,
    /// Whether it may not stay empty.
    pub required: bool,
    /// What is wrong with it.
    pub error: Option<String>,
    /// What stands before or behind the value on the wire, for example `acme.`
    pub prefix: String,
    /// Whether the page begins there.
    pub focus: bool,
    /// Values that many want, by what each is called: buttons that fill it in, where there is JavaScript.
    pub presets: Vec<(String, String)>,
}

impl HtmlSafe for Input {}

impl Input {
    /// A field with what is in it.
    #[must_use]
    pub fn new(name: impl Into<String>, label: impl Into<String>, takes: Takes, value: &str) -> Self {
        Self {
            name: name.into(),
            label: label.into(),
            takes,
            value: value.to_owned(),
            help: String::new(),
            required: false,
            error: None,
            prefix: String::new(),
            focus: false,
            presets: Vec::new(),
        }
    }

    /// With values that many want, each with what it is called.
    #[must_use]
    pub fn presets(mut self, presets: impl IntoIterator<Item = (String, String)>) -> Self {
        self.presets = presets.into_iter().collect();
        self
    }

    /// A line of text.
    #[must_use]
    pub fn line(name: &str, label: &str, value: &str) -> Self {
        Self::new(name, label, Takes::Line("text"), value)
    }

    /// That must be filled in.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// With what to know about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// With what stands before the value.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    fn is_code(&self) -> bool {
        matches!(self.takes, Takes::Code)
    }

    fn is_many(&self) -> bool {
        matches!(self.takes, Takes::Any(_))
    }

    fn chosen(&self, value: &str) -> bool {
        self.value.lines().any(|line| line == value)
    }

    fn kind(&self) -> &'static str {
        if let Takes::Line(kind) = self.takes { kind } else { "text" }
    }

    fn id(&self, value: &str) -> String {
        format!("{}-{value}", self.name)
    }

    fn described_by(&self) -> String {
        let mut parts = Vec::new();
        if self.error.is_some() {
            parts.push(format!("{}-error", self.name));
        }
        if !self.help.is_empty() {
            parts.push(format!("{}-help", self.name));
        }
        parts.join(" ")
    }
}

/// A part of a form.
#[derive(Debug, Clone)]
pub enum Part {
    /// A field.
    Input(Input),
    /// The grid of permissions.
    Grid(Grid),
    /// What travels along unseen: a name and a value.
    Hidden(String, String),
    /// Something to know.
    Notice(Notice),
    /// Fields that few need, folded away.
    Folded(String, Vec<Part>),
}

impl HtmlSafe for Part {}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Input(input) => input.fmt(f),
            Self::Grid(grid) => grid.fmt(f),
            Self::Hidden(name, value) => Unseen { name, value }.fmt(f),
            Self::Notice(notice) => notice.fmt(f),
            Self::Folded(title, parts) => Folded { title, parts }.fmt(f),
        }
    }
}

#[derive(Template)]
#[template(source = r#"<input type="hidden" name="{{ name }}" value="{{ value }}">"#, ext = "html")]
struct Unseen<'a> {
    name: &'a str,
    value: &'a str,
}

#[derive(Template)]
#[template(
    source = r#"<details class="folded"{% if self.open() %} open{% endif %}><summary>{{ title }}</summary>{% for part in parts %}{{ part }}{% endfor %}</details>"#,
    ext = "html"
)]
struct Folded<'a> {
    title: &'a str,
    parts: &'a [Part],
}

impl Folded<'_> {
    /// Something that is wrong inside must be seen.
    fn open(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Input(input) if input.error.is_some()))
    }
}

impl Part {
    /// The fields in it.
    pub(crate) fn inputs(&self) -> Vec<&Input> {
        match self {
            Self::Input(input) => vec![input],
            Self::Folded(_, parts) => parts.iter().flat_map(Self::inputs).collect(),
            Self::Grid(_) | Self::Hidden(..) | Self::Notice(_) => Vec::new(),
        }
    }

    fn inputs_mut(&mut self) -> Vec<&mut Input> {
        match self {
            Self::Input(input) => vec![input],
            Self::Folded(_, parts) => parts.iter_mut().flat_map(Self::inputs_mut).collect(),
            Self::Grid(_) | Self::Hidden(..) | Self::Notice(_) => Vec::new(),
        }
    }
}

impl From<Input> for Part {
    fn from(input: Input) -> Self {
        Self::Input(input)
    }
}

impl From<Grid> for Part {
    fn from(grid: Grid) -> Self {
        Self::Grid(grid)
    }
}

/// A form of the console.
#[derive(Clone, Template)]
#[template(path = "block/form.html")]
pub struct FormBlock {
    /// Where it goes, and what was wrong with it.
    pub form: Form,
    /// Its parts.
    pub parts: Vec<Part>,
    /// What the button says.
    pub submit: String,
    /// Whether what the button does is dangerous.
    pub danger: bool,
    /// Where one gets without it; empty for none.
    pub cancel: String,
}

impl HtmlSafe for FormBlock {}

impl FormBlock {
    /// A form with a button.
    #[must_use]
    pub fn new(form: Form, parts: Vec<Part>, submit: impl Into<String>, cancel: impl Into<String>) -> Self {
        let mut block = Self { form, parts, submit: submit.into(), danger: false, cancel: cancel.into() };
        block.place_problems();
        block
    }

    /// Ties what was wrong to the fields that it is about.
    fn place_problems(&mut self) {
        let problems = &self.form.problems;
        for input in self.parts.iter_mut().flat_map(Part::inputs_mut) {
            input.error = problems.of(&input.name).map(str::to_owned);
            input.focus = problems.is_first(&input.name);
        }
    }
}
