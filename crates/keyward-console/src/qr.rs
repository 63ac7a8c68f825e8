//! A QR code as an inline SVG element.

use std::fmt::{self, Display, Formatter, Write};

use askama::filters::HtmlSafe;
use qrcode::{Color, EcLevel, QrCode};

/// The empty border that scanners need, in modules.
const QUIET: usize = 4;

/// A QR code. It is black on white whatever the theme, because scanners rely on it.
pub(crate) struct Qr {
    width: usize,
    /// Row by row.
    dark: Vec<bool>,
}

// The markup is made of numbers alone.
impl HtmlSafe for Qr {}

impl Qr {
    /// `None` when the text is longer than a QR code can be.
    pub(crate) fn new(text: &str) -> Option<Self> {
        let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
        let dark = code.to_colors().into_iter().map(|color| color == Color::Dark).collect();
        Some(Self { width: code.width(), dark })
    }

    /// One rectangle for each horizontal run of dark modules.
    fn path(&self) -> String {
        let mut path = String::new();
        for (row, modules) in self.dark.chunks(self.width).enumerate() {
            let mut column = 0;
            for run in modules.chunk_by(|left, right| left == right) {
                if run[0] {
                    let (x, y, length) = (column + QUIET, row + QUIET, run.len());
                    // Writing to a string cannot fail.
                    let _ = write!(path, "M{x} {y}h{length}v1h-{length}z");
                }
                column += run.len();
            }
        }
        path
    }
}

impl Display for Qr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let size = self.width + 2 * QUIET;
        write!(
            f,
            r##"<svg class="qr" viewBox="0 0 {size} {size}" role="img" aria-label="QR code" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{size}v{size}H0z"/><path fill="#000" d="{}"/></svg>"##,
            self.path()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_cover_the_dark_modules() {
        let qr = Qr { width: 3, dark: vec![true, true, false, false, true, true, false, false, false] };
        assert_eq!(qr.path(), "M4 4h2v1h-2zM5 5h2v1h-2z");
        assert!(qr.to_string().contains(r#"viewBox="0 0 11 11""#));
    }

    #[test]
    fn what_is_too_long_has_no_code() {
        assert!(Qr::new("otpauth://totp/Keyward:ada@example.com?secret=JBSWY3DPEHPK3PXP").is_some());
        assert!(Qr::new(&"x".repeat(3_000)).is_none());
    }
}
