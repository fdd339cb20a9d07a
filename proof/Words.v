(* Sums are exact: in float64 over a block, in int64 over some blocks, in two words of
   int64 over all; and what noise is added to is the sum itself. *)

From Coq Require Import ZArith List Lia Permutation Bool.
From DP Require Import Constants Vectors Floats BoundedSum.
Import ListNotations.
Open Scope Z_scope.

(* ------------------------------------------------------------------ *)
(* A block: float64.                                                   *)

(* An entry of a summand is no larger than its norm. *)
Lemma entry_bound v x b : 0 <= b -> In x v -> norm2 v <= b * b -> Z.abs x <= b.
Proof.
  intros Hb I H; enough (x * x <= norm2 v) by nia; clear H.
  induction v as [|y v IH]; [destruct I|].
  change (norm2 (y :: v)) with (y * y + norm2 v).
  pose proof (norm2_nonneg v); pose proof (Z.square_nonneg y).
  destruct I as [->|I]; [lia|specialize (IH I); lia].
Qed.

Lemma size_bound ps b :
  0 <= b -> Forall (fun p => Z.abs (fst p * snd p) <= b) ps ->
  size ps <= Z.of_nat (length ps) * b.
Proof.
  intros Hb; induction 1 as [|p ps Hp _ IH]; [simpl; lia|].
  change (size (p :: ps)) with (Z.abs (fst p * snd p) + size ps).
  replace (Z.of_nat (length (p :: ps)))  with (1 + Z.of_nat (length ps))
    by (simpl length; lia).
  lia.
Qed.

Lemma block_is_small : MAX_BLOCK_ROWS * 2 ^ SUMMAND_BITS < 2 ^ 53.
Proof. vm_compute; reflexivity. Qed.

(* (c) Weights times entries of a block of rows, added in any order. *)
Theorem block_is_exact f s ps :
  Z.of_nat (length ps) <= MAX_BLOCK_ROWS ->
  Forall (fun p => Z.abs (fst p * snd p) <= 2 ^ SUMMAND_BITS) ps ->
  Permutation (products s) (map given ps) ->
  computed f s = Some (value ps).
Proof.
  intros L B P; apply sums_are_exact; auto.
  pose proof block_is_small.
  assert (S : 0 <= 2 ^ SUMMAND_BITS) by (vm_compute; discriminate).
  pose proof (size_bound ps _ S B); nia.
Qed.

Lemma nth_add i u v : nth i (add u v) 0 = nth i u 0 + nth i v 0.
Proof.
  revert u v; induction i as [|i IH]; intros [|x u] [|y v]; simpl; auto; lia.
Qed.

Lemma nth_bound i v b : 0 <= b -> norm2 v <= b * b -> Z.abs (nth i v 0) <= b.
Proof.
  intros Hb H; destruct (nth_in_or_default i v 0) as [I| ->]; [|simpl; lia].
  apply (entry_bound v); auto.
Qed.

(* The same from end to end: each entry of the float64 sum over a block, whatever the map
   of an accepted query returned of each row, is that of the sum of integer vectors whose
   sensitivity was bounded. A product is a weight times an entry of a moment. *)
Theorem block_of_summands_is_exact f adds q bits answers i s ps :
  (forall qs, Permutation (products (adds qs)) qs) ->
  0 <= vector_bits q -> parts q = Some bits ->
  Z.of_nat (length answers) <= MAX_BLOCK_ROWS ->
  Forall2 (fun p a => fst p * snd p = nth i (summand f adds q a) 0) ps answers ->
  Permutation (products s) (map given ps) ->
  computed f s = Some (nth i (total (map (summand f adds q) answers)) 0).
Proof.
  intros Adds V P L F Perm.
  assert (B : 0 <= 2 ^ bits <= 2 ^ SUMMAND_BITS).
  { split; [apply Z.pow_nonneg; lia|apply Z.pow_le_mono_r; [lia|]].
    unfold parts in P; destruct (_ && _) eqn:C in P; [|discriminate].
    injection P as <-; rewrite !andb_true_iff, !Z.leb_le in C; tauto. }
  rewrite (block_is_exact f s ps); auto.
  - f_equal; clear L Perm; induction F as [|p a ps answers E _ IH]; simpl.
    + destruct i; reflexivity.
    + rewrite nth_add, E, IH; reflexivity.
  - replace (length ps) with (length answers); [exact L|].
    clear L Perm; induction F; simpl; congruence.
  - clear L Perm; induction F as [|p a ps answers E _ IH]; constructor; auto.
    rewrite E; pose proof (summand_bound f adds Adds q a bits V P) as N.
    pose proof (nth_bound i _ (2 ^ bits) ltac:(lia) N); lia.
