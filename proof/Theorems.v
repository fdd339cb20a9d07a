(* What is proved, and on which axioms: `Closed under the global context` is none. *)

From Coq Require Import List QArith ZArith.
From DP Require Import Vectors Floats BoundedSum Words Composition.

Import ListNotations.
Open Scope Z_scope.

Check sensitivity_add_remove. Print Assumptions sensitivity_add_remove.
Check sensitivity_replace_one. Print Assumptions sensitivity_replace_one.
Check sensitivity_replace_one_acute.
Print Assumptions sensitivity_replace_one_acute.
Check summands_are_acute. Print Assumptions summands_are_acute.
Check summand_bound. Print Assumptions summand_bound.
Check passes_is_bounded. Print Assumptions passes_is_bounded.
Check clip_round_bound. Print Assumptions clip_round_bound.
Check verified_l1_bound. Print Assumptions verified_l1_bound.
Check narrow_sums_are_small. Print Assumptions narrow_sums_are_small.
Check ieee. Print Assumptions ieee.
Check block_is_exact. Print Assumptions block_is_exact.
Check block_of_summands_is_exact. Print Assumptions block_of_summands_is_exact.
Check word_is_exact. Print Assumptions word_is_exact.
Check words_are_exact. Print Assumptions words_are_exact.
Check words_do_not_overflow. Print Assumptions words_do_not_overflow.
Check released_is_a_function_of_the_noisy_sum.
Print Assumptions released_is_a_function_of_the_noisy_sum.
Check noise_does_not_overflow. Print Assumptions noise_does_not_overflow.

Open Scope Q_scope.

Check filter_is_private. Print Assumptions filter_is_private.
Check ledger_is_not_overspent. Print Assumptions ledger_is_not_overspent.
Check costliest_part_counts. Print Assumptions costliest_part_counts.
Check costliest_part_counts_replaced. Print Assumptions costliest_part_counts_replaced.
