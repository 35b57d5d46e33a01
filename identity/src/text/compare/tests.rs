//! The kernels against strsim, and against tables of the literature.

use chrono::NaiveDate;

use super::*;

/// Words of every length and alphabet, deterministic (xorshift64).
fn words(count: usize) -> Vec<String> {
    let alphabets = ["ab", "abcdefgh", "aéü漢🙂b", "abcdefghijklmnopqrstuvwxyz 0123456789"];
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = |limit: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % limit as u64).unwrap()
    };
    let mut word = |round: usize| {
        let letters: Vec<char> = alphabets[round % alphabets.len()].chars().collect();
        let length = if round.is_multiple_of(7) { next(160) } else { next(20) };
        (0..length).map(|_| letters[next(letters.len())]).collect()
    };
    (0..count).map(&mut word).collect()
}

#[test]
fn distances_are_those_of_strsim() {
    let words = words(700);
    for (index, a) in words.iter().enumerate() {
        // Neighbours in steps of four share an alphabet.
        for b in words.iter().skip(index % 4).step_by(4) {
            let distance = strsim::levenshtein(a, b);
            assert_eq!(levenshtein(a, b), distance, "{a:?} {b:?}");
            for max in [0, 1, 3, distance.saturating_sub(1), distance] {
                let expected = (distance <= max).then_some(distance);
                assert_eq!(levenshtein_within(a, b, max), expected, "{a:?} {b:?} {max}");
            }
            assert_eq!(damerau(a, b), strsim::osa_distance(a, b), "{a:?} {b:?}");
        }
    }
}

#[test]
fn jaro_is_that_of_strsim_and_symmetric() {
    let words = words(700);
    for (index, a) in words.iter().enumerate() {
        for b in words.iter().skip(index % 4).step_by(4) {
            let key = |word: &String| (word.chars().count(), word.clone());
            let (first, second) = if key(a) <= key(b) { (a, b) } else { (b, a) };
            let expected = strsim::jaro(first, second);
            assert!((jaro(a, b) - expected).abs() < 1e-12, "{a:?} {b:?}");
            assert_eq!(jaro(a, b).to_bits(), jaro(b, a).to_bits());
            let expected = strsim::jaro_winkler(first, second);
            assert!((jaro_winkler(a, b) - expected).abs() < 1e-12, "{a:?} {b:?}");
        }
    }
}

#[test]
fn weights() {
    let unit = Costs { insert: 1, delete: 1, substitute: 1 };
    for pair in words(400).windows(5) {
        let (a, b) = (&pair[0], &pair[4]);
        let distance = i64::try_from(strsim::levenshtein(a, b)).unwrap();
        assert_eq!(levenshtein_weighted(a, b, &unit), distance);
    }
    let costs = Costs { insert: 2, delete: 1, substitute: 5 };
    assert_eq!(levenshtein_weighted("GUMBO", "GAMBOL", &costs), 2 + 3);
    assert_eq!(levenshtein_weighted("", "é漢", &costs), 4);
    assert_eq!(levenshtein_weighted("é漢", "", &costs), 2);
}

#[test]
fn restricted_damerau() {
    let cases = [("ca", "abc", 3), ("smith", "smtih", 1), ("a", "", 1), ("née", "éne", 1)];
    for (a, b, edits) in cases {
        assert_eq!(damerau(a, b), edits, "{a} {b}");
    }
}

#[test]
fn sets_of_words_and_grams() {
    assert_eq!(jaccard_words("12 Main St.", "main st 12 "), 1.0);
    assert_eq!(jaccard_words("a b c", "b c d"), 0.5);
    assert_eq!(jaccard_words("", " - "), 1.0);
    assert_eq!(jaccard_words("", "a"), 0.0);
    assert_eq!(jaccard_grams("night", "nacht", 2), 1.0 / 7.0);
    assert_eq!(jaccard_grams("ab", "ab", 9), 1.0);
    assert_eq!(jaccard_grams("abc", "cab", 1), 1.0);
    assert_eq!(jaccard_grams("", "", 0), 1.0);
}

#[test]
fn phonetic_codes() {
    let cases = [
        ("Robert", "R163", "RBRT"),
        ("Rupert", "R163", "RPRT"),
        ("Tymczak", "T522", "TMKSK"),
        ("Fletcher", "F432", "FLTXR"),
        ("Pfister", "P236", "PFSTR"),
        ("Thompson", "T512", "0MPSN"),
        ("Knight", "K523", "NFT"),
        ("Christ", "C623", "KRST"),
        ("  ", "", ""),
        ("1a", "A000", "A"),
    ];
    for (word, soundex_code, metaphone_code) in cases {
        assert_eq!(soundex(word), soundex_code, "{word}");
        assert_eq!(metaphone(word, 10), metaphone_code, "{word}");
    }
    assert_eq!(soundex_difference("Anne", "Andrew"), 2);
    let smith = DoubleMetaphone { primary: "SM0".to_owned(), alternate: "XMT".to_owned() };
    assert_eq!(double_metaphone("Smith"), smith);
    assert_eq!(cologne("Müller-Lüdenscheidt"), "65752682");
    assert_eq!(cologne("Breschnew"), "17863");
}

#[test]
fn dates() {
    let date = |text: &str| text.parse::<NaiveDate>().unwrap();
    let cases = [
        ("1980-03-05", "1980-03-05", DateCloseness::Equal, 1.0),
        ("1980-03-05", "1980-05-03", DateCloseness::Swapped, 0.95),
        ("1980-03-05", "1980-03-06", DateCloseness::OneSlip, 0.9),
        ("1980-03-05", "1908-03-05", DateCloseness::OneSlip, 0.9),
        ("1980-03-12", "1980-03-21", DateCloseness::OneSlip, 0.9),
        ("1988-03-05", "1990-03-05", DateCloseness::OtherYear, 0.8),
        ("1980-03-05", "1980-03-27", DateCloseness::SamePart, 0.7),
        ("1980-03-05", "1931-11-27", DateCloseness::Far, 0.0),
    ];
    for (a, b, closeness, similarity) in cases {
        assert_eq!(date_closeness(date(a), date(b)), closeness, "{a} {b}");
        assert_eq!(date_closeness(date(b), date(a)), closeness, "{b} {a}");
        assert_eq!(date_similarity(date(a), date(b)), similarity, "{a} {b}");
    }
    let near = date_similarity(date("1980-03-05"), date("1981-04-16"));
    assert!((0.5..0.6).contains(&near), "{near}");
}

#[test]
fn numbers() {
    assert_eq!(number_similarity(100.0, 95.0), 0.95);
    assert_eq!(number_similarity(-1.0, 1.0), 0.0);
    assert_eq!(number_similarity(0.0, -0.0), 1.0);
    assert_eq!(number_similarity(0.0, 5.0), 0.0);
    assert_eq!(number_similarity(f64::NAN, 5.0), 0.0);
    assert_eq!(number_similarity(f64::INFINITY, 5.0), 0.0);
    assert_eq!(number_similarity(f64::INFINITY, f64::INFINITY), 1.0);
}

#[test]
fn no_character_breaks_a_code() {
    for letter in char::MIN..=char::MAX {
        let word = format!("{letter}a{letter}");
        let codes = (soundex(&word), metaphone(&word, 4));
        assert!(codes.0.len() <= 4 && codes.1.len() <= 4, "{letter:?}");
        if u32::from(letter) < 0x3000 {
            let _ = (double_metaphone(&word), cologne(&word), trigram_similarity(&word, "a"));
        }
    }
}
