//! A customer's best items: what belongs to what was bought, under the rules of the one who asks.
//!
//! The score of item `j` is `Σ hᵢ wᵢⱼ` over what the customer bought; `hᵢ` is 1, or less for what was
//! bought long ago. Where things may be bought again, the score is a mixture of two scores that are
//! at most 1: `(1 − rebuy) · Σ hᵢ wᵢⱼ / max + rebuy · times bought / most times bought`.
//!
//! Rules come before the choice: whoever may be recommended `k` items gets `k`. Where the model says
//! nothing more, what is popular follows, with score 0.

use std::sync::Arc;

use crate::histories::History;
use crate::methods::Method;
use crate::model::Model;
use crate::top::{self, Scored, Top};

/// Cells that are scanned and cleared at once.
const BLOCK: usize = 64;
/// Steps for each block from which on nearly every block is reached.
const REACHING: usize = 4;

/// Whether what was bought may be recommended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Bought {
    /// No.
    #[default]
    Exclude,
    /// Yes.
    Allow,
    /// Nothing else.
    Only,
    /// Unless it was bought at this time (seconds since 1970) or later.
    ExcludeSince(u32),
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// How many items.
    pub k: usize,
    /// What of the bought ones.
    pub bought: Bought,
    /// The codes that may be recommended; `None`: all.
    pub candidates: Option<Arc<[bool]>>,
    /// Share of the score that is for buying again, 0 to 1.
    pub rebuy: f32,
    /// At most so many of a group, and the group of each code.
    pub max_per: Option<(usize, Arc<[u32]>)>,
    /// Whether popular items follow where the model says nothing more.
    pub fallback: bool,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            k: 10,
            bought: Bought::Exclude,
            candidates: None,
            rebuy: 0.0,
            max_per: None,
            fallback: true,
        }
    }
}

/// Why an item is recommended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// It belongs to what was bought.
    Model,
    /// It was bought before.
    Rebuy,
    /// It is popular.
    Popular,
}

impl Source {
    /// Its name in SQL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Rebuy => "rebuy",
            Self::Popular => "popular",
        }
    }
}

/// An item for a customer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recommendation {
    /// Its code.
    pub code: u32,
    /// Its score.
    pub score: f32,
    /// Why.
    pub source: Source,
}

/// A part of a score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reason {
    /// The bought code; for [`Source::Rebuy`] the item itself.
    pub code: u32,
    /// What it adds.
    pub part: f32,
    /// How.
    pub source: Source,
}

/// Scores customers one after the other.
pub struct Scorer<'a> {
    model: &'a Model,
    request: &'a Request,
    row: Vec<f32>,
    touched: Vec<bool>,
    top: Top,
    all: Vec<Scored>,
    chosen: Vec<Recommendation>,
    groups: Vec<u32>,
    /// Popular codes that may be recommended.
    popular: Vec<u32>,
}

impl<'a> Scorer<'a> {
    /// For one request.
    pub fn new(model: &'a Model, request: &'a Request) -> Self {
        let items = model.histories.items();
        let may = |code: &u32| candidate(request, *code);
        Self {
            model,
            request,
            row: vec![0.0; items.next_multiple_of(BLOCK)],
            touched: vec![false; items.div_ceil(BLOCK)],
            top: Top::new(request.k),
            all: Vec::new(),
            chosen: Vec::with_capacity(request.k),
            groups: Vec::new(),
            popular: model.popular.iter().copied().filter(may).collect(),
        }
    }

    /// The best items for a history, best first; `excluded` are codes, ascending, that it must not
    /// have.
    pub fn recommend(&mut self, history: History<'_>, excluded: &[u32]) -> &[Recommendation] {
        self.chosen.clear();
        self.groups.clear();
        if self.request.k == 0 {
            return &self.chosen;
        }
        self.fill(history);
        let blend = Blend::of(self.model, self.request, history, || self.best());
        self.mix(history, blend);
        for code in excluded {
            self.row[*code as usize] = 0.0;
        }
        match self.request.max_per.is_some() {
            true => self.choose_by_group(),
            false => self.choose(),
        }
        for recommendation in &mut self.chosen {
            let bought = history.codes.binary_search(&recommendation.code);
            let part = bought.map_or(0.0, |place| blend.rebuy * history.strengths[place]);
            if part > 0.0 && part * 2.0 >= recommendation.score {
                recommendation.source = Source::Rebuy;
            }
        }
        if self.request.fallback || self.model.method == Method::Popularity {
            self.follow(history, excluded);
        }
        &self.chosen
    }

