(* What is used of float64: which integers it holds, and that rounding does not cross the
   largest of them. Sums of integers are exact below it, in any order; and a sum of
   squares that is found to be small is the true one. *)

From Coq Require Import ZArith List Lia Permutation Bool.
Import ListNotations.
Open Scope Z_scope.

(* A number after rounding to integers. None is an infinity, or no number: no comparison
   that is made of it here holds. *)
Definition num := option Z.

(* The hypothesis on the machine: IEEE 754, binary64. *)
Record float64 := {
  rnd : Z -> num;
  rnd_exact : forall x, Z.abs x <= 2 ^ 53 -> rnd x = Some x;
  rnd_large : forall x y, 2 ^ 53 <= x -> rnd x = Some y -> 2 ^ 53 <= y;
}.

Section Sums.
Variable f : float64.

(* A sum of products in some order: blocked, pairwise, by a vector unit, with or without
   fused multiply-add. *)
Inductive sum :=
  | Product (a x : num)
  | Plus (s t : sum)
  | Fused (a x : num) (t : sum).

Definition lift2 (op : Z -> Z -> Z) (x y : num) : num :=
  match x, y with Some a, Some b => rnd f (op a b) | _, _ => None end.

Fixpoint computed (s : sum) : num :=
  match s with
  | Product a x => lift2 Z.mul a x
  | Plus s t => lift2 Z.add (computed s) (computed t)
  | Fused a x t =>
      match a, x with
      | Some a, Some x => lift2 (fun p q => a * x + q) (Some 0) (computed t)
      | _, _ => None
      end
  end.

Fixpoint products (s : sum) : list (num * num) :=
  match s with
  | Product a x => [(a, x)]
  | Plus s t => products s ++ products t
  | Fused a x t => (a, x) :: products t
  end.

Definition given (p : Z * Z) : num * num := (Some (fst p), Some (snd p)).
Definition value (ps : list (Z * Z)) : Z := fold_right (fun p v => fst p * snd p + v) 0 ps.
Definition size (ps : list (Z * Z)) : Z :=
  fold_right (fun p v => Z.abs (fst p * snd p) + v) 0 ps.

Lemma value_app ps qs : value (ps ++ qs) = value ps + value qs.
Proof. induction ps as [|p ps IH]; simpl; lia. Qed.

Lemma size_app ps qs : size (ps ++ qs) = size ps + size qs.
Proof. induction ps as [|p ps IH]; simpl; lia. Qed.

Lemma value_size ps : Z.abs (value ps) <= size ps.
Proof. induction ps as [|p ps IH]; simpl; lia. Qed.

Lemma size_nonneg ps : 0 <= size ps.
Proof. induction ps as [|p ps IH]; simpl; lia. Qed.

Lemma value_perm ps qs : Permutation ps qs -> value ps = value qs.
Proof. induction 1; simpl; lia. Qed.

Lemma size_perm ps qs : Permutation ps qs -> size ps = size qs.
Proof. induction 1; simpl; lia. Qed.

Lemma exact_as_listed s : forall ps,
  products s = map given ps -> size ps <= 2 ^ 53 -> computed s = Some (value ps).
Proof.
  induction s as [a x|s IHs t IHt|a x t IHt]; intros ps E B; simpl in *.
  - destruct ps as [|[b y] [|q ps]]; try discriminate.
    injection E as -> ->; simpl in *; rewrite (rnd_exact f); [f_equal|]; lia.
  - apply eq_sym, map_eq_app in E; destruct E as (ps1 & ps2 & -> & E1 & E2).
    rewrite size_app in B; rewrite value_app.
    pose proof (size_nonneg ps1); pose proof (size_nonneg ps2).
    rewrite (IHs ps1), (IHt ps2); auto; try lia; simpl.
    apply rnd_exact.
    pose proof (value_size ps1); pose proof (value_size ps2); lia.
  - destruct ps as [|[b y] ps]; try discriminate.
    injection E as -> -> E; simpl in *.
    pose proof (size_nonneg ps).
    rewrite (IHt ps); auto; try lia; simpl.
    apply rnd_exact; pose proof (value_size ps); lia.
