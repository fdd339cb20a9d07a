(* The one bounded sum of skdpgmm/privacy/bounded_sum.py: whatever an untrusted map
   returns, neighbouring data sets have sums that differ by no more than is stated. *)

From Coq Require Import ZArith List Lia Permutation Bool.
From DP Require Import Constants Vectors Floats.
Import ListNotations.
Open Scope Z_scope.

(* ------------------------------------------------------------------ *)
(* Moments of a vector, and their degrees as the package states them.  *)

Inductive moment := Count | Sum | Energy | Diag | Full | Tied.

Definition degree (m : moment) : Z :=
  match m with
  | Count => degree_count | Sum => degree_sum | Energy => degree_energy
  | Diag => degree_diag | Full => degree_full | Tied => degree_tied
  end.

Definition outer (v w : vec) : vec := flat_map (fun x => scale x w) v.

Definition moment_of (m : moment) (v : vec) : vec :=
  match m with
  | Count => [1]
  | Sum => v
  | Energy => [norm2 v]
  | Diag => map (fun x => x * x) v
  | Full | Tied => outer v v
  end.

Lemma norm2_outer v w : norm2 (outer v w) = norm2 v * norm2 w.
Proof.
  induction v as [|x v IH]; [reflexivity|].
  change (outer (x :: v) w) with (scale x w ++ outer v w).
  rewrite norm2_app, norm2_scale, IH.
  change (norm2 (x :: v)) with (x * x + norm2 v); ring.
Qed.

Lemma norm2_diag v : norm2 (map (fun x => x * x) v) <= norm2 v * norm2 v.
Proof.
  induction v as [|x v IH]; [unfold norm2; simpl; lia|].
  change (map (fun y => y * y) (x :: v)) with (x * x :: map (fun y => y * y) v).
  change (norm2 (x * x :: map (fun y => y * y) v))
    with (x * x * (x * x) + norm2 (map (fun y => y * y) v)).
  change (norm2 (x :: v)) with (x * x + norm2 v).
  pose proof (norm2_nonneg v); pose proof (Z.square_nonneg x); nia.
Qed.

(* |m(v)| <= |v|^s, for m of degree s. *)
Theorem moment_bound m v b :
  0 <= b -> norm2 v <= b * b ->
  norm2 (moment_of m v) <= b ^ degree m * b ^ degree m.
Proof.
  intros Hb Hv; pose proof (norm2_nonneg v).
  destruct m; simpl moment_of; unfold degree.
  - unfold degree_count; change (norm2 [1]) with 1; lia.
  - unfold degree_sum; lia.
  - unfold degree_energy; replace (norm2 [norm2 v]) with (norm2 v * norm2 v)
      by (unfold norm2 at 3; simpl; ring).
    replace (b ^ 2) with (b * b) by ring; nia.
  - unfold degree_diag; pose proof (norm2_diag v).
    replace (b ^ 2) with (b * b) by ring; nia.
  - unfold degree_full; rewrite norm2_outer; replace (b ^ 2) with (b * b) by ring; nia.
  - unfold degree_tied; rewrite norm2_outer; replace (b ^ 2) with (b * b) by ring; nia.
Qed.

(* Moments of even degree of two vectors have no negative product. *)
Lemma length_outer v w : length (outer v w) = (length v * length w)%nat.
Proof.
  induction v as [|x v IH]; [reflexivity|].
  change (outer (x :: v) w) with (scale x w ++ outer v w).
  rewrite app_length, IH; unfold scale; rewrite map_length; simpl; lia.
Qed.

Lemma length_moment m v w :
  length v = length w -> length (moment_of m v) = length (moment_of m w).
Proof.
  intros L; destruct m; simpl; rewrite ?map_length, ?length_outer, ?L; reflexivity.
Qed.

Lemma dot_outer v v' w w' :
  length w = length w' -> dot (outer v w) (outer v' w') = dot v v' * dot w w'.
