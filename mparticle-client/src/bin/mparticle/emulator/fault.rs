//! Faults as text: an answer and its share of the requests, such as `503:5%`.

use mparticle_client::testing::Answer;
use std::fmt;
use std::str::FromStr;

const FORMS: &str = "expected an answer and a share of the requests, such as 503:5%, hang:1%, \
                     close:1% or lost:1%";

/// An answer that a share of the requests gets.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    text: String,
    share: f64,
    answer: Answer,
}

impl Fault {
    pub(crate) fn share_and_answer(self) -> (f64, Answer) {
        (self.share, self.answer)
    }

    /// Checks that the shares make at most 100 %.
    pub(crate) fn check_shares(faults: &[Self]) -> Result<(), String> {
        let sum: f64 = faults.iter().map(|fault| fault.share).sum();
        if sum > 1.0 + 1e-9 {
            return Err(format!("the shares of the faults make {:.0} %", sum * 100.0));
        }
        Ok(())
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (answer, share) = text.split_once(':').ok_or(FORMS)?;
        let answer = match answer {
            "close" => Answer::close(),
            "hang" => Answer::hang(),
            "lost" => Answer::close().after_processing(),
            "429" => Answer::status(429).retry_after(1),
            status => match status.parse() {
                Ok(status @ 200..=599) => Answer::status(status),
                _ => return Err(format!("unknown answer {status:?}; {FORMS}")),
            },
        };
        let percentage: f64 = share.strip_suffix('%').ok_or(FORMS)?.parse().map_err(|_| FORMS)?;
        if !(0.0..=100.0).contains(&percentage) {
            return Err("the share of a fault is from 0% to 100%".to_owned());
        }
        Ok(Self { text: text.to_owned(), share: percentage / 100.0, answer })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::Fault;

    #[test]
    fn a_fault_is_an_answer_and_a_share() {
        for text in ["503:5%", "429:0.5%", "close:100%", "hang:1%", "lost:0%"] {
            assert_eq!(text.parse::<Fault>().unwrap().to_string(), text);
        }
        for text in ["", "503", "503:5", "503:x%", "99:5%", "slow:5%", "503:101%", "503:-1%"] {
            text.parse::<Fault>().unwrap_err();
        }
    }

    #[test]
    fn shares_make_at_most_everything() {
        let faults = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let (full, more): (Vec<_>, Vec<_>) =
            (faults(&["503:90%", "hang:10%"]), faults(&["503:90%", "hang:11%"]));
        Fault::check_shares(&full).unwrap();
        assert!(Fault::check_shares(&more).unwrap_err().contains("101 %"));
    }
}
