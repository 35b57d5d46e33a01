//! What goes wrong when people type, and when machines read handwriting.

use super::random::Dice;

/// What keyboards and scanners take for one another.
const LOOK_ALIKES: &[(char, &str)] = &[
    ('m', "rn"),
    ('l', "1"),
    ('o', "0"),
    ('i', "l"),
    ('e', "c"),
    ('a', "o"),
    ('u', "v"),
    ('n', "h"),
    ('S', "5"),
    ('B', "8"),
    ('O', "0"),
    ('G', "6"),
    ('1', "7"),
    ('0', "O"),
    ('8', "B"),
    ('5', "S"),
];

/// Keys beside one another.
const KEYBOARD: &[&str] = &["qwertyuiop", "asdfghjkl", "zxcvbnm"];

/// Makes one mistake at a random place behind the first letter. Letters and digits stay letters
/// and digits, and short texts stay as they are.
pub(crate) fn mistake(text: &mut String, scanned: bool, dice: &mut Dice) {
    let mut letters: Vec<char> = text.chars().collect();
    if letters.len() < 4 {
        return;
    }
    let at = 1 + dice.below(letters.len() as u64 - 2) as usize;
    let Some(letter) = letters.get(at).copied().filter(|letter| letter.is_alphanumeric()) else {
        return;
    };
    match if scanned { 4 } else { dice.below(5) } {
        0 if letters.get(at + 1).is_some_and(|next| next.is_alphanumeric()) => {
            letters.swap(at, at + 1)
        }
        1 => drop(letters.remove(at)),
        2 => letters.insert(at, letter),
        3 => letters.iter_mut().skip(at).take(1).for_each(|one| *one = neighbour(letter)),
        _ => look_alike(&mut letters, at),
    }
    *text = letters.into_iter().collect();
}

fn neighbour(letter: char) -> char {
    let beside = |row: &&str| {
        let at = row.find(letter)?;
        row.get(at + 1..).and_then(|rest| rest.chars().next()).or_else(|| row.chars().rev().nth(1))
    };
    KEYBOARD.iter().find_map(beside).unwrap_or(letter)
}

/// Replaces the first letter from `from` on that looks like something else.
fn look_alike(letters: &mut Vec<char>, from: usize) {
    let alike = |letter: &char| LOOK_ALIKES.iter().find(|(one, _)| one == letter);
    let found =
        letters.iter().enumerate().skip(from).find_map(|(at, letter)| Some((at, alike(letter)?.1)));
    if let Some((at, shape)) = found {
        letters.splice(at..=at, shape.chars());
    }
}