Qed.

(* Sums of integers are exact in any order while their magnitudes add up to 2**53. *)
Theorem sums_are_exact s ps :
  Permutation (products s) (map given ps) -> size ps <= 2 ^ 53 ->
  computed s = Some (value ps).
Proof.
  intros P B; apply Permutation_map_inv in P.
  destruct P as (qs & E & P).
  rewrite (value_perm _ _ P); apply exact_as_listed; auto.
  rewrite <- (size_perm _ _ P); exact B.
Qed.

(* Of terms that are not negative, as squares are. *)
Definition not_negative (p : num * num) : Prop :=
  forall a x, p = (Some a, Some x) -> 0 <= a * x.

Lemma true_or_large s : forall y,
  Forall not_negative (products s) -> computed s = Some y ->
  exists ps, products s = map given ps /\ 0 <= value ps /\
    (value ps = y \/ 2 ^ 53 <= y).
Proof.
  assert (round : forall v y, 0 <= v -> rnd f v = Some y -> v = y \/ 2 ^ 53 <= y).
  { intros v y H R; destruct (Z_le_gt_dec v (2 ^ 53)).
    - left; rewrite (rnd_exact f) in R; [congruence|lia].
    - right; apply (rnd_large f v); [lia|exact R]. }
  assert (round_large : forall v y, 2 ^ 53 <= v -> rnd f v = Some y -> 2 ^ 53 <= y)
    by exact (rnd_large f).
  induction s as [a x|s IHs t IHt|a x t IHt]; intros y N C; simpl in *.
  - destruct a as [a|], x as [x|]; try discriminate.
    assert (0 <= a * x) by (inversion N; auto).
    exists [(a, x)]; simpl; split; [reflexivity|]; split; [lia|].
    rewrite Z.add_0_r; apply round; auto.
  - apply Forall_app in N; destruct N as [Ns Nt].
    destruct (computed s) as [u|] eqn:Cs; [|discriminate].
    destruct (computed t) as [v|] eqn:Ct; [|discriminate].
    destruct (IHs u Ns eq_refl) as (ps & Es & Ps & Hs).
    destruct (IHt v Nt eq_refl) as (qs & Et & Pt & Ht).
    exists (ps ++ qs); rewrite map_app, value_app, Es, Et.
    split; [reflexivity|]; split; [lia|]; simpl in C.
    destruct Hs as [<-|Hs], Ht as [<-|Ht]; [apply round; auto; lia| | |];
      right; apply (round_large _ y) in C; lia.
  - destruct a as [a|], x as [x|]; try discriminate.
    inversion N as [|? ? Na Nt]; subst.
    assert (0 <= a * x) by auto.
    destruct (computed t) as [v|] eqn:Ct; [|discriminate].
    destruct (IHt v Nt eq_refl) as (qs & Et & Pt & Ht).
    exists ((a, x) :: qs); simpl; rewrite Et.
    split; [reflexivity|]; split; [lia|]; simpl in C.
    destruct Ht as [<-|Ht]; [apply round; auto; lia|].
    right; apply (round_large _ y) in C; lia.
Qed.

(* A computed sum below 2**53 is the true one, whatever the terms were. *)
Theorem small_sums_are_true s y :
  Forall not_negative (products s) -> computed s = Some y -> y < 2 ^ 53 ->
  exists ps, products s = map given ps /\ value ps = y.
Proof.
  intros N C L; destruct (true_or_large s y N C) as (ps & E & _ & [H|H]); [|lia].
  exists ps; auto.
Qed.

End Sums.

(* ------------------------------------------------------------------ *)
(* The hypothesis can be met: rounding to the nearest, ties to even, with 53 bits, and
   overflow at 2**1024, is such a machine. *)

