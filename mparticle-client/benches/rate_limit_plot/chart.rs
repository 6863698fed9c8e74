//! The chart as SVG.

use crate::recorder::Second;
use std::fmt::Write;

const WIDTH: usize = 760;
const HEIGHT: usize = 300;
/// The plot inside the picture.
const LEFT: usize = 60;
const RIGHT: usize = 735;
const TOP: usize = 45;
const BOTTOM: usize = 255;

const ACCEPTED: &str = "#4c86c6";
const REFUSED: &str = "#d1495b";
const AXIS: &str = "#1c2430";
const DASHES: &str = r#"stroke-dasharray="6 4""#;

/// Draws a bar for each second and a line at the limit.
pub(crate) fn draw(seconds: &[Second], limit: u32) -> String {
    let highest = seconds.iter().map(|second| second.accepted + second.refused).max().unwrap();
    let scale = Scale { seconds: seconds.len(), batches: highest.next_multiple_of(100) };
    let mut svg = String::new();
    head(&mut svg, limit).unwrap();
    axes(&mut svg, &scale).unwrap();
    bars(&mut svg, &scale, seconds).unwrap();
    line(&mut svg, &scale, limit).unwrap();
    svg.push_str("</svg>\n");
    svg
}

/// What the width and the height of the plot stand for.
struct Scale {
    seconds: usize,
    batches: usize,
}

#[expect(clippy::cast_precision_loss, reason = "the numbers are small")]
impl Scale {
    fn x(&self, second: usize) -> f64 {
        LEFT as f64 + (RIGHT - LEFT) as f64 * second as f64 / self.seconds as f64
    }

    fn y(&self, batches: usize) -> f64 {
        BOTTOM as f64 - (BOTTOM - TOP) as f64 * batches as f64 / self.batches as f64
    }
}

fn head(svg: &mut String, limit: u32) -> std::fmt::Result {
    write!(svg, r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" "#)?;
    write!(svg, r#"width="{WIDTH}" style="max-width:100%;height:auto" role="img" "#)?;
    write!(svg, r#"aria-label="Batches per second during a large upload" "#)?;
    writeln!(svg, r##"font-family="sans-serif" font-size="13" fill="#1c2430">"##)?;
    writeln!(svg, r##"<rect width="{WIDTH}" height="{HEIGHT}" rx="8" fill="#ffffff"/>"##)?;
    for (x, color, label) in [(LEFT, ACCEPTED, "accepted"), (LEFT + 100, REFUSED, "refused")] {
        writeln!(svg, r#"<rect x="{x}" y="16" width="12" height="12" fill="{color}"/>"#)?;
        writeln!(svg, r#"<text x="{}" y="27">{label}</text>"#, x + 18)?;
    }
    let x = LEFT + 200;
    writeln!(svg, r#"<path d="M{x} 22h24" stroke="{AXIS}" {DASHES}/>"#)?;
    writeln!(svg, r#"<text x="{}" y="27">limit of {limit}</text>"#, x + 30)?;
    writeln!(svg, r#"<text x="{RIGHT}" y="27" text-anchor="end">batches per second</text>"#)
}

fn axes(svg: &mut String, scale: &Scale) -> std::fmt::Result {
    for batches in (0..=scale.batches).step_by(100) {
        let y = scale.y(batches);
        writeln!(svg, r##"<path d="M{LEFT} {y:.1}H{RIGHT}" stroke="#dfe3e8"/>"##)?;
        let (x, y) = (LEFT - 8, y + 4.0);
        writeln!(svg, r#"<text x="{x}" y="{y:.1}" text-anchor="end">{batches}</text>"#)?;
    }
    for second in (0..=scale.seconds).step_by(30) {
        let (x, y) = (scale.x(second), BOTTOM + 20);
        writeln!(svg, r#"<text x="{x:.1}" y="{y}" text-anchor="middle">{second} s</text>"#)?;
    }
    Ok(())
}

/// The refused batches are on top of the accepted ones. Both together were sent.
fn bars(svg: &mut String, scale: &Scale, seconds: &[Second]) -> std::fmt::Result {
    for (color, from, to) in [
        (ACCEPTED, (|_| 0) as fn(&Second) -> usize, (|s| s.accepted) as fn(&Second) -> usize),
        (REFUSED, |s| s.accepted, |s| s.accepted + s.refused),
    ] {
        write!(svg, r#"<path fill="{color}" d=""#)?;
        for (number, second) in seconds.iter().enumerate() {
            let (bottom, top) = (scale.y(from(second)), scale.y(to(second)));
            if top < bottom {
                let (left, right) = (scale.x(number), scale.x(number + 1) - 0.5);
                write!(svg, "M{left:.1} {bottom:.1}V{top:.1}H{right:.1}V{bottom:.1}Z")?;
            }
        }
        writeln!(svg, r#""/>"#)?;
    }
    Ok(())
}

fn line(svg: &mut String, scale: &Scale, limit: u32) -> std::fmt::Result {
    let y = scale.y(usize::try_from(limit).unwrap());
    writeln!(svg, r#"<path d="M{LEFT} {y:.1}H{RIGHT}" stroke="{AXIS}" {DASHES}/>"#)
}
