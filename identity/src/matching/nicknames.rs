//! Given names that stand for one another: Robert and Bob.

use std::sync::LazyLock;

use hashbrown::HashMap;

/// Each name's number, from 1.
static NUMBERS: LazyLock<HashMap<&'static [u8], u32>> = LazyLock::new(|| {
    let mut numbers = HashMap::new();
    for name in lines().flat_map(|line| line.split(' ')) {
        let next = numbers.len() as u32 + 1;
        numbers.entry(name.as_bytes()).or_insert(next);
    }
    numbers
});

/// The groups of each name, by number; groups count from 1.
static GROUPS: LazyLock<Vec<Vec<u32>>> = LazyLock::new(|| {
    let mut groups = vec![Vec::new(); NUMBERS.len() + 1];
    for (line, group) in lines().zip(1..) {
        for name in line.split(' ') {
            groups[number(name.as_bytes()) as usize].push(group);
        }
    }
    groups
});

fn lines() -> impl Iterator<Item = &'static str> {
    include_str!("nicknames.txt").lines().filter(|line| !line.starts_with('#'))
}

/// The number of a folded name, 0 when it is in no group.
pub(crate) fn number(name: &[u8]) -> u32 {
    NUMBERS.get(name).copied().unwrap_or_default()
}

/// The first group of a numbered name, 0 for none.
pub(crate) fn group(number: u32) -> u32 {
    GROUPS[number as usize].first().copied().unwrap_or_default()
}

/// True when two numbered names are of one group.
pub(crate) fn related(a: u32, b: u32) -> bool {
    let (a, b) = (&GROUPS[a as usize], &GROUPS[b as usize]);
    a.iter().any(|group| b.contains(group))
}

#[cfg(test)]
mod tests {
    use super::{number, related};

    #[test]
    fn nicknames_are_related_to_names_of_their_group_only() {
        let related = |a: &str, b: &str| related(number(a.as_bytes()), number(b.as_bytes()));
        assert!(related("bob", "robert") && related("gwilym", "willie") && related("ed", "edward"));
        assert!(!related("bob", "thomas") && !related("unknown", "unknown"));
    }
}
