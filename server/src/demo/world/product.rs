//! What is sold. A product is a number: its category is the number modulo the categories, the rest
//! is its rank among them by how well it sells.

use super::World;
use super::lines::Lines;
use super::random::{Dice, Topic, Weighted, fact, scattered};
use super::vocabulary::Category;

/// How many ranks the sales take to fall to a half.
const FLAT: u64 = 4;

/// How many products there are and how well each sells.
pub(crate) struct Products {
    /// Number of all products.
    pub(crate) count: u64,
    categories: u64,
    ranks: Weighted<u64>,
}

impl Products {
    /// So many categories of so many products.
    pub(crate) fn new(categories: u64, of_category: u64) -> Self {
        let ranks = Weighted::ranked(0..of_category, FLAT);
        Self { count: categories * of_category, categories, ranks }
    }

    /// A product of a category, the popular ones more often.
    pub(crate) fn draw(&self, category: u64, dice: &mut Dice) -> u64 {
        let rank = self.ranks.draw(dice).copied().unwrap_or_default();
        rank * self.categories + category
    }

    /// The product that is often bought with that one.
    pub(crate) fn companion(&self, product: u64) -> u64 {
        let (rank, category) = (product / self.categories, product % self.categories);
        (rank ^ 1) * self.categories
            + (category + rank % 2 * 2 + self.categories - 1) % self.categories
    }
}

impl World {
    /// The category of a product.
    pub(crate) fn category(&self, product: u64) -> Option<&Category> {
        let categories = &self.vocabulary.categories;
        categories.get(product as usize % categories.len().max(1))
    }

    /// A category that somebody likes, or any.
    pub(crate) fn liked_category(&self, person: u64, dice: &mut Dice) -> u64 {
        let count = self.vocabulary.categories.len() as u64;
        let taste = fact(self.seed, Topic::Taste, person);
        match dice.below(10) {
            0..4 => taste % count,
            4..6 => (taste >> 20) % count,
            // The first categories of the list sell better.
            _ => dice.below(count).min(dice.below(count + 3)),
        }
    }

    /// The list price of a product in cents.
    pub(crate) fn price(&self, product: u64) -> u64 {
        const ENDINGS: [u64; 4] = [90, 99, 50, 0];
        let fact = self.fact(Topic::Product, product);
        let (low, high) = self.category(product).map_or((5, 50), |category| category.euros);
        // Cheap things are more numerous than dear ones.
        let place = (fact % 1000 * (fact >> 20 & 1023) * (fact >> 30 & 1023)) >> 20;
        let euros = low + (high - low) * place / 1000;
        euros * 100 + ENDINGS.get((fact >> 40) as usize % 4).copied().unwrap_or_default()
    }

    /// Its name.
    pub(crate) fn product_name(&self, product: u64) -> String {
        let words = &self.vocabulary;
        let (product, categories) = (product as usize, words.categories.len().max(1));
        let rank = product / categories;
        let Some(category) = self.category(product as u64) else { return String::new() };
        let (nouns, styles) = (category.nouns.len().max(1), words.styles.len().max(1));
        let noun = category.nouns.get(rank % nouns).map_or("", String::as_str);
        let style = words
            .styles
            .get((rank / nouns * 7 + rank * 11 + product % categories * 3) % styles)
            .map_or("", String::as_str);
        match rank / (nouns * styles / 4) {
            0 => format!("{style} {noun}"),
            series => format!("{style} {noun} No. {}", series + 1),
        }
    }

    /// Its brand.
    pub(crate) fn brand(&self, product: u64) -> &str {
        let brands = &self.vocabulary.brands;
        let at = (self.fact(Topic::Product, product) >> 50) as usize % brands.len().max(1);
        brands.get(at).map_or("", String::as_str)
    }
}

/// The key of a product: it says nothing about how well it sells.
pub(crate) fn product_key(world: &World, product: u64) -> u64 {
    10_000 + scattered(product, world.products.count)
}

/// Writes it.
pub(crate) fn product_id(lines: &mut Lines, world: &World, product: u64) {
    lines.numbered("P", product_key(world, product), 5);
}
