//! The page that shows what arrived. It needs no JavaScript.

use super::journal::{Journal, ReceivedBatch, Request};
use crate::text::count;
use std::fmt::{self, Write};

/// How many requests the page shows.
const MAX_REQUESTS: usize = 200;

const STYLE: &str = "\
:root{color-scheme:light dark}
body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}
header{display:flex;gap:1rem;align-items:baseline;flex-wrap:wrap}
h1{font-size:1.3rem;margin:0}
article{border:1px solid #8886;border-left:4px solid #2a7;border-radius:4px;margin:.6rem 0;padding:.4rem .8rem}
article.refused{border-left-color:#c33}
article.marked{border-left-color:#d90}
.meta{opacity:.7}
.error{color:#c33}.warning{color:#b70}
ul{margin:.2rem 0;padding-left:1.2rem}
pre{overflow-x:auto;background:#8881;padding:.5rem}
code{font-size:.9em}";

/// Text in HTML.
struct Escaped<'t>(&'t str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            other => f.write_char(other),
        })
    }
}

/// Writes the page. It reloads itself every two seconds if `reloads` is set.
pub(super) fn html(journal: &Journal, faults: &[String], reloads: bool) -> String {
    let mut html = String::new();
    _ = write(&mut html, journal, faults, reloads);
    html
}

fn write(html: &mut String, journal: &Journal, faults: &[String], reloads: bool) -> fmt::Result {
    html.push_str("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">");
    if reloads {
        html.push_str("<meta http-equiv=\"refresh\" content=\"2\">");
    }
    write!(html, "<title>mParticle emulator</title><style>{STYLE}</style></head><body><header>")?;
    let requests = journal.requests().count() as u64;
    write!(html, "<h1>mParticle emulator</h1><span>{}</span>", count(requests, "request"))?;
    html.push_str(if reloads {
        "<a href=\"/\">Stop reloading</a>"
    } else {
        "<a href=\"/?reload\">Reload every 2 s</a>"
    });
    html.push_str(
        "<span>JSON: <a href=\"/requests\">requests</a>, <a href=\"/batches\">batches</a>, \
         <a href=\"/violations\">violations</a></span>\
         <form method=\"post\" action=\"/clear\"><button>Clear</button></form></header>",
    );
    if !faults.is_empty() {
        write!(html, "<p>Faults: <code>{}</code></p>", Escaped(&faults.join(" ")))?;
    }
    if requests == 0 {
        html.push_str("<p>No request has arrived yet.</p>");
    }
    for request in journal.requests().rev().take(MAX_REQUESTS) {
        write_request(html, request)?;
    }
    html.push_str("</body></html>\n");
    Ok(())
}

fn write_request(html: &mut String, request: &Request) -> fmt::Result {
    let is_marked = request.batches.iter().any(|batch| !batch.violations.is_empty());
    let class = match (request.is_accepted(), is_marked) {
        (false, _) => "refused",
        (true, true) => "marked",
        (true, false) => "accepted",
    };
    write!(
        html,
        "<article class=\"{class}\"><div><b>{}</b> {} <code>{}</code> <span class=\"meta\">{} {}</span></div>",
        request.status_text(),
        Escaped(&request.method),
        Escaped(&request.path),
        request.time(),
        Escaped(&request.user_agent),
    )?;
    if let Some(message) = &request.message {
        write!(html, "<div class=\"error\">{}</div>", Escaped(message))?;
    }
    request.batches.iter().try_for_each(|batch| write_batch(html, batch))?;
    html.push_str("</article>");
    Ok(())
}

fn write_batch(html: &mut String, batch: &ReceivedBatch) -> fmt::Result {
    let (events, json) = (batch.events_text(), format!("{:#}", batch.json));
    write!(html, "<details><summary>{}: {}", Escaped(&batch.user()), Escaped(&events))?;
    if batch.is_duplicate {
        html.push_str(" <span class=\"warning\">duplicate</span>");
    }
    if let Some(reason) = &batch.unprocessed {
        write!(html, " <span class=\"warning\">not processed: {}</span>", Escaped(reason))?;
    }
    write!(html, "</summary><pre>{}</pre></details>", Escaped(&json))?;
    if !batch.violations.is_empty() {
        html.push_str("<ul>");
        for problem in &batch.violations {
            write!(
                html,
                "<li class=\"{}\"><code>{}</code> {} ({})</li>",
                problem.level(),
                Escaped(&problem.pointer),
                Escaped(&problem.message),
                problem.rule
            )?;
        }
        html.push_str("</ul>");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Escaped;

    #[test]
    fn text_cannot_become_markup() {
        let text = Escaped("<img src='x' onerror=\"alert(1)\">&").to_string();
        assert_eq!(text, "&lt;img src=&#39;x&#39; onerror=&quot;alert(1)&quot;&gt;&amp;");
    }
}
