//! The parts that pages are made of. Each is a struct with a template; a page's template writes it as an expression.

mod block;
mod chart;
mod code;
mod compared;
mod content;
mod field;
mod grid;
mod input;
mod notice;
mod secret;
mod small;
mod steps;
mod table;

pub use block::{Block, Deed, Facts, Figure, Figures, Live, Panel, Verdicts};
pub use chart::{Chart, Series};
pub use code::{CodePanel, CopyField, Snippet};
pub use compared::Compared;
pub use content::{Badge, Content, Piece, Tone};
pub(crate) use field::Field;
pub use grid::{Grid, GridRow};
pub use input::{FormBlock, Input, Part, Takes};
pub(crate) use notice::Summary;
pub use notice::{Notice, Severity};
pub use secret::{SecretFormat, SecretShown};
pub use small::Confirmation;
pub(crate) use small::{Button, Hidden, Time};
pub use steps::{Step, Steps};
pub use table::{Chip, Empty, Filters, Narrow, Pager, Row, RowAction, Sign, Table};
