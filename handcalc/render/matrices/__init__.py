"""Matrix forms: what a general formula is in matrices, derived from its indices; never written by hand.

- reading.py: `matrix_form(graph, quantity, manner)`, and how references become matrices and members of families.
- contraction.py: sums of products; windows.py: shifted indices, ⋆ and ∗; forms.py: the tree, and the tree at a place.
- layout.py: `signed_form` in a notation, `matrix_letters` and `matrix_numbers`.

Σ_j w_kj·out_j is W·out, δ_k·out_j is δ·outᵀ, Σ_k δ_k·w_kj is Wᵀ·δ, equal indices are ⊙. In a notation whose weights are named from
source to target the matrix has a row for each source, and the same sum is Wᵀ·out.
"""

from handcalc.render.matrices.layout import matrix_letters, matrix_numbers, signed_form
from handcalc.render.matrices.reading import Manner, MatrixForm, matrix_form

__all__ = ["MatrixForm", "Manner", "matrix_form", "matrix_letters", "matrix_numbers", "signed_form"]
