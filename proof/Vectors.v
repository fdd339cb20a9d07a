(* Integer vectors: lists, whose further entries are zero. Norms are squared throughout,
   so that no real number is needed. *)

From Coq Require Import ZArith List Lia Permutation.
Import ListNotations.
Open Scope Z_scope.

Definition vec := list Z.

Fixpoint add (u v : vec) : vec :=
  match u, v with
  | [], _ => v
  | _, [] => u
  | x :: u', y :: v' => (x + y) :: add u' v'
  end.

Definition scale (a : Z) (v : vec) : vec := map (Z.mul a) v.
Definition sub (u v : vec) : vec := add u (scale (-1) v).

Fixpoint dot (u v : vec) : Z :=
  match u, v with
  | x :: u', y :: v' => x * y + dot u' v'
  | _, _ => 0
  end.

Definition norm2 (v : vec) : Z := dot v v.

(* The sum over the records of a data set. *)
Definition total (vs : list vec) : vec := fold_right add [] vs.

Lemma dot_nil_r u : dot u [] = 0.
Proof. destruct u; reflexivity. Qed.

Lemma dot_comm u v : dot u v = dot v u.
Proof.
  revert v; induction u as [|x u IH]; intros [|y v]; simpl; try reflexivity.
  rewrite IH; ring.
Qed.

Lemma dot_add u v w : dot (add u v) w = dot u w + dot v w.
Proof.
  revert v w; induction u as [|x u IH]; intros [|y v] [|z w]; simpl; try ring.
  rewrite IH; ring.
Qed.

Lemma dot_scale a u v : dot (scale a u) v = a * dot u v.
Proof.
  revert v; induction u as [|x u IH]; intros [|y v]; simpl; try ring.
  fold (scale a u); rewrite IH; ring.
Qed.

Lemma norm2_nonneg v : 0 <= norm2 v.
Proof.
  unfold norm2; induction v as [|x v IH]; simpl; [lia|].
  pose proof (Z.square_nonneg x); lia.
Qed.

Lemma norm2_add u v : norm2 (add u v) = norm2 u + 2 * dot u v + norm2 v.
Proof.
  unfold norm2.
  rewrite dot_add, (dot_comm u (add u v)), (dot_comm v (add u v)), !dot_add.
  rewrite (dot_comm v u); ring.
Qed.

Lemma norm2_scale a v : norm2 (scale a v) = a * a * norm2 v.
Proof. unfold norm2; rewrite dot_scale, dot_comm, dot_scale; ring. Qed.

Lemma norm2_app u v : norm2 (u ++ v) = norm2 u + norm2 v.
Proof. unfold norm2; induction u as [|x u IH]; simpl; [reflexivity|]. rewrite IH; ring. Qed.

(* |a u + b v|^2 is not negative, whatever integers a and b are. *)
Lemma quadratic u v a b :
  0 <= a * a * norm2 u + 2 * a * b * dot u v + b * b * norm2 v.
Proof.
  pose proof (norm2_nonneg (add (scale a u) (scale b v))) as H.
  rewrite norm2_add, !norm2_scale, dot_scale, (dot_comm u), dot_scale, (dot_comm v) in H.
  nia.
Qed.

Theorem cauchy_schwarz u v : dot u v * dot u v <= norm2 u * norm2 v.
Proof.
  pose proof (norm2_nonneg u) as Hu; pose proof (norm2_nonneg v) as Hv.
  destruct (Z.eq_dec (norm2 u) 0) as [U|U].
  - destruct (Z.eq_dec (norm2 v) 0) as [V|V].
    + pose proof (quadratic u v 1 (- dot u v)) as H; rewrite U, V in *; nia.
    + pose proof (quadratic u v (norm2 v) (- dot u v)) as H; nia.
  - pose proof (quadratic u v (- dot u v) (norm2 u)) as H; nia.
Qed.

Lemma dot_bound u v a b :
  0 <= a -> 0 <= b -> norm2 u <= a * a -> norm2 v <= b * b -> dot u v <= a * b.
Proof.
  intros Ha Hb Hu Hv.
  pose proof (cauchy_schwarz u v) as H.
  pose proof (norm2_nonneg u); pose proof (norm2_nonneg v).
  assert (dot u v * dot u v <= (a * b) * (a * b)) by nia.
  assert (0 <= a * b) by nia; nia.
