//! What a score is made of.

use crate::blend::{Blend, best, weight};
use crate::histories::History;
use crate::model::Model;
use crate::request::{Request, Source};

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

/// The parts of the score of a code, largest first; they sum to the score.
pub fn reasons(model: &Model, request: &Request, history: History<'_>, code: u32) -> Vec<Reason> {
    let blend = Blend::of(model, request, history, || best(model, history));
    let mut reasons = Vec::new();
    for (place, bought) in history.codes.iter().enumerate() {
        if let Some(of_pair) = model.neighbours.weight(*bought, code) {
            let part = weight(model, history, place) * of_pair * blend.scale;
            reasons.push(Reason { code: *bought, part, source: Source::Model });
        }
        if *bought == code && blend.rebuy > 0.0 {
            let part = blend.again(history.strengths[place]);
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