    /// Adds what belongs to a history. Long histories reach every block: these are not noted one
    /// by one.
    fn fill(&mut self, history: History<'_>) {
        let Self { model, row, touched, .. } = self;
        let all = history.codes.len() * model.settings.neighbours > touched.len() * REACHING;
        if all {
            touched.fill(true);
        }
        for (place, code) in history.codes.iter().enumerate() {
            let strength = weight(model, history, place);
            let neighbours = model.neighbours.of(*code);
            for (other, weight) in neighbours {
                row[*other as usize] += strength * weight;
            }
            if !all {
                neighbours.iter().for_each(|(other, _)| touched[*other as usize / BLOCK] = true);
            }
        }
    }

    /// The best score in the row.
    fn best(&self) -> f32 {
        let touched = self.touched.iter().enumerate().filter(|(_, touched)| **touched);
        let cells = touched.flat_map(|(block, _)| &self.row[block * BLOCK..(block + 1) * BLOCK]);
        cells.copied().fold(0.0, f32::max)
    }

    /// Applies what the request says of bought items, and mixes.
    fn mix(&mut self, history: History<'_>, blend: Blend) {
        if self.request.bought == Bought::Only {
            let kept: Vec<f32> =
                history.codes.iter().map(|code| self.row[*code as usize]).collect();
            self.clear();
            for (code, score) in history.codes.iter().zip(kept) {
                self.row[*code as usize] = score;
                self.touched[*code as usize / BLOCK] = true;
            }
        }
        if blend.scale != 1.0 {
            for block in self.touched.iter().enumerate().filter(|(_, touched)| **touched) {
                let first = block.0 * BLOCK;
                self.row[first..first + BLOCK].iter_mut().for_each(|cell| *cell *= blend.scale);
            }
        }
        for (place, code) in history.codes.iter().enumerate() {
            let cell = &mut self.row[*code as usize];
            if !may_rebuy(self.request, history.times[place]) {
                *cell = 0.0;
            } else if blend.rebuy > 0.0 {
                *cell += blend.rebuy * history.strengths[place];
                self.touched[*code as usize / BLOCK] = true;
            }
        }
    }

    fn clear(&mut self) {
        for (block, touched) in self.touched.iter_mut().enumerate() {
            if std::mem::take(touched) {
                self.row[block * BLOCK..(block + 1) * BLOCK].fill(0.0);
            }
        }
    }

    /// Takes the best of the row, and clears it.
    fn choose(&mut self) {
        let Self { row, touched, top, model, request, .. } = self;
        top.clear();
        for (block, touched) in touched.iter_mut().enumerate() {
            if !std::mem::take(touched) {
                continue;
            }
            let first = block * BLOCK;
            let cells = &mut row[first..first + BLOCK];
            let floor = top.floor();
            // Most blocks have nothing good enough, and that is seen without a branch for each.
            if reaches(cells, floor) {
                for (code, score) in (first as u32..).zip(cells.iter()) {
                    if *score >= top.floor() && candidate(request, code) {
                        top.push((*score, model.histories.item(code), code));
                    }
                }
            }
            cells.fill(0.0);
        }
        let best = top.sorted().iter();
        self.chosen.extend(best.map(|(score, _, code)| recommendation(*code, *score)));
    }

    /// The same with at most so many of each group.
    fn choose_by_group(&mut self) {
        let Self { row, touched, all, model, request, .. } = self;
        all.clear();
        for (block, touched) in touched.iter_mut().enumerate() {
            if !std::mem::take(touched) {
                continue;
            }
            let first = block * BLOCK;
            for (code, cell) in (first as u32..).zip(&mut row[first..first + BLOCK]) {
                let score = std::mem::take(cell);
                if score > 0.0 && candidate(request, code) {
                    all.push((score, model.histories.item(code), code));
                }
            }
        }
        all.sort_unstable_by(top::order);
        let all = std::mem::take(&mut self.all);
        for (score, _, code) in &all {
            if self.chosen.len() == self.request.k {
                break;
            }
            if self.takes(*code) {
                self.chosen.push(recommendation(*code, *score));
            }
        }
        self.all = all;
    }

    /// Whether there is room for a code in its group; notes that it is taken.
    fn takes(&mut self, code: u32) -> bool {
        let Some((most, groups)) = &self.request.max_per else { return true };
        let group = groups[code as usize];
        let room = self.groups.iter().filter(|one| **one == group).count() < *most;
        if room {
            self.groups.push(group);
        }
        room
    }