Qed.

(* ------------------------------------------------------------------ *)
(* int64, which wraps around.                                          *)

Definition wrap (x : Z) : Z := (x + 2 ^ 63) mod 2 ^ 64 - 2 ^ 63.

Lemma wrap_small x : - 2 ^ 63 <= x < 2 ^ 63 -> wrap x = x.
Proof. intros; unfold wrap; rewrite Z.mod_small; lia. Qed.

Inductive order := One (x : Z) | Both (s t : order).
Fixpoint wrapped (t : order) : Z :=
  match t with One x => x | Both s t => wrap (wrapped s + wrapped t) end.
Fixpoint terms (t : order) : list Z :=
  match t with One x => [x] | Both s t => terms s ++ terms t end.

Definition sum_of (xs : list Z) : Z := fold_right Z.add 0 xs.

Lemma sum_of_app xs ys : sum_of (xs ++ ys) = sum_of xs + sum_of ys.
Proof. induction xs as [|x xs IH]; simpl; lia. Qed.

Lemma sum_of_perm xs ys : Permutation xs ys -> sum_of xs = sum_of ys.
Proof. induction 1; simpl; lia. Qed.

Lemma norm1_app xs ys : norm1 (xs ++ ys) = norm1 xs + norm1 ys.
Proof. induction xs as [|x xs IH]; simpl; lia. Qed.

Lemma norm1_perm xs ys : Permutation xs ys -> norm1 xs = norm1 ys.
Proof. induction 1; simpl; lia. Qed.

Lemma sum_of_norm1 xs : Z.abs (sum_of xs) <= norm1 xs.
Proof. induction xs as [|x xs IH]; simpl; lia. Qed.

Lemma norm1_bound xs b :
  Forall (fun x => Z.abs x <= b) xs -> norm1 xs <= Z.of_nat (length xs) * b.
Proof.
  induction 1 as [|x xs Hx _ IH]; [simpl; lia|].
  change (norm1 (x :: xs)) with (Z.abs x + norm1 xs).
  replace (Z.of_nat (length (x :: xs))) with (1 + Z.of_nat (length xs))
    by (simpl length; lia).
  lia.
Qed.

Lemma wrapped_as_listed t : norm1 (terms t) < 2 ^ 63 -> wrapped t = sum_of (terms t).
Proof.
  induction t as [x|s IHs t IHt]; simpl; intros B; [lia|].
  rewrite norm1_app in B; rewrite sum_of_app.
  pose proof (norm1_nonneg (terms s)); pose proof (norm1_nonneg (terms t)).
  pose proof (sum_of_norm1 (terms s)); pose proof (sum_of_norm1 (terms t)).
  rewrite IHs, IHt by lia; apply wrap_small; lia.
Qed.

(* Blocks that are added in one word, whatever their order, on however many threads. *)
Theorem word_is_exact t totals :
  Permutation (terms t) totals ->
  Z.of_nat (length totals) <= BLOCKS_OF_A_WORD ->
  Forall (fun x => Z.abs x <= MAX_BLOCK_ROWS * 2 ^ SUMMAND_BITS) totals ->
  wrapped t = sum_of totals.
Proof.
  intros P L B; pose proof (norm1_bound _ _ B).
  assert (BLOCKS_OF_A_WORD * (MAX_BLOCK_ROWS * 2 ^ SUMMAND_BITS) < 2 ^ 63)
    by (vm_compute; reflexivity).
  assert (0 <= MAX_BLOCK_ROWS * 2 ^ SUMMAND_BITS) by (vm_compute; discriminate).
  rewrite <- (sum_of_perm _ _ P); apply wrapped_as_listed.
  rewrite (norm1_perm _ _ P); nia.
Qed.

(* ------------------------------------------------------------------ *)
(* Two words, as `widen` makes them.                                   *)

Definition base : Z := 2 ^ WORD_BITS.
Definition high (x : Z) : Z := Z.shiftr x WORD_BITS.
Definition low (x : Z) : Z := Z.land x LOW.

Lemma base_pos : 0 < base. Proof. vm_compute; reflexivity. Qed.

Lemma high_is x : high x = x / base.
Proof. unfold high, base; apply Z.shiftr_div_pow2; vm_compute; discriminate. Qed.

Lemma low_is x : low x = x mod base.
Proof.
  unfold low; replace LOW with (Z.ones WORD_BITS) by (vm_compute; reflexivity).
  apply Z.land_ones; vm_compute; discriminate.
