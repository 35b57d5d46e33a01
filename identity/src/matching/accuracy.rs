//! How well the defaults do on labelled records (`tests/data/identity`); the labels are read only
//! after matching.

use std::collections::HashMap;

use super::records::{Column, Meaning, Records};
use super::{Clustering, Prepared, Settings, cluster, predict, train};

/// Precision and recall of the pairs within clusters.
fn pairs_within(clusters: &[u32], truth: &[String]) -> (f64, f64) {
    let pairs = |sizes: HashMap<(u32, &str), f64>| -> f64 {
        sizes.into_values().map(|n| n * (n - 1.0) / 2.0).sum()
    };
    let mut sizes = [HashMap::new(), HashMap::new(), HashMap::new()];
    for (cluster, truth) in clusters.iter().zip(truth) {
        let keys = [(*cluster, truth.as_str()), (*cluster, ""), (0, truth.as_str())];
        for (sizes, key) in sizes.iter_mut().zip(keys) {
            *sizes.entry(key).or_default() += 1.0;
        }
    }
    let [right, found, wanted] = sizes.map(pairs);
    (right / found, right / wanted)
}

#[test]
fn people_with_typing_errors_are_found_by_the_defaults() {
    // Tests run in the folder of their package.
    let mut reader = csv::Reader::from_path("../tests/data/identity/fake_1000.csv").unwrap();
    let heads = reader.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let place = |name: &str| heads.iter().position(|head| head == name).unwrap();
    let meanings = [
        ("first_name", Meaning::GivenName),
        ("surname", Meaning::FamilyName),
        ("dob", Meaning::Date),
        ("city", Meaning::City),
        ("email", Meaning::Email),
    ];
    let columns = meanings.map(|(name, meaning)| {
        Column::from_values(name, meaning, rows.iter().map(|row| row.get(place(name))))
    });
    let records = Records { columns: columns.into(), source: Vec::new(), len: rows.len() };
    let prepared = Prepared::new(&records);
    let model = train(&prepared, &Settings::default(), &mut |_| ());
    let scored = predict(&prepared, &model, 0.5, 2);
    let clusters = cluster(&prepared, &model, &scored.pairs, &Clustering::default());
    let truth: Vec<String> = rows.iter().map(|row| row[place("true_id")].to_owned()).collect();
    let (precision, recall) = pairs_within(&clusters.of, &truth);
    // Splink's tutorial model reaches an F1 of 0.84 at its best threshold.
    assert!(precision > 0.98, "precision {precision}");
    assert!(recall > 0.94, "recall {recall}");
}
