//! Records made ready for matching: folded, names taken apart, one row of codes per record.

use super::dates::{DateOrder, order_of};
use super::records::{Column, Meaning, NULL, Records};
use super::values::Values;
use super::whole_names::{WholeNames, others, split};

/// What is compared: one column, or a part of whole names.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) meaning: Meaning,
    /// The place of its dictionary in [`Prepared::values`]; given and family names share one.
    pub(crate) values: usize,
    /// Records per code.
    pub(crate) counts: Vec<u32>,
    /// Records per word, for meanings that compare words.
    pub(crate) word_counts: Vec<u32>,
    /// Records that have a value.
    pub(crate) present: u32,
}

/// Records that can be trained on, matched and explained.
#[derive(Debug, Clone)]
pub struct Prepared {
    pub(crate) fields: Vec<Field>,
    pub(crate) values: Vec<Values>,
    /// `rows[record * fields.len() + field]` is a code or [`NULL`].
    pub(crate) rows: Vec<u32>,
    pub(crate) source: Vec<u32>,
    pub(crate) len: usize,
    /// The fields of the first given and family name, which may be swapped.
    pub(crate) swappable: Option<(usize, usize)>,
    plan: Vec<Part>,
}

/// Where the value of a field comes from.
#[derive(Debug, Clone, PartialEq)]
enum Part {
    /// A column as it is.
    Whole(usize),
    /// A column where it has a value, else that part of a whole name.
    Given(Option<usize>),
    Family(Option<usize>),
    /// The words of whole names that are in neither.
    Other,
    /// The codes within a column of text.
    Codes(usize),
}

impl Prepared {
    /// Folds every distinct value once. Columns keep their order; at most 16 are compared.
    pub fn new(records: &Records) -> Self {
        let mut prepared = Self {
            fields: Vec::new(),
            values: Vec::new(),
            rows: Vec::new(),
            source: Vec::new(),
            len: 0,
            swappable: None,
            plan: Vec::new(),
        };
        prepared.lay_out(&records.columns);
        prepared.append(records);
        prepared
    }