Qed.

Lemma base_is : base = 2 ^ WORD_BITS. Proof. reflexivity. Qed.

(* Not to be computed with, in proofs about all words. *)
Local Opaque base high low.

Lemma words_of x : high x * base + low x = x /\ 0 <= low x < base.
Proof.
  rewrite high_is, low_is; pose proof base_pos.
  pose proof (Z.div_mod x base); pose proof (Z.mod_pos_bound x base); lia.
Qed.

Definition highs (xs : list Z) : Z := sum_of (map high xs).
Definition lows (xs : list Z) : Z := sum_of (map low xs).

(* (c) The words of all sums, recombined, are the sum, and neither word overflows: each
   sum is of one row at least, so that there are at most MAX_ROWS of them. *)
Theorem words_are_exact xs :
  highs xs * base + lows xs = sum_of xs.
Proof.
  unfold highs, lows; induction xs as [|x xs IH]; simpl; [lia|].
  destruct (words_of x); lia.
Qed.

Lemma lows_bound xs : 0 <= lows xs <= Z.of_nat (length xs) * base.
Proof.
  unfold lows; induction xs as [|x xs IH]; [simpl; lia|].
  change (sum_of (map low (x :: xs))) with (low x + sum_of (map low xs)).
  replace (Z.of_nat (length (x :: xs))) with (1 + Z.of_nat (length xs))
    by (simpl length; lia).
  destruct (words_of x); lia.
Qed.

Lemma highs_bound xs :
  base * norm1 (map high xs) <= norm1 xs + Z.of_nat (length xs) * base.
Proof.
  induction xs as [|x xs IH]; [simpl; lia|].
  change (norm1 (map high (x :: xs))) with (Z.abs (high x) + norm1 (map high xs)).
  change (norm1 (x :: xs)) with (Z.abs x + norm1 xs).
  replace (Z.of_nat (length (x :: xs))) with (1 + Z.of_nat (length xs))
    by (simpl length; lia).
  pose proof base_pos; destruct (words_of x) as [E ?].
  enough (base * Z.abs (high x) <= Z.abs x + base) by lia.
  destruct (Z_le_gt_dec 0 (high x)); nia.
Qed.

Definition in_word (n x : Z) : Prop := Z.abs x < 2 ^ n.

Theorem words_do_not_overflow xs :
  Z.of_nat (length xs) <= MAX_ROWS -> norm1 xs <= MAX_ROWS * 2 ^ SUMMAND_BITS ->
  norm1 (map high xs) < 2 ^ 37 /\ norm1 (map low xs) <= 2 ^ 62.
Proof.
  intros L B; pose proof base_pos; split.
  - pose proof (highs_bound xs) as H1.
    assert (MAX_ROWS * 2 ^ SUMMAND_BITS + MAX_ROWS * base < base * 2 ^ 37)
      by (vm_compute; reflexivity).
    nia.
  - assert (E : norm1 (map low xs) = lows xs).
    { unfold lows; clear L B; induction xs as [|x xs IH]; simpl; [reflexivity|].
      destruct (words_of x); lia. }
    pose proof (lows_bound xs) as H1; rewrite E.
    assert (MAX_ROWS * base <= 2 ^ 62) by (vm_compute; discriminate).
    nia.
Qed.

(* ------------------------------------------------------------------ *)
(* `add_lattice_gaussian`, after the draw: g is the rounded normal.    *)

Definition half (shift : Z) : Z := if shift =? 0 then 0 else 2 ^ (shift - 1).
Definition clear_bits (x n : Z) : Z :=
  if n <=? 0 then x else Z.shiftl (Z.shiftr x n) n.

Definition noisy_high (h g shift : Z) : Z := h + g / base + high (half shift).
Definition noisy_low (l g shift : Z) : Z := l + g mod base + low (half shift).
Definition carried_high h l g shift : Z :=
  noisy_high h g shift + high (noisy_low l g shift).
Definition released (h l g shift : Z) : Z :=
  clear_bits (carried_high h l g shift) (shift - WORD_BITS) * base
  + clear_bits (low (noisy_low l g shift)) (Z.min shift WORD_BITS).

Lemma clear_is x n : 0 <= n -> clear_bits x n = x / 2 ^ n * 2 ^ n.
Proof.
  intros H; unfold clear_bits; destruct (Z.leb_spec n 0).
  - replace n with 0 by lia; rewrite Z.pow_0_r, Z.div_1_r; lia.
  - rewrite Z.shiftr_div_pow2, Z.shiftl_mul_pow2; lia.
