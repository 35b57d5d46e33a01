//! EASE: every item as a linear mixture of all others (H. Steck, *Embarrassingly Shallow
//! Autoencoders for Sparse Data*, WWW 2019). With `G` the counts of common customers and `λ` the
//! ridge, `P = (G + λI)⁻¹` and `B = I − P diag(1 / P)`; of `B` the largest weights of each item are
//! kept, so that it scores like any list of neighbours.
//!
//! Only the most bought items are learnt: the inverse takes the cube of their number. The others
//! get neighbours by shrunk cosine.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, s};

use crate::basis::Basis;
use crate::counts::{Counts, Row};
use crate::error::{Error, Result};
use crate::histories::Histories;
use crate::methods::Method;
use crate::model::Settings;
use crate::neighbours::Neighbours;
use crate::top::Top;

/// Rows of a block of the factorisation: three blocks fit into a second-level cache.
const BLOCK: usize = 128;

/// The neighbours of every item, and the counts where there is room for them.
///
/// # Errors
/// A ridge too small for the counts; cancelled.
pub(crate) fn fit(
    histories: &Histories,
    settings: &Settings,
) -> Result<(Neighbours, Option<Counts>)> {
    let head = histories.items().min(settings.head);
    // Neighbours of the tail only; those of the head are replaced.
    let (tail, counts) = Neighbours::fit(histories, Method::ShrunkCosine, settings)?;
    let matrix = match &counts {
        Some(counts) => matrix(counts, head),
        None => counted(histories, head, settings)?,
    };
    learn(histories, (matrix, tail), settings).map(|found| (found, counts))
}

/// The same from counts.
///
/// # Errors
/// As [`fit`].
pub(crate) fn of_counts(
    counts: &Counts,
    histories: &Histories,
    settings: &Settings,
) -> Result<Neighbours> {
    let head = histories.items().min(settings.head);
    let tail = match head < histories.items() {
        true => Neighbours::of_counts(counts, histories, Method::ShrunkCosine, settings)?,
        false => Neighbours::default(),
    };
    learn(histories, (matrix(counts, head), tail), settings)
}

fn learn(
    histories: &Histories,
    (mut matrix, tail): (Array2<f32>, Neighbours),
    settings: &Settings,
) -> Result<Neighbours> {
    let head = matrix.nrows();
    for code in 0..head {
        matrix[[code, code]] += settings.ridge as f32;
    }
    let inverse = inverse(matrix, settings)?;
    let lists = settings.workers().each(histories.items(), |code| {
        if code >= head {
            return tail.of(code as u32).collect();
        }
        let mut top = Top::new(settings.neighbours);
        for other in (0..head).filter(|other| *other != code) {
            let weight = -inverse[[code, other]] / inverse[[other, other]];
            top.push((weight, histories.item(other as u32), other as u32));
        }
        top.sorted().iter().map(|one| (one.2, one.0)).collect::<Vec<_>>()
    })?;
    Ok(Neighbours::from_lists(lists.into_iter()))
}

/// Common customers of the first `head` codes.
fn matrix(counts: &Counts, head: usize) -> Array2<f32> {
    let mut matrix = Array2::<f32>::zeros((head, head));
    for (code, row) in counts.rows.iter().take(head).enumerate() {
        let mut put = |(other, count): (usize, f32)| {
            matrix[[code, other]] = count;
            matrix[[other, code]] = count;
        };
        match row {
            Row::Narrow(cells) => cells.iter().map(|one| f32::from(*one)).enumerate().for_each(put),
            Row::Wide(cells) => cells.iter().map(|one| *one as f32).enumerate().for_each(&mut put),
        }
        matrix[[code, code]] = counts.buyers[code] as f32;
    }
    matrix
}

/// The same, counted.
fn counted(histories: &Histories, head: usize, settings: &Settings) -> Result<Array2<f32>> {
    let basis = Basis::<u32>::new(histories, settings.cut, settings.workers())?;
    let rows = settings.workers().each(head, |code| {
        // A customer's codes that are smaller are of the head, too.
        let mut row = vec![0_u32; code];
        basis.count_into(code as u32, &mut row);
        Row::Wide(row)
    })?;
    Ok(matrix(&Counts { rows, buyers: basis.buyers }, head))
}

