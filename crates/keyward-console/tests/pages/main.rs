//! The pages: what holds of all markup, how assets are served, and what a browser makes of it.

#[path = "../../examples/gallery/samples/mod.rs"]
mod samples;

mod assets;
mod browser;
mod markup;
mod served;
