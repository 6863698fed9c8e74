//! Numbers, durations and names as text.

use indicatif::HumanCount;
use std::time::Duration;

/// Writes a number with commas between thousands.
pub(crate) fn number(number: u64) -> String {
    HumanCount(number).to_string()
}

/// Writes a number and a noun, which is in the plural unless the number is 1.
pub(crate) fn count(count: u64, noun: &str) -> String {
    let ending = match (count, noun.strip_suffix("ch")) {
        (1, _) => "",
        (_, Some(_)) => "es",
        (_, None) => "s",
    };
    format!("{} {noun}{ending}", number(count))
}

/// Writes a duration in its two largest units.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", duration.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// Returns the most similar name, if one is similar.
pub(crate) fn nearest<'n>(name: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let name = name.to_lowercase();
    let similarity = |other: &&str| strsim::jaro_winkler(&name, &other.to_lowercase());
    let similar = names.into_iter().filter(|other| similarity(other) > 0.7);
    similar.max_by(|one, other| similarity(one).total_cmp(&similarity(other)))
}

#[cfg(test)]
mod tests {
    use super::{count, duration, nearest, number};
    use std::time::Duration;

    #[test]
    fn numbers_have_commas() {
        for (value, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(number(value), text);
        }
        assert_eq!((count(1, "batch"), count(2, "batch")), ("1 batch".into(), "2 batches".into()));
        assert_eq!(count(1000, "line"), "1,000 lines");
    }

    #[test]
    fn durations_have_two_units() {
        for (seconds, text) in
            [(1.25, "1.2 s"), (59.9, "59 s"), (61.0, "1 min 1 s"), (7260.0, "2 h 1 min")]
        {
            assert_eq!(duration(Duration::from_secs_f64(seconds)), text);
        }
    }

    #[test]
    fn the_nearest_name_is_found_unless_all_are_far() {
        let names = ["customer", "email", "created"];
        assert_eq!(nearest("Custmer", names), Some("customer"));
        assert_eq!(nearest("mail", names), Some("email"));
        assert_eq!(nearest("zzz", names), None);
    }
}