Qed.

Theorem triangle u v a b :
  0 <= a -> 0 <= b -> norm2 u <= a * a -> norm2 v <= b * b ->
  norm2 (add u v) <= (a + b) * (a + b).
Proof.
  intros Ha Hb Hu Hv; rewrite norm2_add.
  pose proof (dot_bound u v a b Ha Hb Hu Hv); nia.
Qed.

(* The distance of two vectors with no negative product. *)
Theorem acute_distance u v a b :
  norm2 u <= a -> norm2 v <= b -> 0 <= dot u v -> norm2 (sub u v) <= a + b.
Proof.
  intros Hu Hv Huv; unfold sub.
  rewrite norm2_add, norm2_scale, (dot_comm u), dot_scale, (dot_comm v); lia.
Qed.

(* A sum of n vectors, each of norm at most b, has norm at most n b. *)
Theorem norm2_total (vs : list vec) b :
  0 <= b -> Forall (fun v => norm2 v <= b * b) vs ->
  norm2 (total vs) <= (Z.of_nat (length vs) * b) * (Z.of_nat (length vs) * b).
Proof.
  intros Hb; induction 1 as [|v vs Hv _ IH]; [simpl; unfold norm2; simpl; lia|].
  change (total (v :: vs)) with (add v (total vs)).
  replace (Z.of_nat (length (v :: vs)) * b)
    with (b + Z.of_nat (length vs) * b) by (simpl length; lia).
  apply triangle; auto; nia.
Qed.

(* ------------------------------------------------------------------ *)
(* Two vectors are the same when no product tells them apart: trailing
   zeros do not count. *)

Definition same (u v : vec) := forall w, dot u w = dot v w.

Lemma same_norm u v : same u v -> norm2 u = norm2 v.
Proof.
  intros H; unfold norm2; rewrite (H u), dot_comm, (H v); reflexivity.
Qed.

Lemma dot_total_perm vs ws : Permutation vs ws -> same (total vs) (total ws).
Proof.
  intros P w; induction P; simpl; rewrite ?dot_add; lia.
Qed.

Lemma dot_total_nonneg vs ws :
  Forall (fun v => Forall (fun w => 0 <= dot v w) ws) vs ->
  0 <= dot (total vs) (total ws).
Proof.
  induction 1 as [|v vs Hv _ IH]; [simpl; lia|].
  change (total (v :: vs)) with (add v (total vs)); rewrite dot_add.
  enough (0 <= dot v (total ws)) by lia.
  clear IH; induction Hv as [|w ws Hw _ IH]; [rewrite dot_nil_r; lia|].
  change (total (w :: ws)) with (add w (total ws)).
  rewrite dot_comm, dot_add, (dot_comm w), (dot_comm (total ws)); lia.
Qed.

Lemma dot_app a b c d :
  length a = length c -> dot (a ++ b) (c ++ d) = dot a c + dot b d.
Proof.
  revert c; induction a as [|x a IH]; intros [|z c] L; try discriminate; [reflexivity|].
  simpl in *; rewrite IH by lia; ring.
Qed.

(* ------------------------------------------------------------------ *)
(* Rows of an array have one length: zeros are added, or entries left out. *)

Fixpoint sized (p : nat) (v : vec) : vec :=
  match p, v with
  | O, _ => []
  | S p', [] => 0 :: sized p' []
  | S p', x :: v' => x :: sized p' v'
  end.

Lemma length_sized p v : length (sized p v) = p.
Proof. revert v; induction p as [|p IH]; intros [|x v]; simpl; rewrite ?IH; reflexivity. Qed.

Lemma norm2_sized p v : norm2 (sized p v) <= norm2 v.
Proof.
  revert v; induction p as [|p IH]; intros v; [apply norm2_nonneg|].
  destruct v as [|x v]; [specialize (IH []) | specialize (IH v)];
    unfold norm2 in *; simpl in *; lia.
Qed.

Lemma dot_total_app vs ws w :
  dot (total (vs ++ ws)) w = dot (total vs) w + dot (total ws) w.
Proof. induction vs as [|v vs IH]; simpl; rewrite ?dot_add; lia. Qed.