/// The inverse of a symmetric positive definite matrix: Cholesky `A = LLᵀ` by blocks, then
/// `L⁻¹` by blocks, then `A⁻¹ = L⁻ᵀL⁻¹`.
fn inverse(mut matrix: Array2<f32>, settings: &Settings) -> Result<Array2<f32>> {
    let n = matrix.nrows();
    let blocks: Vec<(usize, usize)> =
        (0..n).step_by(BLOCK).map(|first| (first, (first + BLOCK).min(n))).collect();
    let mut diagonals = Vec::with_capacity(blocks.len());
    for (first, last) in blocks.iter().copied() {
        settings.workers().check()?;
        let diagonal = factor(matrix.slice(s![first..last, first..last]).to_owned())?;
        let small = lower_inverse(&diagonal);
        if last < n {
            let below = matrix.slice(s![last.., first..last]).dot(&small.t());
            matrix.slice_mut(s![last.., first..last]).assign(&below);
            // Only the blocks at or below the diagonal are read later.
            for (top, bottom) in blocks.iter().copied().filter(|(top, _)| *top >= last) {
                let left = below.slice(s![top - last.., ..]);
                let right = below.slice(s![top - last..bottom - last, ..]);
                let mut target = matrix.slice_mut(s![top.., top..bottom]);
                general_mat_mul(-1.0, &left, &right.t(), 1.0, &mut target);
            }
        }
        diagonals.push(small);
    }
    let lower = invert_lower(&matrix, &blocks, &diagonals, settings)?;
    drop(matrix);
    product(&lower, &blocks, settings)
}

/// `L⁻¹` by columns of blocks.
fn invert_lower(
    factor: &Array2<f32>,
    blocks: &[(usize, usize)],
    diagonals: &[Array2<f32>],
    settings: &Settings,
) -> Result<Array2<f32>> {
    let n = factor.nrows();
    let columns = settings.workers().each(blocks.len(), |column| {
        let (from, to) = blocks[column];
        let mut made = Array2::<f32>::zeros((n - from, to - from));
        made.slice_mut(s![..to - from, ..]).assign(&diagonals[column]);
        for (block, (first, last)) in blocks.iter().copied().enumerate().skip(column + 1) {
            let left = factor.slice(s![first..last, from..first]);
            let sum = left.dot(&made.slice(s![..first - from, ..]));
            let mut target = made.slice_mut(s![first - from..last - from, ..]);
            general_mat_mul(-1.0, &diagonals[block], &sum, 0.0, &mut target);
        }
        made
    })?;
    let mut lower = Array2::<f32>::zeros((n, n));
    for ((from, to), column) in blocks.iter().copied().zip(columns) {
        lower.slice_mut(s![from.., from..to]).assign(&column);
    }
    Ok(lower)
}

/// `LᵀL` for a lower triangular matrix.
fn product(
    lower: &Array2<f32>,
    blocks: &[(usize, usize)],
    settings: &Settings,
) -> Result<Array2<f32>> {
    let n = lower.nrows();
    let rows = settings.workers().each(blocks.len(), |block| {
        let (from, to) = blocks[block];
        lower.slice(s![from.., from..to]).t().dot(&lower.slice(s![from.., ..to]))
    })?;
    let mut whole = Array2::<f32>::zeros((n, n));
    for ((from, to), row) in blocks.iter().copied().zip(rows) {
        whole.slice_mut(s![from..to, ..to]).assign(&row);
        whole.slice_mut(s![..to, from..to]).assign(&row.t());
    }
    Ok(whole)
}

/// Cholesky factor of a small block.
fn factor(mut block: Array2<f32>) -> Result<Array2<f32>> {
    let n = block.nrows();
    for j in 0..n {
        for i in j..n {
            let sum: f64 =
                (0..j).map(|k| f64::from(block[[i, k]]) * f64::from(block[[j, k]])).sum();
            let value = f64::from(block[[i, j]]) - sum;
            if i == j {
                if value.is_nan() || value <= 0.0 {
                    return Err(Error::Singular);
                }
                block[[j, j]] = value.sqrt() as f32;
            } else {
                block[[i, j]] = (value / f64::from(block[[j, j]])) as f32;
            }
        }
        for above in 0..j {
            block[[above, j]] = 0.0;
        }
    }
    Ok(block)
}

/// Inverse of a small lower triangular block.
fn lower_inverse(block: &Array2<f32>) -> Array2<f32> {
    let n = block.nrows();
    let mut inverse = Array2::<f32>::zeros((n, n));
    for column in 0..n {
        inverse[[column, column]] = block[[column, column]].recip();
        for row in column + 1..n {
            let sum: f64 = (column..row)
                .map(|k| f64::from(block[[row, k]]) * f64::from(inverse[[k, column]]))
                .sum();
            inverse[[row, column]] = (-sum / f64::from(block[[row, row]])) as f32;
        }
    }
    inverse
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inverse_is_one() -> Result<()> {
        let n = 300;
        let random = |i: usize, j: usize| ((i * 7919 + j * 104_729) % 1009) as f32 / 1009.0;
        let a = Array2::from_shape_fn((n, n), |(i, j)| random(i, j));
        let matrix = a.dot(&a.t()) + Array2::<f32>::eye(n) * 50.0;
        for threads in [1, 2] {
            let settings = Settings { threads, ..Settings::default() };
            let identity = inverse(matrix.clone(), &settings)?.dot(&matrix);
            let worst =
                (identity - Array2::<f32>::eye(n)).iter().fold(0_f32, |m, x| m.max(x.abs()));
            assert!(worst < 1e-2, "{worst}");
        }
        Ok(())
    }
}
