//! Given names that stand for one another: Robert and Bob.

use std::sync::LazyLock;

use hashbrown::HashMap;

/// The groups of each name, from 1; a name of more than two groups keeps its first two.
static GROUPS: LazyLock<HashMap<&'static [u8], [u32; 2]>> = LazyLock::new(|| {
    let lines = include_str!("nicknames.txt").lines().filter(|line| !line.starts_with('#'));
    let mut groups: HashMap<&[u8], [u32; 2]> = HashMap::new();
    for (line, number) in lines.zip(1..) {
        for name in line.split(' ') {
            let known = groups.entry(name.as_bytes()).or_default();
            match known {
                [0, _] => known[0] = number,
                [_, 0] => known[1] = number,
                _ => (),
            }
        }
    }
    groups
});

/// The groups of a folded name, 0 for none.
pub(crate) fn groups(name: &[u8]) -> [u32; 2] {
    GROUPS.get(name).copied().unwrap_or_default()
}

/// True when two names are of one group.
pub(crate) fn related(a: [u32; 2], b: [u32; 2]) -> bool {
    (a[0] != 0 && (a[0] == b[0] || a[0] == b[1])) || (a[1] != 0 && (a[1] == b[0] || a[1] == b[1]))
}

#[cfg(test)]
mod tests {
    use super::{groups, related};

    #[test]
    fn nicknames_are_related_to_names_of_their_group_only() {
        let related = |a: &str, b: &str| related(groups(a.as_bytes()), groups(b.as_bytes()));
        assert!(related("bob", "robert") && related("gwilym", "willie") && related("ed", "edward"));
        assert!(!related("bob", "thomas") && !related("unknown", "unknown"));
    }
}
