//! `mail.campaigns`: a newsletter a week.

use super::Table;
use crate::demo::world::World;
use crate::demo::world::calendar::{DAY, HOUR, START};
use crate::demo::world::lines::Lines;
use crate::demo::world::random::Topic;

/// How many campaigns there are, at every scale.
pub(super) const CAMPAIGNS: u64 = 100;

pub(super) const TABLE: Table =
    Table { name: "mail.campaigns", units: |_| CAMPAIGNS, write, rows_of_thousand: 1000 };

/// When a campaign goes out: at nine in the morning, every seven days and a third.
pub(super) fn begins_at(campaign: u64) -> i64 {
    START + (campaign * 22 / 3) as i64 * DAY + 9 * HOUR
}

/// Writes the key of a campaign.
pub(super) fn campaign_id(lines: &mut Lines, campaign: u64) {
    lines.numbered("news-", campaign + 1, 3);
}

fn write(world: &World, campaign: u64, lines: &mut Lines) {
    let mut dice = world.dice(Topic::Campaign, campaign);
    let words = &world.vocabulary;
    let category = words.categories.get(dice.below(words.categories.len() as u64) as usize);
    let category = category.map_or("", |category| category.name.as_str());
    let subject = words.subjects.get(dice.below(words.subjects.len() as u64) as usize);
    campaign_id(lines, campaign);
    lines.text(&subject.map_or("", String::as_str).replace("{}", category));
    lines.text(category);
    lines.time(begins_at(campaign));
    lines.end();
}
