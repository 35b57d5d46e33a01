//! A customer's best items: what belongs to what was bought, under the rules of the one who asks.
//!
//! The score of item `j` is `Σ hᵢ wᵢⱼ` over what the customer bought; `hᵢ` is 1, or less for what was
//! bought long ago. Where things may be bought again, the score is a mixture of two scores that are
//! at most 1: `(1 − rebuy) · Σ hᵢ wᵢⱼ / max + rebuy · √(times bought / most times bought)`.
//!
//! Rules come before the choice: whoever may be recommended `k` items gets `k`. Where the model says
//! nothing more, what is popular follows, with score 0.

use std::borrow::Cow;

use fearless_simd::{Level, dispatch};

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
/// Cells that are compared at once.
const LANES: usize = 16;
/// Blocks for each of the best that are looked at first.
const LEADING: usize = 4;
/// Lists of neighbours that are read ahead.
const AHEAD: usize = 16;
/// Steps for each block from which on nearly every block is reached.
const REACHING: usize = 4;

/// Scores customers one after the other.
pub struct Scorer<'a> {
    model: &'a Model,
    request: &'a Request,
    only: Option<&'a Only>,
    /// What the processor can do.
    level: Level,
    /// Scores by cell: of the code of that number, or of what it stands for in `only`.
    row: Vec<f32>,
    /// Blocks of cells that may have scores.
    touched: Vec<bool>,
    /// The best scores of the first blocks.
    leading: Vec<f32>,
    top: Top,
    all: Vec<Scored>,
    chosen: Vec<Recommendation>,
    groups: Vec<u32>,
    /// Popular codes that may be recommended.
    popular: Cow<'a, [u32]>,
}

impl<'a> Scorer<'a> {
    /// For one request.
    pub fn new(model: &'a Model, request: &'a Request) -> Self {
        let may = |code: &u32| request.is_candidate(*code);
        let popular = match request.candidates {
            None => Cow::Borrowed(model.popular.as_slice()),
            Some(_) => model.popular.iter().copied().filter(may).collect(),
        };
        Self::over(model, (request, None), model.histories.items(), popular)
    }

    /// For one request of many customers.
    pub fn of_many(model: &'a Model, many: &'a Many) -> Self {
        match &many.only {
            None => Self::new(model, &many.request),
            Some(only) => {
                let (cells, popular) = (only.codes.len(), Cow::Borrowed(only.popular.as_slice()));
                Self::over(model, (&many.request, Some(only)), cells, popular)
            }
        }
    }

    fn over(
        model: &'a Model,
        (request, only): (&'a Request, Option<&'a Only>),
        cells: usize,
        popular: Cow<'a, [u32]>,
    ) -> Self {
        Self {
            model,
            request,
            only,
            level: Level::new(),
            row: vec![0.0; room(cells)],
            touched: vec![false; cells.div_ceil(BLOCK)],
            leading: Vec::new(),
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
                let part = bought.map_or(0.0, |place| blend.again(history.strengths[place]));
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
            if place % AHEAD == 0 {
                neighbours.read_ahead(history.codes[place..].iter().take(AHEAD));
            }
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
                self.row[cell] += blend.again(history.strengths[place]);
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
        dispatch!(self.level, _ => self.choose_best());
        let best = self.top.sorted().iter();
        self.chosen.extend(best.map(|(score, _, code)| recommendation(*code, *score)));
    }

    /// Written so that a processor compares several at once, as many as it can.
    #[inline(always)]
    fn choose_best(&mut self) {
        let mut floor = self.least();
        let Self { row, touched, top, model, request, only, .. } = self;
        top.clear();
        for (block, (touched, cells)) in touched.iter_mut().zip(row.as_chunks_mut().0).enumerate() {
            if !std::mem::take(touched) {
                continue;
            }
            // Most blocks have nothing good enough, and that is seen without a branch for each.
            if reaches::<BLOCK>(cells, floor) {
                for (part, cells) in cells.as_chunks().0.iter().enumerate() {
                    if !reaches::<LANES>(cells, floor) {
                        continue;
                    }
                    let good = (block * BLOCK + part * LANES..).zip(cells);
                    for (cell, score) in good.filter(|(_, score)| **score >= floor) {
                        let code = only.map_or(cell as u32, |only| only.codes[cell]);
                        if only.is_some() || request.is_candidate(code) {
                            top.push((*score, model.histories.item(code), code));
                        }
                    }
                }
                floor = if top.floor() > floor { top.floor() } else { floor };
            }
            *cells = [0.0; BLOCK];
        }
    }

    /// What each of the best scores at least: as many of the first blocks, which have the items
    /// bought most, have one that is no less. Without it, much of what comes first would be taken,
    /// and given up again.
    #[inline(always)]
    fn least(&mut self) -> f32 {
        let Self { row, leading, request, .. } = self;
        // Where some items may not be recommended, the best of a block may be one of them.
        let is_any = self.only.is_some() || request.candidates.is_none();
        let blocks = (LEADING * request.k).min(self.touched.len());
        if !is_any || blocks < request.k {
            return f32::MIN_POSITIVE;
        }
        leading.clear();
        for cells in row.chunks_exact(BLOCK).take(blocks) {
            leading.push(greatest(cells));
        }
        let descending = |one: &f32, other: &f32| other.total_cmp(one);
        let (_, least, _) = leading.select_nth_unstable_by(request.k - 1, descending);
        least.max(f32::MIN_POSITIVE)
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
        for code in popular.iter() {
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

/// Whether any of a block is good enough.
#[inline(always)]
fn reaches<const N: usize>(cells: &[f32; N], floor: f32) -> bool {
    cells.iter().fold(0, |any, cell| any | u32::from(*cell >= floor)) != 0
}

/// The greatest of a block, or 0.
#[inline(always)]
fn greatest(cells: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    for cells in cells.chunks_exact(LANES) {
        for (one, other) in lanes.iter_mut().zip(cells) {
            *one = if *other > *one { *other } else { *one };
        }
    }
    lanes.into_iter().fold(0.0, |one, other| if other > one { other } else { one })
}

fn recommendation(code: u32, score: f32) -> Recommendation {
    Recommendation { code, score, source: Source::Model }
}
