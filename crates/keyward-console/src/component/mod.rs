//! The parts that pages are made of. Each is a struct with a template in `templates/component/`; a page's template
//! writes it as an expression.

mod field;
mod notice;
mod small;

pub(crate) use field::Field;
pub(crate) use notice::Summary;
pub use notice::{Notice, Severity};
pub use small::Confirmation;
pub(crate) use small::{Button, Copy, Hidden, Time};
