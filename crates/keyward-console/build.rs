//! Makes the assets ready to be served: one style sheet, names that change with the content, gzip beside the original.

use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use flate2::{Compression, write::GzEncoder};

/// The parts of the style sheet, in the order of the cascade.
const STYLES: [&str; 6] = ["tokens", "base", "controls", "parts", "screens", "frames"];

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=assets");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let mut style = String::new();
    for part in STYLES {
        style.push_str(&fs::read_to_string(format!("assets/css/{part}.css"))?);
    }
    let mut table = String::new();
    table += &asset(&out, "STYLE", "console.css", "text/css; charset=utf-8", style.as_bytes())?;
    let script = fs::read("assets/console.js")?;
    table += &asset(&out, "SCRIPT", "console.js", "text/javascript; charset=utf-8", &script)?;
    let icon = fs::read("assets/icon.svg")?;
    table += &asset(&out, "ICON", "icon.svg", "image/svg+xml", &icon)?;
    fs::write(out.join("assets.rs"), table)
}

/// Writes both forms of an asset; the Rust that embeds them.
fn asset(out: &Path, constant: &str, name: &str, kind: &str, content: &[u8]) -> io::Result<String> {
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    // 32 bits tell versions of one file apart; nothing relies on them against forgery.
    let hashed = format!("{stem}.{:08x}.{extension}", crc32fast::hash(content));
    fs::write(out.join(name), content)?;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(content)?;
    fs::write(out.join(format!("{name}.gz")), gzip.finish()?)?;
    Ok(format!(
        r#"
/// `{name}`.
pub static {constant}: Asset = Asset {{
    name: "{hashed}",
    path: "/console/assets/{hashed}",
    kind: "{kind}",
    plain: include_bytes!(concat!(env!("OUT_DIR"), "/{name}")),
    gzip: include_bytes!(concat!(env!("OUT_DIR"), "/{name}.gz")),
}};
"#
    ))
}
