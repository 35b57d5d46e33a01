//! A request of many customers.

use crate::blend::share;
use crate::model::Model;
use crate::neighbours::Neighbours;
use crate::request::Request;

/// A request of many customers: where few items may be recommended, only these are scored.
#[derive(Debug)]
pub struct Many {
    pub(crate) request: Request,
    pub(crate) only: Option<Only>,
}

impl Many {
    /// Of a model.
    pub fn new(model: &Model, request: Request) -> Self {
        // The best score of all items is the measure of what is bought again.
        let is_mixed = share(model, &request) > 0.0;
        let candidates = request.candidates.as_ref().filter(|_| !is_mixed);
        let only = candidates.map(|candidates| Only::new(model, candidates));
        Self { request, only }
    }

    /// The same for few customers, where looking at all items would take longer than to score some
    /// in vain.
    pub fn few(request: Request) -> Self {
        Self { request, only: None }
    }

    /// The request.
    pub fn request(&self) -> &Request {
        &self.request
    }
}

/// No cell.
pub(crate) const NONE: u32 = u32::MAX;

/// The items that may be recommended, in cells side by side.
#[derive(Debug)]
pub(crate) struct Only {
    /// By cell.
    pub(crate) codes: Vec<u32>,
    /// By code.
    pub(crate) cells: Vec<u32>,
    /// The cells that belong to each code.
    pub(crate) neighbours: Neighbours,
    pub(crate) popular: Vec<u32>,
}

impl Only {
    fn new(model: &Model, candidates: &[bool]) -> Self {
        let may = |code: &u32| candidates.get(*code as usize) == Some(&true);
        let items = model.histories.items() as u32;
        let codes: Vec<u32> = (0..items).filter(may).collect();
        let mut cells = vec![NONE; items as usize];
        for (cell, code) in (0..).zip(&codes) {
            cells[*code as usize] = cell;
        }
        let among = |code: u32| {
            let all = model.neighbours.of(code);
            all.map(|(other, weight)| (cells[other as usize], weight)).filter(|one| one.0 != NONE)
        };
        let neighbours = Neighbours::from_lists((0..items).map(among));
        let popular = model.popular.iter().copied().filter(may).collect();
        Self { codes, cells, neighbours, popular }
    }
}