    /// Popular items where the model says nothing more.
    fn follow(&mut self, history: History<'_>, excluded: &[u32]) {
        let chosen_before = self.chosen.len();
        let customers = self.model.histories.len().max(1) as f32;
        let is_method = self.model.method == Method::Popularity;
        let popular = std::mem::take(&mut self.popular);
        for code in &popular {
            if self.chosen.len() >= self.request.k {
                break;
            }
            let bought = history.codes.binary_search(code).ok();
            let may = match bought {
                Some(place) => may_rebuy(self.request, history.times[place]),
                None => self.request.bought != Bought::Only,
            };
            let known = self.chosen[..chosen_before].iter().any(|one| one.code == *code);
            if !may || known || excluded.binary_search(code).is_ok() || !self.takes(*code) {
                continue;
            }
            let share = self.model.histories.buyers(*code) as f32 / customers;
            self.chosen.push(match is_method {
                true => recommendation(*code, share),
                false => Recommendation { code: *code, score: 0.0, source: Source::Popular },
            });
        }
        self.popular = popular;
    }
}

/// The parts of the score of a code, largest first; they sum to the score.
pub fn reasons(model: &Model, request: &Request, history: History<'_>, code: u32) -> Vec<Reason> {
    let blend = Blend::of(model, request, history, || best_of_model(model, history));
    let mut reasons = Vec::new();
    for (place, bought) in history.codes.iter().enumerate() {
        if let Some(of_pair) = model.neighbours.weight(*bought, code) {
            let part = weight(model, history, place) * of_pair * blend.scale;
            reasons.push(Reason { code: *bought, part, source: Source::Model });
        }
        if *bought == code && blend.rebuy > 0.0 {
            let part = blend.rebuy * history.strengths[place];
            reasons.push(Reason { code, part, source: Source::Rebuy });
        }
    }
    reasons.sort_by(|a, b| {
        b.part
            .total_cmp(&a.part)
            .then(model.histories.item(a.code).cmp(&model.histories.item(b.code)))
    });
    reasons
}

/// How the two scores are mixed.
#[derive(Debug, Clone, Copy)]
struct Blend {
    /// Factor of what belongs to the history.
    scale: f32,
    /// Factor of the times that something was bought.
    rebuy: f32,
}

impl Blend {
    /// `best` is the best score that the history gives, whatever may be recommended of it.
    fn of(
        model: &Model,
        request: &Request,
        history: History<'_>,
        best: impl FnOnce() -> f32,
    ) -> Self {
        let share = match model.method {
            Method::Personal => 1.0,
            _ if request.bought == Bought::Exclude => 0.0,
            _ => request.rebuy,
        };
        if share <= 0.0 {
            return Self { scale: 1.0, rebuy: 0.0 };
        }
        let most = history.strengths.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
        let best = best();
        let scale = if best > 0.0 { (1.0 - share) / best } else { 1.0 };
        Self { scale, rebuy: share / most }
    }
}

fn best_of_model(model: &Model, history: History<'_>) -> f32 {
    let mut sums = hashbrown::HashMap::<u32, f32>::new();
    for (place, code) in history.codes.iter().enumerate() {
        let strength = weight(model, history, place);
        for (other, weight) in model.neighbours.of(*code) {
            *sums.entry(*other).or_default() += strength * weight;
        }
    }
    sums.into_values().fold(0.0, f32::max)
}

/// How much a bought item says: 1, or less when it was bought long ago.
fn weight(model: &Model, history: History<'_>, place: usize) -> f32 {
    match model.settings.half_life_s {
        None => 1.0,
        Some(half_life) => {
            let age = model.histories.latest().saturating_sub(history.times[place]);
            (-f64::from(age) / half_life).exp2() as f32
        }
    }
}

/// Whether any of a block is good enough. Written so that a processor compares several at once.
fn reaches(cells: &[f32], floor: f32) -> bool {
    cells.iter().fold(0, |any, cell| any | u32::from(*cell >= floor)) != 0
}

fn may_rebuy(request: &Request, time: u32) -> bool {
    match request.bought {
        Bought::Exclude => false,
        Bought::Allow | Bought::Only => true,
        Bought::ExcludeSince(since) => time < since,
    }
}

fn candidate(request: &Request, code: u32) -> bool {
    request.candidates.as_ref().is_none_or(|may| may.get(code as usize) == Some(&true))
}

fn recommendation(code: u32, score: f32) -> Recommendation {
    Recommendation { code, score, source: Source::Model }
}
