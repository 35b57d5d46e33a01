//! Values of personal data as text: folding, validity, similarity.