Proof.
  intros L; revert v'; induction v as [|x v IH]; intros [|y v']; try reflexivity.
  - change (outer (x :: v) w) with (scale x w ++ outer v w).
    rewrite dot_nil_r; reflexivity.
  - change (outer (x :: v) w) with (scale x w ++ outer v w).
    change (outer (y :: v') w') with (scale y w' ++ outer v' w').
    rewrite dot_app by (unfold scale; rewrite !map_length; exact L).
    rewrite IH, dot_scale, dot_comm, dot_scale, (dot_comm w').
    change (dot (x :: v) (y :: v')) with (x * y + dot v v'); ring.
Qed.

Lemma dot_squares v w :
  0 <= dot (map (fun x => x * x) v) (map (fun x => x * x) w).
Proof.
  revert w; induction v as [|x v IH]; intros [|y w]; simpl; try lia.
  specialize (IH w); pose proof (Z.square_nonneg x); pose proof (Z.square_nonneg y); nia.
Qed.

Theorem moments_are_acute m v w :
  Z.even (degree m) = true -> length v = length w ->
  0 <= dot (moment_of m v) (moment_of m w).
Proof.
  intros E L; destruct m; try discriminate E; simpl moment_of.
  - simpl; lia.
  - pose proof (norm2_nonneg v); pose proof (norm2_nonneg w); simpl; nia.
  - apply dot_squares.
  - rewrite dot_outer by exact L; apply Z.square_nonneg.
  - rewrite dot_outer by exact L; apply Z.square_nonneg.
Qed.

(* ------------------------------------------------------------------ *)
(* The lemma: weights e_j times moments of v_j, by cell and pooled.    *)

Definition norm1 (e : vec) : Z := fold_right (fun a n => Z.abs a + n) 0 e.

Lemma norm1_nonneg e : 0 <= norm1 e.
Proof. induction e as [|a e IH]; simpl; lia. Qed.

Lemma norm2_norm1 e : norm2 e <= norm1 e * norm1 e.
Proof.
  induction e as [|a e IH]; [unfold norm2; simpl; lia|].
  change (norm2 (a :: e)) with (a * a + norm2 e); simpl norm1.
  pose proof (norm1_nonneg e); nia.
Qed.

Definition weighted (m : moment) (evs : list (Z * vec)) : list vec :=
  map (fun ev => scale (fst ev) (moment_of m (snd ev))) evs.

Definition by_cell m evs : vec := concat (weighted m evs).
Definition pooled m evs : vec := total (weighted m evs).

Lemma by_cell_bound m evs b :
  0 <= b -> Forall (fun ev => norm2 (snd ev) <= b * b) evs ->
  norm2 (by_cell m evs) <= norm2 (map fst evs) * (b ^ degree m * b ^ degree m).
Proof.
  intros Hb; induction 1 as [|[a v] evs Hv _ IH]; [unfold norm2; simpl; lia|].
  change (by_cell m ((a, v) :: evs))
    with (scale a (moment_of m v) ++ by_cell m evs).
  change (norm2 (map fst ((a, v) :: evs))) with (a * a + norm2 (map fst evs)).
  rewrite norm2_app, norm2_scale; simpl in Hv.
  pose proof (moment_bound m v b Hb Hv); pose proof (Z.square_nonneg a); nia.
Qed.

Lemma pooled_bound m evs b :
  0 <= b -> Forall (fun ev => norm2 (snd ev) <= b * b) evs ->
  norm2 (pooled m evs) <=
    (norm1 (map fst evs) * b ^ degree m) * (norm1 (map fst evs) * b ^ degree m).
Proof.
  intros Hb; assert (P : 0 <= b ^ degree m) by (apply Z.pow_nonneg; lia).
  induction 1 as [|[a v] evs Hv _ IH]; [unfold norm2; simpl; lia|].
  change (pooled m ((a, v) :: evs)) with (add (scale a (moment_of m v)) (pooled m evs)).
  simpl map; simpl norm1; simpl in Hv.
  pose proof (norm1_nonneg (map fst evs)).
  replace ((Z.abs a + norm1 (map fst evs)) * b ^ degree m)
    with (Z.abs a * b ^ degree m + norm1 (map fst evs) * b ^ degree m) by ring.
  apply triangle; try nia.
  rewrite norm2_scale; pose proof (moment_bound m v b Hb Hv).
  assert (a * a = Z.abs a * Z.abs a) by lia; nia.
Qed.

Lemma norm1_sized p e : norm1 (sized p e) <= norm1 e.
Proof.
  revert e; induction p as [|p IH]; intros e; [apply norm1_nonneg|].
  destruct e as [|x e]; [specialize (IH []) | specialize (IH e)]; simpl in *; lia.
Qed.

(* Weights that are not negative, and vectors of one length. *)
Definition plain (p : nat) (ev : Z * vec) : Prop := 0 <= fst ev /\ length (snd ev) = p.

Lemma weighted_are_acute m p ev fw :
  Z.even (degree m) = true -> plain p ev -> plain p fw ->
  0 <= dot (scale (fst ev) (moment_of m (snd ev))) (scale (fst fw) (moment_of m (snd fw))).
Proof.
  intros E [Ha Hv] [Hb Hw]; rewrite dot_scale, dot_comm, dot_scale, dot_comm.
  pose proof (moments_are_acute m (snd ev) (snd fw) E ltac:(congruence)) as H.
  apply Z.mul_nonneg_nonneg; [exact Ha|]; apply Z.mul_nonneg_nonneg; assumption.
Qed.

Lemma by_cell_is_acute m p evs fws :
  Z.even (degree m) = true -> Forall (plain p) evs -> Forall (plain p) fws ->
  0 <= dot (by_cell m evs) (by_cell m fws).
Proof.
  intros E He; revert fws; induction He as [|ev evs Hev He IH]; intros fws Hf;
    [simpl; lia|].
  destruct Hf as [|fw fws Hfw Hf]; [rewrite dot_nil_r; lia|].
  change (by_cell m (ev :: evs))
    with (scale (fst ev) (moment_of m (snd ev)) ++ by_cell m evs).
  change (by_cell m (fw :: fws))
    with (scale (fst fw) (moment_of m (snd fw)) ++ by_cell m fws).
  rewrite dot_app.
  - pose proof (weighted_are_acute m p ev fw E Hev Hfw); specialize (IH fws Hf); lia.
  - unfold scale; rewrite !map_length; apply length_moment.
    destruct Hev as [_ ->], Hfw as [_ ->]; reflexivity.
Qed.

Lemma pooled_is_acute m p evs fws :
  Z.even (degree m) = true -> Forall (plain p) evs -> Forall (plain p) fws ->
  0 <= dot (pooled m evs) (pooled m fws).
Proof.
  intros E He Hf; apply dot_total_nonneg; unfold weighted.
  apply Forall_map, Forall_forall; intros ev Iev.
  apply Forall_map, Forall_forall; intros fw Ifw.
  rewrite Forall_forall in He, Hf; apply (weighted_are_acute m p); auto.
Qed.

(* ------------------------------------------------------------------ *)
(* Clip and verify: the check is what counts, not what it is given.    *)

Section Verified.
Variable f : float64.
(* The order in which a library adds up the squares of a row, or weights: any. *)
Variable adds : list (num * num) -> sum.
Hypothesis adds_each_once : forall ps, Permutation (products (adds ps)) ps.

Definition squares (row : list num) : list (num * num) := map (fun x => (x, x)) row.
Definition at_most (x : num) (b : Z) : bool :=
  match x with Some y => y <=? b | None => false end.
Definition integer (x : num) : Z := match x with Some y => y | None => 0 end.
Definition integers (row : list num) : vec := map integer row.

Definition passes (bits : Z) (row : list num) : bool :=
  at_most (computed f (adds (squares row))) (4 ^ bits).

(* `clip_round`, where `rescaled` stands for all the arithmetic of clipping. *)
Definition clip_round (rescaled : list num -> list num) (bits : Z) (row : list num) :=
  if passes bits row then integers row
  else let again := rescaled row in
       if passes bits again then integers again else [].

Lemma power_of_4 n : 0 <= n -> 4 ^ n = 2 ^ n * 2 ^ n.
Proof. intros; change 4 with (2 * 2); apply Z.pow_mul_l. Qed.

Lemma power_below n : n < 53 -> 2 ^ n < 2 ^ 53.
Proof. intros; apply Z.pow_lt_mono_r; lia. Qed.

Lemma forall_squares row : Forall not_negative (squares row).
Proof.
  apply Forall_forall; intros p H a x ->; apply in_map_iff in H.
  destruct H as (y & E & _); injection E as Ea Ex; subst y.
  injection Ex as <-; apply Z.square_nonneg.
Qed.

Lemma squares_given row : forall ps,
  squares row = map given ps -> value ps = norm2 (integers row).
Proof.
  induction row as [|x row IH]; intros [|[a b] ps] E; try discriminate; [reflexivity|].
  injection E as E1 E2 E; subst x; injection E2 as <-; unfold norm2; simpl.
  rewrite (IH ps E); reflexivity.
Qed.

(* (b) A row that passes has the norm that it was checked for. *)
Theorem passes_is_bounded bits row :
  0 <= bits <= NORM_BITS -> passes bits row = true ->
  norm2 (integers row) <= 2 ^ bits * 2 ^ bits.
Proof.
  intros B P; unfold passes, at_most in P.
  destruct (computed f (adds (squares row))) as [y|] eqn:C; [|discriminate].
  apply Z.leb_le in P; rewrite power_of_4 in P by lia.
  assert (2 ^ bits * 2 ^ bits < 2 ^ 53).
  { rewrite <- Z.pow_add_r by lia; apply power_below; unfold NORM_BITS in B; lia. }
  pose proof (adds_each_once (squares row)) as Q.
  destruct (small_sums_are_true f (adds (squares row)) y) as (ps & E & V); auto; [|lia|].
  { apply (Permutation_Forall (Permutation_sym Q)), forall_squares. }
  rewrite E in Q; apply Permutation_sym, Permutation_map_inv in Q.
  destruct Q as (qs & Eq & Q).
  rewrite <- (squares_given row qs Eq), <- (value_perm _ _ Q); lia.
Qed.

Theorem clip_round_bound rescaled bits row :
  0 <= bits <= NORM_BITS ->
  norm2 (clip_round rescaled bits row) <= 2 ^ bits * 2 ^ bits.
Proof.
  intros B; unfold clip_round.
  destruct (passes bits row) eqn:P; [apply passes_is_bounded; auto|].
  destruct (passes bits (rescaled row)) eqn:P2; [apply passes_is_bounded; auto|].
  unfold norm2; simpl; apply Z.square_nonneg.
Qed.

(* Grid points are verified up to their norm too. *)
Lemma grid_points_are_verified : 0 <= GRID_BITS <= NORM_BITS.
Proof. vm_compute; split; discriminate. Qed.

(* Products in float32, which holds integers up to 2^24: no partial sum is larger where the
   weights and the entries of the vectors obey the bound that is verified. *)
Lemma float32_holds_them : EXACT_BITS <= 24.
Proof. vm_compute; discriminate. Qed.

Lemma size_is_dot ps :
  size ps = dot (map Z.abs (map fst ps)) (map Z.abs (map snd ps)).
Proof.
  induction ps as [|p ps IH]; [reflexivity|].
  simpl; rewrite IH, Z.abs_mul; reflexivity.
Qed.

Lemma norm2_abs v : norm2 (map Z.abs v) = norm2 v.
Proof.
  unfold norm2; induction v as [|x v IH]; [reflexivity|].
  simpl; rewrite IH; f_equal; nia.
Qed.

Theorem narrow_sums_are_small ps :
  norm2 (map fst ps) * norm2 (map snd ps) <= 2 ^ EXACT_BITS * 2 ^ EXACT_BITS ->
  size ps <= 2 ^ EXACT_BITS.
Proof.
  intros B; rewrite size_is_dot.
  pose proof (cauchy_schwarz (map Z.abs (map fst ps)) (map Z.abs (map snd ps))) as C.
  rewrite !norm2_abs in C.
  assert (0 <= 2 ^ EXACT_BITS) by (apply Z.pow_nonneg; lia).
  nia.
Qed.

(* Weights of kind "l1": integers that are not negative, and their sum. *)
Definition not_below_0 (x : num) : bool :=
  match x with Some y => 0 <=? y | None => false end.
Definition ones (e : list num) : list (num * num) := map (fun x => (Some 1, x)) e.

Definition verified_l1 (bits : Z) (e : list num) : vec :=
  if forallb not_below_0 e && at_most (computed f (adds (ones e))) (2 ^ bits)
  then integers e else [].

Lemma ones_given e : forall ps,
  ones e = map given ps -> forallb not_below_0 e = true ->
  value ps = norm1 (integers e).
Proof.
  induction e as [|x e IH]; intros [|[a b] ps] E N; try discriminate; [reflexivity|].
  injection E as E1 E2 E; subst a x; simpl in *.
  apply andb_prop in N; destruct N as [N0 N]; apply Z.leb_le in N0.
  rewrite (IH ps E N); destruct b; lia.
Qed.

Theorem verified_l1_bound bits e :
  0 <= bits <= NORM_BITS -> norm1 (verified_l1 bits e) <= 2 ^ bits.
Proof.
  intros B; unfold verified_l1.
  destruct (forallb not_below_0 e) eqn:N; [|simpl; apply Z.pow_nonneg; lia].
  destruct (at_most _ _) eqn:P; simpl; [|apply Z.pow_nonneg; lia].
  unfold at_most in P.
  destruct (computed f (adds (ones e))) as [y|] eqn:C; [|discriminate].
  apply Z.leb_le in P.
  assert (2 ^ bits < 2 ^ 53) by (apply power_below; unfold NORM_BITS in B; lia).
  pose proof (adds_each_once (ones e)) as Q.
  destruct (small_sums_are_true f (adds (ones e)) y) as (ps & E & V); auto; [|lia|].
  { apply (Permutation_Forall (Permutation_sym Q)), Forall_forall.
    intros p J a x ->; apply in_map_iff in J; destruct J as (z & E & I).
    injection E as <- ->.
    rewrite forallb_forall in N; apply N, Z.leb_le in I; lia. }
  rewrite E in Q; apply Permutation_sym, Permutation_map_inv in Q.
  destruct Q as (qs & Eq & Q).
  rewrite <- (ones_given e qs Eq N), <- (value_perm _ _ Q); lia.
Qed.

(* Weights of kind "cell": one cell that there is, or none. *)
Fixpoint one_hot (k c : nat) : vec :=
  match k, c with
  | O, _ => []
  | S _, O => [1]
  | S k', S c' => 0 :: one_hot k' c'
  end.

Definition verified_cell (k : nat) (c : num) : vec :=
  match c with
  | Some j => if (0 <=? j) && (j <? Z.of_nat k) then one_hot k (Z.to_nat j) else []
  | None => []
  end.

Lemma norm1_one_hot k c : norm1 (one_hot k c) <= 1.
Proof.
  revert c; induction k as [|k IH]; intros [|c]; simpl; try lia.
  specialize (IH c); lia.
Qed.

(* ------------------------------------------------------------------ *)
(* A query, what it may ask, and what a record adds to its sum.        *)

Inductive kind := Cell | L1 | L2.

Record query := {
  weights : kind;
  weight_bits : Z;
  vector_bits : Z;  (* those of the grid where the vector is the grid point itself *)
  n_cells : nat;
  n_features : nat;
  asks : moment;
}.

Definition is_pooled (m : moment) : bool := match m with Tied => true | _ => false end.
Definition is_l2 (k : kind) : bool := match k with L2 => true | _ => false end.

Definition bits_of (q : query) : Z := weight_bits q + degree (asks q) * vector_bits q.

(* `parts`: the bits of the sensitivity, where the query is not refused. *)
Definition parts (q : query) : option Z :=
  if (Z.max (weight_bits q) (vector_bits q) <=? NORM_BITS)
     && (0 <=? weight_bits q) && (weight_bits q <=? bits_of q)
     && (bits_of q <=? SUMMAND_BITS)
     && negb (is_pooled (asks q) && is_l2 (weights q))
  then Some (bits_of q) else None.

(* `Part.acute` *)
Definition acute (q : query) : bool :=
  negb (is_l2 (weights q)) && Z.even (degree (asks q)).

(* What a map returns of a record: anything. *)
Record answer := {
  a_cell : num;
  a_weights : list num;
  a_vector : nat -> list num;  (* of each cell; the same for all, or not *)
  a_rescaled : list num -> list num;
}.

Definition verified_weights (q : query) (a : answer) : vec :=
  sized (n_cells q)
    match weights q with
    | Cell => verified_cell (n_cells q) (a_cell a)
    | L1 => verified_l1 (weight_bits q) (a_weights a)
    | L2 => clip_round (a_rescaled a) (weight_bits q) (a_weights a)
    end.

Definition verified_vector (q : query) (a : answer) (j : nat) : vec :=
  sized (n_features q) (clip_round (a_rescaled a) (vector_bits q) (a_vector a j)).

Definition with_vectors (q : query) (a : answer) (e : vec) : list (Z * vec) :=
  combine e (map (verified_vector q a) (seq 0 (length e))).

Definition summand (q : query) (a : answer) : vec :=
  let evs := with_vectors q a (verified_weights q a) in
  if is_pooled (asks q) then pooled (asks q) evs else by_cell (asks q) evs.

Lemma map_fst_combine (e : vec) (vs : list vec) :
  length e = length vs -> map fst (combine e vs) = e.
Proof.
  revert vs; induction e as [|a e IH]; intros [|v vs] H; try discriminate; [reflexivity|].
  simpl; f_equal; apply IH; simpl in H; lia.
Qed.

Lemma weights_bound q a :
  0 <= weight_bits q <= NORM_BITS ->
  norm2 (verified_weights q a) <= 2 ^ weight_bits q * 2 ^ weight_bits q /\
  (is_l2 (weights q) = false -> norm1 (verified_weights q a) <= 2 ^ weight_bits q).
Proof.
  intros B; assert (one : 1 <= 2 ^ weight_bits q)
    by (change 1 with (2 ^ 0); apply Z.pow_le_mono_r; lia).
  assert (from_norm1 : forall e, norm1 e <= 2 ^ weight_bits q ->
          norm2 e <= 2 ^ weight_bits q * 2 ^ weight_bits q).
  { intros e H; pose proof (norm2_norm1 e); pose proof (norm1_nonneg e); nia. }
  unfold verified_weights; destruct (weights q).
  - assert (H : norm1 (verified_cell (n_cells q) (a_cell a)) <= 2 ^ weight_bits q).
    { unfold verified_cell; destruct (a_cell a) as [j|]; [|simpl; lia].
      destruct (_ && _); [|simpl; lia].
      pose proof (norm1_one_hot (n_cells q) (Z.to_nat j)); lia. }
    pose proof (norm1_sized (n_cells q) (verified_cell (n_cells q) (a_cell a))).
    split; [apply from_norm1|intros _]; lia.
  - pose proof (verified_l1_bound (weight_bits q) (a_weights a) B) as H.
    pose proof (norm1_sized (n_cells q) (verified_l1 (weight_bits q) (a_weights a))).
    split; [apply from_norm1|intros _]; lia.
  - split; [|discriminate].
    pose proof (clip_round_bound (a_rescaled a) (weight_bits q) (a_weights a) B) as H.
    eapply Z.le_trans; [apply norm2_sized|exact H].
Qed.

(* Weights of the kinds "cell" and "l1" are not negative. *)
Lemma weights_nonneg q a :
  is_l2 (weights q) = false -> Forall (fun e => 0 <= e) (verified_weights q a).
Proof.
  intros K.
  assert (S : forall p e, Forall (fun x => 0 <= x) e -> Forall (fun x => 0 <= x) (sized p e)).
  { clear; induction p as [|p IH]; intros e H; [constructor|].
    destruct H as [|x e Hx H]; simpl; constructor; auto; lia. }
  unfold verified_weights; apply S; destruct (weights q); [| |discriminate K].
  - unfold verified_cell; destruct (a_cell a) as [j|]; [|constructor].
    destruct (_ && _); [|constructor].
    generalize (Z.to_nat j); induction (n_cells q) as [|k IH]; intros [|c]; simpl;
      repeat constructor; auto; lia.
  - unfold verified_l1; destruct (forallb not_below_0 (a_weights a)) eqn:N;
      [|constructor].
    destruct (at_most _ _); simpl; [|constructor].
    rewrite forallb_forall in N; unfold integers; apply Forall_map, Forall_forall.
    intros x I; specialize (N x I); destruct x; simpl in *; lia.
Qed.

(* (a) and (b) for one record: whatever its map returned. *)
Theorem summand_bound q a bits :
  0 <= vector_bits q -> parts q = Some bits ->
  norm2 (summand q a) <= 2 ^ bits * 2 ^ bits.
Proof.
  intros V P; unfold parts in P.
  destruct (_ && _) eqn:C in P; [|discriminate]; injection P as <-.
  rewrite !andb_true_iff, negb_true_iff, !Z.leb_le in C.
  destruct C as ((((M & W) & _) & _) & L).
  assert (Bv : 0 <= vector_bits q <= NORM_BITS) by lia.
  assert (Bw : 0 <= weight_bits q <= NORM_BITS) by lia.
  destruct (weights_bound q a Bw) as [H2 H1].
  set (e := verified_weights q a) in *.
  set (b := 2 ^ vector_bits q).
  assert (Hb : 0 <= b) by (apply Z.pow_nonneg; lia).
  assert (D : 0 <= degree (asks q)) by (destruct (asks q); cbv; discriminate).
  assert (E : 2 ^ bits_of q = 2 ^ weight_bits q * b ^ degree (asks q)).
  { unfold bits_of, b; rewrite Z.pow_add_r, (Z.mul_comm (degree _)), Z.pow_mul_r by nia.
    reflexivity. }
  assert (F : Forall (fun ev => norm2 (snd ev) <= b * b) (with_vectors q a e)).
  { apply Forall_forall; intros [w v] I; apply in_combine_r, in_map_iff in I.
    destruct I as (j & <- & _).
    eapply Z.le_trans; [apply norm2_sized|apply clip_round_bound; auto]. }
  assert (Fst : map fst (with_vectors q a e) = e).
  { apply map_fst_combine; rewrite map_length, seq_length; reflexivity. }
  assert (N : 0 <= b ^ degree (asks q)) by (apply Z.pow_nonneg; lia).
  rewrite E; unfold summand; fold e.
  destruct (is_pooled (asks q)) eqn:Po.
  - pose proof (pooled_bound (asks q) _ b Hb F) as T; rewrite Fst in T.
    simpl in L; specialize (H1 L); pose proof (norm1_nonneg e).
    assert (norm1 e * b ^ degree (asks q) <= 2 ^ weight_bits q * b ^ degree (asks q))
      by nia.
    nia.
  - pose proof (by_cell_bound (asks q) _ b Hb F) as T; rewrite Fst in T.
    assert (0 <= b ^ degree (asks q) * b ^ degree (asks q)) by nia.
    nia.
Qed.

(* Whatever their maps returned, summands of an acute part have no negative product. *)
Theorem summands_are_acute q a a' :
  acute q = true -> 0 <= dot (summand q a) (summand q a').
Proof.
  intros A; unfold acute in A; apply andb_prop in A; destruct A as [K E].
  apply negb_true_iff in K.
  assert (P : forall a, Forall (plain (n_features q))
                          (with_vectors q a (verified_weights q a))).
  { intros b; apply Forall_forall; intros [e v] I; split; simpl.
    - apply in_combine_l in I; pose proof (weights_nonneg q b K) as W.
      rewrite Forall_forall in W; auto.
    - apply in_combine_r, in_map_iff in I; destruct I as (j & <- & _).
      apply length_sized. }
  unfold summand; destruct (is_pooled (asks q)).
  - apply (pooled_is_acute _ (n_features q)); auto.
  - apply (by_cell_is_acute _ (n_features q)); auto.
Qed.

(* ------------------------------------------------------------------ *)
(* Neighbouring data sets. A unit has at most n records.               *)

Section Neighbours.
Variable record : Type.

Definition add_remove (n : nat) (D D' : list record) : Prop :=
  exists unit, (length unit <= n)%nat /\
    (Permutation D (unit ++ D') \/ Permutation D' (unit ++ D)).

Definition replace_one (n : nat) (D D' : list record) : Prop :=
  exists unit unit' others, (length unit <= n)%nat /\ (length unit' <= n)%nat /\
    Permutation D (unit ++ others) /\ Permutation D' (unit' ++ others).

(* A map of one record by itself, and the exact sum. *)
Variable map_of : record -> answer.
Variable q : query.
Variable bits : Z.
Hypothesis vector_bits_nonneg : 0 <= vector_bits q.
Hypothesis not_refused : parts q = Some bits.

Definition exact_sum (D : list record) : vec :=
  total (map (fun x => summand q (map_of x)) D).

Lemma dot_exact_perm D D' w :
  Permutation D D' -> dot (exact_sum D) w = dot (exact_sum D') w.
Proof. intros P; apply dot_total_perm, Permutation_map; exact P. Qed.

Lemma dot_exact_app D D' w :
  dot (exact_sum (D ++ D')) w = dot (exact_sum D) w + dot (exact_sum D') w.
Proof. unfold exact_sum; rewrite map_app; apply dot_total_app. Qed.

Lemma unit_bound unit n :
  (length unit <= n)%nat ->
  norm2 (exact_sum unit) <= (Z.of_nat n * 2 ^ bits) * (Z.of_nat n * 2 ^ bits).
Proof.
  intros L; assert (B : 0 <= 2 ^ bits) by (apply Z.pow_nonneg; lia).
  assert (H := norm2_total (map (fun x => summand q (map_of x)) unit) (2 ^ bits) B).
  rewrite map_length in H.
  assert (Z.of_nat (length unit) * 2 ^ bits <= Z.of_nat n * 2 ^ bits) by nia.
  assert (0 <= Z.of_nat (length unit) * 2 ^ bits) by nia.
  enough (norm2 (exact_sum unit) <=
    Z.of_nat (length unit) * 2 ^ bits * (Z.of_nat (length unit) * 2 ^ bits)) by nia.
  apply H, Forall_forall; intros v I; apply in_map_iff in I; destruct I as (x & <- & _).
  apply summand_bound; auto.
Qed.

Lemma norm2_neg v : norm2 (scale (-1) v) = norm2 v.
Proof. rewrite norm2_scale; ring. Qed.

Lemma dot_sub u v w : dot (sub u v) w = dot u w - dot v w.
Proof. unfold sub; rewrite dot_add, dot_scale; ring. Qed.

Definition stated (squared : Z) (n : nat) : Z :=
  squared * ((Z.of_nat n * 2 ^ bits) * (Z.of_nat n * 2 ^ bits)).

(* (a) add-remove: the square of the stated sensitivity is never exceeded. *)
Theorem sensitivity_add_remove n D D' :
  add_remove n D D' ->
  norm2 (sub (exact_sum D) (exact_sum D')) <= stated squared_add_remove n.
Proof.
  intros (unit & L & H); pose proof (unit_bound unit n L) as B.
  unfold stated, squared_add_remove; rewrite Z.mul_1_l.
  destruct H as [P|P].
  - rewrite (same_norm _ (exact_sum unit)); [exact B|].
    intros w; rewrite dot_sub, (dot_exact_perm _ _ w P), dot_exact_app; ring.
  - rewrite (same_norm _ (scale (-1) (exact_sum unit))); [rewrite norm2_neg; exact B|].
    intros w; rewrite dot_sub, dot_scale, (dot_exact_perm _ _ w P), dot_exact_app; ring.
Qed.

(* (a) replace-one: a unit goes and another comes. *)
Lemma replaced_norm unit unit' others D D' :
  Permutation D (unit ++ others) -> Permutation D' (unit' ++ others) ->
  norm2 (sub (exact_sum D) (exact_sum D')) =
  norm2 (sub (exact_sum unit) (exact_sum unit')).
Proof.
  intros P P'; apply same_norm; intros w.
  rewrite !dot_sub, (dot_exact_perm _ _ w P), (dot_exact_perm _ _ w P').
  rewrite !dot_exact_app; ring.
Qed.

Theorem sensitivity_replace_one n D D' :
  replace_one n D D' ->
  norm2 (sub (exact_sum D) (exact_sum D')) <= stated squared_replace_one n.
Proof.
  intros (unit & unit' & others & L & L' & P & P').
  pose proof (unit_bound unit n L) as B; pose proof (unit_bound unit' n L') as B'.
  assert (0 <= 2 ^ bits) by (apply Z.pow_nonneg; lia).
  rewrite (replaced_norm _ _ _ _ _ P P'); unfold stated, squared_replace_one.
  set (s := Z.of_nat n * 2 ^ bits) in *; assert (0 <= s) by nia.
  replace (4 * (s * s)) with ((s + s) * (s + s)) by ring.
  unfold sub; apply triangle; rewrite ?norm2_neg; auto.
Qed.

(* (a) replace-one, for parts of which no two summands have a negative product. *)
Theorem sensitivity_replace_one_acute n D D' :
  acute q = true -> replace_one n D D' ->
  norm2 (sub (exact_sum D) (exact_sum D')) <= stated squared_acute_replace_one n.
Proof.
  intros A (unit & unit' & others & L & L' & P & P').
  pose proof (unit_bound unit n L) as B; pose proof (unit_bound unit' n L') as B'.
  rewrite (replaced_norm _ _ _ _ _ P P'); unfold stated, squared_acute_replace_one.
  set (s := Z.of_nat n * 2 ^ bits) in *.
  replace (2 * (s * s)) with (s * s + s * s) by ring.
  apply acute_distance; auto.
  apply dot_total_nonneg, Forall_map, Forall_forall; intros x _.
  apply Forall_map, Forall_forall; intros y _; apply summands_are_acute; exact A.
Qed.

End Neighbours.
End Verified.