Qed.

(* What is released is the noisy sum, rounded to a multiple of the step: nothing of how
   the sum was split into words is left in it. *)
Theorem released_is_a_function_of_the_noisy_sum h l g shift :
  0 <= shift ->
  released h l g shift =
    (h * base + l + g + half shift) / 2 ^ shift * 2 ^ shift.
Proof.
  intros S; unfold released, carried_high.
  destruct (words_of (half shift)) as [Eh _].
  destruct (words_of (noisy_low l g shift)) as [El Bl].
  pose proof base_pos as B; pose proof (Z.div_mod g base ltac:(lia)) as Eg.
  set (lw := low (noisy_low l g shift)) in *.
  set (c := high (noisy_low l g shift)) in *.
  set (hw := noisy_high h g shift + c).
  set (t := h * base + l + g + half shift).
  assert (T : t = hw * base + lw) by (unfold t, hw, noisy_high, noisy_low in *; lia).
  rewrite T; clearbody hw lw; clear T El Eh Eg t c.
  destruct (Z_le_gt_dec shift WORD_BITS) as [Le|Gt].
  - rewrite Z.min_l by lia; rewrite (clear_is lw) by lia.
    replace (clear_bits hw (shift - WORD_BITS)) with hw
      by (unfold clear_bits; destruct (Z.leb_spec (shift - WORD_BITS) 0); lia).
    assert (P : 0 < 2 ^ shift) by (apply Z.pow_pos_nonneg; lia).
    assert (E : base = 2 ^ (WORD_BITS - shift) * 2 ^ shift)
      by (rewrite base_is, <- Z.pow_add_r by lia; f_equal; lia).
    rewrite E at 2; rewrite Z.mul_assoc, (Z.add_comm _ lw), Z.div_add by lia.
    rewrite E; ring.
  - rewrite Z.min_r by lia; rewrite clear_is by lia; rewrite (clear_is lw)
      by (vm_compute; discriminate).
    rewrite <- base_is, (Z.div_small lw base Bl).
    assert (P : 0 < 2 ^ (shift - WORD_BITS)) by (apply Z.pow_pos_nonneg; lia).
    assert (E : 2 ^ shift = base * 2 ^ (shift - WORD_BITS))
      by (rewrite base_is, <- Z.pow_add_r by (unfold WORD_BITS in *; lia);
          f_equal; lia).
    rewrite E, <- Z.div_div by lia.
    rewrite (Z.add_comm _ lw), Z.div_add, (Z.div_small lw base Bl) by lia.
    simpl; ring.
Qed.

(* ... and no word of int64 overflows on the way, for noise of less than 16 standard
   deviations and every shift that MAX_SIGMA allows. *)
Theorem noise_does_not_overflow h l g shift :
  Z.abs h < 2 ^ 37 -> 0 <= l <= 2 ^ 62 -> Z.abs g <= 16 * MAX_SIGMA ->
  0 <= shift <= Z.log2 MAX_SIGMA - RESOLUTION_BITS ->
  in_word 63 (noisy_high h g shift) /\ in_word 63 (noisy_low l g shift) /\
  in_word 63 (carried_high h l g shift).
Proof.
  intros Hh Hl Hg Hs; unfold in_word, carried_high.
  pose proof base_pos as B; pose proof (Z.mod_pos_bound g base B) as Bg.
  pose proof (Z.div_mod g base ltac:(lia)) as Eg.
  destruct (words_of (half shift)) as [Eh Bh].
  destruct (words_of (noisy_low l g shift)) as [El Bl].
  assert (H76 : 0 <= half shift <= 2 ^ 76).
  { unfold half; destruct (Z.eqb_spec shift 0); [lia|].
    split; [apply Z.pow_nonneg; lia|].
    apply Z.pow_le_mono_r; [lia|].
    assert (Z.log2 MAX_SIGMA - RESOLUTION_BITS <= 76) by (vm_compute; discriminate); lia. }
  assert (G : 16 * MAX_SIGMA <= base * 2 ^ 61) by (vm_compute; discriminate).
  assert (G' : Z.abs (g / base) <= 2 ^ 61) by nia.
  assert (M : 2 ^ 76 < base * 2 ^ 46) by (vm_compute; reflexivity).
  assert (M' : 0 <= high (half shift) <= 2 ^ 46) by nia.
  assert (N : base = 2 ^ 31) by (rewrite base_is; reflexivity).
  unfold noisy_high, noisy_low in *.
  repeat split; lia.
Qed.
