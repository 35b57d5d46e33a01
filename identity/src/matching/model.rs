//! A trained model: probabilities per comparison and level, blocking rules, and the prior.

use super::blocking::{Key, Part, Rule};
use super::compare::{SWAPPED, levels};
use super::em::{Table, level};
use super::prepared::Prepared;
use super::records::{Meaning, NULL};
use super::settings::Links;
use super::weights::Dependence;

/// One comparison of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The column's name.
    pub name: String,
    /// What its values are.
    pub meaning: Meaning,
    /// The share of records that a value which two records have in common usually has: agreement
    /// on a rarer value weighs more.
    pub usual_share: f64,
    /// m and u of each level, lowest first.
    pub levels: Vec<(f64, f64)>,
}

/// What records are matched by.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// The version of the levels' meaning; a model of another version must be trained again.
    pub version: u32,
    /// Comparisons in the order of the packed vector.
    pub comparisons: Vec<Comparison>,
    /// Agreement that often comes with other agreement.
    pub dependences: Vec<Dependence>,
    /// The share of pairs that match.
    pub lambda: f64,
    /// Blocking rules in their order.
    pub rules: Vec<Rule>,
    /// Records of one block that are still compared.
    pub block_limit: usize,
    /// Which pairs may match.
    pub links: Links,
}

/// The version of models that this code trains.
pub const VERSION: u32 = 2;

/// One level of one comparison, as it is shown and stored.
#[derive(Debug, Clone, PartialEq)]
pub struct LevelRow {
    /// The comparison's name.
    pub comparison: String,
    /// What its values are.
    pub meaning: Meaning,
    /// See [`Comparison::usual_share`].
    pub usual_share: f64,
    /// The number of the level, from 1.
    pub level: u32,
    /// What the level says.
    pub label: String,
    /// How often matching records come to it.
    pub m: f64,
    /// How often other records come to it.
    pub u: f64,
    /// log2(m / u).
    pub weight: f64,
}

/// The tables of weights that scoring looks up, in bits.
#[derive(Debug, Clone)]
pub(crate) struct Weights {
    /// log2(m / u), per field and level.
    pub(crate) levels: Vec<[f32; 16]>,
    /// log2 of the prior odds.
    pub(crate) prior: f32,
    /// log2(usual share) per field.
    shares: Vec<f32>,
    /// For each field, the fields that it follows from, as bits, and the most that it then adds.
    bounds: Vec<(u32, [f32; 16])>,
}

impl Weights {
    pub(crate) fn of(model: &Model) -> Self {
        let row = |comparison: &Comparison| {
            let mut row = [0f32; 16];
            for (weight, (m, u)) in row[1..].iter_mut().zip(&comparison.levels) {
                *weight = (m / u).log2() as f32;
            }
            row
        };
        let mut bounds = vec![(0u32, [f32::INFINITY; 16]); model.comparisons.len()];
        for Dependence { comparison, given, u } in &model.dependences {
            let m = model.comparisons[*comparison].levels.last().map_or(1.0, |(m, _)| *m);
            bounds[*comparison].0 |= 1 << given;
            bounds[*comparison].1[*given] = (m / u).log2().max(0.0) as f32;
        }
        Self {
            levels: model.comparisons.iter().map(row).collect(),
            prior: (model.lambda / (1.0 - model.lambda)).log2() as f32,
            shares: model.comparisons.iter().map(|c| c.usual_share.log2() as f32).collect(),
            bounds,
        }
    }

    /// What agreement on just this value adds to that on any value, in bits.
    fn rarity(&self, prepared: &Prepared, field: usize, code: u32) -> f32 {
        if code == NULL {
            return 0.0;
        }
        let about = &prepared.fields[field];
        let share = about.counts[code as usize].max(1) as f32 / about.present.max(1) as f32;
        self.shares[field] - share.log2()
    }

    /// What each field says of a pair: the weight of its level, and what is added because the
    /// value is rare, or taken away because it is common or follows from other agreement.
    pub(crate) fn parts(
        &self,
        prepared: &Prepared,
        (a, b): (u32, u32),
        vector: u64,
        mut part: impl FnMut(usize, f32, f32),
    ) {
        let (x, y) = (prepared.row(a), prepared.row(b));
        let mut agreeing = 0u32;
        for (field, row) in self.levels.iter().enumerate() {
            agreeing |= u32::from(row[level(vector, field)] > 0.0) << field;
        }
        for (field, row) in self.levels.iter().enumerate() {
            let weight = row[level(vector, field)];
            let rarity = if x[field] == y[field] {
                self.rarity(prepared, field, x[field])
            } else if level(vector, field) == usize::from(SWAPPED)
                && prepared.fields[field].meaning.is_name()
            {
                // Which of the two is the right way round is not known: the commoner one.
                let rarity = |code| self.rarity(prepared, field, code);
                rarity(x[field]).min(rarity(y[field])).min(0.0)
            } else {
                0.0
            };
            let most = self.bound(field, agreeing);
            let kept = if weight + rarity > most { most - weight } else { rarity };
            part(field, weight, kept);
        }
    }