    /// The number of records.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True when there are no records.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) fn row(&self, record: u32) -> &[u32] {
        let width = self.fields.len();
        &self.rows[record as usize * width..][..width]
    }

    pub(crate) fn values_of(&self, field: usize) -> &Values {
        &self.values[self.fields[field].values]
    }

    fn lay_out(&mut self, columns: &[Column]) {
        let first = |meaning| columns.iter().position(|c| c.meaning == meaning);
        let (given, family) = (first(Meaning::GivenName), first(Meaning::FamilyName));
        let whole = first(Meaning::FullName).is_some();
        if whole || (given.is_some() && family.is_some()) {
            let name = |place: Option<usize>, name: &str| {
                place.map_or_else(|| name.to_owned(), |place| columns[place].name.clone())
            };
            let values = self.add_values(Meaning::GivenName, DateOrder::default());
            self.swappable = Some((0, 1));
            self.add_field(name(given, "given name"), Meaning::GivenName, values);
            self.add_field(name(family, "family name"), Meaning::FamilyName, values);
            self.plan.extend([Part::Given(given), Part::Family(family)]);
            if whole {
                let values = self.add_values(Meaning::OtherNames, DateOrder::default());
                self.add_field("other names".to_owned(), Meaning::OtherNames, values);
                self.plan.push(Part::Other);
            }
        }
        for (place, column) in columns.iter().enumerate() {
            let taken = self.plan.contains(&Part::Given(Some(place)))
                || self.plan.contains(&Part::Family(Some(place)))
                || column.meaning == Meaning::FullName;
            if !taken && self.fields.len() < 16 {
                let order = match column.meaning {
                    Meaning::Date => order_of(column.dictionary.iter().map(String::as_str)),
                    _ => DateOrder::default(),
                };
                let values = self.add_values(column.meaning, order);
                self.add_field(column.name.clone(), column.meaning, values);
                self.plan.push(Part::Whole(place));
            }
            // Columns themselves come first.
            let to_come = columns.len() - place - 1;
            if column.meaning == Meaning::Text && self.fields.len() + to_come < 16 {
                let values = self.add_values(Meaning::Codes, DateOrder::default());
                self.add_field(format!("codes in {}", column.name), Meaning::Codes, values);
                self.plan.push(Part::Codes(place));
            }
        }
    }

    fn add_values(&mut self, meaning: Meaning, order: DateOrder) -> usize {
        self.values.push(Values::new(meaning, order));
        self.values.len() - 1
    }

    fn add_field(&mut self, name: String, meaning: Meaning, values: usize) {
        let (counts, word_counts) = (Vec::new(), Vec::new());
        self.fields.push(Field { name, meaning, values, counts, word_counts, present: 0 });
    }

    /// Adds records with the columns that this was made of; returns the first one's number.
    pub fn append(&mut self, records: &Records) -> u32 {
        let first = self.len as u32;
        let width = self.fields.len();
        self.rows.resize((self.len + records.len) * width, NULL);
        let whole = WholeNames::of(&records.columns);
        let plan = std::mem::take(&mut self.plan);
        for (field, part) in plan.iter().enumerate() {
            match part {
                Part::Whole(column)
                | Part::Codes(column)
                | Part::Given(Some(column))
                | Part::Family(Some(column)) => {
                    self.encode(field, &records.columns[*column]);
                }
                _ => (),
            }
        }
        if !whole.is_empty() {
            self.split_names(records, &whole);
        }
        self.plan = plan;
        self.source.extend_from_slice(&records.source);
        self.len += records.len;
        self.count(first as usize);
        first
    }

    fn encode(&mut self, field: usize, column: &Column) {
        let (width, start) = (self.fields.len(), self.len);
        let values = &mut self.values[self.fields[field].values];
        let codes: Vec<u32> =
            column.dictionary.iter().map(|value| values.intern(value).unwrap_or(NULL)).collect();
        for (record, code) in column.codes.iter().enumerate() {
            if *code != NULL {
                self.rows[(start + record) * width + field] = codes[*code as usize];
            }
        }
    }

    /// Fills given and family names that are missing from whole names, and other names.
    fn split_names(&mut self, records: &Records, whole: &WholeNames) {
        let (width, start) = (self.fields.len(), self.len);
        let mut rest = Vec::new();
        for record in 0..records.len {
            let Some(names) = whole.words(record) else { continue };
            let row = &mut self.rows[(start + record) * width..][..width];
            let (given, family) = split(&names);
            for (field, word) in [(0, given), (1, family)] {
                let other = row[1 - field];
                let taken = other != NULL && has(self.values[0].bytes(other), word);
                if row[field] == NULL && !word.is_empty() && !taken {
                    row[field] = self.values[0].intern_folded(word, None);
                }
            }
            let known =
                |code: u32, word: &[u8]| code != NULL && has(self.values[0].bytes(code), word);
            others(&names, |word| !known(row[0], word) && !known(row[1], word), &mut rest);
            if !rest.is_empty() {
                row[2] = self.values[1].intern_folded(&rest, None);
            }
        }
    }

    fn count(&mut self, first: usize) {
        let width = self.fields.len();
        for (place, field) in self.fields.iter_mut().enumerate() {
            let values = &self.values[field.values];
            field.counts.resize(values.len(), 0);
            field.word_counts.resize(values.words.as_ref().map_or(0, |w| w.len()), 0);
            for record in first..self.len {
                let code = self.rows[record * width + place];
                if code != NULL {
                    field.counts[code as usize] += 1;
                    field.present += 1;
                    for token in values.tokens(code) {
                        field.word_counts[*token as usize] += 1;
                    }
                }
            }
        }
    }
}

fn has(name: &[u8], word: &[u8]) -> bool {
    name.split(|byte| *byte == b' ').any(|part| part == word)
}
