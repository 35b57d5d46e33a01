//! Customers who buy like those of a group.
//!
//! Each item says how much likelier it is among the group than among the others, as a logarithm of
//! odds with Jeffreys' prior; a customer's score is the sum over what was bought, divided by its
//! square root so that buying much is not buying alike.

use crate::histories::Histories;
use crate::top::Top;

/// The customers most like the members, who are places, best first. Members are not among them.
pub fn lookalikes(histories: &Histories, members: &[usize], k: usize) -> Vec<(i64, f32)> {
    let mut is_member = vec![false; histories.len()];
    members.iter().for_each(|place| is_member[*place] = true);
    let count = is_member.iter().filter(|one| **one).count();
    let mut of_members = vec![0_u32; histories.items()];
    for place in members {
        let codes = histories.history(*place).codes;
        codes.iter().for_each(|code| of_members[*code as usize] += 1);
    }
    let (inside, outside) = (count as f64 + 1.0, (histories.len() - count) as f64 + 1.0);
    let weight = |(code, own): (usize, &u32)| {
        let others = f64::from(histories.buyers(code as u32).saturating_sub(*own));
        (((f64::from(*own) + 0.5) / inside) / ((others + 0.5) / outside)).ln() as f32
    };
    let weights: Vec<f32> = of_members.iter().enumerate().map(weight).collect();
    let mut top = Top::new(k);
    for place in (0..histories.len()).filter(|place| !is_member[*place]) {
        let codes = histories.history(place).codes;
        let sum: f32 = codes.iter().map(|code| weights[*code as usize]).sum();
        // Places ascend within what is equal, so the order is fixed.
        top.push((sum / (codes.len().max(1) as f32).sqrt(), place as u32, place as u32));
    }
    let best = top.sorted().iter();
    best.map(|(score, _, place)| (histories.customer(*place as usize), *score)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Gatherer, Purchase, Settings};

    #[test]
    fn who_buys_the_same_comes_first() -> crate::Result<()> {
        let mut gatherer = Gatherer::new();
        for (customer, items) in
            [(1, [0, 1, 2]), (2, [0, 1, 3]), (3, [0, 1, 4]), (4, [5, 6, 4]), (5, [5, 7, 8])]
        {
            for item in items {
                gatherer.push(Purchase { customer, item, quantity: 1.0, time: 0 });
            }
        }
        let all = (0..9).collect();
        let histories = Histories::build(vec![(gatherer, all)], 9, &Settings::default())?;
        let members: Vec<usize> = [1, 2].iter().filter_map(|one| histories.place(*one)).collect();
        let found: Vec<i64> = lookalikes(&histories, &members, 5).iter().map(|one| one.0).collect();
        assert_eq!(found, [3]);
        Ok(())
    }
}
