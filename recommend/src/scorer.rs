//! A customer's best items: what belongs to what was bought, under the rules of the one who asks.
//!
//! The score of item `j` is `Σ hᵢ wᵢⱼ` over what the customer bought; `hᵢ` is 1, or less for what was
//! bought long ago. Where things may be bought again, the score is a mixture of two scores that are
//! at most 1: `(1 − rebuy) · Σ hᵢ wᵢⱼ / max + rebuy · times bought / most times bought`.
//!
//! Rules come before the choice: whoever may be recommended `k` items gets `k`. Where the model says
//! nothing more, what is popular follows, with score 0.

use crate::blend::{Blend, weight};
use crate::histories::History;
use crate::many::{Many, NONE, Only};
use crate::methods::Method;
use crate::model::Model;
use crate::neighbours::Listed;
use crate::request::{Bought, Recommendation, Request, Source};
use crate::top::{self, Scored, Top};

/// Cells that are scanned and cleared at once.
const BLOCK: usize = 64;
/// Cells of a row whose codes are short.
const SHORT: usize = 1 << u16::BITS;
/// Steps for each block from which on nearly every block is reached.
const REACHING: usize = 4;

/// Scores customers one after the other.
pub struct Scorer<'a> {
    model: &'a Model,
    request: &'a Request,
    only: Option<&'a Only>,
    /// Scores by cell: of the code of that number, or of what it stands for in `only`.
    row: Vec<f32>,
    /// Blocks of cells that may have scores.
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
        let may = |code: &u32| request.is_candidate(*code);
        let popular = model.popular.iter().copied().filter(may).collect();
        Self::over(model, (request, None), model.histories.items(), popular)
    }

    /// For one request of many customers.
    pub fn of_many(model: &'a Model, many: &'a Many) -> Self {
        match &many.only {
            None => Self::new(model, &many.request),
            Some(only) => {
                let (cells, popular) = (only.codes.len(), only.popular.clone());
                Self::over(model, (&many.request, Some(only)), cells, popular)
            }
        }
    }

    fn over(
        model: &'a Model,
        (request, only): (&'a Request, Option<&'a Only>),
        cells: usize,
        popular: Vec<u32>,
    ) -> Self {
        Self {
            model,
            request,
            only,
            row: vec![0.0; room(cells)],
            touched: vec![false; cells.div_ceil(BLOCK)],
            top: Top::new(request.k),
            all: Vec::new(),
            chosen: Vec::with_capacity(request.k),
            groups: Vec::new(),
            popular,
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
            if let Some(cell) = self.cell(*code) {
                self.row[cell] = 0.0;
            }
        }
        match self.request.max_per.is_some() {
            true => self.choose_by_group(),
            false => self.choose(),
        }
        if blend.rebuy > 0.0 {
            for recommendation in &mut self.chosen {
                let bought = history.codes.binary_search(&recommendation.code);
                let part = bought.map_or(0.0, |place| blend.rebuy * history.strengths[place]);
                if part > 0.0 && part * 2.0 >= recommendation.score {
                    recommendation.source = Source::Rebuy;
                }
            }
        }
        if self.request.fallback || self.model.method == Method::Popularity {
            self.follow(history, excluded);
        }
        &self.chosen
    }

    /// The cell of a code; `None`: it may not be recommended.
    fn cell(&self, code: u32) -> Option<usize> {
        match self.only {
            None => Some(code as usize),
            Some(only) => {
                only.cells.get(code as usize).filter(|c| **c != NONE).map(|c| *c as usize)
            }
        }
    }

    /// Adds what belongs to a history. Long histories reach every block: these are not noted one
    /// by one.
    fn fill(&mut self, history: History<'_>) {
        let Self { model, row, touched, only, .. } = self;
        let neighbours = only.map_or(&model.neighbours, |only| &only.neighbours);
        let all = history.codes.len() * model.settings.neighbours > touched.len() * REACHING;
        if all {
            touched.fill(true);
        }
        for (place, code) in history.codes.iter().enumerate() {
            let (codes, weights) = neighbours.lists(*code);
            add(row, (codes, weights), weight(model, history, place));
            if !all {
                (0..weights.len()).for_each(|at| touched[codes.at(at) as usize / BLOCK] = true);
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
            self.keep_only(history);
        }
        if blend.scale != 1.0 {
            for block in self.touched.iter().enumerate().filter(|(_, touched)| **touched) {
                let first = block.0 * BLOCK;
                self.row[first..first + BLOCK].iter_mut().for_each(|cell| *cell *= blend.scale);
            }
        }
        for (place, code) in history.codes.iter().enumerate() {
            let Some(cell) = self.cell(*code) else { continue };
            if !self.request.may_rebuy(history.times[place]) {
                self.row[cell] = 0.0;
            } else if blend.rebuy > 0.0 {
                self.row[cell] += blend.rebuy * history.strengths[place];
                self.touched[cell / BLOCK] = true;
            }
        }
    }

    /// Leaves the scores of what was bought.
    fn keep_only(&mut self, history: History<'_>) {
        let cells = history.codes.iter().filter_map(|code| self.cell(*code));
        let kept: Vec<(usize, f32)> = cells.map(|cell| (cell, self.row[cell])).collect();
        for (block, touched) in self.touched.iter_mut().enumerate() {
            if std::mem::take(touched) {
                self.row[block * BLOCK..(block + 1) * BLOCK].fill(0.0);
            }
        }
        for (cell, score) in kept {
            self.row[cell] = score;
            self.touched[cell / BLOCK] = true;
        }
    }

    /// Takes the best of the row, and clears it.
    fn choose(&mut self) {
        let Self { row, touched, top, model, request, only, .. } = self;
        top.clear();
        for (block, touched) in touched.iter_mut().enumerate() {
            if !std::mem::take(touched) {
                continue;
            }
            let first = block * BLOCK;
            let Some(cells) = row[first..].first_chunk_mut::<BLOCK>() else { break };
            // Most blocks have nothing good enough, and that is seen without a branch for each.
            if reaches(cells, top.floor()) {
                for (cell, score) in (first..).zip(cells.iter()) {
                    if *score >= top.floor() {
                        let code = only.map_or(cell as u32, |only| only.codes[cell]);
                        if only.is_some() || request.is_candidate(code) {
                            top.push((*score, model.histories.item(code), code));
                        }
                    }
                }
            }
            *cells = [0.0; BLOCK];
        }
        let best = top.sorted().iter();
        self.chosen.extend(best.map(|(score, _, code)| recommendation(*code, *score)));
    }

    /// The same with at most so many of each group.
    fn choose_by_group(&mut self) {
        let Self { row, touched, all, model, request, only, .. } = self;
        all.clear();
        for (block, touched) in touched.iter_mut().enumerate() {
            if !std::mem::take(touched) {
                continue;
            }
            let first = block * BLOCK;
            for (cell, score) in (first..).zip(&mut row[first..first + BLOCK]) {
                let score = std::mem::take(score);
                if score <= 0.0 {
                    continue;
                }
                let code = only.map_or(cell as u32, |only| only.codes[cell]);
                if only.is_some() || request.is_candidate(code) {
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
                Some(place) => self.request.may_rebuy(history.times[place]),
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

/// Cells that a row has: for every code there can be where codes are short, and whole blocks.
fn room(cells: usize) -> usize {
    cells.next_multiple_of(BLOCK).max(SHORT)
}

/// Adds the weights of neighbours to their cells.
#[inline]
fn add(row: &mut [f32], (codes, weights): (Listed<'_>, &[f32]), strength: f32) {
    match codes {
        Listed::Short(codes) => {
            // A row with a cell for every short code: no step needs a check.
            let Some(row) = row.first_chunk_mut::<SHORT>() else { return };
            for (code, weight) in codes.iter().zip(weights) {
                row[usize::from(*code)] += strength * weight;
            }
        }
        Listed::Long(codes) => {
            for (code, weight) in codes.iter().zip(weights) {
                row[*code as usize] += strength * weight;
            }
        }
    }
}

/// Whether any of a block is good enough. Written so that a processor compares several at once.
fn reaches(cells: &[f32; BLOCK], floor: f32) -> bool {
    cells.iter().fold(0, |any, cell| any | u32::from(*cell >= floor)) != 0
}

fn recommendation(code: u32, score: f32) -> Recommendation {
    Recommendation { code, score, source: Source::Model }
}
