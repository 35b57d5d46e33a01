//! `mail.sends`: each letter of each campaign, and what became of it.

use super::Table;
use super::mail_campaigns::{CAMPAIGNS, begins_at, campaign_id};
use super::mail_subscribers::left_at;
use crate::demo::world::World;
use crate::demo::world::calendar::{DAY, END};
use crate::demo::world::lines::Lines;
use crate::demo::world::mailbox::Mailbox;
use crate::demo::world::random::{Dice, Topic};

/// A unit is a campaign and a person: most people do not get most letters.
pub(super) const TABLE: Table = Table {
    name: "mail.sends",
    units: |world| world.people * CAMPAIGNS,
    write,
    rows_of_thousand: 100,
};

/// Of a thousand subscribers, a campaign is meant for so many.
const MEANT_FOR: u64 = 308;
/// Of a thousand letters, so many come back.
const BOUNCED: u64 = 12;
/// Of a thousand that arrive, so many are opened by somebody who reads newsletters.
const OPENED: u64 = 460;
/// By somebody who does not.
const OPENED_RARELY: u64 = 90;
/// Of a thousand that are opened, so many are clicked.
const CLICKED: u64 = 130;

fn write(world: &World, unit: u64, lines: &mut Lines) {
    let (campaign, number) = (unit / world.people, unit % world.people);
    if world.fact(Topic::Send, unit) % 1000 >= MEANT_FOR || !world.known(number).subscribes {
        return;
    }
    let begin = begins_at(campaign);
    if world.joined(number) > begin || left_at(world, number).is_some_and(|left| left < begin) {
        return;
    }
    let Some(person) = world.person(number) else { return };
    let mut dice = world.dice(Topic::Send, unit);
    let sent = begin + (number * 3600 / world.people) as i64;
    campaign_id(lines, campaign);
    lines.text(&world.mailbox(&person, Mailbox::Main));
    lines.time(sent);
    let bounced = dice.permille(BOUNCED);
    let reads = world.fact(Topic::Subscriber, number) % 10 < 4;
    let opened = !bounced && dice.permille(if reads { OPENED } else { OPENED_RARELY });
    let opened = opened.then(|| soon(&mut dice, sent));
    let clicked =
        opened.filter(|_| dice.permille(CLICKED)).map(|opened| opened + 3 + dice.below(120) as i64);
    lines.flag(bounced);
    lines.optional_time(opened);
    lines.optional_time(clicked);
    lines.end();
}

/// Within hours more often than within days.
fn soon(dice: &mut Dice, sent: i64) -> i64 {
    let share = dice.share() >> 16;
    let cube = (share * share * share) >> 32;
    (sent + 20 + ((cube * 4 * DAY as u64) >> 16) as i64).min(END - 600)
}