Definition nearest_even (x : Z) : Z :=
  let m := Z.abs x in
  let step := 2 ^ (Z.max 0 (Z.log2 m - 52)) in
  let q := m / step in
  let rest := 2 * (m mod step) in
  let up := (step <? rest) || ((step =? rest) && Z.odd q) in
  Z.sgn x * ((if up then q + 1 else q) * step).

Definition binary64 (x : Z) : num :=
  let r := nearest_even x in if Z.abs r <? 2 ^ 1024 then Some r else None.

Lemma log2_small m : 0 <= m < 2 ^ 53 -> Z.log2 m <= 52.
Proof.
  intros [H0 H]; destruct (Z.eq_dec m 0) as [->|N]; [cbv; discriminate|].
  apply Z.log2_lt_pow2 in H; lia.
Qed.

Lemma nearest_even_exact x : Z.abs x <= 2 ^ 53 -> nearest_even x = x.
Proof.
  intros H; unfold nearest_even.
  destruct (Z.eq_dec (Z.abs x) (2 ^ 53)) as [E|N].
  - rewrite E.
    assert (x = 2 ^ 53 \/ x = - 2 ^ 53) as [->| ->] by lia; vm_compute; reflexivity.
  - pose proof (log2_small (Z.abs x)) as L.
    replace (Z.max 0 (Z.log2 (Z.abs x) - 52)) with 0 by lia.
    change (2 ^ 0) with 1; rewrite Z.div_1_r, Z.mod_1_r; simpl.
    rewrite Z.mul_1_r, Z.mul_comm; apply Z.abs_sgn.
Qed.

Lemma nearest_even_large x : 2 ^ 53 <= x -> 2 ^ 53 <= nearest_even x.
Proof.
  intros H; unfold nearest_even.
  assert (P53 : 0 < 2 ^ 53) by (vm_compute; reflexivity).
  rewrite Z.abs_eq, Z.sgn_pos, Z.mul_1_l by lia.
  assert (L : 53 <= Z.log2 x) by (apply Z.log2_le_pow2; lia).
  pose proof (Z.log2_spec x ltac:(lia)) as [B _].
  replace (Z.max 0 (Z.log2 x - 52)) with (Z.log2 x - 52) by lia.
  set (e := Z.log2 x - 52) in *.
  assert (E : 2 ^ Z.log2 x = 2 ^ 52 * 2 ^ e)
    by (rewrite <- Z.pow_add_r by lia; f_equal; lia).
  assert (S : 0 < 2 ^ e) by (apply Z.pow_pos_nonneg; lia).
  assert (T : 2 <= 2 ^ e) by (change 2 with (2 ^ 1) at 1; apply Z.pow_le_mono_r; lia).
  assert (Q : 2 ^ 52 <= x / 2 ^ e) by (apply Z.div_le_lower_bound; lia).
  change (2 ^ 53) with (2 ^ 52 * 2).
  assert (P52 : 0 < 2 ^ 52) by (vm_compute; reflexivity).
  destruct ((_ <? _) || _); nia.
Qed.

Lemma binary64_exact x : Z.abs x <= 2 ^ 53 -> binary64 x = Some x.
Proof.
  intros H; unfold binary64; rewrite nearest_even_exact by exact H.
  assert (2 ^ 53 < 2 ^ 1024) by (vm_compute; reflexivity).
  destruct (Z.ltb_spec (Z.abs x) (2 ^ 1024)); [reflexivity|lia].
Qed.

Lemma binary64_large x y : 2 ^ 53 <= x -> binary64 x = Some y -> 2 ^ 53 <= y.
Proof.
  intros H; unfold binary64.
  destruct (_ <? _); [|discriminate].
  intros [= <-]; apply nearest_even_large; exact H.
Qed.

Definition ieee : float64 :=
  {| rnd := binary64; rnd_exact := binary64_exact; rnd_large := binary64_large |}.