    fn bound(&self, field: usize, agreeing: u32) -> f32 {
        let (given, most) = &self.bounds[field];
        let mut left = given & agreeing;
        let mut bound = f32::INFINITY;
        while left != 0 {
            bound = bound.min(most[left.trailing_zeros() as usize]);
            left &= left - 1;
        }
        bound
    }

    /// The weight of a pair without the prior.
    pub(crate) fn total(&self, prepared: &Prepared, pair: (u32, u32), vector: u64) -> f32 {
        let mut sum = 0.0;
        self.parts(prepared, pair, vector, |_, weight, rarity| sum += weight + rarity);
        sum
    }

    /// The most that a field can add when its values are the same.
    pub(crate) fn same(&self, prepared: &Prepared, field: usize, code: u32, top: usize) -> f32 {
        self.levels[field][top] + self.rarity(prepared, field, code)
    }
}

impl Model {
    pub(crate) fn of(prepared: &Prepared, m: &Table, u: &Table) -> Self {
        let comparisons = prepared.fields.iter().enumerate().map(|(place, field)| {
            let count = levels(field.meaning).len();
            let pairs = field.counts.iter().map(|c| f64::from(*c) * f64::from(*c));
            let present = f64::from(field.present.max(1));
            Comparison {
                name: field.name.clone(),
                meaning: field.meaning,
                usual_share: (pairs.sum::<f64>() / present / present).max(1e-12),
                levels: (1..=count).map(|level| (m[place][level], u[place][level])).collect(),
            }
        });
        Self {
            version: VERSION,
            comparisons: comparisons.collect(),
            dependences: Vec::new(),
            lambda: 1e-4,
            rules: Vec::new(),
            block_limit: 0,
            links: Links::All,
        }
    }

    /// The levels as rows, in order.
    pub fn rows(&self) -> Vec<LevelRow> {
        let rows = self.comparisons.iter().flat_map(|comparison| {
            let labels = levels(comparison.meaning).iter().map(|level| level.label);
            comparison.levels.iter().zip(labels).zip(1..).map(|(((m, u), label), level)| LevelRow {
                comparison: comparison.name.clone(),
                meaning: comparison.meaning,
                usual_share: comparison.usual_share,
                level,
                label: label.to_owned(),
                m: *m,
                u: *u,
                weight: (m / u).log2(),
            })
        });
        rows.collect()
    }

    /// The comparisons of rows that [`Self::rows`] gave, in their order; `None` when the levels of
    /// one are not all there, once each and in order.
    pub fn comparisons_of(rows: &[LevelRow]) -> Option<Vec<Comparison>> {
        let mut comparisons: Vec<Comparison> = Vec::new();
        for row in rows {
            if row.level == 1 {
                let (name, meaning) = (row.comparison.clone(), row.meaning);
                let (usual_share, levels) = (row.usual_share, Vec::new());
                comparisons.push(Comparison { name, meaning, usual_share, levels });
            }
            let last = comparisons.last_mut()?;
            if last.name != row.comparison || last.levels.len() as u32 + 1 != row.level {
                return None;
            }
            last.levels.push((row.m, row.u));
        }
        let whole = |c: &Comparison| c.levels.len() == levels(c.meaning).len();
        comparisons.iter().all(whole).then_some(comparisons)
    }

    /// True when records were prepared with the comparisons of this model.
    pub fn fits(&self, prepared: &Prepared) -> bool {
        let fields = prepared.fields.iter().map(|field| (&field.name, field.meaning));
        fields.eq(self.comparisons.iter().map(|c| (&c.name, c.meaning)))
    }

    /// The blocking rules as text: `comparison.part & comparison.part`.
    pub fn rule_texts(&self) -> Vec<String> {
        let key = |key: &Key| format!("{}.{}", self.comparisons[key.field].name, key.part);
        let rule = |rule: &Rule| rule.keys.iter().map(key).collect::<Vec<_>>().join(" & ");
        self.rules.iter().map(rule).collect()
    }

    /// Reads what [`Self::rule_texts`] wrote; `None` when it names something unknown.
    pub fn parse_rule(&self, text: &str) -> Option<Rule> {
        let keys = text.split(" & ").map(|key| {
            let (comparison, part) = key.rsplit_once('.')?;
            let field = self.comparisons.iter().position(|c| c.name == comparison)?;
            Some(Key { field, part: Part::named(part)? })
        });
        Some(Rule { keys: keys.collect::<Option<_>>()? })
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_people::people;
    use super::super::{Prepared, Settings, train};
    use super::Model;

    #[test]
    fn a_model_survives_being_written_as_rows() {
        let prepared = Prepared::new(&people(0..1_500));
        let model = train(&prepared, &Settings::default(), &mut |_| ());
        assert!(model.fits(&prepared) && !model.rules.is_empty());
        let comparisons = Model::comparisons_of(&model.rows());
        assert_eq!(comparisons.as_ref(), Some(&model.comparisons));
        let rules: Vec<_> = model.rule_texts().iter().map(|text| model.parse_rule(text)).collect();
        assert_eq!(rules, model.rules.iter().cloned().map(Some).collect::<Vec<_>>());
        assert_eq!(Model::comparisons_of(&model.rows()[1..]), None);
        let other = Settings { threads: 1, ..Settings::default() };
        assert_eq!(train(&prepared, &other, &mut |_| ()), model);
    }
}
