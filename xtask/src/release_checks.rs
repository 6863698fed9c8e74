//! The steps of `cargo xtask release-checks`, which a release has to pass in addition to those of `cargo xtask ci`.

use crate::steps::{Action, Step};

pub(crate) const STEPS: &[Step] = &[
    Step {
        name: "licences, bans and sources of dependencies",
        action: Action::Tool {
            words: "deny --all-features check licenses bans sources",
            package: "cargo-deny",
        },
    },
    Step { name: "advisories", action: Action::Advisories },
    Step { name: "changes of the public API", action: Action::SemverChecks },
    Step { name: "oldest toolchain", action: Action::OldestToolchain },
    Step { name: "oldest versions of dependencies", action: Action::MinimalVersions },
    Step { name: "packages", action: Action::Packages },
];
